"""What a loader makes of a file, and what the splitter makes of that."""

from dataclasses import dataclass, field, fields
from enum import StrEnum


class BlockKind(StrEnum):
    TITLE = "title"
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or table row as it stands in the source: one logical line, no line break inside.

    ``level`` is 1 for the outermost heading below the title; 0 for what is no heading. ``page`` is 1-based, None where
    the source has no pages. ``joins_previous`` marks a row or item that continues the table or list of the block
    before it.
    """

    kind: BlockKind
    text: str
    level: int = 0
    page: int | None = None
    joins_previous: bool = False


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a document besides its text. A date is ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``."""

    external_id: str | None = None
    title: str | None = None
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    journal: str | None = None
    edition: str | None = None
    published: str | None = None
    effective: str | None = None
    language: str | None = None
    url: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    licence: str | None = None

    def updated_by(self, other: "Metadata") -> "Metadata":
        """These values, replaced by each value that ``other`` states."""
        stated = {f.name: value for f in fields(other) if (value := getattr(other, f.name))}
        return Metadata(**{f.name: stated.get(f.name, getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """One document as read from a file, in reading order."""

    blocks: tuple[Block, ...]
    metadata: Metadata = field(default_factory=Metadata)
