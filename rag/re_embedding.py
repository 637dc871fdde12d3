"""A new embedder without a pause: its vectors are made beside those in use while the service goes on answering from
these. Which of them a process searches is told by the embedder it runs with, so that the switch is a restart.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing

import numpy as np
from sqlalchemy import delete, select

from rag.database import ReadSession
from rag.indexing import EMBED_BATCH, Entry, read_live, remove_unnamed_files, segment_row, segments_in_use
from rag.system import System
from rag.tables import SegmentRow

PORTION = 20_000
"""Passages whose vectors are held in memory before they are written."""
Turn = Callable[[], AbstractContextManager[None]]


def embed_beside(
    system: System, collection_id: int, turn: Turn, embedded: Callable[[int], object] = lambda count: None
) -> int:
    """Gives every passage of a collection that has none a vector of the system's embedder, and leaves the vectors of
    others alone; how many those were. Killed, it goes on where it was. Others write meanwhile: ``turn`` is taken for
    each portion that is written, not while it is embedded. ``embedded`` hears how many passages each batch had.
    """
    made = 0
    while entries := _without(system, collection_id):
        parts = []
        for at in range(0, len(entries), EMBED_BATCH):
            batch = entries[at : at + EMBED_BATCH]
            parts.append(system.embedder.embed_passages([entry.text for entry in batch]))
            embedded(len(batch))
        ids, vectors = np.array([entry.id for entry in entries], np.int64), np.concatenate(parts)
        with turn():
            wanted = np.isin(ids, [entry.id for entry in _without(system, collection_id, ids.tolist())])
            if wanted.any():
                name = system.vectors.write(ids[wanted], vectors[wanted])
                with system.database.writing() as session:
                    session.add(segment_row(system, name, collection_id, int(wanted.sum())))
                made += int(wanted.sum())
    return made


def drop_others(system: System, collection_id: int) -> int:
    """Takes the vectors of other embedders out of a collection, once no process needs them; how many segments. To be
    called in a writing turn."""
    with system.database.writing() as session:
        others = session.scalars(
            select(SegmentRow.name).where(
                SegmentRow.collection_id == collection_id, SegmentRow.embedder != system.embedder.fingerprint
            )
        ).all()
        session.execute(delete(SegmentRow).where(SegmentRow.name.in_(others)))
    remove_unnamed_files(system)
    return len(others)


def _without(system: System, collection_id: int, among: Sequence[int] | None = None) -> list[Entry]:
    """The first passages, up to a portion, that have no vector of the embedder and are still searched."""
    with system.database.reading() as session:
        held = _held(system, session, collection_id)
        found = []
        with closing(read_live(session, collection_id, among)) as entries:
            for entry in entries:
                if entry.id not in held:
                    found.append(entry)
                if len(found) == PORTION:
                    break
    return found


def _held(system: System, session: ReadSession, collection_id: int) -> set[int]:
    held: set[int] = set()
    for name in segments_in_use(system, session, collection_id):
        held.update(system.vectors.ids(name).tolist())
    return held
