"""Work that several threads want done at one time, done together: a batch of a model, a transaction of a database."""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

WINDOW_S = 0.002
MOST = 64

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Call(Generic[Item, Result]):
    def __init__(self, item: Item) -> None:
        self.item = item
        self.is_done = False
        self.result: Result
        self.error: BaseException | None = None


class Gathering(Generic[Item, Result]):
    """Who comes alone is served at once. Who comes while others are served waits, and one of those that wait then takes
    all of them along. Where the last batch was of several, that one gives as many ``window_s`` to come together again;
    nobody waits for company that was not there a moment ago."""

    def __init__(self, window_s: float = WINDOW_S, most: int = MOST) -> None:
        self._window_s, self._most = window_s, most
        self._changed = threading.Condition()
        self._waiting: list[_Call[Item, Result]] = []
        self._is_led = False
        self._last = 1

    def done(self, item: Item, work: Callable[[Sequence[Item]], Sequence[Result]]) -> Result:
        """What ``work`` makes of ``item``. It is called by one thread at a time, with the items of some callers, and
        gives a result for each in their order; what it raises, each of them raises."""
        call: _Call[Item, Result] = _Call(item)
        with self._changed:
            self._waiting.append(call)
            self._changed.notify_all()  # one that leads may be waiting for company
            self._changed.wait_for(lambda: call.is_done or not self._is_led)
            while not call.is_done:
                batch = self._taken()
                self._changed.release()
                try:
                    _do(batch, work)
                finally:
                    self._changed.acquire()
                    self._is_led = False
                    self._changed.notify_all()
                self._changed.wait_for(lambda: call.is_done or not self._is_led)
        if call.error is not None:
            raise call.error
        return call.result

    def _taken(self) -> list[_Call[Item, Result]]:
        self._is_led = True
        if self._last > 1:
            self._changed.wait_for(lambda: len(self._waiting) >= self._last, self._window_s)
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._last = len(batch)
        return batch


def _do(batch: Sequence[_Call[Item, Result]], work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
    try:
        for call, result in zip(batch, work([call.item for call in batch]), strict=True):
            call.result = result
    except BaseException as error:
        for call in batch:
            call.error = error
    finally:
        for call in batch:
            call.is_done = True
