"""Whether the passages that were found can answer the question: decided by a calibrated score, before answering."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rag.extraction import Quote
from rag.languages import language_of
from rag.types import Hit


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the judgement rests on: the best cosine of a passage to the question and how far it stands above the mean
    of the ten best; the best cosine of a sentence; the largest part of the question's terms that one sentence holds;
    whether the question is in Chinese, where all cosines are higher; and whether the best sentence is in the other
    language, where cosines are lower and terms do not match."""

    passage_cosine: float
    lead: float
    sentence_cosine: float
    coverage: float
    chinese: bool
    other_language: bool

    @property
    def features(self) -> tuple[float, ...]:
        return (
            self.passage_cosine,
            self.lead,
            self.sentence_cosine,
            self.coverage,
            float(self.chinese),
            float(self.other_language),
        )


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression on ``Evidence.features``, fitted by ``benchmarks/fit_sufficiency.py``
    for one embedder."""

    embedder: str
    intercept: float
    weights: tuple[float, ...]
    threshold: float

    def probability(self, evidence: Evidence) -> float:
        """P(the passages answer the question), 0 to 1."""
        score = self.intercept + sum(w * x for w, x in zip(self.weights, evidence.features, strict=True))
        return 1 / (1 + math.exp(-score))


@dataclass(frozen=True, slots=True)
class Judgement:
    """``confidence`` is P(the passages answer the question), None where no calibration fits the embedder."""

    sufficient: bool
    confidence: float | None


UNCALIBRATED_COVERAGE = 0.5
"""With an embedder that no calibration is for, one sentence must hold at least this part of the question's terms."""


def weigh(question: str, hits: Sequence[Hit], ranked: Sequence[Quote]) -> Evidence | None:
    """The evidence that hits and their sentences give; None where there is none.

    The cosine of a passage in the other language is one to the translated question, and does not compare: there the
    best sentence's, which is one to the question itself, has to do.
    """
    if not ranked:
        return None
    asked = language_of(question)
    best = max(ranked, key=lambda quote: quote.cosine)
    own = (hit.cosine for hit in hits if hit.cosine is not None and language_of(hit.passage.text) == asked)
    cosines = sorted(own, reverse=True)[:10] or [best.cosine]
    return Evidence(
        passage_cosine=cosines[0],
        lead=cosines[0] - sum(cosines) / len(cosines),
        sentence_cosine=best.cosine,
        coverage=max(quote.coverage for quote in ranked),
        chinese=asked == "zh",
        other_language=language_of(best.text) != asked,
    )


def judge(evidence: Evidence | None, embedder: str) -> Judgement:
    """``embedder`` is the fingerprint of the model that gave the cosines."""
    if evidence is None:
        return Judgement(False, 0.0)
    calibration = packaged_calibration()
    if calibration.embedder != embedder:
        return Judgement(evidence.coverage >= UNCALIBRATED_COVERAGE, None)
    probability = calibration.probability(evidence)
    return Judgement(probability >= calibration.threshold, round(probability, 4))


@cache
def packaged_calibration() -> Calibration:
    """The calibration for the packaged embedder."""
    values = json.loads(Path(__file__).with_name("sufficiency.json").read_text(encoding="utf-8"))
    return Calibration(values["embedder"], values["intercept"], tuple(values["weights"]), values["threshold"])
