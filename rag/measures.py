"""How good a ranking of documents is: the measures of trec_eval, by ir-measures, with bootstrap intervals.

- ``ndcg@10``: normalised discounted cumulative gain of the ten best, where a document of grade g gains ``2^g - 1`` and
  rank r discounts by ``log2(r + 1)``. Burges et al., "Learning to rank using gradient descent", ICML 2005.
- ``recall@10`` and ``recall@100``: the part of a query's relevant documents that is among the first 10 or 100.
- ``mrr``: one over the rank of the first relevant document, 0 where none was found.

A document is relevant from grade 1 on. Each measure is 0 to 1, higher is better, and is the mean over queries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MEASURES = ("ndcg@10", "recall@10", "recall@100", "mrr")
DEPTH = 100
"""How many documents of a ranking the measures look at."""

MAX_GRADE = 10
RESAMPLES = 2000
CONFIDENCE = 0.95
_SEED = 20
_AT_ONCE = 100

Rankings = Mapping[str, Sequence[str]]
"""By query: documents, best first, none twice."""

Judgements = Mapping[str, Mapping[str, int]]
"""By query, by document: the grade, ``MAX_GRADE`` at most. What is not judged counts as not relevant."""

Scores = Mapping[str, Mapping[str, float]]
"""By query, by measure."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over queries, and the interval that holds it with 95 % confidence were the queries drawn anew."""

    mean: float
    low: float
    high: float


def scores(rankings: Rankings, judgements: Judgements) -> dict[str, dict[str, float]]:
    """The measures of every judged query, in the order of ``judgements``. One without a ranking scores 0."""
    from ir_measures import RR, R, nDCG, providers

    grades = {grade for judged in judgements.values() for grade in judged.values()}
    gains = {grade: 2 ** max(grade, 0) - 1 for grade in grades}
    named = {nDCG(gains=gains) @ 10: "ndcg@10", R @ 10: "recall@10", R @ 100: "recall@100", RR: "mrr"}
    run = {
        query: {document: -float(rank) for rank, document in enumerate(rankings.get(query, ())[:DEPTH])}
        for query in judgements
    }
    found: dict[str, dict[str, float]] = {query: {} for query in judgements}
    qrels = {query: dict(judged) for query, judged in judgements.items()}
    for metric in providers.registry["pytrec_eval"].iter_calc(list(named), qrels, run):
        found[metric.query_id][named[metric.measure]] = float(metric.value)
    return found


def figures(of_queries: Scores) -> dict[str, Figure]:
    """The mean of each measure. There must be a query."""
    values = _matrix(of_queries)
    return dict(zip(MEASURES, means_with_intervals(values), strict=True))


def lead(one: Scores, other: Scores) -> dict[str, Figure]:
    """How far ``one`` is ahead of ``other`` in each measure, on the same queries, each compared with itself."""
    values = _matrix(one) - _matrix({query: other[query] for query in one})
    return dict(zip(MEASURES, means_with_intervals(values), strict=True))


def _matrix(of_queries: Scores) -> NDArray[np.float64]:
    """(queries, measures)"""
    return np.array([[of_query[measure] for measure in MEASURES] for of_query in of_queries.values()])


def means_with_intervals(values: NDArray[np.float64]) -> list[Figure]:
    """The mean of each column with its percentile bootstrap interval; every column sees the same resamples."""
    chance = np.random.default_rng(_SEED)
    count = len(values)
    means = np.concatenate(
        [chance.multinomial(count, np.full(count, 1 / count), _AT_ONCE) @ values for _ in range(RESAMPLES // _AT_ONCE)]
    )
    tail = (1 - CONFIDENCE) / 2
    lows, highs = np.quantile(means / count, [tail, 1 - tail], axis=0)
    return [
        Figure(float(mean), float(low), float(high))
        for mean, low, high in zip(values.mean(axis=0), lows, highs, strict=True)
    ]
