"""Intervals and tests held against published values and what can be reckoned by hand."""

import random

import pytest
from scipy.stats import bootstrap

from rag.statistics import PairedTest, difference, holm, mcnemar, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_intervals_that_newcombe_tabulates(
    successes: int, trials: int, low: float, high: float
) -> None:
    """Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 1998, table I,
    method 3."""
    found = wilson(successes, trials)
    assert found.value == successes / trials
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def outcomes(both: int, only_first: int, only_second: int, neither: int) -> tuple[list[bool], list[bool]]:
    counts = ((True, True, both), (True, False, only_first), (False, True, only_second), (False, False, neither))
    pairs = [(first, second) for first, second, count in counts for _ in range(count)]
    return [first for first, _ in pairs], [second for _, second in pairs]


def test_the_exact_test_is_the_binomial_of_the_cases_that_differ() -> None:
    """Nine against two: twice the chance of at most two heads in eleven throws, 2 (1 + 11 + 55) / 2048."""
    assert mcnemar(*outcomes(21, 9, 2, 12)) == PairedTest(21, 9, 2, 12, pytest.approx(134 / 2048))


def test_which_of_two_is_first_does_not_change_the_test() -> None:
    first, second = outcomes(5, 8, 1, 3)
    assert mcnemar(first, second).p == mcnemar(second, first).p == pytest.approx(20 / 512)


def test_two_that_never_differ_are_no_different() -> None:
    assert mcnemar([True, False], [True, False]) == PairedTest(1, 0, 0, 1, 1.0)


def test_a_difference_is_the_mean_of_the_gaps_with_an_interval_around_it() -> None:
    first, second = outcomes(50, 30, 10, 10)
    found = difference(first, second)
    assert found.value == pytest.approx(0.2)
    assert 0 < found.low < 0.2 < found.high < 0.4
    swapped = difference(second, first)
    assert (swapped.low, swapped.high) == (pytest.approx(-found.high, abs=0.02), pytest.approx(-found.low, abs=0.02))


def test_the_interval_of_a_difference_is_the_one_that_scipy_draws() -> None:
    chance = random.Random(3)
    first = [chance.random() for _ in range(120)]
    second = [one * 0.8 + 0.1 * chance.random() for one in first]
    found = difference(first, second)
    gaps = [one - other for one, other in zip(first, second, strict=True)]
    drawn = bootstrap((gaps,), lambda part, axis: part.mean(axis=axis), method="percentile", rng=5)
    assert found.low == pytest.approx(drawn.confidence_interval.low, abs=0.003)
    assert found.high == pytest.approx(drawn.confidence_interval.high, abs=0.003)


def test_a_difference_that_is_the_same_in_every_case_is_certain() -> None:
    found = difference([1.0, 1.0, 1.0], [0.5, 0.5, 0.5])
    assert (found.value, found.low, found.high) == (0.5, 0.5, 0.5)


def test_holms_correction_multiplies_each_by_the_tests_that_are_left() -> None:
    """0.005 by 4 and 0.01 by 3; 0.03 by 2 is 0.06, and 0.04 may not fall below it."""
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert list(found) == ["a", "b", "c", "d"]
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


def test_no_corrected_p_is_over_one_and_one_alone_stays_as_it_is() -> None:
    assert holm({"a": 0.7, "b": 0.9}) == {"a": 1.0, "b": 1.0}
    assert holm({"a": 0.03}) == {"a": 0.03}
    assert holm({}) == {}
