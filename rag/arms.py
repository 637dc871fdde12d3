"""The two arms of a search, dense and lexical, over one collection: the passages that either finds, with what both
say of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import select

from rag.asking import Asked
from rag.catalog import Collection
from rag.database import ReadSession
from rag.errors import Inconsistent
from rag.fusion import Candidate
from rag.permitted import Permitted
from rag.system import System
from rag.tables import SegmentRow
from rag.types import Language, RetrievalMode


def candidates(
    collection: Collection,
    asked: Asked,
    language: Language,
    permitted: Permitted,
    mode: RetrievalMode,
    depth: int,
    system: System,
    session: ReadSession,
) -> list[Candidate]:
    """The ``depth`` best permitted passages of each arm, all of them in ``language``.

    Raises SegmentGoneError or LexicalGoneError where an index was compacted away meanwhile, Inconsistent where one was
    made by another model or analysis.
    """
    if not len(permitted):
        return []
    segments = [] if mode == "lexical" else _segments(collection, system, session)
    cosines = dict(system.vectors.search(segments, asked.vector(language), depth, permitted)) if segments else {}
    matches: dict[int, float] = {}
    if mode != "dense" and collection.lexical is not None:
        concepts = asked.concepts(language)
        named = system.lexical.search(collection.lexical, concepts, depth, permitted, collection.generation)
        found = sorted(cosines.keys() | set(named))
        matches = system.lexical.matches(collection.lexical, concepts, found, collection.generation)
    if segments:
        cosines |= _cosines([i for i in matches if i not in cosines], segments, asked.vector(language), system)
    translated = language != asked.language
    return [
        Candidate(identifier, cosines.get(identifier), matches.get(identifier, 0.0), translated)
        for identifier in sorted(cosines.keys() | matches.keys())
    ]


def _segments(collection: Collection, system: System, session: ReadSession) -> list[str]:
    rows = session.execute(
        select(SegmentRow.name, SegmentRow.embedder).where(SegmentRow.collection_id == collection.id)
    ).all()
    fingerprint = system.embedder.fingerprint if rows else ""
    if any(embedder != fingerprint for _, embedder in rows):
        raise Inconsistent(
            f"Collection {collection.name!r} was embedded with another model than RAG_EMBEDDER="
            f"{system.settings.embedder}: run taiyi-rag reindex, or set the former model"
        )
    return [name for name, _ in rows]


def _cosines(ids: Sequence[int], segments: Sequence[str], query: Any, system: System) -> dict[int, float]:
    numbers = np.array(ids, np.int64)
    held, vectors = system.vectors.vectors_of(segments, numbers)
    if vectors is None:
        return {}
    return dict(zip(numbers[held].tolist(), (vectors @ query).tolist(), strict=True))
