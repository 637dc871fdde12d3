"""Which kind of FAISS index a segment gets, by its size, and how many of its lists a search looks into.

A small segment is scanned (``IndexFlatIP``). A larger one keeps the same float32 vectors in lists around the centres
of clusters (``IndexIVFFlat``), of which a search looks into those closest to the query; looked into all of them, it
is exact again. How many lists it takes is measured on the segment itself when it is written. A graph (HNSW) is quicker
to search but takes ten times as long to build, which every merge would pay again, and loses its recall under filters.
"""

import math
from typing import Any

import numpy as np

from rag.vectors.types import Ids, Vectors

LISTED_FROM = 10_000
MEASURED_DEPTH = 100
_SAMPLE = 200
_RECALL = 0.997
"""Asked of a segment's own vectors; questions, which lie differently, then find 0.99."""
_TRAINED_PER_LIST = 40
_ROUNDS = 10


def list_count(vectors: int) -> int:
    """The lists of a segment of so many vectors; 0 where it is scanned."""
    return 0 if vectors < LISTED_FROM else min(int(3 * math.sqrt(vectors)), vectors // _TRAINED_PER_LIST)


def build(faiss: Any, ids: Ids, vectors: Vectors) -> Any:
    """A FAISS index of the vectors, which gives them back exactly."""
    lists = list_count(len(ids))
    flat = faiss.IndexFlatIP(vectors.shape[1])
    if not lists:
        index = faiss.IndexIDMap2(flat)
        index.add_with_ids(vectors, ids)
        return index
    index = faiss.IndexIVFFlat(flat, vectors.shape[1], lists, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = _ROUNDS, _TRAINED_PER_LIST
    index.train(vectors)
    index.add_with_ids(vectors, ids)
    index.nprobe = _sufficient_lists(faiss, index, ids, vectors)
    return index


def lists_for(measured: int, lists: int, depth: int, part: float) -> int:
    """How many of ``lists`` to look into for the best ``depth`` where ``part`` of the segment is permitted: as many
    permitted vectors are then compared as when ``measured`` of them sufficed."""
    return min(lists, math.ceil(measured * max(1.0, depth / MEASURED_DEPTH) / part))


def recall(found: Ids, expected: Ids) -> float:
    """The part of the ``expected`` ids (queries, k) that ``found`` holds, on average over the queries."""
    return float(np.mean([np.isin(own, theirs).mean() for own, theirs in zip(expected, found, strict=True)]))


def _sufficient_lists(faiss: Any, index: Any, ids: Ids, vectors: Vectors) -> int:
    """The fewest lists, from a sixteenth on in steps by a quarter, that find enough, near and far."""
    sample = vectors[np.random.default_rng(0).choice(len(vectors), _SAMPLE, replace=False)]
    expected = ids[faiss.knn(sample, vectors, MEASURED_DEPTH, faiss.METRIC_INNER_PRODUCT)[1]]
    lists: int = index.nlist
    tried = math.ceil(lists / 16)
    while tried < lists:
        _, found = index.search(sample, MEASURED_DEPTH, params=faiss.SearchParametersIVF(nprobe=tried))
        if min(recall(found[:, :10], expected[:, :10]), recall(found, expected)) >= _RECALL:
            break
        tried = math.ceil(1.25 * tried)
    return min(tried, lists)
