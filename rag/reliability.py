"""How far stated probabilities can be believed: those that say 0.8 should come true in eight of ten cases.

- the expected calibration error: the mean distance between what was stated and what came true over bins of the
  probability, each bin weighted by its cases. Naeini et al., "Obtaining well calibrated probabilities using Bayesian
  binning", AAAI 2015. It is 0 to 1, lower is better, and is biased upwards where bins hold few cases.
- the Brier score: the mean squared distance between each probability and what came true, 1 or 0. It is 0 to 1, lower
  is better; always stating the overall share scores that share times its complement.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.statistics import wilson

BINS = 10


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The cases whose probability is over ``low`` and at most ``high``; the first bin holds ``low`` too.

    ``stated`` is their mean probability, ``came_true`` the share that came true, ``at_least`` and ``at_most`` Wilson's
    95 % interval of it.
    """

    low: float
    high: float
    count: int
    stated: float
    came_true: float
    at_least: float
    at_most: float


def reliability(probabilities: Sequence[float], outcomes: Sequence[bool]) -> tuple[ReliabilityBin, ...]:
    """Ten bins of equal width over 0 to 1, without those that hold nothing, lowest first."""
    which = np.clip(np.ceil(np.asarray(probabilities) * BINS - 1e-9).astype(int) - 1, 0, BINS - 1)
    return tuple(
        _bin(probabilities, outcomes, np.flatnonzero(which == number), number / BINS, (number + 1) / BINS)
        for number in range(BINS)
        if (which == number).any()
    )


def reliability_by_count(probabilities: Sequence[float], outcomes: Sequence[bool]) -> tuple[ReliabilityBin, ...]:
    """Ten bins of as nearly as many cases each as their number allows, lowest first; fewer for under ten cases.

    Their bounds are those of the probabilities they hold.
    """
    parts = np.array_split(np.argsort(np.asarray(probabilities), kind="stable"), min(BINS, len(probabilities)))
    return tuple(
        _bin(probabilities, outcomes, part, float(probabilities[part[0]]), float(probabilities[part[-1]]))
        for part in parts
    )


def expected_calibration_error(bins: Sequence[ReliabilityBin]) -> float:
    """There must be a bin."""
    return sum(one.count * abs(one.stated - one.came_true) for one in bins) / sum(one.count for one in bins)


def brier_score(probabilities: Sequence[float], outcomes: Sequence[bool]) -> float:
    """There must be a case."""
    return float(np.mean((np.asarray(probabilities, dtype=float) - np.asarray(outcomes, dtype=float)) ** 2))


def _bin(
    probabilities: Sequence[float], outcomes: Sequence[bool], held: NDArray[np.intp], low: float, high: float
) -> ReliabilityBin:
    came_true = sum(bool(outcomes[one]) for one in held)
    share = wilson(came_true, len(held))
    stated = float(np.mean([probabilities[one] for one in held]))
    return ReliabilityBin(low, high, len(held), stated, share.value, share.low, share.high)
