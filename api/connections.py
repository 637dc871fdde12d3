"""Connections to clients that are too slow are cut: those that do not get a request's head done, and those that do not
read what they asked for. uvicorn itself waits for both without an end."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol


def patient_for(seconds: float) -> type[asyncio.Protocol]:
    """The protocol for uvicorn. ``seconds`` is how long a client may take for a request's head, for reading half of
    what is buffered for it, and for what it still sends once it has its response."""

    class Impatient(H11Protocol):
        _head: asyncio.TimerHandle | None = None
        _reading: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._head = self.loop.call_later(seconds, self._give_up)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self._serves():
                _cancel(self._head)
                self._head = None
            elif self._head is None:
                self._head = self.loop.call_later(seconds, self._give_up)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._reading = self.loop.call_later(seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            _cancel(self._reading)

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._reading = self.loop.call_later(seconds, self.transport.abort)  # closing waits for what is unread

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            _cancel(self._head)
            _cancel(self._reading)

        def _serves(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

        def _give_up(self) -> None:
            self._head = None
            if not self._serves():
                self.transport.abort()

    return Impatient


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
