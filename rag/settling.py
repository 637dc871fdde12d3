"""Which editions of a document are live, replaced, and in force when, as SQL keeps it."""

from collections.abc import Collection

from sqlalchemy import select

from rag.database import WriteSession
from rag.editions import in_force_spans, in_force_until
from rag.sealing import touch
from rag.tables import DocumentRow, EditionRow, SourceRow

IN_ARCHIVE = "!/"
"""Stands between an archive's location and the path of a file in it."""


def make_live(session: WriteSession, edition_ids: Collection[str]) -> int:
    """Turns pending editions live and settles replacement and dates in their documents; how many there were."""
    pending = session.scalars(
        select(EditionRow)
        .where(EditionRow.id.in_(edition_ids), EditionRow.state == "pending")
        .order_by(EditionRow.ingested_at, EditionRow.id)
    ).all()
    for edition in pending:
        edition.state = "live"
    for document_id in dict.fromkeys(edition.document_id for edition in pending):
        settle_editions(session, document_id)
    return len(pending)


def settle_editions(session: WriteSession, document_id: str) -> None:
    """Works out anew which live editions of a document are replaced, and from when until when each is in force."""
    touch(session, document_id)
    session.flush()
    live = session.scalars(
        select(EditionRow)
        .where(EditionRow.document_id == document_id, EditionRow.state == "live")
        .order_by(EditionRow.ingested_at, EditionRow.id)
    ).all()
    for at, later in enumerate(live):
        for earlier in live[:at]:
            if earlier.source == later.source and _same_date_or_none(earlier, later):
                earlier.state = "replaced"
                later.retired_on = later.retired_on or earlier.retired_on
    kept = [edition for edition in live if edition.state == "live"]
    spans = in_force_spans((edition.id, edition.in_force_from) for edition in kept)
    for edition in kept:
        edition.in_force_until = in_force_until(
            spans[edition.id][1], edition.retired_on, edition.withdrawn, edition.review_by
        )


def _same_date_or_none(earlier: EditionRow, later: EditionRow) -> bool:
    return None in (earlier.in_force_from, later.in_force_from) or earlier.in_force_from == later.in_force_from


def replace_vanished(session: WriteSession, collection_id: int, location: str, document_ids: Collection[str]) -> int:
    """Takes out of force what an earlier reading of a file gave, but for the documents that it now holds; how many
    editions those were."""
    statement = (
        select(EditionRow.id, EditionRow.document_id)
        .join(DocumentRow)
        .where(
            DocumentRow.collection_id == collection_id,
            EditionRow.source == location,
            EditionRow.state == "live",
        )
    )
    vanished = {
        edition_id: document_id
        for edition_id, document_id in session.execute(statement)
        if document_id not in document_ids
    }
    for edition_id, document_id in vanished.items():
        session.get_one(EditionRow, edition_id).state = "replaced"
        settle_editions(session, document_id)
    return len(vanished)


def replace_vanished_members(session: WriteSession, collection_id: int, archive: str, members: Collection[str]) -> int:
    """The same for the files that an archive held when it was read before and no longer does; forgets that those
    were read."""
    inside = SourceRow.location.startswith(archive + IN_ARCHIVE, autoescape=True)
    statement = select(SourceRow).where(SourceRow.collection_id == collection_id, inside)
    vanished = [row for row in session.scalars(statement) if row.location not in members]
    count = sum(replace_vanished(session, collection_id, row.location, ()) for row in vanished)
    for row in vanished:
        session.delete(row)
    return count
