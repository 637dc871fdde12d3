"""The original that a passage was read from, and where on it the passage stands."""

from dataclasses import dataclass

from sqlalchemy import select

from rag.database import ReadSession
from rag.tables import EditionRow, PassageRow


@dataclass(frozen=True, slots=True)
class Source:
    """``sha256`` and ``format`` are those of the original; ``lines`` are ``(page, left, top, right, bottom)`` for each
    line of the passage, in points from the top left corner of the page, none where the source has no pages."""

    sha256: str
    format: str
    lines: tuple[tuple[int, float, float, float, float], ...]


def source_of(session: ReadSession, passage_id: str) -> Source:
    """The source of a passage that the caller was already found to see."""
    columns = (EditionRow.source_sha256, EditionRow.format, PassageRow.boxes)
    statement = select(*columns).join(EditionRow, EditionRow.id == PassageRow.edition_id)
    sha256, format_name, boxes = session.execute(statement.where(PassageRow.id == int(passage_id))).one()
    lines = ((int(page), left, top, right, bottom) for page, left, top, right, bottom in boxes)
    return Source(sha256, format_name, tuple(lines))
