from hypothesis import given
from hypothesis import strategies as st

from rag.fusion import reciprocal_rank_fusion


def test_scores_are_sums_of_reciprocal_ranks() -> None:
    fused = dict(reciprocal_rank_fusion([[7, 8], [8, 9]], k=60))
    assert fused == {7: 1 / 61, 8: 1 / 62 + 1 / 61, 9: 1 / 62}


@given(st.lists(st.integers(0, 50), unique=True))
def test_one_ranking_keeps_its_order(ranking: list[int]) -> None:
    assert [identifier for identifier, _ in reciprocal_rank_fusion([ranking])] == ranking


@given(st.lists(st.lists(st.integers(0, 30), unique=True), max_size=4))
def test_the_order_of_the_rankings_does_not_matter(rankings: list[list[int]]) -> None:
    forward = dict(reciprocal_rank_fusion(rankings))
    backward = dict(reciprocal_rank_fusion(rankings[::-1]))
    assert forward.keys() == backward.keys()
    assert all(abs(forward[key] - backward[key]) < 1e-12 for key in forward)
