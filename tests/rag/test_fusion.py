"""One order of what two arms found, held against the formulas."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.fusion import (
    Calibration,
    Candidate,
    Findings,
    dense_order,
    fused,
    lexical_order,
    packaged_calibration,
    reciprocal_rank_fusion,
)
from rag.types import Language, RetrievalMode

MODEL = "a model"
FAIR = Calibration(
    embedder=MODEL,
    floor=0.6,
    unsure=0.8,
    sure=0.9,
    least=0.4,
    most=0.8,
    long_question=5,
    long_question_less=0.1,
    handicap_zh_en=0.0,
    handicap_en_zh=0.0,
)
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.integers(1, 50),
        st.none() | st.floats(-1, 1),
        st.floats(0, 1),
        st.booleans(),
    ),
    unique_by=lambda one: one.id,
    max_size=12,
)


def findings(*candidates: Candidate, language: Language = "en", terms: int = 3, model: str = MODEL) -> Findings:
    return Findings(candidates, language, terms, model)


def own(identifier: int, cosine: float | None, match: float) -> Candidate:
    return Candidate(identifier, cosine, match, translated=False)


@pytest.mark.parametrize(
    ("closest", "terms", "weight"),
    [(0.7, 3, 0.4), (0.8, 3, 0.4), (0.85, 3, 0.6), (0.9, 3, 0.8), (0.99, 3, 0.8), (0.85, 5, 0.6), (0.85, 6, 0.5)],
)
def test_the_score_is_the_weighted_mean_of_the_two_arms(closest: float, terms: int, weight: float) -> None:
    found = findings(own(1, closest, 0.1), own(2, 0.64, 0.9), terms=terms)
    scores = dict(fused(found, "hybrid", FAIR))
    assert scores[1] == pytest.approx(weight * (closest - 0.6) / 0.4 + (1 - weight) * 0.1)
    assert scores[2] == pytest.approx(weight * 0.1 + (1 - weight) * 0.9)


def test_an_arm_that_finds_nothing_fitting_cannot_push_its_best_guess_up() -> None:
    answer, guess = own(1, 0.75, 0.9), own(2, 0.76, 0.0)
    assert [identifier for identifier, _ in fused(findings(answer, guess), "hybrid", FAIR)] == [1, 2]


def test_each_language_is_as_sure_as_its_own_closest_passage() -> None:
    far = Candidate(2, 0.7, 0.5, translated=True)
    scores = dict(fused(findings(own(1, 0.95, 0.5), far), "hybrid", FAIR))
    assert scores[2] == pytest.approx(0.4 * 0.25 + 0.6 * 0.5)
    assert scores[1] == pytest.approx(0.8 * 0.875 + 0.2 * 0.5)


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
@pytest.mark.parametrize(("language", "handicap"), [("en", 0.3), ("zh", -0.2)])
def test_passages_in_the_other_language_are_set_back_by_the_handicap_of_the_direction(
    mode: RetrievalMode, language: Language, handicap: float
) -> None:
    calibration = replace(FAIR, handicap_en_zh=0.3, handicap_zh_en=-0.2)
    one, other = own(1, 0.8, 0.5), Candidate(2, 0.8, 0.5, translated=True)
    scores = dict(fused(findings(one, other, language=language), mode, calibration))
    assert scores[1] - scores[2] == pytest.approx(handicap)


def test_one_arm_alone_ranks_what_it_found_in_its_own_order() -> None:
    found = findings(own(1, 0.7, 0.9), own(2, 0.9, 0.0), own(3, None, 0.4), own(4, 0.8, 0.4))
    assert [identifier for identifier, _ in fused(found, "dense", FAIR)] == dense_order(found) == [2, 4, 1]
    assert [identifier for identifier, _ in fused(found, "lexical", FAIR)] == lexical_order(found) == [1, 3, 4]
    assert dict(fused(found, "lexical", FAIR)) == {1: 0.9, 3: 0.4, 4: 0.4}


def test_ties_go_to_the_lower_id() -> None:
    found = findings(own(9, 0.8, 0.5), own(2, 0.8, 0.5), own(5, 0.8, 0.5))
    for mode in ("hybrid", "dense", "lexical"):
        assert [identifier for identifier, _ in fused(found, mode, FAIR)] == [2, 5, 9]


def test_the_cosines_of_another_model_are_fused_by_rank() -> None:
    found = findings(own(1, 0.1, 0.9), own(2, 0.3, 0.0), own(3, 0.2, 0.5), model="another")
    assert dict(fused(found, "hybrid", FAIR)) == {1: 1 / 63 + 1 / 61, 2: 1 / 61, 3: 1 / 62 + 1 / 62}
    assert fused(found, "hybrid") == fused(found, "hybrid", FAIR)


@given(CANDIDATES, st.sampled_from(["hybrid", "dense", "lexical"]), st.sampled_from([MODEL, "another"]))
def test_every_ranking_is_in_the_order_of_its_scores_and_has_each_passage_once(
    candidates: list[Candidate], mode: RetrievalMode, model: str
) -> None:
    ranked = fused(findings(*candidates, model=model), mode, FAIR)
    assert ranked == sorted(ranked, key=lambda scored: (-scored[1], scored[0]))
    identifiers = [identifier for identifier, _ in ranked]
    assert len(set(identifiers)) == len(identifiers)
    assert set(identifiers) <= {one.id for one in candidates}


@given(CANDIDATES, st.sampled_from(["hybrid", "dense", "lexical"]))
def test_the_order_in_which_the_candidates_come_does_not_matter(
    candidates: list[Candidate], mode: RetrievalMode
) -> None:
    assert fused(findings(*candidates), mode, FAIR) == fused(findings(*candidates[::-1]), mode, FAIR)


@given(st.floats(0.6, 1), st.floats(0, 1), st.floats(0, 1), st.integers(1, 9))
def test_a_better_match_never_ranks_lower(cosine: float, match: float, better: float, terms: int) -> None:
    low, high = sorted([match, better])
    scores = dict(fused(findings(own(1, cosine, low), own(2, cosine, high), terms=terms), "hybrid", FAIR))
    assert scores[2] >= scores[1]


def test_nothing_found_is_nothing_ranked() -> None:
    for mode in ("hybrid", "dense", "lexical"):
        assert fused(findings(), mode) == []


def test_the_packaged_calibration_is_for_the_packaged_embedder_and_weighs_both_arms(embedder) -> None:
    calibration = packaged_calibration()
    assert calibration.embedder == embedder.fingerprint
    assert calibration.floor < calibration.unsure < calibration.sure < 1
    for closest in (0.0, 0.85, 1.0):
        for terms in (1, 100):
            assert 0 < calibration.weight_of_cosine(closest, terms) < 1


def test_scores_by_rank_are_sums_of_reciprocal_ranks() -> None:
    assert dict(reciprocal_rank_fusion([[7, 8], [8, 9]], k=60)) == {7: 1 / 61, 8: 1 / 62 + 1 / 61, 9: 1 / 62}


@given(st.lists(st.integers(0, 50), unique=True))
def test_one_ranking_keeps_its_order(ranking: list[int]) -> None:
    assert [identifier for identifier, _ in reciprocal_rank_fusion([ranking])] == ranking


@given(st.lists(st.lists(st.integers(0, 30), unique=True), max_size=4))
def test_the_order_of_the_rankings_does_not_matter(rankings: list[list[int]]) -> None:
    forward = dict(reciprocal_rank_fusion(rankings))
    backward = dict(reciprocal_rank_fusion(rankings[::-1]))
    assert forward.keys() == backward.keys()
    assert all(abs(forward[key] - backward[key]) < 1e-12 for key in forward)
