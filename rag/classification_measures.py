"""How good a classification into a few classes is: precision, recall and F1 of each class, and over all.

- precision: of the cases that were given a class, the part that is of it; 0 where none was given it.
- recall: of the cases of a class, the part that was given it; 0 where none is of it.
- F1: the harmonic mean of both, ``2 tp / (2 tp + fp + fn)``.
- macro F1: the mean of F1 over the classes that occur, as gold or as given, so that a rare class counts as much as a
  frequent one.

Each is 0 to 1, higher is better. Cases that share a group (a cited document) are not independent, so intervals come
from drawing groups anew, not cases. Everything follows from the counts of gold and given class, which is what lets
thousands of such draws be measured at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.measures import CONFIDENCE, RESAMPLES

_SEED = 20


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """``support`` counts the cases of the class. The others are None where no case is of it and none was given it."""

    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the interval that holds it with 95 % confidence were the groups drawn anew."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Classification:
    """``confusion[gold][given]`` counts cases; ``of_class`` and both its levels are in the order of ``classes``."""

    classes: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    of_class: tuple[ClassFigures, ...]
    macro_f1: Estimate
    accuracy: Estimate


def classification(
    gold: Sequence[str], given: Sequence[str], groups: Sequence[str], classes: Sequence[str]
) -> Classification:
    """Measures what was ``given`` against ``gold``, case by case. There must be a case."""
    counted = _counts_of_groups(gold, given, groups, classes)
    total = counted.sum(axis=0)
    drawn = draws(counted)
    return Classification(
        tuple(classes),
        tuple(tuple(int(count) for count in row) for row in total),
        tuple(_class_figures(total, number) for number in range(len(classes))),
        estimate(_macro_f1(total), _macro_f1(drawn)),
        estimate(_accuracy(total), _accuracy(drawn)),
    )


def _counts_of_groups(
    gold: Sequence[str], given: Sequence[str], groups: Sequence[str], classes: Sequence[str]
) -> NDArray[np.int64]:
    """(groups, gold class, given class)"""
    number_of = {name: number for number, name in enumerate(classes)}
    group_of = {name: number for number, name in enumerate(dict.fromkeys(groups))}
    counted = np.zeros((len(group_of), len(classes), len(classes)), dtype=np.int64)
    for is_, said, group in zip(gold, given, groups, strict=True):
        counted[group_of[group], number_of[is_], number_of[said]] += 1
    return counted


def draws(counted: NDArray[np.int64]) -> NDArray[np.int64]:
    """(groups, ...) becomes (resamples, ...): the sums over as many groups as there are, drawn with replacement."""
    count = len(counted)
    weights = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return np.tensordot(weights, counted, axes=1)


def _class_figures(total: NDArray[np.int64], number: int) -> ClassFigures:
    right, are, were = int(total[number, number]), int(total[number].sum()), int(total[:, number].sum())
    if not are + were:
        return ClassFigures(None, None, None, 0)
    return ClassFigures(right / were if were else 0.0, right / are if are else 0.0, 2 * right / (are + were), are)


def _macro_f1(confusions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of (..., gold class, given class)."""
    right = np.diagonal(confusions, axis1=-2, axis2=-1)
    either = confusions.sum(axis=-1) + confusions.sum(axis=-2)
    f1 = 2 * right / np.maximum(either, 1)
    return np.asarray(f1.sum(axis=-1) / (either > 0).sum(axis=-1))


def _accuracy(confusions: NDArray[np.int64]) -> NDArray[np.float64]:
    right = np.trace(confusions, axis1=-2, axis2=-1)
    return np.asarray(right / confusions.sum(axis=(-2, -1)))


def estimate(value: NDArray[np.float64], drawn: NDArray[np.float64]) -> Estimate:
    """A figure, with the interval that the same figure of each draw gives."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high))
