"""Which kind of FAISS index a segment gets, by its size, and how many of its lists a search looks into.

A small segment is scanned (``IndexFlatIP``). A larger one keeps the same float32 vectors in lists around the centres
of clusters (``IndexIVFFlat``), of which a search looks into those closest to the query; looked into all of them, it
is exact again. How many lists it takes is measured on the segment itself when it is written. A graph (HNSW) is quicker
to search but takes ten times as long to build, which every merge would pay again, and loses its recall under filters.

From ``HALVED_FROM`` vectors on the lists hold them at 16 bit (``IndexIVFScalarQuantizer``), half the memory and half of
what a search has to read; the float32 vectors lie in a file beside (``rag.vectors.rows``), from which what the lists
propose is scored again. What rounding to 16 bit can do to a cosine has a bound, so that a scan stays exact.
"""

import math
from typing import Any

import numpy as np

from rag.vectors.ranking import SPARE_HALVED
from rag.vectors.types import Ids, Vectors

LISTED_FROM = 10_000
HALVED_FROM = 100_000
MEASURED_DEPTH = 100
_SAMPLE = 200
_RECALL = 0.997
"""Asked of a segment's own vectors; questions, which lie differently, then find 0.99."""
_TRAINED_PER_LIST = 40
_ROUNDS = 10


def list_count(vectors: int) -> int:
    """The lists of a segment of so many vectors; 0 where it is scanned."""
    return 0 if vectors < LISTED_FROM else min(int(3 * math.sqrt(vectors)), vectors // _TRAINED_PER_LIST)


def is_halved(vectors: int) -> bool:
    """Whether the lists of a segment of so many vectors hold them at 16 bit."""
    return bool(list_count(vectors)) and vectors >= HALVED_FROM


def build(faiss: Any, ids: Ids, vectors: Vectors) -> Any:
    """A FAISS index of the vectors, which gives them back exactly unless ``is_halved``."""
    lists = list_count(len(ids))
    flat = faiss.IndexFlatIP(vectors.shape[1])
    if not lists:
        index = faiss.IndexIDMap2(flat)
        index.add_with_ids(vectors, ids)
        return index
    shape = flat, vectors.shape[1], lists
    if is_halved(len(ids)):
        half = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(*shape, half, faiss.METRIC_INNER_PRODUCT, False)
    else:
        index = faiss.IndexIVFFlat(*shape, faiss.METRIC_INNER_PRODUCT)
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
    """The fewest lists, from a sixteenth on in steps by a quarter, that find enough, near and far. Of halved vectors as
    many more are looked at as a search scores again, since it finds what is among those."""
    spare = SPARE_HALVED if is_halved(len(ids)) else 0
    sample = vectors[np.random.default_rng(0).choice(len(vectors), _SAMPLE, replace=False)]
    expected = ids[faiss.knn(sample, vectors, MEASURED_DEPTH, faiss.METRIC_INNER_PRODUCT)[1]]
    lists: int = index.nlist
    tried = math.ceil(lists / 16)
    while tried < lists:
        _, found = index.search(sample, MEASURED_DEPTH + spare, params=faiss.SearchParametersIVF(nprobe=tried))
        if min(recall(found[:, : 10 + spare], expected[:, :10]), recall(found, expected)) >= _RECALL:
            break
        tried = math.ceil(1.25 * tried)
    return min(tried, lists)
