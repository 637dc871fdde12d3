"""The measures are held against scikit-learn, and what it does not know against the definitions."""

import random

import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from rag.classification_measures import ClassFigures, classification

CLASSES = ("SUPPORT", "CONTRADICT", "NEI")


def drawn(chance: random.Random, cases: int, right: float) -> tuple[list[str], list[str]]:
    gold = chance.choices(CLASSES, [5, 2, 4], k=cases)
    return gold, [is_ if chance.random() < right else chance.choice(CLASSES) for is_ in gold]


def separate(cases: list[str]) -> list[str]:
    return [str(number) for number in range(len(cases))]


def test_ten_cases_give_what_was_reckoned_by_hand() -> None:
    gold = ["SUPPORT"] * 4 + ["CONTRADICT"] * 2 + ["NEI"] * 4
    given = ["SUPPORT", "SUPPORT", "SUPPORT", "NEI", "CONTRADICT", "SUPPORT", "NEI", "NEI", "NEI", "CONTRADICT"]
    found = classification(gold, given, separate(gold), CLASSES)
    assert found.confusion == ((3, 0, 1), (1, 1, 0), (0, 1, 3))
    assert found.of_class == (
        ClassFigures(3 / 4, 3 / 4, 3 / 4, 4),
        ClassFigures(1 / 2, 1 / 2, 1 / 2, 2),
        ClassFigures(3 / 4, 3 / 4, 3 / 4, 4),
    )
    assert found.macro_f1.value == pytest.approx(2 / 3)
    assert found.accuracy.value == pytest.approx(7 / 10)


@pytest.mark.parametrize("seed", range(20))
def test_any_classification_measures_as_scikit_learn_does(seed: int) -> None:
    chance = random.Random(seed)
    gold, given = drawn(chance, chance.randint(5, 200), chance.random())
    found = classification(gold, given, separate(gold), CLASSES)
    assert [list(row) for row in found.confusion] == confusion_matrix(gold, given, labels=CLASSES).tolist()
    of_classes = precision_recall_fscore_support(gold, given, labels=CLASSES, zero_division=0)
    for one, precision, recall, f1, support in zip(found.of_class, *of_classes, strict=True):
        if one.f1 is None:
            assert (precision, recall, f1, support) == (0, 0, 0, one.support)
        else:
            assert (one.precision, one.recall, one.f1) == pytest.approx((precision, recall, f1))
            assert one.support == support
    assert found.macro_f1.value == pytest.approx(f1_score(gold, given, average="macro", zero_division=0))
    assert found.accuracy.value == pytest.approx(accuracy_score(gold, given))


def test_a_class_that_does_not_occur_has_no_figures_and_is_left_out_of_the_mean() -> None:
    found = classification(["SUPPORT", "NEI"], ["SUPPORT", "NEI"], ["a", "b"], CLASSES)
    assert found.of_class[1] == ClassFigures(None, None, None, 0)
    assert found.macro_f1.value == 1


def test_a_class_that_is_never_given_scores_nothing() -> None:
    found = classification(["SUPPORT", "CONTRADICT"], ["SUPPORT", "SUPPORT"], ["a", "b"], CLASSES)
    assert found.of_class[1] == ClassFigures(0, 0, 0, 1)
    assert found.macro_f1.value == pytest.approx((2 / 3 + 0) / 2)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    chance = random.Random(1)
    held = 0
    for _ in range(100):
        right = [chance.random() < 0.8 for _ in range(150)]
        given = ["SUPPORT" if one else "NEI" for one in right]
        accuracy = classification(["SUPPORT"] * 150, given, separate(given), CLASSES).accuracy
        held += accuracy.low <= 0.8 <= accuracy.high
    assert 88 <= held <= 99


def test_cases_of_one_document_are_drawn_together() -> None:
    """Forty cases told ten times over know no more than forty cases."""
    gold, given = drawn(random.Random(2), 40, 0.7)
    once = classification(gold, given, separate(gold), CLASSES)
    repeated = classification(gold * 10, given * 10, separate(gold) * 10, CLASSES)
    as_if_apart = classification(gold * 10, given * 10, separate(gold * 10), CLASSES)
    assert repeated.macro_f1 == once.macro_f1
    assert repeated.accuracy == once.accuracy
    assert as_if_apart.accuracy.high - as_if_apart.accuracy.low < 0.5 * (once.accuracy.high - once.accuracy.low)


def test_one_group_leaves_nothing_to_draw() -> None:
    gold, given = drawn(random.Random(4), 30, 0.5)
    accuracy = classification(gold, given, ["one"] * 30, CLASSES).accuracy
    assert accuracy.low == accuracy.value == accuracy.high
