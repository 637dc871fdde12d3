"""Calibration is held against scikit-learn, and against cases of which the truth is known."""

import random

import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from rag.reliability import brier_score, expected_calibration_error, reliability, reliability_by_count


def drawn(cases: int, seed: int = 5) -> tuple[list[float], list[bool]]:
    """Probabilities that are true."""
    chance = random.Random(seed)
    probabilities = [chance.random() for _ in range(cases)]
    return probabilities, [chance.random() < probability for probability in probabilities]


def test_six_cases_give_what_was_reckoned_by_hand() -> None:
    bins = reliability([0.0, 0.1, 0.55, 0.6, 0.97, 1.0], [False, True, False, True, True, True])
    assert [(one.low, one.high, one.count) for one in bins] == [(0.0, 0.1, 2), (0.5, 0.6, 2), (0.9, 1.0, 2)]
    assert [one.stated for one in bins] == pytest.approx([0.05, 0.575, 0.985])
    assert [one.came_true for one in bins] == pytest.approx([0.5, 0.5, 1.0])
    assert expected_calibration_error(bins) == pytest.approx((0.45 + 0.075 + 0.015) / 3)


def test_bins_and_brier_score_are_those_of_scikit_learn() -> None:
    probabilities, outcomes = drawn(1000)
    bins = reliability(probabilities, outcomes)
    came_true, stated = calibration_curve(outcomes, probabilities, n_bins=10, strategy="uniform")
    assert [one.came_true for one in bins] == pytest.approx(came_true.tolist())
    assert [one.stated for one in bins] == pytest.approx(stated.tolist())
    by_count = reliability_by_count(probabilities, outcomes)
    came_true, stated = calibration_curve(outcomes, probabilities, n_bins=10, strategy="quantile")
    assert [one.came_true for one in by_count] == pytest.approx(came_true.tolist())
    assert [one.stated for one in by_count] == pytest.approx(stated.tolist())
    assert brier_score(probabilities, outcomes) == pytest.approx(brier_score_loss(outcomes, probabilities))


def test_true_probabilities_have_hardly_an_error_and_overconfident_ones_have_theirs() -> None:
    probabilities, outcomes = drawn(20_000)
    for bins_of in (reliability, reliability_by_count):
        assert expected_calibration_error(bins_of(probabilities, outcomes)) < 0.015
    sure = [1.0 if probability > 0.5 else 0.0 for probability in probabilities]
    # of a probability drawn evenly, the half over 0.5 comes true in three of four cases
    assert expected_calibration_error(reliability(sure, outcomes)) == pytest.approx(0.25, abs=0.01)


def test_bins_without_cases_are_left_out() -> None:
    assert [one.low for one in reliability([0.95, 0.05], [True, False])] == [0.0, 0.9]


def test_bins_by_count_hold_as_many_each_also_where_all_probabilities_are_high() -> None:
    bins = reliability_by_count([0.9 + number / 1000 for number in range(47)], [True] * 47)
    assert sorted(one.count for one in bins) == [4] * 3 + [5] * 7
    assert [one.count for one in reliability_by_count([0.2, 0.1, 0.2], [True, False, True])] == [1, 1, 1]


def test_a_bin_of_few_cases_is_known_to_be_uncertain() -> None:
    [few] = reliability([0.95] * 3, [True] * 3)
    [many] = reliability([0.95] * 300, [True] * 300)
    # Wilson's interval for 3 of 3 and for 300 of 300
    assert (few.at_least, few.at_most) == pytest.approx((0.4385, 1.0), abs=1e-4)
    assert (many.at_least, many.at_most) == pytest.approx((0.9874, 1.0), abs=1e-4)
