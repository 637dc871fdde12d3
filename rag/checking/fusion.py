"""From what the exact checks found and the entailment model says to calibrated probabilities.

A multinomial logistic regression over ``Signs.features``, fitted by ``benchmarks/fit_check.py`` on cross-validated
scores; its expected calibration error stands in ``fusion.json``. It holds for the packaged entailment model; with
another the model's own probabilities take the place of the fitted ones.
"""

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.checking.types import Finding

KINDS = ("number", "polarity", "population", "name")
CLOSE = 0.75
"""The part of a sentence's terms that one sentence of the evidence must hold for the two to be the same but for
details: there what differs is an error rather than another wording."""
ALIKE = 0.9
"""The part of a sentence's words that another must hold, synonyms counted, to say the same where nothing was found."""
_SMALLEST = 1e-4


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a sentence beside its evidence. ``entailment`` are the model's probabilities that the evidence
    supports it, contradicts it, does neither. ``own`` is the part of its terms that the best sentence holds, ``whole``
    that all of the evidence holds; ``alike`` is the part of its words that a sentence holds, synonyms counted.
    ``crosses`` is that the two are in different languages."""

    entailment: tuple[float, float, float]
    own: float
    whole: float
    alike: float
    findings: tuple[Finding, ...]
    is_verbatim: bool
    crosses: bool
    is_chinese: bool

    @property
    def features(self) -> tuple[float, ...]:
        supports, contradicts, neither = (math.log(max(p, _SMALLEST)) for p in self.entailment)
        is_close = float(self.own >= CLOSE)
        crosses = float(self.crosses)
        kinds = [one.issue.kind for one in self.findings]
        against = [one.issue.kind for one in self.findings if one.contradicts]
        found = [float(kind in kinds) for kind in KINDS]
        said_otherwise = [float(kind in against) for kind in KINDS]
        return (
            supports - neither,
            contradicts - neither,
            self.own,
            self.whole,
            self.alike,
            float(self.alike >= ALIKE and not kinds),
            is_close,
            *found,
            *said_otherwise,
            is_close * float(bool(kinds)),
            is_close * float(bool(against)),
            float(self.is_verbatim),
            float(self.is_chinese),
            crosses,
            crosses * (supports - neither),
            crosses * (contradicts - neither),
            crosses * self.whole,
        )


@dataclass(frozen=True, slots=True)
class Fusion:
    """``weights`` (3, features) and ``intercepts`` (3,) give the logits of supported, contradicted and neither.
    ``fingerprint`` is that of the entailment model that they were fitted with, ``error`` the expected calibration
    error of the probability of support, on sentences that the fit had not seen."""

    fingerprint: str
    weights: NDArray[np.float64]
    intercepts: NDArray[np.float64]
    error: float

    def probabilities(self, signs: Signs) -> tuple[float, float, float]:
        """P(supported), P(contradicted), P(neither)."""
        logits = self.weights @ np.array(signs.features) + self.intercepts
        odds = np.exp(logits - logits.max())
        supported, contradicted, neither = (odds / odds.sum()).tolist()
        return supported, contradicted, neither


def fused(signs: Signs, fingerprint: str) -> tuple[float, float, float]:
    """P(supported), P(contradicted), P(neither), calibrated where the entailment model is the one fitted with."""
    fusion = packaged_fusion()
    return fusion.probabilities(signs) if fusion.fingerprint == fingerprint else signs.entailment


@cache
def packaged_fusion() -> Fusion:
    """The fusion for the packaged entailment model."""
    values = json.loads(Path(__file__).with_name("fusion.json").read_text(encoding="utf-8"))
    return Fusion(values["fingerprint"], np.array(values["weights"]), np.array(values["intercepts"]), values["error"])
