"""Micro figures of sets, reckoned by hand and held against scikit-learn."""

import random

import pytest
from sklearn.metrics import precision_recall_fscore_support
from sklearn.preprocessing import MultiLabelBinarizer

from rag.set_measures import micro_figures

LABELS = "treatment diagnosis prevention mechanism".split()


def test_two_texts_with_entities_give_what_was_reckoned_by_hand() -> None:
    """Three right, one wrong in kind, one missed: 3/4, 3/5 and 2·3 / (2·3 + 1 + 2)."""
    gold = [
        {("chemical", "aspirin"), ("disease", "stroke"), ("disease", "fever")},
        {("chemical", "lithium"), ("disease", "tremor")},
    ]
    given = [{("chemical", "aspirin"), ("disease", "stroke")}, {("chemical", "lithium"), ("chemical", "tremor")}]
    found = micro_figures(gold, given)
    assert (found.right, found.wrong, found.missed) == (3, 1, 2)
    assert found.precision.value == pytest.approx(3 / 4)
    assert found.recall.value == pytest.approx(3 / 5)
    assert found.f1.value == pytest.approx(6 / 9)
    assert found.f1.low <= found.f1.value <= found.f1.high


def test_relations_count_as_wholes() -> None:
    gold = [{("痛风", "药物治疗", "别嘌醇"), ("痛风", "临床表现", "关节痛")}]
    given = [{("痛风", "药物治疗", "关节痛"), ("痛风", "临床表现", "关节痛")}]
    found = micro_figures(gold, given)
    assert (found.right, found.wrong, found.missed, found.f1.value) == (1, 1, 1, 0.5)


def test_frequent_and_rare_texts_weigh_by_their_statements() -> None:
    found = micro_figures([{"a", "b", "c", "d"}, {"e"}], [{"a", "b", "c", "d"}, set()])
    assert found.recall.value == pytest.approx(4 / 5)
    assert found.precision.value == 1.0


def test_nothing_given_is_zero_and_so_is_nothing_marked() -> None:
    assert micro_figures([{"a"}], [set()]).f1.value == 0.0
    assert micro_figures([set()], [{"a"}]).f1.value == 0.0
    assert micro_figures([set()], [set()]).f1.value == 0.0


@pytest.mark.parametrize("seed", range(10))
def test_any_labels_measure_as_scikit_learn_does(seed: int) -> None:
    chance = random.Random(seed)
    gold = [set(chance.sample(LABELS, chance.randint(1, 3))) for _ in range(60)]
    given = [set(chance.sample(LABELS, chance.randint(0, 3))) for _ in range(60)]
    matrix = MultiLabelBinarizer(classes=LABELS)
    precision, recall, f1, _ = precision_recall_fscore_support(
        matrix.fit_transform(gold), matrix.transform(given), average="micro"
    )
    found = micro_figures(gold, given)
    assert (found.precision.value, found.recall.value, found.f1.value) == pytest.approx((precision, recall, f1))
    assert 0 < found.f1.low < found.f1.value < found.f1.high < 1
