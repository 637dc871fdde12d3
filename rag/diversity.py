"""Choosing passages that are relevant and yet unlike each other.

Maximal marginal relevance: Carbonell and Goldstein, "The use of MMR, diversity-based reranking for reordering documents
and producing summaries", SIGIR 1998.
"""

import numpy as np
from numpy.typing import NDArray


def diverse(relevance: NDArray[np.float64], cosines: NDArray[np.float32], diversity: float, k: int) -> list[int]:
    """The places of up to ``k`` candidates in the order in which they are taken, each time the one with the highest
    ``(1 - diversity) * relevance - diversity * similarity``, where its similarity is that to the most similar one
    already taken; ties by place.

    ``relevance`` is (n,), 0 to 1; ``cosines`` is (n, n). Similarity is a cosine stretched so that 0 is the lowest and
    1 the highest between two candidates: the cosines of many embedders fill only a narrow band below 1.
    """
    similarity = _stretched(cosines)
    most = np.zeros(len(relevance))
    taken: list[int] = []
    left = np.ones(len(relevance), bool)
    while left.any() and len(taken) < k:
        marginal = (1 - diversity) * relevance - diversity * most
        best = int(np.argmax(np.where(left, marginal, -np.inf)))
        taken.append(best)
        left[best] = False
        most = np.maximum(most, similarity[best])
    return taken


def _stretched(cosines: NDArray[np.float32]) -> NDArray[np.float64]:
    between = cosines[~np.eye(len(cosines), dtype=bool)]
    if not len(between) or between.max() <= between.min():
        return np.zeros(cosines.shape)
    stretched = (cosines.astype(np.float64) - between.min()) / (between.max() - between.min())
    clipped: NDArray[np.float64] = np.clip(stretched, 0, 1)
    return clipped
