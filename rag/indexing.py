"""Building a collection's indexes from SQL: publishing what is pending, finishing what was interrupted, compacting.

An edition is committed as ``pending``; its vectors are written as a new segment and its terms into the lexical index,
which no reader looks for yet; one transaction then names the segment, makes the edition live, settles which edition is
in force and counts the collection's generation up. Killed anywhere in between, the next writer finishes it. Everything
here that writes is to be called in a writing turn (``rag.writing.writing_turn``).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import delete, func, select, update

from rag.analysis import terms
from rag.database import ReadSession, WriteSession
from rag.editions import in_force_spans
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow, PassageRow, SegmentRow, SourceRow

EMBED_BATCH = 256
SEGMENTS_BEFORE_COMPACTION = 16
ALWAYS_COMPACT_BELOW = 20_000
DEAD_BEFORE_COMPACTION = 0.1
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinishedSource:
    """A file that was read to its end; recorded with the publication of its last edition."""

    location: str
    sha256: str
    metadata_sha256: str
    document_id: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    """A passage as the indexes see it: with its document's title and its section's headings."""

    id: int
    text: str


def publish(
    system: System,
    collection_id: int,
    sources: Sequence[FinishedSource] = (),
    embedded: Callable[[int], None] = lambda count: None,
) -> None:
    """Makes all pending editions of a collection searchable, and records ``sources`` as read.

    ``embedded`` hears of each batch how many passages it had.
    """
    with system.database.reading() as session:
        entries = _entries(session, collection_id, "pending")
        segments = _segments(session, collection_id)
        lexical = session.get_one(CollectionRow, collection_id).lexical
    missing = _without_vector(system, entries, segments)
    segment = _write_segment(system, missing, embedded)
    if entries:
        lexical = _write_lexical(system, lexical, entries)
    with system.database.writing() as session:
        if segment is not None:
            session.add(_segment_row(system, segment, collection_id, len(missing)))
        changed = _make_live(session, collection_id)
        for source in sources:
            _record_source(session, collection_id, source)
        if changed:
            _next_generation(session, collection_id, lexical)
    if len(segments) + 1 > SEGMENTS_BEFORE_COMPACTION:
        compact(system, collection_id)


def recover(system: System, collection_id: int) -> None:
    """Finishes what a killed writer left: its pending editions and half-written files."""
    with system.database.reading() as session:
        pending = bool(_entries(session, collection_id, "pending"))
    if pending:
        log.info("Finishing what an earlier run left undone")
        compact(system, collection_id)
        publish(system, collection_id)
    else:
        tidy(system, collection_id)
    _remove_unnamed_files(system)


def tidy(system: System, collection_id: int) -> None:
    """Compacts where removed passages are a noticeable part of the indexes or the collection is small."""
    with system.database.reading() as session:
        indexed, kept = _indexed_count(session, collection_id), _kept_count(session, collection_id)
    if indexed != kept and (indexed < ALWAYS_COMPACT_BELOW or indexed - kept > DEAD_BEFORE_COMPACTION * indexed):
        compact(system, collection_id)


def compact(system: System, collection_id: int, embed_again: bool = False) -> None:
    """Writes the indexes of a collection anew from SQL, into one segment each, without what was removed.

    Vectors are carried over unless ``embed_again``.
    """
    with system.database.reading() as session:
        entries = _entries(session, collection_id, "live")
        segments = [] if embed_again else _segments(session, collection_id)
    known: dict[int, tuple[str, int]] = {}
    for name in segments:
        known |= {int(identifier): (name, at) for at, identifier in enumerate(system.vectors.ids(name))}
    vectors = {name: system.vectors.vectors(name) for name in segments}
    parts = [vectors[known[e.id][0]][known[e.id][1]][None] for e in entries if e.id in known]
    missing = [entry for entry in entries if entry.id not in known]
    kept = [entry.id for entry in entries if entry.id in known]
    parts += [system.embedder.embed_passages([e.text for e in batch]) for batch in _batches(missing)]
    ids = np.array(kept + [entry.id for entry in missing], np.int64)
    segment = system.vectors.write(ids, np.concatenate(parts)) if entries else None
    lexical = system.lexical.create((entry.id, terms(entry.text)) for entry in entries)
    with system.database.writing() as session:
        session.execute(delete(SegmentRow).where(SegmentRow.collection_id == collection_id))
        if segment is not None:
            session.add(_segment_row(system, segment, collection_id, len(ids)))
        _next_generation(session, collection_id, lexical)
    _remove_unnamed_files(system)


def _entries(session: ReadSession, collection_id: int, state: str) -> list[_Entry]:
    statement = (
        select(
            PassageRow.id,
            EditionRow.title,
            PassageRow.section,
            func.substr(EditionRow.text, PassageRow.char_start + 1, PassageRow.char_end - PassageRow.char_start),
        )
        .join(EditionRow, PassageRow.edition_id == EditionRow.id)
        .join(DocumentRow)
        .where(DocumentRow.collection_id == collection_id, EditionRow.state == state)
        .order_by(PassageRow.id)
    )
    return [
        _Entry(identifier, "\n".join(part for part in (title, section, text) if part))
        for identifier, title, section, text in session.execute(statement)
    ]


def _segments(session: ReadSession, collection_id: int) -> list[str]:
    return list(session.scalars(select(SegmentRow.name).where(SegmentRow.collection_id == collection_id)))


def _without_vector(system: System, entries: list[_Entry], segments: Sequence[str]) -> list[_Entry]:
    """All but the entries whose vectors a segment still holds, as after a removal that was taken back."""
    ids = np.array([entry.id for entry in entries], np.int64)
    held = np.zeros(len(ids), bool)
    for name in segments:
        held |= np.isin(ids, system.vectors.ids(name))
    return [entry for entry, is_held in zip(entries, held, strict=True) if not is_held]


def _indexed_count(session: ReadSession, collection_id: int) -> int:
    return (
        session.scalar(
            select(func.coalesce(func.sum(SegmentRow.passages), 0)).where(SegmentRow.collection_id == collection_id)
        )
        or 0
    )


def _kept_count(session: ReadSession, collection_id: int) -> int:
    return (
        session.scalar(
            select(func.count(PassageRow.id))
            .join(EditionRow, PassageRow.edition_id == EditionRow.id)
            .join(DocumentRow)
            .where(DocumentRow.collection_id == collection_id, EditionRow.state == "live")
        )
        or 0
    )


def _batches(entries: Sequence[_Entry]) -> Iterator[Sequence[_Entry]]:
    for at in range(0, len(entries), EMBED_BATCH):
        yield entries[at : at + EMBED_BATCH]


def _write_segment(system: System, entries: Sequence[_Entry], embedded: Callable[[int], None]) -> str | None:
    if not entries:
        return None
    parts = []
    for batch in _batches(entries):
        parts.append(system.embedder.embed_passages([entry.text for entry in batch]))
        embedded(len(batch))
    return system.vectors.write(np.array([entry.id for entry in entries], np.int64), np.concatenate(parts))


def _write_lexical(system: System, name: str | None, entries: Sequence[_Entry]) -> str:
    found = ((entry.id, terms(entry.text)) for entry in entries)
    if name is None:
        return system.lexical.create(found)
    system.lexical.replace(name, found, [entry.id for entry in entries])
    return name


def _segment_row(system: System, name: str, collection_id: int, passages: int) -> SegmentRow:
    return SegmentRow(name=name, collection_id=collection_id, passages=passages, embedder=system.embedder.fingerprint)


def _make_live(session: WriteSession, collection_id: int) -> int:
    """Turns pending editions live and settles replacement and dates in their documents; how many there were."""
    pending = session.scalars(
        select(EditionRow)
        .join(DocumentRow)
        .where(DocumentRow.collection_id == collection_id, EditionRow.state == "pending")
        .order_by(EditionRow.ingested_at, EditionRow.id)
    ).all()
    for edition in pending:
        edition.state = "live"
    for document_id in dict.fromkeys(edition.document_id for edition in pending):
        settle_editions(session, document_id)
    return len(pending)


def settle_editions(session: WriteSession, document_id: str) -> None:
    """Works out anew which live editions of a document are replaced, and from when until when each is in force."""
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
    kept = [edition for edition in live if edition.state == "live"]
    spans = in_force_spans((edition.id, edition.in_force_from) for edition in kept)
    for edition in kept:
        edition.in_force_until = spans[edition.id][1]


def _same_date_or_none(earlier: EditionRow, later: EditionRow) -> bool:
    return None in (earlier.in_force_from, later.in_force_from) or earlier.in_force_from == later.in_force_from


def _record_source(session: WriteSession, collection_id: int, source: FinishedSource) -> None:
    row = session.scalars(
        select(SourceRow).where(SourceRow.collection_id == collection_id, SourceRow.location == source.location)
    ).one_or_none()
    if row is None:
        row = SourceRow(collection_id=collection_id, location=source.location)
        session.add(row)
    row.sha256, row.metadata_sha256, row.document_id = source.sha256, source.metadata_sha256, source.document_id


def _next_generation(session: WriteSession, collection_id: int, lexical: str | None) -> None:
    session.execute(
        update(CollectionRow)
        .where(CollectionRow.id == collection_id)
        .values(generation=CollectionRow.generation + 1, lexical=lexical)
    )


def _remove_unnamed_files(system: System) -> None:
    with system.database.reading() as session:
        segments = set(session.scalars(select(SegmentRow.name)))
        lexical = set(session.scalars(select(CollectionRow.lexical).where(CollectionRow.lexical.is_not(None))))
    system.vectors.keep_only(segments)
    system.lexical.keep_only({name for name in lexical if name})
