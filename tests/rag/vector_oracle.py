"""Vectors made up for tests, and what a search of them should find."""

import numpy as np


def unit_rows(count: int, seed: int, dimension: int = 24) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def clustered_rows(count: int, seed: int, dimension: int = 24) -> np.ndarray:
    """As embeddings lie: around some centres, rather than everywhere alike."""
    chance = np.random.default_rng(seed)
    centres = unit_rows(12, seed + 1, dimension)
    rows = centres[chance.integers(0, len(centres), count)] + chance.normal(0, 0.15, (count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def expected_of(
    ids: np.ndarray, vectors: np.ndarray, query: np.ndarray, k: int, allowed: np.ndarray
) -> list[tuple[int, float]]:
    """The best ``k`` of ``allowed`` as ``(id, cosine)``, best first, ties by id."""
    cosines = vectors.astype(np.float64) @ query.astype(np.float64)
    held = np.isin(ids, allowed)
    order = np.lexsort((ids[held], -cosines[held]))[:k]
    return [(int(ids[held][i]), float(cosines[held][i])) for i in order]
