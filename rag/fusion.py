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

from rag.types import Language, RetrievalMode

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
    """All that the arms found for a question in ``language`` of ``question_terms`` terms; the cosines are those of the
    model whose fingerprint is ``embedder``."""

    candidates: Sequence[Candidate]
    language: Language
    question_terms: int
    embedder: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the two arms count, fitted to the cosines of ``embedder``.

    A cosine counts from ``floor``, about that of unrelated texts, to 1. Its weight rises from ``least``, where the
    closest passage of all has a cosine of ``unsure`` or less, to ``most``, where that is ``sure`` or more: the dense
    arm is trusted as far as it found something close. For a question of more than ``long_question`` terms, of which no
    vector holds every detail, it is ``long_question_less``. The weight of the word match is 1 less it.

    Passages in the other language score in another range; ``handicap_zh_en`` is taken from the score of English ones
    found for a Chinese question, ``handicap_en_zh`` from that of Chinese ones for an English question, so that they
    stand where they belong among those in the question's own language.
    """

    embedder: str
    floor: float
    unsure: float
    sure: float
    least: float
    most: float
    long_question: int
    long_question_less: float
    handicap_zh_en: float
    handicap_en_zh: float

    def weight_of_cosine(self, closest: float, question_terms: int) -> float:
        sureness = (closest - self.unsure) / (self.sure - self.unsure)
        weight = self.least + (self.most - self.least) * min(1.0, max(0.0, sureness))
        return weight - (self.long_question_less if question_terms > self.long_question else 0.0)

    def similarity(self, cosine: float) -> float:
        return (cosine - self.floor) / (1 - self.floor)

    def handicap(self, question: Language) -> float:
        """What passages in the other language than the question's are set back by."""
        return self.handicap_zh_en if question == "zh" else self.handicap_en_zh


def fused(found: Findings, mode: RetrievalMode, calibration: Calibration | None = None) -> list[tuple[int, float]]:
    """``(id, score)``, best first, ties by lower id; of one arm alone in the modes that name it. ``calibration`` is the
    packaged one unless another is given."""
    calibration = calibration or packaged_calibration()
    if mode == "dense":
        return _dense(found, calibration)
    if mode == "lexical":
        return _lexical(found, calibration)
    if calibration.embedder != found.embedder:
        return reciprocal_rank_fusion([dense_order(found), lexical_order(found)])
    return _hybrid(found, calibration)


def dense_order(found: Findings) -> list[int]:
    """The ids of the candidates that have a cosine, closest first."""
    return [identifier for identifier, _ in fused(found, "dense")]


def cosines(found: Findings) -> list[tuple[int, float]]:
    """The order of ``dense_order`` with the cosines, which of passages in the other language than the question's are
    less by what these are set back."""
    calibration = packaged_calibration()
    return [(one, calibration.floor + (1 - calibration.floor) * score) for one, score in fused(found, "dense")]


def lexical_order(found: Findings) -> list[int]:
    """The ids of the candidates whose words match, best first."""
    return [identifier for identifier, _ in fused(found, "lexical")]


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
    return Calibration(**json.loads(Path(__file__).with_name("fusion.json").read_text(encoding="utf-8")))


def _hybrid(found: Findings, calibration: Calibration) -> list[tuple[int, float]]:
    closest: dict[bool, float] = {}
    for one in found.candidates:
        if one.cosine is not None:
            closest[one.translated] = max(one.cosine, closest.get(one.translated, -1.0))
    weight = {key: calibration.weight_of_cosine(best, found.question_terms) for key, best in closest.items()}

    def score(one: Candidate, cosine: float) -> float:
        similarity = calibration.similarity(cosine)
        return weight[one.translated] * similarity + (1 - weight[one.translated]) * one.match

    return _ranked(
        found, calibration, ((one, score(one, one.cosine)) for one in found.candidates if one.cosine is not None)
    )


def _dense(found: Findings, calibration: Calibration) -> list[tuple[int, float]]:
    similarity = calibration.similarity
    return _ranked(
        found, calibration, ((one, similarity(one.cosine)) for one in found.candidates if one.cosine is not None)
    )


def _lexical(found: Findings, calibration: Calibration) -> list[tuple[int, float]]:
    return _ranked(found, calibration, ((one, one.match) for one in found.candidates if one.match > 0))


def _ranked(
    found: Findings, calibration: Calibration, scored: Iterable[tuple[Candidate, float]]
) -> list[tuple[int, float]]:
    handicap = calibration.handicap(found.language)
    fair = ((one.id, score - handicap if one.translated else score) for one, score in scored)
    return sorted(fair, key=_best_first)


def _best_first(scored: tuple[int, float]) -> tuple[float, int]:
    return -scored[1], scored[0]
