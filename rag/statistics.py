"""How sure a share is, and whether one way of answering is better than another on the same questions.

- Wilson's interval of a share, which keeps within 0 to 1 and holds for few cases too. Wilson, "Probable inference,
  the law of succession, and statistical inference", JASA 1927.
- McNemar's test, exact: of the questions that only one of the two got right, were more the one's than chance would
  make them? McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
  Psychometrika 1947.
- the paired bootstrap: the mean difference, question by question, and the interval that holds it were the questions
  drawn anew. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979.
- Holm's correction, for several tests of which one alone may come out by chance. Holm, "A simple sequentially
  rejective multiple test procedure", Scandinavian Journal of Statistics 1979.

Intervals hold with 95 % confidence, tests are two-sided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rag.classification_measures import Estimate
from rag.measures import CONFIDENCE, means_with_intervals


@dataclass(frozen=True, slots=True)
class PairedTest:
    """How many cases both got right, only the first, only the second, neither; ``p`` is the chance of so uneven a
    split between the two middle ones, or a more uneven one, were both equally good."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float


def wilson(successes: int, trials: int) -> Estimate:
    """The share of successes. There must be a trial."""
    from scipy.stats import binomtest

    interval = binomtest(successes, trials).proportion_ci(CONFIDENCE, method="wilson")
    return Estimate(successes / trials, float(interval.low), float(interval.high))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> PairedTest:
    """Of two ways of answering, case by case, whether each was right. Where they never differ, p is 1."""
    from scipy.stats import binomtest

    pairs = list(zip(first, second, strict=True))
    both, only_first, only_second = (pairs.count(pair) for pair in ((True, True), (True, False), (False, True)))
    differing = only_first + only_second
    p = float(binomtest(only_first, differing, 0.5).pvalue) if differing else 1.0
    return PairedTest(both, only_first, only_second, len(pairs) - both - differing, p)


def difference(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """How far ``first`` is ahead of ``second`` in the mean, each case compared with itself. There must be a case."""
    gaps = np.subtract(np.asarray(first, dtype=float), np.asarray(second, dtype=float))
    [figure] = means_with_intervals(gaps[:, np.newaxis])
    return Estimate(figure.mean, figure.low, figure.high)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Each p as it stands after the correction, to be held against the same level as one alone would be."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda one: p_values[one])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[name]))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}
