"""Building a collection's indexes from SQL: publishing what is pending, finishing what was interrupted, compacting.

An edition is committed as ``pending``; its vectors are written as a new segment and its terms into the lexical index,
which no reader looks for yet; one transaction then names the segment, makes the edition live, settles which edition is
in force and counts the collection's generation up. Killed anywhere in between, the next writer finishes it. Everything
here that writes is to be called in a writing turn (``rag.writing.writing_turn``).
"""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, func, select, update

from rag import audit
from rag.abbreviations import other_forms
from rag.analysis import terms
from rag.database import ReadSession, WriteSession
from rag.sentences import ELLIPSIS
from rag.settling import make_live, replace_vanished, replace_vanished_members
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow, PassageRow, SegmentRow, SourceRow
from rag.types import LOCAL_ADMIN, Caller

EMBED_BATCH = 256
MOST_SEGMENTS = 16
ALWAYS_COMPACT_BELOW = 20_000
DEAD_BEFORE_COMPACTION = 0.1
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FinishedSource:
    """A file that was read to its end, and the documents it holds; recorded when the last of them is published. Of an
    archive, ``members`` are the locations of its files."""

    location: str
    sha256: str
    metadata_sha256: str
    document_ids: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage as the indexes see it. ``text`` is embedded, with its document's title and its section's headings;
    ``words`` is searched for words, with the other forms of the abbreviations that its document defines."""

    id: int
    text: str
    words: str


def indexed_text(title: str | None, section: str | None, text: str) -> str:
    """What of a passage is embedded: its document's title and its section go before it, unless it begins with them."""
    begins_with_title = bool(title) and text.startswith(str(title).removesuffix(ELLIPSIS))
    return "\n".join(part for part in (None if begins_with_title else title, section, text) if part)


def publish(
    system: System,
    collection_id: int,
    sources: Sequence[FinishedSource] = (),
    embedded: Callable[[int], None] = lambda count: None,
    caller: Caller = LOCAL_ADMIN,
) -> None:
    """Makes the editions of a collection that are now pending searchable, and records ``sources`` as read.

    ``embedded`` hears of each batch how many passages it had.
    """
    with system.database.reading() as session:
        pending = session.scalars(_pending(collection_id)).all()
        entries = _entries(session, collection_id, "pending")
        former = _former_entries(session, collection_id) if entries else {}
        segments = segments_in_use(system, session, collection_id)
        lexical = session.get_one(CollectionRow, collection_id).lexical
    missing = _without_vector(system, entries, segments)
    segment = _write_segment(system, missing, _reusable(system, missing, former, segments), embedded)
    if entries:
        lexical = _write_lexical(system, lexical, entries)
    with system.database.writing() as session:
        if segment is not None:
            session.add(segment_row(system, segment, collection_id, len(missing)))
        changed = make_live(session, pending)
        for source in sources:
            _record_source(session, collection_id, source)
            changed += replace_vanished(session, collection_id, source.location, source.document_ids)
            if source.members:
                changed += replace_vanished_members(session, collection_id, source.location, source.members)
        if changed:
            _next_generation(session, collection_id, lexical)
            collection = session.get_one(CollectionRow, collection_id, populate_existing=True)
            details = {"collection": collection.name, "generation": collection.generation, "editions": changed}
            audit.append(session, caller, "publish", collection.name, details)
    if len(segments) >= MOST_SEGMENTS:
        merge_segments(system, collection_id)


def recover(system: System, collection_id: int) -> None:
    """Finishes what a killed writer left: its pending editions and half-written files. Writes a word index anew that
    another version of the analysis of texts made."""
    with system.database.reading() as session:
        pending = session.scalars(_pending(collection_id).limit(1)).first()
        lexical = session.get_one(CollectionRow, collection_id).lexical
    if pending:
        log.info("Finishing what an earlier run left undone")
        compact(system, collection_id)
        publish(system, collection_id)
    elif lexical is not None and not system.lexical.is_current(lexical):
        log.info("Writing the word index anew for this version")
        compact(system, collection_id)
    else:
        tidy(system, collection_id)
    remove_unnamed_files(system)


def tidy(system: System, collection_id: int) -> None:
    """Compacts where removed passages are a noticeable part of the indexes or the collection is small."""
    with system.database.reading() as session:
        indexed, kept = _indexed_count(session, collection_id), live_passages(session, collection_id)
    if indexed > kept and (indexed < ALWAYS_COMPACT_BELOW or indexed - kept > DEAD_BEFORE_COMPACTION * indexed):
        compact(system, collection_id)


def compact(system: System, collection_id: int, embed_again: bool = False) -> None:
    """Writes the indexes of a collection anew from SQL, into one segment each, without what was removed.

    Vectors are carried over, those of other embedders too, unless ``embed_again``: then only those of the embedder in
    use are left. Memory holds the vectors, and a batch of texts at a time.
    """
    with system.database.reading() as session:
        ids = np.fromiter(session.scalars(_passages(collection_id, "live")), np.int64)
        segments = [] if embed_again else segments_in_use(system, session, collection_id)
        held, kept = system.vectors.vectors_of(segments, ids)
        parts = [] if kept is None else [kept]
        for batch in _batched(_read_entries(session, _texts(collection_id, "live")), EMBED_BATCH):
            missing = [entry for entry, is_held in zip(batch, held[_at(ids, batch)], strict=True) if not is_held]
            if missing:
                parts.append(system.embedder.embed_passages([entry.text for entry in missing]))
        order = np.concatenate([ids[held], ids[~held]])
        written = []
        if len(ids):
            segment = system.vectors.write(order, np.concatenate(parts))
            written.append(segment_row(system, segment, collection_id, len(ids)))
        if not embed_again:
            written += _carried_over(system, session, collection_id, ids)
        texts = _read_entries(session, _texts(collection_id, "live"))
        lexical = system.lexical.create((entry.id, terms(entry.words)) for entry in texts)
    with system.database.writing() as session:
        session.execute(delete(SegmentRow).where(SegmentRow.collection_id == collection_id))
        session.add_all(written)
        _next_generation(session, collection_id, lexical)
    remove_unnamed_files(system)


def _carried_over(
    system: System, session: ReadSession, collection_id: int, ids: NDArray[np.int64]
) -> Iterator[SegmentRow]:
    """New segments of the other embedders that have some, with the vectors that they have of the passages ``ids``."""
    rows = session.execute(
        select(SegmentRow.embedder, SegmentRow.name)
        .where(SegmentRow.collection_id == collection_id, SegmentRow.embedder != system.embedder.fingerprint)
        .order_by(SegmentRow.embedder, SegmentRow.name)
    ).all()
    for embedder, named in groupby(rows, key=lambda row: row[0]):
        held, vectors = system.vectors.vectors_of([name for _, name in named], ids)
        if vectors is not None and len(vectors):
            name = system.vectors.write(ids[held], vectors)
            yield SegmentRow(name=name, collection_id=collection_id, passages=len(vectors), embedder=embedder)


def merge_segments(system: System, collection_id: int) -> None:
    """Makes one segment of a collection's smaller ones, leaving the large ones and the lexical index as they are.
    Nothing that an exact search finds changes."""
    with system.database.reading() as session:
        rows = session.execute(
            select(SegmentRow.name, SegmentRow.passages)
            .where(SegmentRow.collection_id == collection_id, SegmentRow.embedder == system.embedder.fingerprint)
            .order_by(SegmentRow.passages, SegmentRow.name)
        ).all()
    merged = [name for name, _ in rows[: merged_count([passages for _, passages in rows])]]
    ids = np.concatenate([system.vectors.ids(name) for name in merged])
    vectors = np.concatenate([system.vectors.vectors(name) for name in merged])
    segment = system.vectors.write(ids, vectors)
    with system.database.writing() as session:
        session.execute(delete(SegmentRow).where(SegmentRow.name.in_(merged)))
        session.add(segment_row(system, segment, collection_id, len(ids)))
    remove_unnamed_files(system)


def merged_count(sizes: Sequence[int]) -> int:
    """How many of segments of ``sizes``, ascending, to make one of: the smaller half, and from there on each that is at
    most twice as large as those before it together. A long ingest then copies each vector a few times only, and ends
    with most of them in one or two large segments."""
    count = -(-len(sizes) // 2)
    while count < len(sizes) and sizes[count] <= 2 * sum(sizes[:count]):
        count += 1
    return count


def _at(ids: NDArray[np.int64], entries: Sequence[Entry]) -> NDArray[np.int64]:
    """Where the passages of ``entries`` stand in ``ids``, which is sorted."""
    return np.searchsorted(ids, np.array([entry.id for entry in entries], np.int64))


def _pending(collection_id: int) -> Any:
    return (
        select(EditionRow.id)
        .join(DocumentRow)
        .where(DocumentRow.collection_id == collection_id, EditionRow.state == "pending")
    )


def _entries(session: ReadSession, collection_id: int, state: str) -> list[Entry]:
    return list(_read_entries(session, _texts(collection_id, state)))


def _former_entries(session: ReadSession, collection_id: int) -> dict[str, int]:
    """By text, the passages of earlier texts of those documents that now have a pending one."""
    pending = _pending(collection_id).with_only_columns(EditionRow.document_id)
    former = _texts(collection_id, "live", "replaced", "removed").where(EditionRow.document_id.in_(pending))
    return {entry.text: entry.id for entry in _read_entries(session, former)}


def _passages(collection_id: int, *states: str, columns: Sequence[Any] = (PassageRow.id,)) -> Any:
    return (
        select(*columns)
        .join(EditionRow, PassageRow.edition_id == EditionRow.id)
        .join(DocumentRow)
        .where(DocumentRow.collection_id == collection_id, EditionRow.state.in_(states))
        .order_by(PassageRow.id)
    )


def _texts(collection_id: int, *states: str) -> Any:
    length = PassageRow.char_end - PassageRow.char_start
    text = func.substr(EditionRow.text, PassageRow.char_start + 1, length)
    return _passages(
        collection_id,
        *states,
        columns=(PassageRow.id, EditionRow.title, PassageRow.section, text, EditionRow.abbreviations),
    )


def read_live(session: ReadSession, collection_id: int, among: Sequence[int] | None = None) -> Generator[Entry]:
    """The passages of a collection that are searched, in the order of their ids; only those ``among`` some ids."""
    texts = _texts(collection_id, "live")
    yield from _read_entries(session, texts if among is None else texts.where(PassageRow.id.in_(among)))


def _read_entries(session: ReadSession, statement: Any) -> Iterator[Entry]:
    with session.execute(statement.execution_options(yield_per=EMBED_BATCH)) as rows:
        for identifier, title, section, text, abbreviations in rows:
            told = indexed_text(title, section, text)
            yield Entry(identifier, told, "\n".join([told, *other_forms(told, abbreviations)]))


def segments_in_use(system: System, session: ReadSession, collection_id: int) -> list[str]:
    """Those whose vectors are of the embedder in use; those of another are of no use to it."""
    return list(
        session.scalars(
            select(SegmentRow.name).where(
                SegmentRow.collection_id == collection_id, SegmentRow.embedder == system.embedder.fingerprint
            )
        )
    )


def _without_vector(system: System, entries: list[Entry], segments: Sequence[str]) -> list[Entry]:
    """All but the entries whose vectors a segment still holds, as after a removal that was taken back."""
    ids = np.array([entry.id for entry in entries], np.int64)
    held = np.zeros(len(ids), bool)
    for name in segments:
        held |= np.isin(ids, system.vectors.ids(name))
    return [entry for entry, is_held in zip(entries, held, strict=True) if not is_held]


def _indexed_count(session: ReadSession, collection_id: int) -> int:
    """How many vectors the collection has, of the embedder that has most."""
    counts = session.scalars(
        select(func.sum(SegmentRow.passages))
        .where(SegmentRow.collection_id == collection_id)
        .group_by(SegmentRow.embedder)
    )
    return max(counts, default=0)


def live_passages(session: ReadSession, collection_id: int) -> int:
    """How many passages of a collection are searched."""
    return session.scalar(select(func.count()).select_from(_passages(collection_id, "live").subquery())) or 0


def _batched(entries: Iterable[Entry], size: int) -> Iterator[list[Entry]]:
    remaining = iter(entries)
    while batch := list(islice(remaining, size)):
        yield batch


def _reusable(
    system: System, entries: Sequence[Entry], former: dict[str, int], segments: Sequence[str]
) -> dict[int, NDArray[np.float32]]:
    """By passage id, the vectors of entries whose text an earlier text of their document had word for word."""
    same = {entry.id: former[entry.text] for entry in entries if entry.text in former}
    if not same:
        return {}
    held, vectors = system.vectors.vectors_of(segments, np.array(list(same.values()), np.int64))
    if vectors is None:
        return {}
    return dict(zip((i for i, is_held in zip(same, held, strict=True) if is_held), vectors, strict=True))


def _write_segment(
    system: System,
    entries: Sequence[Entry],
    reused: dict[int, NDArray[np.float32]],
    embedded: Callable[[int], None],
) -> str | None:
    if not entries:
        return None
    kept = [entry.id for entry in entries if entry.id in reused]
    parts = [np.stack([reused[identifier] for identifier in kept])] if kept else []
    new = [entry for entry in entries if entry.id not in reused]
    for batch in _batched(new, EMBED_BATCH):
        parts.append(system.embedder.embed_passages([entry.text for entry in batch]))
        embedded(len(batch))
    return system.vectors.write(np.array(kept + [entry.id for entry in new], np.int64), np.concatenate(parts))


def _write_lexical(system: System, name: str | None, entries: Sequence[Entry]) -> str:
    found = ((entry.id, terms(entry.words)) for entry in entries)
    if name is None:
        return system.lexical.create(found)
    system.lexical.replace(name, found, [entry.id for entry in entries])
    return name


def segment_row(system: System, name: str, collection_id: int, passages: int) -> SegmentRow:
    return SegmentRow(name=name, collection_id=collection_id, passages=passages, embedder=system.embedder.fingerprint)


def _record_source(session: WriteSession, collection_id: int, source: FinishedSource) -> None:
    row = session.scalars(
        select(SourceRow).where(SourceRow.collection_id == collection_id, SourceRow.location == source.location)
    ).one_or_none()
    if row is None:
        row = SourceRow(collection_id=collection_id, location=source.location)
        session.add(row)
    row.sha256, row.metadata_sha256 = source.sha256, source.metadata_sha256
    row.document_id = next(iter(source.document_ids)) if len(source.document_ids) == 1 else None


def _next_generation(session: WriteSession, collection_id: int, lexical: str | None) -> None:
    session.execute(
        update(CollectionRow)
        .where(CollectionRow.id == collection_id)
        .values(generation=CollectionRow.generation + 1, lexical=lexical)
    )


def remove_unnamed_files(system: System) -> None:
    with system.database.reading() as session:
        segments = set(session.scalars(select(SegmentRow.name)))
        lexical = set(session.scalars(select(CollectionRow.lexical).where(CollectionRow.lexical.is_not(None))))
    system.vectors.keep_only(segments)
    system.lexical.keep_only({name for name in lexical if name})
