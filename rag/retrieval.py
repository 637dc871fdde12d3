"""From a question to the passages that may answer it: both arms over each permitted collection, fused, selected."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TypeVar

from rag import catalog
from rag.arms import candidates
from rag.asking import Asked
from rag.catalog import Collection
from rag.database import ReadSession
from rag.errors import InvalidRequest, Unavailable
from rag.filters import conditions
from rag.fusion import Candidate, Findings, dense_order, fused, lexical_order
from rag.indexing import indexed_text
from rag.lexical import LexicalGoneError
from rag.permitted import Permitted
from rag.placeholders import without_placeholders
from rag.reranking import best_first, weighed
from rag.selection import depth_for, selected
from rag.stages import stage
from rag.system import System
from rag.types import Caller, Hit, Language, Query, SearchResult
from rag.vectors import SegmentGoneError

ARM_DEPTH = 100
RERANKED = 20
"""How many of the best passages a reranker reads."""
MAX_TOP_K = 100
_ATTEMPTS = 5

Result = TypeVar("Result")


def search(query: Query, caller: Caller, system: System, on: date | None = None) -> SearchResult:
    """The best ``top_k`` passages that the caller may read, best first. ``on`` is the day that a query without
    ``as_of`` takes for today.

    Placeholders of masked identifiers are not searched for.

    Raises InvalidRequest for an empty question, a bad ``top_k``, ``diversity`` or filter, NotFound for a collection the
    caller may not read. A search that meets a compaction starts again from SQL.
    """
    query = checked(query)
    depth = depth_of(query)

    def result(session: ReadSession, searched: Sequence[Collection], found: Findings) -> SearchResult:
        with stage("select"):
            ranked = reranked(query, caller, system, session, found)[0]
            return selected_result(query, caller, system, session, searched, found, ranked)

    with stage("search"):
        return with_findings(query, caller, system, depth, result, on)


def checked(query: Query) -> Query:
    """``query`` without placeholders of masked identifiers. Raises InvalidRequest for a bad ``top_k``, ``diversity`` or
    filter, also where there is nothing to search."""
    if not 1 <= query.top_k <= MAX_TOP_K:
        raise InvalidRequest(f"top_k is {query.top_k}; it may be 1 to {MAX_TOP_K}")
    if not 0 <= query.diversity <= 1:
        raise InvalidRequest(f"diversity is {query.diversity}; it may be 0 (off) to 1")
    conditions(query.filters)
    return replace(query, text=without_placeholders(query.text))


def depth_of(query: Query) -> int:
    """How many passages each arm looks for."""
    return max(ARM_DEPTH, depth_for(query))


def ranking(query: Query, caller: Caller, system: System, depth: int) -> list[tuple[int, float]]:
    """The best ``depth`` passages as ``(passage id, score)``, best first, before anything is collapsed: what retrieval
    is measured by. Raises what ``search`` raises; ``query.top_k`` is not looked at."""
    return with_findings(
        query, caller, system, depth, lambda session, _, found: reranked(query, caller, system, session, found)[0]
    )[:depth]


def with_findings(
    query: Query,
    caller: Caller,
    system: System,
    depth: int,
    then: Callable[[ReadSession, Sequence[Collection], Findings], Result],
    today: date | None = None,
) -> Result:
    """What ``then`` makes of what the arms found, each ``depth`` deep, in the session that found it."""
    text = query.text.strip()
    if not text:
        raise InvalidRequest("The question is empty")
    asked = Asked(text, system.embedder, query.translation)
    for _ in range(_ATTEMPTS):
        with system.database.reading() as session:
            try:
                searched = catalog.collections(session, caller, query.collections)
                return then(session, searched, _findings(query, asked, searched, depth, system, session, today))
            except (SegmentGoneError, LexicalGoneError):
                continue
    raise Unavailable("An index file is missing: run taiyi-rag verify, then taiyi-rag reindex")


def _findings(
    query: Query,
    asked: Asked,
    searched: Sequence[Collection],
    depth: int,
    system: System,
    session: ReadSession,
    today: date | None,
) -> Findings:
    found: list[Candidate] = []
    every = [(collection, _permitted(system, session, query, collection, today)) for collection in searched]
    if query.retrieval != "lexical":
        asked.embed({language for _, sets in every for language in sets})
    for collection, sets in every:
        found += candidates(collection, asked, sets, query.retrieval, depth, system, session)
    embedder = system.embedder.fingerprint if query.retrieval == "hybrid" else ""
    return Findings(found, asked.language, len(asked.concepts(asked.language)), embedder)


def _permitted(
    system: System, session: ReadSession, query: Query, collection: Collection, today: date | None
) -> Mapping[Language, Permitted]:
    on, undated = query.as_of or today or catalog.today(), query.as_of is None
    filters, flags = query.filters, system.settings.excluded_flags
    return system.permitted.get(
        (collection.id, repr(sorted(filters.items())), on, undated),
        collection.generation,
        lambda: catalog.permitted(session, collection, filters, on, undated, flags),
    )


def reranked(
    query: Query, caller: Caller, system: System, session: ReadSession, found: Findings
) -> tuple[list[tuple[int, float]], dict[int, float]]:
    """The fused ranking; the best of it in the order of the reranker, where there is one and both arms were asked
    for. They take over each other's scores, so that these stay on one scale. With it the reranker's own scores of what
    it read."""
    ranked = fused(found, query.retrieval)
    if system.reranker is None or query.retrieval != "hybrid":
        return ranked, {}
    passages = catalog.passages(session, caller, [identifier for identifier, _ in ranked[:RERANKED]])
    head = [(identifier, score) for identifier, score in ranked[:RERANKED] if identifier in passages]
    texts = [indexed_text(p.title, p.section, p.text) for p in (passages[identifier] for identifier, _ in head)]
    scores = weighed(system.reranker, query.text.strip(), texts, [score for _, score in head])
    reordered = [(head[place][0], score) for place, (_, score) in zip(best_first(scores), head, strict=True)]
    own = {identifier: float(score) for (identifier, _), score in zip(head, scores, strict=True)}
    return reordered + ranked[RERANKED:], own


def selected_result(
    query: Query,
    caller: Caller,
    system: System,
    session: ReadSession,
    searched: Sequence[Collection],
    found: Findings,
    ranked: Sequence[tuple[int, float]],
) -> SearchResult:
    """What a search gives back of a ranking of what was found."""
    return SearchResult(
        hits=_hits(query, caller, system, session, found, ranked),
        index_generation=sum(collection.generation for collection in searched),
        undated_left_out=catalog.undated_documents(session, searched, query.filters) if query.as_of else 0,
    )


def _hits(
    query: Query,
    caller: Caller,
    system: System,
    session: ReadSession,
    found: Findings,
    ranked: Sequence[tuple[int, float]],
) -> tuple[Hit, ...]:
    depth = depth_of(query)
    cosines = {candidate.id: candidate.cosine for candidate in found.candidates}
    matches = {candidate.id: candidate.match for candidate in found.candidates if query.retrieval != "dense"}
    dense_ranks = {identifier: rank for rank, identifier in enumerate(dense_order(found)[:depth], start=1)}
    lexical_ranks = {identifier: rank for rank, identifier in enumerate(lexical_order(found)[:depth], start=1)}
    return tuple(
        Hit(
            passage=one.passage,
            score=one.score,
            rank=rank,
            dense_rank=dense_ranks.get(int(one.passage.passage_id)),
            lexical_rank=lexical_ranks.get(int(one.passage.passage_id)),
            cosine=cosines.get(int(one.passage.passage_id)),
            match=matches.get(int(one.passage.passage_id)),
            also=one.also,
            evidence=one.evidence,
        )
        for rank, one in enumerate(selected(ranked, query, caller, system, session), start=1)
    )
