import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag.diversity import diverse

RELEVANCE = np.array([1.0, 0.98, 0.96, 0.5])
COSINES = np.array(
    [[1.0, 0.99, 0.80, 0.70], [0.99, 1.0, 0.80, 0.70], [0.80, 0.80, 1.0, 0.70], [0.70, 0.70, 0.70, 1.0]], np.float32
)


def test_without_diversity_the_order_is_that_of_relevance() -> None:
    assert diverse(RELEVANCE, COSINES, 0.0, 4) == [0, 1, 2, 3]


def test_a_near_copy_of_what_was_taken_waits_behind_the_unlike() -> None:
    assert diverse(RELEVANCE, COSINES, 0.3, 4) == [0, 2, 1, 3]
    assert diverse(RELEVANCE, COSINES, 0.9, 4) == [0, 3, 2, 1]


def test_no_more_are_taken_than_asked_for_and_there_are() -> None:
    assert diverse(RELEVANCE, COSINES, 0.3, 2) == [0, 2]
    assert diverse(RELEVANCE[:1], COSINES[:1, :1], 1.0, 5) == [0]
    assert diverse(RELEVANCE[:0], COSINES[:0, :0], 1.0, 5) == []


@given(st.integers(1, 12), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_the_order_is_that_of_the_paper(n: int, diversity: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    relevance = random.random(n)
    cosines = vectors @ vectors.T
    between = [cosines[i, j] for i in range(n) for j in range(n) if i != j]
    low, high = (min(between), max(between)) if between else (0.0, 0.0)

    def similarity(i: int, j: int) -> float:
        return float((np.float64(cosines[i, j]) - low) / (high - low)) if high > low else 0.0

    expected: list[int] = []
    while len(expected) < n:
        left = [i for i in range(n) if i not in expected]
        scores = {
            i: (1 - diversity) * relevance[i] - diversity * max((similarity(i, j) for j in expected), default=0.0)
            for i in left
        }
        best = max(scores.values())
        chosen = diverse(relevance, cosines, diversity, len(expected) + 1)[-1]
        assert scores[chosen] >= best - 1e-6
        expected.append(chosen)
