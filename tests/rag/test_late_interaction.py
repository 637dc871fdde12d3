from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.late_interaction import LateInteractionReranker
from rag.reranking import PACKAGED_RERANKER, open_reranker
from rag.retrieval import RERANKED, ranking, search
from rag.settings import Settings
from rag.system import System
from rag.types import LOCAL_ADMIN, Query

QUESTION = "Below which eGFR is metformin contraindicated?"
ANSWER = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2."
OTHERS = ["The clinic opens at eight in the morning.", "Asthma is treated with inhaled steroids."]


@pytest.fixture
def reranker(home: Path) -> LateInteractionReranker:
    opened = open_reranker(Settings(home=home, reranker=PACKAGED_RERANKER))
    assert isinstance(opened, LateInteractionReranker)
    return opened


def test_the_passage_that_answers_scores_highest_in_both_languages(reranker: LateInteractionReranker) -> None:
    for question in (QUESTION, "eGFR低于多少时禁用二甲双胍？"):
        scores = reranker.rerank(question, [*OTHERS, ANSWER])
        assert scores.argmax() == 2
        assert (np.abs(scores) <= 1 + 1e-6).all()


def test_a_text_scores_the_same_in_whatever_company(reranker: LateInteractionReranker) -> None:
    alone = reranker.rerank(QUESTION, [ANSWER])
    among = reranker.rerank(QUESTION, [ANSWER, *OTHERS, ANSWER])
    np.testing.assert_allclose(among[[0, 3]], [alone[0], alone[0]], atol=1e-4)
    assert among[0] == among[3]


def test_a_text_that_asks_itself_scores_one(reranker: LateInteractionReranker) -> None:
    """Up to the prompt, which differs between question and passage."""
    [score] = reranker.rerank(ANSWER, [ANSWER])
    assert score > 0.95


def test_no_passage_gives_no_score(reranker: LateInteractionReranker) -> None:
    assert reranker.rerank(QUESTION, []).shape == (0,)


def test_a_search_takes_the_order_of_the_reranker_and_keeps_its_scores(
    sample: System, reranker: LateInteractionReranker
) -> None:
    query = Query(QUESTION, top_k=RERANKED, collapse=False)
    plain = ranking(query, LOCAL_ADMIN, sample, 50)
    system = replace(sample, reranker=reranker)
    reranked = ranking(query, LOCAL_ADMIN, system, 50)
    assert [score for _, score in reranked] == [score for _, score in plain]
    assert {i for i, _ in reranked[:RERANKED]} == {i for i, _ in plain[:RERANKED]}
    assert reranked[RERANKED:] == plain[RERANKED:]
    hits = search(query, LOCAL_ADMIN, system).hits
    assert [int(hit.passage.passage_id) for hit in hits] == [i for i, _ in reranked[:RERANKED]]
    assert "30 mL/min" in hits[0].passage.text


def test_one_arm_alone_is_not_reranked(sample: System, reranker: LateInteractionReranker) -> None:
    system = replace(sample, reranker=reranker)
    for mode in ("dense", "lexical"):
        query = Query(QUESTION, retrieval=mode)
        assert ranking(query, LOCAL_ADMIN, system, 20) == ranking(query, LOCAL_ADMIN, sample, 20)
