"""Whether the passages that were found can answer the question: decided by a calibrated score, before answering.

The score is a logistic regression on how close the passages are, on how much of the question they mention, and on what
a model that reads question and sentence together makes of their best sentences. Its weights hold for one embedder and
one reader: ``benchmarks/fit_sufficiency.py`` fits them anew for others.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from rag.extraction import Quote
from rag.languages import language_of
from rag.types import Hit

BACKGROUND = 10


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the judgement rests on.

    ``cosine`` is that of the closest passage to the question, ``background`` that of the BACKGROUND-th: what answers
    stands out from it. ``match`` is how well the words of the best match, 0 to 1, in which rare ones count for more.
    ``answers`` is the log-odds, by the reader, that the best sentence answers the question, ``coverage`` the largest
    part of the question's terms that one sentence holds. ``chinese`` is whether the question is in Chinese,
    ``other_language`` whether the best sentence is in the other language: cosines and matches lie elsewhere then.

    ``by_both`` is whether vectors and words were both searched, without which no calibration holds.
    """

    by_both: bool
    cosine: float
    background: float
    match: float
    answers: float
    coverage: float
    chinese: bool
    other_language: bool

    @property
    def features(self) -> Mapping[str, float]:
        """By name, as a calibration weighs them."""
        stated = {name: float(value) for name, value in asdict(self).items() if name != "by_both"}
        return stated | {"chinese_match": self.match * self.chinese}


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic regression on ``Evidence.features``, fitted to the cosines of one embedder and to one reader.
    ``threshold`` is the probability from which on questions are answered."""

    embedder: str
    reader: str
    intercept: float
    weights: Mapping[str, float]
    threshold: float

    def probability(self, evidence: Evidence) -> float:
        """P(the passages answer the question), 0 to 1."""
        features = evidence.features
        score = self.intercept + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-score))


@dataclass(frozen=True, slots=True)
class Judgement:
    """``confidence`` is P(the passages answer the question), None where no calibration holds: for other models than the
    packaged ones, and where only vectors or only words were searched."""

    sufficient: bool
    confidence: float | None


UNCALIBRATED_COVERAGE = 0.5
"""Where no calibration holds, one sentence must have at least this part of the question's terms, and the reader find it
more likely than not that the best one answers."""


def weigh(question: str, hits: Sequence[Hit], ranked: Sequence[Quote]) -> Evidence | None:
    """The evidence that hits and their sentences give; None where there is none.

    The cosine of a passage in the other language is one to the translated question and does not compare: it counts only
    where there is no passage in the question's own.
    """
    if not ranked:
        return None
    asked = language_of(question)
    best = max(ranked, key=lambda quote: quote.answers)
    own = [hit for hit in hits if language_of(hit.passage.text) == asked] or hits
    cosines = sorted((hit.cosine for hit in own if hit.cosine is not None), reverse=True)[:BACKGROUND]
    matches = [hit.match for hit in hits if hit.match is not None]
    return Evidence(
        by_both=bool(cosines and matches),
        cosine=max(cosines, default=0.0),
        background=min(cosines, default=0.0),
        match=max(matches, default=0.0),
        answers=best.log_odds,
        coverage=max(quote.coverage for quote in ranked),
        chinese=asked == "zh",
        other_language=language_of(best.text) != asked,
    )


def judge(evidence: Evidence | None, embedder: str, reader: str, below: float | None = None) -> Judgement:
    """``embedder`` and ``reader`` are the fingerprints of the models that gave the evidence. ``below`` is the
    probability below which nothing is answered, None for the calibration's own threshold."""
    if evidence is None:
        return Judgement(False, 0.0)
    calibration = packaged_calibration()
    if not evidence.by_both or (calibration.embedder, calibration.reader) != (embedder, reader):
        return Judgement(evidence.coverage >= UNCALIBRATED_COVERAGE and evidence.answers >= 0, None)
    probability = calibration.probability(evidence)
    return Judgement(probability >= (calibration.threshold if below is None else below), round(probability, 4))


@cache
def packaged_calibration() -> Calibration:
    """The calibration for the packaged models."""
    values = json.loads(Path(__file__).with_name("sufficiency.json").read_text(encoding="utf-8"))
    return Calibration(**values)
