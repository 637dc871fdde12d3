"""Reading the text of an edition from its beginning to its end, some passages at a time."""

from dataclasses import dataclass

from sqlalchemy import select

from rag import catalog
from rag.database import ReadSession
from rag.tables import PassageRow
from rag.types import Caller


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage as it is read on after the one before it: ``text`` is without what the two share, and is what stands
    from ``char_start`` to ``char_end`` in the edition's text. ``section`` is the path of its headings."""

    passage_id: str
    ordinal: int
    section: str | None
    page: int | None
    flags: tuple[str, ...]
    char_start: int
    char_end: int
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Where a section begins: with the passage ``ordinal``, counted from 0, on ``page``."""

    section: str | None
    page: int | None
    ordinal: int


@dataclass(frozen=True, slots=True)
class Reading:
    """Passages of an edition in their order, how many it has, and its sections."""

    document_id: str
    edition_id: str
    pieces: tuple[Piece, ...]
    total: int
    headings: tuple[Heading, ...]


def read(
    session: ReadSession, caller: Caller, document_id: str, edition_id: str | None, limit: int, offset: int
) -> Reading:
    """Up to ``limit`` passages of an edition, by default the current one, from the passage ``offset`` on. Raises
    NotFound."""
    document = catalog.document(session, caller, document_id, edition_id)
    text, chosen = document.text or "", document.edition_id
    of_edition = PassageRow.edition_id == chosen
    places = session.execute(
        select(PassageRow.ordinal, PassageRow.section, PassageRow.page).where(of_edition).order_by(PassageRow.ordinal)
    ).all()
    headings = [
        Heading(row.section, row.page, at)
        for at, row in enumerate(places)
        if at == 0 or row.section != places[at - 1].section
    ]
    first = max(0, offset - 1)  # where the passage before ends, which is not given
    rows = session.scalars(
        select(PassageRow).where(of_edition).order_by(PassageRow.ordinal).offset(first).limit(limit + offset - first)
    ).all()
    end = rows[0].char_end if offset and rows else 0
    pieces = []
    for at, row in enumerate(rows[offset - first :], start=offset):
        start = min(max(row.char_start, end), row.char_end)
        end = max(end, row.char_end)
        flags = tuple(row.flags.split())
        words = text[start : row.char_end]
        pieces.append(Piece(str(row.id), at, row.section, row.page, flags, start, row.char_end, words))
    return Reading(document.id, chosen, tuple(pieces), len(places), tuple(headings))
