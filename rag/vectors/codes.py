"""The kind of FAISS index that a segment gets, by its size, and the codes by which a large one is searched.

A small segment is scanned as it is (``IndexFlatIP``). A large one has three forms, each in a file of its own:

- codes of 4 bits a dimension (a product quantizer of one dimension a part), which FAISS compares 32 at a time out of
  the processor's registers (``IndexIVFPQFastScan``, after André et al. 2015). A search looks at all of them, so that it
  does not matter where a question lies: lists around the centres of clusters, looked into as far as it takes to find
  .997 of what is closest to passages, found .91 of the ten closest to real questions;
- 16 bit numbers (``IndexScalarQuantizer``), which are scanned where few passages are permitted; what rounding to them
  can do to a cosine has a bound, so that this scan is exact;
- the float32 vectors (``rag.vectors.rows``), by which what either of them proposes is scored again.

Whether the codes find enough is measured on the segment itself when it is written; without that it gets none, and is
scanned. A graph (HNSW) would take ten times as long to build, which every merge would pay again, and lose its recall
under filters.
"""

import logging
from typing import Any

import numpy as np

from rag.vectors.types import Ids, Vectors

CODED_FROM = 50_000
SPARE, TIMES = 64, 5
"""For the best ``k`` so many more than so many times as many are scored again."""
_ENOUGH = 0.98
_SAMPLE, _DEPTH = 64, 100
_FAR = 0.6
_TRAINED, _ROUNDS = 4_096, 8
log = logging.getLogger(__name__)


def is_coded(vectors: int) -> bool:
    """Whether a segment of so many vectors has codes, 16 bit numbers and rows."""
    return vectors >= CODED_FROM


def proposed(k: int) -> int:
    """How many the codes are asked for where the best ``k`` are wanted."""
    return TIMES * k + SPARE


def build_exact(faiss: Any, ids: Ids, vectors: Vectors) -> Any:
    """A FAISS index of the vectors, which gives them back exactly."""
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
    index.add_with_ids(vectors, ids)
    return index


def build_halves(faiss: Any, ids: Ids, vectors: Vectors) -> Any:
    """A FAISS index of the vectors at 16 bit."""
    half = faiss.IndexScalarQuantizer(vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index = faiss.IndexIDMap(half)
    index.train(vectors[:1])
    index.add_with_ids(vectors, ids)
    return index


def build_codes(faiss: Any, ids: Ids, vectors: Vectors) -> Any:
    """A FAISS index of codes; None where those do not find enough."""
    width, chance = vectors.shape[1], np.random.default_rng(0)
    shape = width, 1, width, 4
    codes = faiss.IndexIVFPQFastScan(faiss.IndexFlatIP(width), *shape, faiss.METRIC_INNER_PRODUCT)
    codes.cp.niter, codes.pq.cp.niter = 1, _ROUNDS
    codes.train(vectors[chance.choice(len(vectors), min(len(vectors), _TRAINED), replace=False)])
    codes.add_with_ids(vectors, ids)
    if (found := _recall(faiss, codes, ids, vectors)) < _ENOUGH:
        log.warning("Codes find %.3f of the closest of %d vectors: they will be scanned without", found, len(ids))
        return None
    return codes


def _recall(faiss: Any, codes: Any, ids: Ids, vectors: Vectors) -> float:
    """The part of the closest 10 or 100, whichever is less, of what lies as far from the vectors as questions do."""
    chance = np.random.default_rng(1)
    near, one, other = (vectors[chance.integers(0, len(vectors), _SAMPLE)] for _ in range(3))
    mean = vectors[chance.integers(0, len(vectors), _TRAINED)].mean(axis=0)
    asked = mean + (1 - _FAR) * (near - mean) + _FAR * (one - other) / np.sqrt(2)
    asked = (asked / np.linalg.norm(asked, axis=1, keepdims=True)).astype(np.float32)
    expected = ids[faiss.knn(asked, vectors, _DEPTH, faiss.METRIC_INNER_PRODUCT)[1]]
    _, found = codes.search(asked, proposed(_DEPTH))
    parts = [
        np.mean([np.isin(right[:k], own[: proposed(k)]).mean() for right, own in zip(expected, found, strict=True)])
        for k in (10, _DEPTH)
    ]
    return float(min(parts))
