"""The measures are held against their definitions, written down here a second time."""

import math
import random

import pytest

from rag.measures import DEPTH, MEASURES, Figure, figures, lead, scores


def ndcg_at_10(ranking: list[str], grades: dict[str, int]) -> float:
    def dcg(gains: list[float]) -> float:
        return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:10], start=1))

    gains = [2.0 ** max(grades.get(document, 0), 0) - 1 for document in ranking]
    ideal = sorted((2.0 ** max(grade, 0) - 1 for grade in grades.values()), reverse=True)
    return dcg(gains) / dcg(ideal)


def recall_at(depth: int, ranking: list[str], grades: dict[str, int]) -> float:
    relevant = {document for document, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:depth])) / len(relevant)


def reciprocal_rank(ranking: list[str], grades: dict[str, int]) -> float:
    return next((1 / rank for rank, one in enumerate(ranking, start=1) if grades.get(one, 0) > 0), 0.0)


def test_a_graded_ranking_scores_what_was_reckoned_by_hand() -> None:
    judgements = {"q": {"best": 3, "good": 2, "some": 1, "none": 0}}
    found = scores({"q": ["good", "none", "best", "unjudged"]}, judgements)["q"]
    # gains 3, 0, 7 at discounts 1, log2(3), 2; ideally 7, 3, 1
    assert found["ndcg@10"] == pytest.approx((3 + 7 / 2) / (7 + 3 / math.log2(3) + 1 / 2))
    assert found["ndcg@10"] == pytest.approx(0.692, abs=5e-4)
    assert found["recall@10"] == pytest.approx(2 / 3)
    assert found["mrr"] == 1


def test_any_ranking_scores_what_the_definitions_say() -> None:
    chance = random.Random(7)
    documents = [f"d{number}" for number in range(150)]
    rankings = {f"q{number}": chance.sample(documents, chance.randint(0, DEPTH)) for number in range(60)}
    judgements = {
        query: {document: chance.choice([-1, 0, 1, 2, 3]) for document in chance.sample(documents, 20)} | {"d0": 1}
        for query in rankings
    }
    found = scores(rankings, judgements)
    assert list(found) == list(judgements)
    for query, ranking in rankings.items():
        grades = judgements[query]
        assert found[query]["ndcg@10"] == pytest.approx(ndcg_at_10(ranking, grades))
        assert found[query]["recall@10"] == pytest.approx(recall_at(10, ranking, grades))
        assert found[query]["recall@100"] == pytest.approx(recall_at(100, ranking, grades))
        assert found[query]["mrr"] == pytest.approx(reciprocal_rank(ranking, grades))


def test_the_order_given_counts_whatever_the_documents_are_called() -> None:
    judgements = {"q": {"a": 1}}
    assert scores({"q": ["a", "z"]}, judgements)["q"]["mrr"] == 1
    assert scores({"q": ["z", "a"]}, judgements)["q"]["mrr"] == 0.5


def test_nothing_found_scores_nothing_and_what_is_deeper_than_100_does_not_count() -> None:
    judgements = {"empty": {"a": 1}, "missing": {"a": 1}, "deep": {"a": 1}}
    found = scores({"empty": [], "deep": [*(f"z{number}" for number in range(DEPTH)), "a"]}, judgements)
    assert {value for of_query in found.values() for value in of_query.values()} == {0}


def _scored(values: list[float]) -> dict[str, dict[str, float]]:
    return {f"q{number}": dict.fromkeys(MEASURES, value) for number, value in enumerate(values)}


def test_an_interval_is_about_as_wide_as_the_normal_approximation_says_and_the_same_every_time() -> None:
    chance = random.Random(3)
    values = [float(chance.random() < 0.7) for _ in range(400)]
    mean = sum(values) / len(values)
    half = 1.96 * math.sqrt(mean * (1 - mean) / len(values))
    figure = figures(_scored(values))["recall@10"]
    assert figure.mean == pytest.approx(mean)
    assert figure.low == pytest.approx(mean - half, abs=0.008)
    assert figure.high == pytest.approx(mean + half, abs=0.008)
    assert figures(_scored(values))["recall@10"] == figure


def test_queries_that_all_score_the_same_leave_no_doubt() -> None:
    assert figures(_scored([0.5]))["mrr"] == Figure(0.5, 0.5, 0.5)


def test_two_rankings_are_compared_query_by_query() -> None:
    values = [number / 100 for number in range(90)]
    ahead = lead(_scored([value + 0.1 for value in values]), _scored(values))["ndcg@10"]
    assert (ahead.mean, ahead.low, ahead.high) == pytest.approx((0.1, 0.1, 0.1))
