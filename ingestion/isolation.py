"""Files are read in processes of their own, so that a file which hangs, crashes or bloats its loader fails alone.

``ingestion.fork_server`` forks a child for each file from a process that holds the parsers and nothing of the caller's.
A child has limits on time, processor, memory and output, writes no files, and on Linux opens no TCP
connections. What it says is taken as if the file itself said it: decoded into values of known types, and checked.
Everything ends with the caller, even where that is killed.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self, TypeVar

from ingestion import archives
from ingestion.children import MIB, ForkServer, Limits, Reading
from ingestion.fork_server import Order
from ingestion.types import ParsedDocument, is_sound
from rag.errors import UnreadableFile
from rag.packaged_embedder import ensure_packaged_embedder

__all__ = ["Limits", "Parsers", "parsing_processes"]

_Value = TypeVar("_Value")


class Parsers:
    """Reads files, each in a child of its own. Several threads may ask at once. Close it, or use it in ``with``."""

    def __init__(self, home: Path, server: ForkServer, limits: Limits) -> None:
        self._home, self._server, self._limits = home, server, limits

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._server.close()

    def start(self, path: Path) -> Reading[ParsedDocument]:
        """Begins to read ``path``, up to what the child's pipe holds, and gives its documents as they are taken.

        They raise UnsupportedFormat, and UnreadableFile also for a file that had to be given up; the documents before
        that are good.
        """
        arguments = [str(self._home.absolute()), str(path.absolute())]
        return self.run("ingestion.parsing:documents", arguments, ParsedDocument, path, is_sound=is_sound)

    def parse(self, path: Path) -> Iterator[ParsedDocument]:
        """The documents in ``path``, begun when the first is asked for; else as ``start``."""
        with self.start(path) as reading:
            yield from reading

    def unpack(self, path: Path, into: Path, limits: archives.Limits | None = None) -> list[archives.Member]:
        """``archives.unpack`` in a child that can write below ``into`` alone; raises UnreadableFile as that does."""
        limits = limits or archives.Limits()
        arguments = [str(path.absolute()), str(into.absolute()), asdict(limits)]
        with self.run("ingestion.parsing:members", arguments, tuple[str, str], path, into, limits.bytes) as found:
            members = [archives.Member(name, Path(where)) for name, where in found]
        inside = into.resolve()
        for member in members:
            resolved = member.path.resolve()
            if not (resolved.is_relative_to(inside) and resolved.is_file()):
                raise UnreadableFile(f"{path.name} was given up: a member lies outside the folder it unpacks to")
        return members

    def run(
        self,
        function: str,
        arguments: list[Any],
        value_type: type[_Value],
        path: Path,
        writable: Path | None = None,
        file_bytes: int = 0,
        is_sound: Callable[[_Value], bool] = lambda value: True,
    ) -> Reading[_Value]:
        """Starts ``module:function`` in a child and gives its values, each checked to be ``value_type`` and sound.

        ``path`` is the file that it is about, by whose size the limits go and whose name the errors say.
        """
        try:
            size = path.stat().st_size
        except OSError:
            size = 0  # the child says what is the matter with the file
        order = Order(
            function,
            arguments,
            self._limits.cpu_s_of(size),
            self._limits.memory_mib * MIB,
            file_bytes,
            str(writable.absolute()) if writable else None,
        )
        work, control = self._server.start(order)
        return Reading(path, order, value_type, is_sound, self._limits, size, work, control)


def parsing_processes(home: Path, limits: Limits | None = None) -> Parsers:
    """Parsers whose tokenizer is the one under ``home``."""
    ensure_packaged_embedder(home)
    server = ForkServer([("ingestion.parsing:prepare", [str(home.absolute())])])
    return Parsers(home, server, limits or Limits())
