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
class Weights:
    """``cosine`` is the weight of the cosine, which counts from ``floor``, about that of unrelated texts, to 1; the
    weight of the word match is 1 less it. ``handicap`` is taken from the score, so that passages in the other
    language, whose scores are of another range, stand where they belong among those in the question's own."""

    cosine: float
    floor: float
    handicap: float

    def similarity(self, cosine: float) -> float:
        return (cosine - self.floor) / (1 - self.floor) - self.handicap

    def score(self, cosine: float, match: float) -> float:
        return self.cosine * self.similarity(cosine) + (1 - self.cosine) * (match - self.handicap)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Weights for passages in the question's language and for those in the other, and for whose cosines they are."""

    embedder: str
    same_language: Weights
    other_language: Weights

    def of(self, candidate: Candidate) -> Weights:
        return self.other_language if candidate.translated else self.same_language


def fused(candidates: Sequence[Candidate], mode: RetrievalMode, embedder: str) -> list[tuple[int, float]]:
    """``(id, score)``, best first, ties by lower id; of one arm alone in the modes that name it. ``embedder`` is the
    fingerprint of the model that gave the cosines."""
    if mode == "hybrid" and packaged_calibration().embedder != embedder:
        return reciprocal_rank_fusion([dense_order(candidates), lexical_order(candidates)])
    return _scored(candidates, mode)


def dense_order(candidates: Iterable[Candidate]) -> list[int]:
    """The ids of the candidates that have a cosine, closest first."""
    return [identifier for identifier, _ in _scored(candidates, "dense")]


def lexical_order(candidates: Iterable[Candidate]) -> list[int]:
    """The ids of the candidates whose words match, best first."""
    return [identifier for identifier, _ in _scored(candidates, "lexical")]


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
    return Calibration(values["embedder"], Weights(**values["same_language"]), Weights(**values["other_language"]))


def _scored(candidates: Iterable[Candidate], mode: RetrievalMode) -> list[tuple[int, float]]:
    return sorted(((one.id, _score(one, mode)) for one in candidates if _found(one, mode)), key=_best_first)


def _found(candidate: Candidate, mode: RetrievalMode) -> bool:
    return candidate.match > 0 if mode == "lexical" else candidate.cosine is not None


def _score(candidate: Candidate, mode: RetrievalMode) -> float:
    weights = packaged_calibration().of(candidate)
    match mode, candidate.cosine:
        case "hybrid", float(cosine):
            return weights.score(cosine, candidate.match)
        case "dense", float(cosine):
            return weights.similarity(cosine)
    return candidate.match - weights.handicap


def _best_first(scored: tuple[int, float]) -> tuple[float, int]:
    return -scored[1], scored[0]
