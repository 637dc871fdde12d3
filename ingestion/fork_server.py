"""A lean process with the parsers loaded, which forks a child for each file and is told to by ``ingestion.isolation``.

Run as ``python -m ingestion.fork_server FD PREPARATION...``. Over the socket FD come one byte and two sockets for each
child: *work*, over which the child reads its ``Order`` and writes what it found, and *control*, over which this process
says how the child ended; a control socket that is closed ends its child. When FD is closed, all ends.

A child writes frames: a four-byte length, a letter, and a payload in msgpack. ``v`` is a value, ``d`` the end, ``e`` an
error as ``[name, text]``. No frame is pickled, since a child may have been taken over by the file it reads.
"""

import contextlib
import ctypes
import gc
import os
import resource
import selectors
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from ingestion.landlock import forbid_writing
from rag.errors import TaiyiError

FRAME = struct.Struct(">Ic")
LENGTH = struct.Struct(">I")
READY = b"r"
_PR_SET_PDEATHSIG = 1
_WORK_FD = 3
_MOST_FDS = 4096


@dataclass(frozen=True, slots=True)
class Order:
    """What a child runs: ``module:function``, which gives values one after another, with its arguments and limits.

    ``file_bytes`` is how large a file it may write, ``writable`` the folder below which.
    """

    function: str
    arguments: list[Any]
    cpu_s: int
    memory_bytes: int
    file_bytes: int = 0
    writable: str | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a child ended: its exit code or, if negative, its signal; the processor time and memory that it took."""

    code: int
    cpu_s: float
    memory_bytes: int


def named(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


class _Server:
    def __init__(self, orders: socket.socket) -> None:
        self._orders = orders
        self._children: dict[int, socket.socket] = {}
        self._parent = os.getppid()
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        woken, wake = socket.socketpair()
        woken.setblocking(False)
        wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._orders, selectors.EVENT_READ)
        self._selector.register(woken, selectors.EVENT_READ)
        try:
            while os.getppid() == self._parent:
                for key, _ in self._selector.select(timeout=5):
                    if key.fileobj is woken:
                        with contextlib.suppress(BlockingIOError):
                            woken.recv(4096)
                        self._reap()
                    elif key.data is not None:
                        self._end(key.data)
                    elif not self._take_order():
                        return
        finally:
            for child in list(self._children):
                self._end(child)

    def _take_order(self) -> bool:
        said, descriptors, _, _ = socket.recv_fds(self._orders, 1, 2)
        if not said:
            return False
        work, control = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        server = os.getpid()
        child = os.fork()
        if child == 0:
            _run_child(work.fileno(), server)
        with contextlib.suppress(OSError):
            os.setpgid(child, child)
        work.close()
        self._children[child] = control
        self._selector.register(control, selectors.EVENT_READ, child)
        return True

    def _end(self, child: int) -> None:
        """Ends a child and what it started; ``_reap`` then hears of it."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._children[child])
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)

    def _reap(self) -> None:
        for child in list(self._children):
            pid, status, used = os.wait4(child, os.WNOHANG)
            if pid == 0:
                continue
            self._end(child)
            memory = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
            ending = Ending(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, memory)
            with self._children.pop(child) as control, contextlib.suppress(OSError):
                control.sendall(msgspec.msgpack.encode(ending))


def _run_child(work: int, server: int) -> NoReturn:
    """In the child: reads the order, limits itself, and runs it. The exit code is 1 if that goes wrong."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setpgid(0, 0)
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != server:
                os._exit(1)
            with contextlib.suppress(OSError):
                Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
        os.dup2(work, _WORK_FD)
        os.closerange(_WORK_FD + 1, _MOST_FDS)
        with socket.socket(fileno=_WORK_FD) as channel:
            order = msgspec.msgpack.decode(_received(channel, LENGTH.unpack(_received(channel, 4))[0]), type=Order)
            _limit(order)
            _answer(channel, order)
        code = 0
    finally:
        os._exit(code)


def _limit(order: Order) -> None:
    limits = [
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, order.cpu_s, order.cpu_s + 5),
        (resource.RLIMIT_DATA, order.memory_bytes, order.memory_bytes),
        (resource.RLIMIT_FSIZE, order.file_bytes, order.file_bytes),
    ]
    for kind, soft, hard in limits:
        _, most = resource.getrlimit(kind)
        cap = hard if most == resource.RLIM_INFINITY else min(hard, most)
        with contextlib.suppress(ValueError, OSError):  # macOS refuses some of them
            resource.setrlimit(kind, (min(soft, cap), cap))
    forbid_writing(Path(order.writable) if order.writable else None)


def _answer(channel: socket.socket, order: Order) -> None:
    encode = msgspec.msgpack.Encoder().encode

    def say(letter: bytes, value: object) -> None:
        payload = encode(value)
        channel.sendall(FRAME.pack(len(payload), letter) + payload)

    try:
        values: Iterable[Any] = named(order.function)(*order.arguments)
        for value in values:
            say(b"v", value)
    except BrokenPipeError:
        return
    except BaseException as error:
        say(b"e", _told(error))
    else:
        say(b"d", None)


def _told(error: BaseException) -> tuple[str, str]:
    """An error's name and what may be said of it: an unforeseen one's own words may be a document's."""
    if isinstance(error, TaiyiError):
        return type(error).__name__, str(error)
    if isinstance(error, OSError):
        return "OSError", error.strerror or type(error).__name__
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, f"{Path(frame.filename).name} line {frame.lineno}"


def _received(channel: socket.socket, count: int) -> bytes:
    received = bytearray()
    while len(received) < count:
        chunk = channel.recv(count - len(received))
        if not chunk:
            raise EOFError
        received += chunk
    return bytes(received)


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as orders:
        for preparation in sys.argv[2:]:
            function, arguments = msgspec.json.decode(preparation, type=tuple[str, list[str]])
            named(function)(*arguments)
        gc.collect()
        gc.freeze()  # so that children do not copy pages only to look through them
        orders.sendall(READY)
        silence = os.open(os.devnull, os.O_RDWR)
        os.dup2(silence, 2)
        os.close(silence)
        _Server(orders).run()


if __name__ == "__main__":
    main()
