"""Pages of source PDFs as images with words marked, for who wants to see where a sentence stands.

A file may be made to hang or crash what draws it, so pages are read and drawn in processes of their own, as files are
when they are loaded. What they gave is kept under ``RAG_HOME/pages``.
"""

import hashlib
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec

from ingestion.children import ForkServer, Limits
from ingestion.isolation import Parsers
from ingestion.page_values import Placed, PlacedBox, boxes_between
from rag import page_cache
from rag.errors import NotFound, UnreadableFile
from rag.originals import original_path

FORMATS = frozenset({"pdf"})
"""Those whose pages can be drawn."""
LIMITS = Limits(
    silence_s=60, silence_s_per_mib=0, cpu_s=20, cpu_s_per_mib=0, memory_mib=1024, output_mib_per_mib=0, message_mib=64
)
"""A page that is a scan takes Tesseract most of the silence."""
_MADE_BY = "1"
"""Changes where the same request is to give another drawing, so that no older one is taken for it."""
_PNG = b"\x89PNG\r\n\x1a\n"
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class PagedPassage:
    """A passage of an original with pages: ``lines`` are the boxes of its lines, ``text`` is what stands on them."""

    sha256: str
    lines: tuple[PlacedBox, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Marks:
    """Where words stand: a box for each line, and the width and height in points of each page with one.

    ``exact`` is that the boxes begin and end with the words; else they are all lines of the passage, since the page
    does not tell where the words are.
    """

    page_count: int
    sizes: dict[int, tuple[float, float]]
    boxes: tuple[PlacedBox, ...]
    exact: bool


class Pages:
    """Draws pages, in a process that starts with the first of them. Several threads may ask at once. Close it, or use
    it in ``with``."""

    def __init__(self, home: Path, cache_bytes: int) -> None:
        self._home, self._cache_bytes = home, cache_bytes
        self._lock = threading.Lock()
        self._children: Parsers | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._children is not None:
                self._children.close()

    def has(self, sha256: str, format_name: str) -> bool:
        """Whether the pages of an original can be drawn."""
        return format_name in FORMATS and original_path(self._home, sha256).exists()

    def marks(self, passage: PagedPassage, start: int, end: int) -> Marks:
        """Where ``passage.text[start:end]`` stands. Raises UnreadableFile."""
        arguments = [[list(line) for line in passage.lines], passage.text]
        encoded = self._kept(passage.sha256, "place", arguments, Placed, _is_sound, msgspec.json.encode)
        placed = msgspec.json.decode(encoded, type=Placed)
        boxes = boxes_between(placed.letters, passage.lines, passage.text, start, end)
        return Marks(placed.page_count, placed.sizes, boxes or passage.lines, boxes is not None)

    def image(self, passage: PagedPassage, marks: Marks, page: int, width: int) -> bytes:
        """A page as PNG, with those of ``marks`` that are on it. Raises NotFound, and UnreadableFile."""
        if not 1 <= page <= marks.page_count:
            raise NotFound(f"There is no page {page}: the document has {marks.page_count}")
        arguments = [page, width, [list(box) for box in marks.boxes if box[0] == page]]
        return self._kept(passage.sha256, "draw", arguments, bytes, _is_png, bytes)

    def _kept(
        self,
        sha256: str,
        function: str,
        arguments: list[Any],
        value_type: type[_Value],
        is_sound: Callable[[_Value], bool],
        encode: Callable[[_Value], bytes],
    ) -> bytes:
        name = hashlib.sha256(msgspec.json.encode([_MADE_BY, function, arguments])).hexdigest()
        found = page_cache.kept(self._home, sha256, name)
        if found is None:
            found = encode(self._made(sha256, function, arguments, value_type, is_sound))
            if len(found) <= self._cache_bytes:
                page_cache.keep(self._home, sha256, name, found, self._cache_bytes)
        return found

    def _made(
        self,
        sha256: str,
        function: str,
        arguments: list[Any],
        value_type: type[_Value],
        is_sound: Callable[[_Value], bool],
    ) -> _Value:
        path = original_path(self._home, sha256).absolute()
        name = f"ingestion.page_drawing:{function}"
        try:
            with self._started().run(name, [str(path), *arguments], value_type, path, is_sound=is_sound) as given:
                for value in given:
                    return value
        except UnreadableFile as error:
            raise UnreadableFile(str(error).replace(path.name, "The page")) from error
        raise UnreadableFile("The page cannot be drawn: look at the original file")

    def _started(self) -> Parsers:
        with self._lock:
            if self._children is None:
                self._children = Parsers(self._home, ForkServer([("ingestion.page_drawing:prepare", [])]), LIMITS)
            return self._children


def _is_sound(placed: Placed) -> bool:
    numbers = [number for letter in placed.letters for number in letter[2:]]
    numbers += [length for size in placed.sizes.values() for length in size]
    return placed.page_count >= 1 and all(map(math.isfinite, numbers))


def _is_png(drawn: bytes) -> bool:
    return drawn.startswith(_PNG)
