"""From a question to the passages that may answer it: dense and lexical search of each collection, fused by rank."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from rag import catalog
from rag.analysis import terms
from rag.catalog import Collection
from rag.database import ReadSession
from rag.errors import Inconsistent, InvalidRequest, Unavailable
from rag.fusion import reciprocal_rank_fusion
from rag.lexical import LexicalGoneError
from rag.permitted import Permitted
from rag.selection import depth_for, selected
from rag.system import System
from rag.tables import SegmentRow
from rag.types import Caller, Hit, Query, SearchResult
from rag.vectors import SegmentGoneError

ARM_DEPTH = 100
MAX_TOP_K = 100
_ATTEMPTS = 5

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _Arms:
    """What each arm found: passage ids best first. Each collection has a lexical ranking of its own, since BM25
    scores of different collections do not compare; cosines do."""

    dense: list[tuple[int, float]]
    lexical: list[list[int]]


def search(query: Query, caller: Caller, system: System) -> SearchResult:
    """The best ``top_k`` passages that the caller may read, best first.

    Raises InvalidRequest for an empty question, a bad ``top_k``, ``diversity`` or filter, NotFound for a collection the
    caller may not read. A search that meets a compaction starts again from SQL.
    """
    if not 1 <= query.top_k <= MAX_TOP_K:
        raise InvalidRequest(f"top_k is {query.top_k}; it may be 1 to {MAX_TOP_K}")
    if not 0 <= query.diversity <= 1:
        raise InvalidRequest(f"diversity is {query.diversity}; it may be 0 (off) to 1")

    def found(session: ReadSession, searched: Sequence[Collection], arms: _Arms) -> SearchResult:
        return SearchResult(
            hits=_hits(query, caller, system, session, arms),
            index_generation=sum(collection.generation for collection in searched),
            undated_left_out=catalog.undated_documents(session, searched, query.filters) if query.as_of else 0,
        )

    return _with_arms(query, caller, system, max(ARM_DEPTH, depth_for(query)), found)


def ranking(query: Query, caller: Caller, system: System, depth: int) -> list[tuple[int, float]]:
    """The best ``depth`` passages as ``(passage id, score)``, best first, before anything is collapsed: what retrieval
    is measured by. Raises what ``search`` raises; ``query.top_k`` is not looked at."""
    return _with_arms(query, caller, system, depth, lambda session, searched, arms: _fused(query, arms)[:depth])


def _with_arms(
    query: Query,
    caller: Caller,
    system: System,
    depth: int,
    then: Callable[[ReadSession, Sequence[Collection], _Arms], Found],
) -> Found:
    """What ``then`` makes of what each arm found, ``depth`` deep, in the session that found it."""
    text = query.text.strip()
    if not text:
        raise InvalidRequest("The question is empty")
    vector = system.embedder.embed_query(text) if query.retrieval != "lexical" else None
    for _ in range(_ATTEMPTS):
        with system.database.reading() as session:
            try:
                searched = catalog.collections(session, caller, query.collections)
                return then(session, searched, _arms(query, system, session, searched, vector, depth))
            except (SegmentGoneError, LexicalGoneError):
                continue
    raise Unavailable("An index file is missing: run taiyi-rag verify, then taiyi-rag reindex")


def _arms(
    query: Query,
    system: System,
    session: ReadSession,
    searched: Sequence[Collection],
    vector: NDArray[np.float32] | None,
    depth: int,
) -> _Arms:
    allowed = {collection.id: _permitted(system, session, query, collection) for collection in searched}
    return _Arms(
        dense=[] if vector is None else _dense(system, session, searched, allowed, vector, depth),
        lexical=[] if query.retrieval == "dense" else _lexical(system, searched, allowed, terms(query.text), depth),
    )


def _permitted(system: System, session: ReadSession, query: Query, collection: Collection) -> Permitted:
    flags = system.settings.excluded_flags
    if query.filters or query.as_of:
        on, undated = query.as_of or catalog.today(), query.as_of is None
        return catalog.permitted(session, collection, query.filters, on, undated, flags)
    state = (collection.generation, catalog.today())
    cached = system.current.get(collection.id)
    if cached is None or cached[0] != state:
        cached = (state, catalog.permitted(session, collection, {}, catalog.today(), True, flags))
        system.current[collection.id] = cached
    return cached[1]


def _dense(
    system: System,
    session: ReadSession,
    searched: Sequence[Collection],
    allowed: dict[int, Permitted],
    vector: NDArray[np.float32],
    depth: int,
) -> list[tuple[int, float]]:
    found: list[tuple[int, float]] = []
    for collection in searched:
        segments = session.execute(
            select(SegmentRow.name, SegmentRow.embedder).where(SegmentRow.collection_id == collection.id)
        ).all()
        if any(embedder != system.embedder.fingerprint for _, embedder in segments):
            raise Inconsistent(
                f"Collection {collection.name!r} was embedded with another model than RAG_EMBEDDER="
                f"{system.settings.embedder}: run taiyi-rag reindex, or set the former model"
            )
        found += system.vectors.search([name for name, _ in segments], vector, depth, allowed[collection.id])
    return sorted(found, key=lambda item: (-item[1], item[0]))[:depth]


def _lexical(
    system: System, searched: Sequence[Collection], allowed: dict[int, Permitted], query: list[str], depth: int
) -> list[list[int]]:
    return [
        [
            identifier
            for identifier, _ in system.lexical.search(
                collection.lexical, query, depth, allowed[collection.id], collection.generation
            )
        ]
        for collection in searched
        if collection.lexical is not None
    ]


def _fused(query: Query, arms: _Arms) -> list[tuple[int, float]]:
    if query.retrieval == "dense":
        return arms.dense
    dense = [identifier for identifier, _ in arms.dense]
    return reciprocal_rank_fusion([*([dense] if dense else []), *arms.lexical])


def _hits(query: Query, caller: Caller, system: System, session: ReadSession, arms: _Arms) -> tuple[Hit, ...]:
    cosines = dict(arms.dense)
    dense = [identifier for identifier, _ in arms.dense]
    dense_ranks = {identifier: rank for rank, identifier in enumerate(dense, start=1)}
    lexical_ranks = {identifier: rank for found in arms.lexical for rank, identifier in enumerate(found, start=1)}
    chosen = selected(_fused(query, arms), query, caller, system, session)
    return tuple(
        Hit(
            passage=one.passage,
            score=one.score,
            rank=rank,
            dense_rank=dense_ranks.get(int(one.passage.passage_id)),
            lexical_rank=lexical_ranks.get(int(one.passage.passage_id)),
            cosine=cosines.get(int(one.passage.passage_id)),
            also=one.also,
            evidence=one.evidence,
        )
        for rank, one in enumerate(chosen, start=1)
    )
