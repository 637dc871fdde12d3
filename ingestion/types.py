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
class Metadata:
    """What is known of a document besides its text. A date is ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.

    ``publication_types`` and ``study_design`` are in the words of MeSH where the source uses them ("Randomized
    Controlled Trial"). ``retraction`` is the notice of a text that was retracted, as the source words it. A text holds
    until the day before ``withdrawn`` and to the end of ``review_by``. ``supersedes`` is the external id or DOI of the
    document of which this is a newer edition.
    """

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
    publication_types: tuple[str, ...] = ()
    study_design: str | None = None
    evidence_grade: str | None = None
    retraction: str | None = None
    withdrawn: str | None = None
    review_by: str | None = None
    supersedes: str | None = None

    def updated_by(self, other: "Metadata") -> "Metadata":
        """These values, replaced by each value that ``other`` states."""
        stated = {f.name: value for f in fields(other) if (value := getattr(other, f.name))}
        return Metadata(**{f.name: stated.get(f.name, getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """One document as read from a file, in reading order."""

    blocks: tuple[Block, ...]
    metadata: Metadata = field(default_factory=Metadata)
