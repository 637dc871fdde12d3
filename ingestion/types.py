"""What a loader makes of a file, and what the splitter makes of that."""

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from enum import StrEnum

from rag.types import Metadata, NewPassage

__all__ = ["Block", "BlockKind", "Box", "LoadedDocument", "Metadata", "ParsedDocument", "is_sound"]


class BlockKind(StrEnum):
    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"


@dataclass(frozen=True, slots=True)
class Box:
    """Where ``block.text[start:end]`` stands on a page: in PDF points from the top left corner of the page as shown."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table row as it stands in the source: one logical line, no line break inside.

    ``level`` is 1 for the outermost heading below the title; 0 for what is no heading. ``page`` is 1-based, None where
    the source has no pages. ``joins_previous`` marks a row or item that continues the table or list of the block
    before it. ``boxes`` has one box a line, in order, where the source has pages. ``hidden`` says why a reader of the
    source does not see the block ("white on white", "zero size"), None where it is seen.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    joins_previous: bool = False
    boxes: tuple[Box, ...] = ()
    hidden: str | None = None


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """One document as read from a file, in reading order."""

    blocks: tuple[Block, ...]
    metadata: Metadata = field(default_factory=Metadata)


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document laid out as one text and split into passages, with its format as ``ingestion.loaders`` names it."""

    format: str
    metadata: Metadata
    text: str
    page_starts: tuple[int, ...]
    passages: tuple[NewPassage, ...]


def is_sound(document: ParsedDocument) -> bool:
    """Whether offsets, pages and boxes lie where they can, and no text holds what a database refuses."""
    offset = page_offset = 0
    for passage in document.passages:
        if not offset <= passage.char_start < passage.char_end <= len(document.text):
            return False
        offset = passage.char_end
        if passage.page is not None and not 1 <= passage.page <= len(document.page_starts):
            return False
        if any(box[0] < 1 or not all(map(math.isfinite, box)) for box in passage.boxes):
            return False
    for start in document.page_starts:
        if not page_offset <= start <= len(document.text):
            return False
        page_offset = start
    sections = (passage.section or "" for passage in document.passages)
    return not any("\0" in text for text in (document.text, *_texts(astuple(document.metadata)), *sections))


def _texts(values: tuple[object, ...]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from _texts(value)
