"""The caller's side of ``ingestion.fork_server``: starting it, starting children, and taking what they give.

Nothing that a child says is believed: frames have a largest length, values are decoded into one known type, and words
of its errors are used only as errors.
"""

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

import msgspec

from ingestion.fork_server import FRAME, LENGTH, READY, Ending, Order
from rag.errors import TaiyiError, Unavailable, UnreadableFile, UnsupportedFormat

MIB = 1 << 20
_READ_BYTES = 1 << 18
_PIPE_BYTES = 1 << 20
_START_S = 120
_END_S = 10
_LONGEST_MESSAGE = 1000
_KEPT_ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "HOME"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TESSDATA_PREFIX"),
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
_HUGE_PAGES = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "PYTHONMALLOC": "malloc"}  # a fork takes 7 ms, not 67
_Value = TypeVar("_Value")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may take. Those with ``_per_mib`` grow with the file's size.

    ``silence_s`` is how long the caller waits for the next document; it is long for large files, since a scan of many
    pages is recognised before the first word of it comes. ``message_mib`` is how large one document may be.
    ``memory_mib`` counts what is allocated, the parsers themselves among it; it holds on Linux only.
    """

    silence_s: float = 120
    silence_s_per_mib: float = 120
    cpu_s: int = 60
    cpu_s_per_mib: int = 10
    memory_mib: int = 2048
    output_mib: int = 64
    output_mib_per_mib: int = 50
    message_mib: int = 64

    def silence_of(self, size: int) -> float:
        return self.silence_s + self.silence_s_per_mib * size / MIB

    def cpu_s_of(self, size: int) -> int:
        return self.cpu_s + self.cpu_s_per_mib * size // MIB

    def output_bytes_of(self, size: int) -> int:
        return max(self.output_mib * MIB, self.output_mib_per_mib * size)


class ForkServer:
    """Starts when made, is waited for with the first child, and starts anew if something ended it. ``preparations``
    are functions that it runs before it forks: ``module:function`` and arguments. Several threads may start children.
    """

    def __init__(self, preparations: Sequence[tuple[str, list[str]]]) -> None:
        self._preparations = [msgspec.json.encode(one).decode() for one in preparations]
        self._lock = threading.Lock()
        self._launch()

    def start(self, order: Order) -> tuple[socket.socket, socket.socket]:
        """The two sockets of a new child that runs ``order``: its work and its control. Raises Unavailable."""
        work, of_child = socket.socketpair()
        control, of_server = socket.socketpair()
        with of_child, of_server:
            of_child.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _PIPE_BYTES)
            try:
                with self._lock:
                    self._fork([of_child.fileno(), of_server.fileno()])
                encoded = msgspec.msgpack.encode(order)
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # reading from it tells how it ended
                    work.sendall(LENGTH.pack(len(encoded)) + encoded)
            except BaseException:
                work.close()
                control.close()
                raise
        return work, control

    def close(self) -> None:
        """Ends the server and every child."""
        with self._lock:
            self._stop()

    def _fork(self, descriptors: list[int]) -> None:
        if self._is_ready:
            try:
                socket.send_fds(self._orders, [b"f"], descriptors)
            except (BrokenPipeError, ConnectionResetError):
                log.warning("The process that reads files has ended; another is started")
                self._stop()
                self._launch()
            else:
                return
        self._wait_until_ready()
        socket.send_fds(self._orders, [b"f"], descriptors)

    def _launch(self) -> None:
        self._is_ready = False
        self._orders, of_server = socket.socketpair()
        environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        importable = os.pathsep.join(os.path.abspath(folder) for folder in sys.path)
        environment |= {**_ONE_THREAD, **_HUGE_PAGES, "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": importable}
        with of_server:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "ingestion.fork_server", str(of_server.fileno()), *self._preparations],
                pass_fds=[of_server.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )

    def _wait_until_ready(self) -> None:
        self._orders.settimeout(_START_S)
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            self._is_ready = self._orders.recv(1) == READY
        self._orders.settimeout(None)
        if not self._is_ready:
            said = self._last_words()
            self._stop()
            self._launch()
            log.error("The process that reads files did not start: %s", said)
            raise Unavailable(f"The process that reads files does not start: {said.rpartition(chr(10))[2] or 'killed'}")

    def _last_words(self) -> str:
        try:
            _, said = self._process.communicate(timeout=_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, said = self._process.communicate()
        return said.decode(errors="replace").strip()

    def _stop(self) -> None:
        self._orders.close()
        if not self._is_ready:
            self._process.kill()
        with self._process:  # closes its pipe and waits for it
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()


class Reading(Generic[_Value]):
    """The values that a child gives, one after another, then the error if there is one. Closing it ends the child."""

    def __init__(
        self,
        path: Path,
        order: Order,
        value_type: type[_Value],
        is_sound: Callable[[_Value], bool],
        limits: Limits,
        size: int,
        work: socket.socket,
        control: socket.socket,
    ) -> None:
        self._path, self._order = path, order
        self._work, self._control = work, control
        self._decoder, self._is_sound = msgspec.msgpack.Decoder(value_type), is_sound
        self._message_bytes = limits.message_mib * MIB
        self._output_bytes, self._taken_bytes = limits.output_bytes_of(size), 0
        self._silence_s = limits.silence_of(size)
        self._patience_s = 2 * self._silence_s + 10 * order.cpu_s
        self._buffer = bytearray()
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._is_open = False
        self._work.close()
        self._control.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Value:
        if not self._is_open:
            raise StopIteration
        try:
            value = self._next()
        except BaseException:
            self.close()
            raise
        return value

    def _next(self) -> _Value:
        length, letter = FRAME.unpack(self._take(FRAME.size))
        if length > self._message_bytes:
            raise self._given_up(f"one document of it takes more than {self._message_bytes // MIB} MiB", _PART_IT)
        payload = self._take(length)
        try:
            if letter == b"v":
                value = self._decoder.decode(payload)
                if self._is_sound(value):
                    return value
            elif letter == b"e":
                raise self._error(*msgspec.msgpack.decode(payload, type=tuple[str, str]))
            elif letter == b"d":
                raise StopIteration
        except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as error:
            log.debug("%s: what its process gave is of no known type: %s", self._path.name, type(error).__name__)
        raise self._given_up("what its loader gave is not sound", _SAVE_IT_ANEW)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._receive()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _receive(self) -> None:
        self._work.settimeout(max(0.001, min(self._silence_s, self._patience_s)))
        asked_at = time.monotonic()
        try:
            chunk = self._work.recv(_READ_BYTES)
        except TimeoutError:
            raise self._given_up(f"nothing came of it for {self._silence_s:.0f} s", _PART_IT) from None
        except ConnectionResetError:
            chunk = b""
        self._patience_s -= time.monotonic() - asked_at
        if not chunk:
            raise self._given_up(*self._how_it_ended())
        self._buffer += chunk
        self._taken_bytes += len(chunk)
        if self._taken_bytes > self._output_bytes:
            raise self._given_up(f"what it holds takes more than {self._output_bytes // MIB} MiB", _PART_IT)

    def _how_it_ended(self) -> tuple[str, str]:
        self._control.settimeout(_END_S)
        try:
            ending = msgspec.msgpack.decode(self._control.recv(_LONGEST_MESSAGE), type=Ending)
        except (OSError, msgspec.DecodeError):
            return "the process that reads files has ended", "load it again"
        log.debug("%s: its process ended: %s", self._path.name, ending)
        if ending.code == -signal.SIGXCPU:
            return self._took(f"{self._order.cpu_s} s of processor time")
        if ending.code < 0 and ending.memory_bytes > 0.8 * self._order.memory_bytes:
            return self._took(f"{self._order.memory_bytes // MIB} MiB of memory")
        if ending.code == -signal.SIGKILL:
            return "the system ended the process that read it, most likely for want of memory", _PART_IT
        how = signal.Signals(-ending.code).name if ending.code < 0 else f"exit code {ending.code}"
        return f"its loader crashed ({how})", _SAVE_IT_ANEW

    def _error(self, name: str, text: str) -> TaiyiError:
        text = "".join(character if character.isprintable() else " " for character in text[:_LONGEST_MESSAGE])
        match name:
            case "UnreadableFile":
                return UnreadableFile(text)
            case "UnsupportedFormat":
                return UnsupportedFormat(text)
            case "OSError":
                return UnreadableFile(f"{self._path.name} cannot be read: {text}")
            case "MemoryError":
                return self._given_up(*self._took(f"{self._order.memory_bytes // MIB} MiB of memory"))
            case "RecursionError":
                return self._given_up("it is nested too deeply", _SAVE_IT_ANEW)
        log.warning("%s: its loader failed: %s, %s", self._path.name, name[:100], text)
        return self._given_up(f"its loader failed ({name[:100]}, {text})", _SAVE_IT_ANEW)

    @staticmethod
    def _took(what: str) -> tuple[str, str]:
        return f"reading it took more than {what}", _PART_IT

    def _given_up(self, reason: str, advice: str) -> UnreadableFile:
        return UnreadableFile(f"{self._path.name} was given up: {reason}; {advice}")


_PART_IT = "part it into smaller files, or leave it out"
_SAVE_IT_ANEW = "open it with its own program and save it anew, or leave it out"
