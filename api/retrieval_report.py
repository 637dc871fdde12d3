"""The report of ``evaluate retrieval``."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.report import excerpt, render
from api.retrieval_evaluation import ModeResult, RetrievalEvaluation
from ingestion.corpus_homes import COLLECTION
from ingestion.judged_collections import TextQuery
from rag import catalog
from rag.document_ranking import documents_of_passages
from rag.measures import MEASURES
from rag.types import LOCAL_ADMIN

WORST = 15
FOUND_SHOWN = 3
WANTED_SHOWN = 5
BINS = 10
_NAMES = {"ndcg@10": "nDCG@10", "recall@10": "recall@10", "recall@100": "recall@100", "mrr": "MRR"}


@dataclass(frozen=True, slots=True)
class _Bar:
    """How many queries score more than ``low`` and at most ``high``; where both are 0, how many score 0."""

    low: float
    high: float
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class _Compared:
    """On how many queries the configured mode has a better, the same, a worse nDCG@10 than ``mode``."""

    mode: str
    better: int
    same: int
    worse: int


@dataclass(frozen=True, slots=True)
class _ShownDocument:
    """``ranks`` by mode, None where it is not among those found."""

    external_id: str
    excerpt: str
    grade: int
    ranks: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class _ShownQuery:
    query: TextQuery
    scores: Mapping[str, float]
    found: tuple[_ShownDocument, ...]
    wanted: tuple[_ShownDocument, ...]
    wanted_more: int


def write_retrieval_report(evaluation: RetrievalEvaluation, path: Path) -> None:
    page = render(
        "retrieval.html",
        f"Retrieval on {evaluation.corpus.name}",
        evaluation=evaluation,
        settings=evaluation.corpus.system.settings,
        measures=[(measure, _NAMES[measure]) for measure in MEASURES],
        histograms=[(result.mode, _histogram(result)) for result in evaluation.results],
        compared=[_compared(evaluation.configured, other) for other in evaluation.results[1:]],
        worst=list(_worst(evaluation)),
    )
    path.write_text(page, encoding="utf-8")


def _histogram(result: ModeResult) -> list[_Bar]:
    """Of nDCG@10: the queries that score 0, then tenths."""
    values = [of_query["ndcg@10"] for of_query in result.scores.values()]
    counts = Counter(math.ceil(value * BINS - 1e-9) for value in values)
    return [
        _Bar(max(0, number - 1) / BINS, number / BINS, counts[number], counts[number] / len(values))
        for number in range(BINS + 1)
    ]


def _compared(configured: ModeResult, other: ModeResult) -> _Compared:
    gaps = [round(configured.scores[query]["ndcg@10"] - of["ndcg@10"], 9) for query, of in other.scores.items()]
    return _Compared(
        other.mode, sum(gap > 0 for gap in gaps), sum(gap == 0 for gap in gaps), sum(gap < 0 for gap in gaps)
    )


def _worst(evaluation: RetrievalEvaluation) -> Iterator[_ShownQuery]:
    """The queries of the lowest nDCG@10 under 1, with what was found first and what should have been."""
    of_queries = evaluation.configured.scores
    by_score = sorted(evaluation.judged.queries, key=lambda query: _order(of_queries[query.id]))
    chosen = [query for query in by_score if of_queries[query.id]["ndcg@10"] < 1][:WORST]
    system = evaluation.corpus.system
    first_passage: dict[str, int] = {}
    for passage_id, external_id in documents_of_passages(system, LOCAL_ADMIN, COLLECTION).items():
        first_passage.setdefault(external_id, passage_id)
    for query in chosen:
        found = evaluation.configured.rankings[query.id][:FOUND_SHOWN]
        relevant = _relevant(evaluation.judged.judgements[query.id])
        passage_of = {document: first_passage.get(document) for document in relevant[:WANTED_SHOWN]}
        passage_of |= {document.external_id: document.passage_id for document in found}
        with system.database.reading() as session:
            passages = catalog.passages(session, LOCAL_ADMIN, [one for one in passage_of.values() if one is not None])
        shown = {
            document: _ShownDocument(
                document,
                excerpt(passages[passage_id].text) if passage_id in passages else "(not in the corpus)",
                evaluation.judged.judgements[query.id].get(document, 0),
                _ranks(evaluation, query.id, document),
            )
            for document, passage_id in passage_of.items()
        }
        yield _ShownQuery(
            query,
            of_queries[query.id],
            tuple(shown[document.external_id] for document in found),
            tuple(shown[document] for document in relevant[:WANTED_SHOWN]),
            max(0, len(relevant) - WANTED_SHOWN),
        )


def _order(of_query: Mapping[str, float]) -> tuple[float, float, float]:
    return of_query["ndcg@10"], of_query["mrr"], of_query["recall@100"]


def _relevant(grades: Mapping[str, int]) -> Sequence[str]:
    """The documents judged relevant, the highest grades first."""
    return sorted((document for document, grade in grades.items() if grade > 0), key=lambda one: -grades[one])


def _ranks(evaluation: RetrievalEvaluation, query: str, document: str) -> dict[str, int | None]:
    return {
        result.mode: next(
            (rank for rank, one in enumerate(result.rankings[query], start=1) if one.external_id == document), None
        )
        for result in evaluation.results
    }
