"""``evaluate retrieval``: a test collection's queries searched for, the rankings measured, the figures as JSON."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.corpus_homes import COLLECTION, CorpusHome
from ingestion.judged_collections import TextQuery, read_judgements, read_queries
from rag.document_ranking import RankedDocument, documents_of_passages, ranked_documents
from rag.errors import InvalidRequest
from rag.measures import CONFIDENCE, DEPTH, MAX_GRADE, MEASURES, RESAMPLES, Figure, figures, lead, scores
from rag.types import LOCAL_ADMIN, Query, RetrievalMode

SHOWN = 10
"""How many documents of a ranking are written down."""


@dataclass(frozen=True, slots=True)
class JudgedQueries:
    """The queries to measure with, and the grades by query. ``left_out`` counts those for which no document is judged
    relevant, ``limit`` is the number that was asked for, ``name`` that of the file."""

    name: str
    queries: tuple[TextQuery, ...]
    judgements: Mapping[str, Mapping[str, int]]
    left_out: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class ModeResult:
    """What one mode of retrieval found for each query, and how good that is. ``behind`` is how far it is behind the
    mode that is configured, query by query; None for that mode itself."""

    mode: RetrievalMode
    rankings: Mapping[str, Sequence[RankedDocument]]
    scores: Mapping[str, Mapping[str, float]]
    figures: Mapping[str, Figure]
    behind: Mapping[str, Figure] | None


@dataclass(frozen=True, slots=True)
class RetrievalEvaluation:
    """All that was measured. ``results`` has the configured mode first; ``unknown`` counts the documents judged
    relevant that are not in the corpus, which nothing can find."""

    corpus: CorpusHome
    judged: JudgedQueries
    results: tuple[ModeResult, ...]
    unknown: int
    search_seconds: float
    created_at: datetime

    @property
    def configured(self) -> ModeResult:
        return self.results[0]


def read_judged_queries(queries: Path, qrels: Path, limit: int | None) -> JudgedQueries:
    """The first ``limit`` queries for which a document is judged relevant. Raises UnreadableFile, InvalidRequest."""
    every = read_queries(queries)
    judgements = read_judgements(qrels, MAX_GRADE)
    usable = [query for query in every if any(grade > 0 for grade in judgements.get(query.id, {}).values())]
    if not usable:
        raise InvalidRequest(
            f"{qrels.name} judges no document relevant for any query of {queries.name}: are they of one collection?"
        )
    chosen = tuple(usable[:limit])
    used = {query.id: judgements[query.id] for query in chosen}
    return JudgedQueries(queries.name, chosen, used, len(every) - len(usable), limit)


def evaluate_retrieval(
    corpus: CorpusHome,
    judged: JudgedQueries,
    modes: Sequence[RetrievalMode],
    progress: Callable[[Iterable[TextQuery]], Iterable[TextQuery]] = lambda queries: queries,
) -> RetrievalEvaluation:
    """Searches for each query in each of ``modes``, the first of which is the configured one, and measures.

    Raises InvalidRequest where the corpus has none of the documents judged relevant.
    """
    document_of = documents_of_passages(corpus.system, LOCAL_ADMIN, COLLECTION)
    relevant = {document for judged_ in judged.judgements.values() for document, grade in judged_.items() if grade > 0}
    unknown = len(relevant - set(document_of.values()))
    if unknown == len(relevant):
        raise InvalidRequest(
            f"{corpus.name} has none of the documents that are judged relevant: are they of one collection?"
        )
    started = time.monotonic()
    rankings: dict[RetrievalMode, dict[str, list[RankedDocument]]] = {mode: {} for mode in modes}
    for query in progress(judged.queries):
        for mode in modes:
            asked = Query(query.text, (COLLECTION,), mode)
            rankings[mode][query.id] = ranked_documents(asked, LOCAL_ADMIN, corpus.system, document_of, DEPTH)
    seconds = time.monotonic() - started
    by_mode = {mode: scores(_ids(found), judged.judgements) for mode, found in rankings.items()}
    first = by_mode[modes[0]]
    results = tuple(
        ModeResult(
            mode,
            rankings[mode],
            by_mode[mode],
            figures(by_mode[mode]),
            lead(first, by_mode[mode]) if mode != modes[0] else None,
        )
        for mode in modes
    )
    return RetrievalEvaluation(corpus, judged, results, unknown, seconds, datetime.now(UTC).replace(microsecond=0))


def metrics_json(evaluation: RetrievalEvaluation) -> dict[str, Any]:
    """The figures of the configured mode at the top, those of the others under ``arms``."""
    settings = evaluation.corpus.system.settings
    return {
        **_figures_json(evaluation.configured),
        "retrieval": evaluation.configured.mode,
        "arms": {result.mode: _figures_json(result) for result in evaluation.results[1:]},
        "queries_file": evaluation.judged.name,
        "queries": len(evaluation.judged.queries),
        "queries_left_out": evaluation.judged.left_out,
        "limit": evaluation.judged.limit,
        "documents": evaluation.corpus.documents,
        "documents_empty": evaluation.corpus.empty,
        "judged_documents_unknown": evaluation.unknown,
        "corpus": {
            "name": evaluation.corpus.name,
            "sha256": evaluation.corpus.sha256,
            "state": "cached" if evaluation.corpus.cached else "read",
            "word_index_renewed": evaluation.corpus.renewed,
            "read_seconds": evaluation.corpus.seconds,
        },
        "search_seconds": round(evaluation.search_seconds, 3),
        "embedder": settings.embedder,
        "embedder_fingerprint": evaluation.corpus.system.embedder.fingerprint,
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "depth": DEPTH,
        "created_at": evaluation.created_at.isoformat(),
    }


def items_json(evaluation: RetrievalEvaluation) -> Iterator[dict[str, Any]]:
    """A query at a time, in the order of the file."""
    for query in evaluation.judged.queries:
        grades = evaluation.judged.judgements[query.id]
        yield {
            "id": query.id,
            "text": query.text,
            **_item_json(evaluation.configured, query.id, grades),
            "relevant": {document: grade for document, grade in grades.items() if grade > 0},
            "arms": {result.mode: _item_json(result, query.id, grades) for result in evaluation.results[1:]},
        }


def _ids(rankings: Mapping[str, Sequence[RankedDocument]]) -> dict[str, list[str]]:
    return {query: [document.external_id for document in found] for query, found in rankings.items()}


def _figures_json(result: ModeResult) -> dict[str, Any]:
    stated: dict[str, Any] = {measure: result.figures[measure].mean for measure in MEASURES}
    stated["intervals"] = {measure: [result.figures[measure].low, result.figures[measure].high] for measure in MEASURES}
    if result.behind is not None:
        stated["behind"] = {measure: asdict(figure) for measure, figure in result.behind.items()}
    return stated


def _item_json(result: ModeResult, query: str, grades: Mapping[str, int]) -> dict[str, Any]:
    return {
        **result.scores[query],
        "documents": [
            {
                "id": document.external_id,
                "rank": rank,
                "grade": grades.get(document.external_id),
                "passage_id": str(document.passage_id),
            }
            for rank, document in enumerate(result.rankings[query][:SHOWN], start=1)
        ],
    }
