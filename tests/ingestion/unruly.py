"""What a process that reads a file can do wrong, for the tests of isolation to run in one."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from ingestion.types import Metadata, ParsedDocument
from rag.types import NewPassage


def count(upto: int) -> Iterator[int]:
    yield from range(upto)


def sleep() -> Iterator[int]:
    yield 1
    time.sleep(600)


def spin() -> Iterator[int]:
    while True:
        pass
    yield 1


def allocate() -> Iterator[int]:
    held = []
    while True:
        held.append(bytearray(1 << 24))
    yield 1


def recurse() -> Iterator[int]:
    yield from recurse()


def die(number: int) -> Iterator[int]:
    os.kill(os.getpid(), number)
    yield 1


def leave() -> Iterator[int]:
    os._exit(7)
    yield 1


def fail() -> Iterator[int]:
    yield 1
    raise KeyError("the patient's name")


def say(latin: str) -> Iterator[int]:
    """Writes bytes, given as Latin-1, where frames belong."""
    os.write(3, latin.encode("latin-1"))
    time.sleep(600)
    yield 1


def forge(start: int, end: int) -> Iterator[ParsedDocument]:
    """A document of two characters with a passage of the caller's choice."""
    yield ParsedDocument("text", Metadata(), "ab", (), (NewPassage(start, end, None, None),))


def flood() -> Iterator[str]:
    while True:
        yield "x" * 10_000


def bring_forth() -> Iterator[int]:
    """Starts a process of its own, and says which."""
    yield subprocess.Popen(["sleep", "600"]).pid
    yield from spin()


def write(path: str) -> Iterator[str]:
    try:
        Path(path).write_text("x", encoding="ascii")
    except OSError as error:
        yield error.strerror or ""
    else:
        yield "written"


def connect(port: int) -> Iterator[str]:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError as error:
        yield error.strerror or ""
    else:
        yield "connected"


def environment() -> Iterator[str]:
    yield from os.environ


def own_pid_and_parents() -> Iterator[int]:
    yield os.getpid()
    yield os.getppid()
    yield from spin()


if __name__ == "__main__":  # a caller to be killed: prints which processes it has, then waits
    from ingestion.children import ForkServer, Limits
    from ingestion.isolation import Parsers

    here = Path(__file__).parent
    parsers = [Parsers(here, ForkServer([]), Limits()) for _ in range(2)]
    readings = [one.run("unruly:own_pid_and_parents", [], int, here) for one in parsers]
    pids = [next(reading) for reading in readings for _ in range(2)]
    sys.stdout.write(" ".join(map(str, pids)) + "\n")
    sys.stdout.flush()
    signal.pause()
