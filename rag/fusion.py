"""One order of what the two arms found: by the cosine of a passage's vector and by how well its words match.

The score is a weighted mean (a convex combination: Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid
Retrieval", ACM TOIS 2023), not one of ranks: an arm that finds nothing fitting says so by low scores, and cannot push
its best guess up beside the other arm's. The word match already weighs rare words, and how many of the question's
words a passage has (``rag.lexical``). The weights in ``fusion.json`` were fitted by ``benchmarks/fit_fusion.py`` for
one embedder; with another, whose cosines lie in another range, the arms are fused by reciprocal rank.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.types import RetrievalMode

RRF_K = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that an arm found. ``match`` is how well its words match, 0 to 1; ``cosine`` is None where no vectors
    were searched. ``translated`` is that it is in another language than the question."""

    id: int
    cosine: float | None
    match: float
    translated: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """All that the arms found for a question of ``question_terms`` terms; the cosines are those of the model whose
    fingerprint is ``embedder``."""

    candidates: Sequence[Candidate]
    question_terms: int
    embedder: str


@dataclass(frozen=True, slots=True)
class Weights:
    """How the two arms count for passages in one of the two languages.

    A cosine counts from ``floor``, about that of unrelated texts, to 1. Its weight rises from ``least``, where the
    closest passage of all has a cosine of ``unsure`` or less, to ``most``, where that is ``sure`` or more: the dense
    arm is trusted as far as it found something close. The weight of the word match is 1 less it. ``handicap`` is taken
    from the score: passages in the other language score in another range, and stand where they belong among those in
    the question's own.
    """

    floor: float
    unsure: float
    sure: float
    least: float
    most: float
    handicap: float

    def weight_of_cosine(self, closest: float) -> float:
        sureness = (closest - self.unsure) / (self.sure - self.unsure)
        return self.least + (self.most - self.least) * min(1.0, max(0.0, sureness))

    def similarity(self, cosine: float) -> float:
        return (cosine - self.floor) / (1 - self.floor)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights for passages in the question's language and for those in the other, fitted to the cosines of
    ``embedder``. For a question of more than ``long_question`` terms, of which no vector holds every detail, the
    cosine weighs ``long_question_less``."""

    embedder: str
    same_language: Weights
    other_language: Weights
    long_question: int
    long_question_less: float

    def of(self, candidate: Candidate) -> Weights:
        return self.other_language if candidate.translated else self.same_language


def fused(found: Findings, mode: RetrievalMode) -> list[tuple[int, float]]:
    """``(id, score)``, best first, ties by lower id; of one arm alone in the modes that name it."""
    if mode == "dense":
        return _dense(found)
    if mode == "lexical":
        return _lexical(found)
    if packaged_calibration().embedder != found.embedder:
        return reciprocal_rank_fusion([dense_order(found), lexical_order(found)])
    return _hybrid(found)


def dense_order(found: Findings) -> list[int]:
    """The ids of the candidates that have a cosine, closest first."""
    return [identifier for identifier, _ in _dense(found)]


def lexical_order(found: Findings) -> list[int]:
    """The ids of the candidates whose words match, best first."""
    return [identifier for identifier, _ in _lexical(found)]


def reciprocal_rank_fusion(rankings: Iterable[Sequence[int]], k: int = RRF_K) -> list[tuple[int, float]]:
    """``(id, score)``, best first: the sum over rankings of ``1 / (k + rank)``, ranks from 1; ties by lower id.

    Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
    SIGIR 2009, where k = 60.
    """
    scores: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, identifier in enumerate(ranking, start=1):
            scores[identifier] += 1 / (k + rank)
    return sorted(scores.items(), key=_best_first)


@cache
def packaged_calibration() -> Calibration:
    """The calibration for the packaged embedder."""
    values = json.loads(Path(__file__).with_name("fusion.json").read_text(encoding="utf-8"))
    same, other = (Weights(**values.pop(name)) for name in ("same_language", "other_language"))
    return Calibration(same_language=same, other_language=other, **values)


def _hybrid(found: Findings) -> list[tuple[int, float]]:
    calibration = packaged_calibration()
    less = calibration.long_question_less if found.question_terms > calibration.long_question else 0.0
    closest: dict[bool, float] = {}
    for one in found.candidates:
        if one.cosine is not None:
            closest[one.translated] = max(one.cosine, closest.get(one.translated, -1.0))
    scored = []
    for one in found.candidates:
        if one.cosine is not None:
            weights = calibration.of(one)
            weight = weights.weight_of_cosine(closest[one.translated]) - less
            score = weight * weights.similarity(one.cosine) + (1 - weight) * one.match - weights.handicap
            scored.append((one.id, score))
    return sorted(scored, key=_best_first)


def _dense(found: Findings) -> list[tuple[int, float]]:
    of = packaged_calibration().of
    close = ((one, one.cosine) for one in found.candidates if one.cosine is not None)
    return sorted(((one.id, of(one).similarity(cosine) - of(one).handicap) for one, cosine in close), key=_best_first)


def _lexical(found: Findings) -> list[tuple[int, float]]:
    of = packaged_calibration().of
    matching = (one for one in found.candidates if one.match > 0)
    return sorted(((one.id, one.match - of(one).handicap) for one in matching), key=_best_first)


def _best_first(scored: tuple[int, float]) -> tuple[float, int]:
    return -scored[1], scored[0]
