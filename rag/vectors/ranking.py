"""Which passages a search scans one by one, and the order in which it gives them: by cosine, then by id.

An index adds up the products of two vectors in whatever order is quickest, so that equal vectors may differ in the
last bit, by where they lie. What an index proposes is therefore scored again, always in the same way, and an index is
asked for more until nothing that it left out can belong among the best: segments can be merged without changing what
is found.
"""

from collections.abc import Callable, Sequence

import numpy as np

from rag.vectors.types import Ids, Vectors

SCANNED_BELOW = 50_000
"""Fewer permitted passages than this are compared with the query one by one."""
SCANNED_UNDER_PART = 0.2
"""So are those of a segment of which less than this part is permitted."""
SPARE = 16
ROUNDING = 4e-6
"""More than the cosine of an index may be off: 384 to 1,024 products of float32, added up in any order."""

SPARE_HALVED = 64
ROUNDING_HALVED = 5e-4
"""The same where an index holds 16 bit numbers: each is off by 2^-11 of itself at most, and so is the length of what
all are off by (Cauchy and Schwarz: the cosine with a unit vector is off by no more than that)."""

Ranked = tuple[Ids, Vectors]
"""Ids and their cosines."""
Proposal = tuple[Ids, Vectors, Vectors]
"""Ids, their cosines as the index has them, best first, and their vectors."""
NONE: Ranked = (np.zeros(0, np.int64), np.zeros(0, np.float32))


def is_scanned(permitted: int, held: int, size: int) -> bool:
    """Whether the ``held`` of ``permitted`` passages that are in a segment of ``size`` are to be scanned one by one."""
    return permitted < SCANNED_BELOW or held < SCANNED_UNDER_PART * size


def closest(
    query: Vectors, k: int, held: int, propose: Callable[[int], Proposal], spare: int = SPARE, off: float = ROUNDING
) -> Ranked:
    """The best ``k`` of ``held`` passages, best first, ties by id.

    ``propose(depth)`` gives the best ``depth`` in the eyes of the index, whose cosines are off by at most ``off``;
    fewer mean that it has no more. At first it is asked for ``spare`` more than ``k``.
    """
    depth = min(k + spare, held)
    while depth:
        ids, proposed, vectors = propose(depth)
        best, cosines = scored(query, k, ids, vectors)
        if len(ids) < depth or depth == held or cosines[-1] > proposed[-1] + off:
            return best, cosines
        depth = min(4 * depth, held)
    return NONE


def scored(query: Vectors, k: int, ids: Ids, vectors: Vectors) -> Ranked:
    """The best ``k`` of what was proposed, by the vectors themselves, best first, ties by id."""
    cosines = _cosines(vectors, query)
    best = np.lexsort((ids, -cosines))[:k]
    return ids[best], cosines[best]


def merged(found: Sequence[Ranked], k: int) -> list[tuple[int, float]]:
    """The best ``k`` of all segments, as ``(id, cosine)``, best first, ties by id."""
    ids, cosines = (np.concatenate(parts) for parts in zip(NONE, *found, strict=True))
    best = np.lexsort((ids, -cosines))[:k]
    return list(zip(ids[best].tolist(), cosines[best].tolist(), strict=True))


def _cosines(vectors: Vectors, query: Vectors) -> Vectors:
    products = vectors.astype(np.float64) * query.astype(np.float64)
    cosines: Vectors = products.sum(axis=1).astype(np.float32)
    return cosines
