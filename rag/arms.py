"""The two arms of a search, dense and lexical, over one collection: the passages that either finds, with what both
say of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import select

from rag.asking import Asked
from rag.catalog import Collection
from rag.database import ReadSession
from rag.errors import Inconsistent
from rag.fusion import Candidate
from rag.indexing import live_passages
from rag.permitted import Permitted
from rag.stages import stage
from rag.system import System
from rag.tables import SegmentRow
from rag.types import Language, RetrievalMode

NEARLY_ALL = 0.9
"""The part of a collection's passages that needs a vector of the embedder in use: while the model is being changed,
some that came in meanwhile have one of the other only, and are found by their words."""


def candidates(
    collection: Collection,
    asked: Asked,
    permitted: Mapping[Language, Permitted],
    mode: RetrievalMode,
    depth: int,
    system: System,
    session: ReadSession,
) -> list[Candidate]:
    """The ``depth`` best permitted passages of each arm in each language.

    Raises SegmentGoneError or LexicalGoneError where an index was compacted away meanwhile, Inconsistent where one was
    made by another model or analysis.
    """
    some = {language: ids for language, ids in permitted.items() if len(ids)}
    segments = _segments(collection, system, session) if some and mode != "lexical" else []
    found: list[Candidate] = []
    for language, ids in some.items():
        found += _in_language(collection, segments, asked, language, ids, mode, depth, system)
    return found


def _in_language(
    collection: Collection,
    segments: Sequence[str],
    asked: Asked,
    language: Language,
    permitted: Permitted,
    mode: RetrievalMode,
    depth: int,
    system: System,
) -> Iterator[Candidate]:
    cosines: dict[int, float] = {}
    if segments:
        vector = asked.vector(language)
        with stage("dense", segments=len(segments)):
            cosines = dict(system.vectors.search(segments, vector, depth, permitted))
    matches: dict[int, float] = {}
    if mode != "dense" and collection.lexical is not None:
        concepts = asked.concepts(language)
        with stage("lexical"):
            named = system.lexical.search(collection.lexical, concepts, depth, permitted, collection.generation)
            found = sorted(cosines.keys() | set(named))
            matches = system.lexical.matches(collection.lexical, concepts, found, collection.generation)
    if segments:
        cosines |= _cosines([i for i in matches if i not in cosines], segments, asked.vector(language), system)
    for identifier in sorted(cosines.keys() | matches.keys()):
        yield Candidate(
            identifier, cosines.get(identifier), matches.get(identifier, 0.0), translated=language != asked.language
        )


def _segments(collection: Collection, system: System, session: ReadSession) -> list[str]:
    """The segments of the embedder in use. Those of another may lie beside them, while the model is being changed."""
    rows = session.execute(
        select(SegmentRow.name, SegmentRow.embedder, SegmentRow.passages).where(
            SegmentRow.collection_id == collection.id
        )
    ).all()
    fingerprint = system.embedder.fingerprint if rows else ""
    own = [row for row in rows if row.embedder == fingerprint]
    if len(own) < len(rows):
        vectors = sum(row.passages for row in own)
        if vectors < NEARLY_ALL * live_passages(session, collection.id):
            raise Inconsistent(
                f"Collection {collection.name!r} was embedded with another model than RAG_EMBEDDER="
                f"{system.settings.embedder}: run taiyi-rag reindex, or set the former model"
            )
    return [row.name for row in own]


def _cosines(ids: Sequence[int], segments: Sequence[str], query: Any, system: System) -> dict[int, float]:
    numbers = np.array(ids, np.int64)
    held, vectors = system.vectors.vectors_of(segments, numbers)
    if vectors is None:
        return {}
    return dict(zip(numbers[held].tolist(), (vectors @ query).tolist(), strict=True))
