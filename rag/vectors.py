"""Immutable FAISS segments: files of unit vectors under passage ids, searched exactly by inner product.

A segment is written once, whole, beside the live ones, and never changed; SQL says which segments are live. The inner
product of unit vectors is their cosine similarity, -1 to 1, higher is closer.
"""

import os
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import Inconsistent, Unavailable
from rag.permitted import Permitted

SUFFIX = ".faiss"


class SegmentGoneError(Exception):
    """A segment file was compacted away between reading SQL and opening it: read SQL again."""


def _faiss() -> Any:
    try:
        import faiss
    except ModuleNotFoundError:
        raise Unavailable("No FAISS is installed: pip install 'taiyi-rag[cpu]' (or [gpu])") from None
    return faiss


class VectorSegments:
    """The segment files in one folder. Safe for use by several threads; opened segments stay open while in use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Any] = {}
        self._lock = threading.Lock()

    def write(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> str:
        """A new segment's name, once it is safely on disk. ``vectors`` is (n, dimension), rows of length 1."""
        faiss = _faiss()
        self._folder.mkdir(parents=True, exist_ok=True)
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(vectors.shape[1]))
        index.add_with_ids(np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64))
        name = uuid.uuid4().hex
        unfinished = self._folder / (name + ".unfinished")
        faiss.write_index(index, str(unfinished))
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(self._folder / (name + SUFFIX))
        return name

    def search(
        self, segments: Sequence[str], query: NDArray[np.float32], k: int, permitted: Permitted
    ) -> list[tuple[int, float]]:
        """The ``k`` permitted passages closest to ``query`` (dimension,), as ``(id, cosine)``, best first, ties by id.

        Raises SegmentGoneError when a segment was compacted away meanwhile.
        """
        faiss = _faiss()
        found: list[tuple[int, float]] = []
        for name in segments:
            index = self._index(name)
            depth = min(k, index.ntotal)
            if not depth or not len(permitted):
                continue
            if index.d != len(query):
                raise Inconsistent(
                    f"The index has {index.d} dimensions, the embedder {len(query)}: run taiyi-rag reindex"
                )
            parameters = faiss.SearchParameters(sel=permitted.selector)
            cosines, ids = index.search(query[None, :], depth, params=parameters)
            found += [(int(i), float(c)) for i, c in zip(ids[0], cosines[0], strict=True) if i >= 0]
        found.sort(key=lambda item: (-item[1], item[0]))
        return found[:k]

    def ids(self, name: str) -> NDArray[np.int64]:
        """The passage ids in a segment, in its own order."""
        ids: NDArray[np.int64] = _faiss().vector_to_array(self._index(name).id_map)
        return ids

    def vectors(self, name: str) -> NDArray[np.float32]:
        """The vectors of a segment (n, dimension), in the order of its ``ids``."""
        faiss = _faiss()
        inner = faiss.downcast_index(self._index(name).index)
        vectors: NDArray[np.float32] = inner.reconstruct_n(0, inner.ntotal)
        return vectors

    def vectors_of(self, segments: Sequence[str], ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], Any]:
        """Which of ``ids`` the segments hold, and the vectors of those (n, dimension), in the order of ``ids``; None
        where they hold none."""
        held = np.zeros(len(ids), bool)
        found: NDArray[np.float32] | None = None
        for name in segments:
            own = self.ids(name)
            order = np.argsort(own)
            at = np.minimum(np.searchsorted(own, ids, sorter=order), len(own) - 1)
            new = (own[order[at]] == ids) & ~held
            if not new.any():
                continue
            vectors = self.vectors(name)
            if found is None:
                found = np.zeros((len(ids), vectors.shape[1]), np.float32)
            found[new] = vectors[order[at[new]]]
            held |= new
        return held, None if found is None else found[held]

    def exists(self, name: str) -> bool:
        return (self._folder / (name + SUFFIX)).exists()

    def keep_only(self, names: set[str]) -> None:
        """Removes every segment file but ``names``. Searches under way keep what they have open."""
        with self._lock:
            self._open = {name: index for name, index in self._open.items() if name in names}
        for path in self._folder.glob("*"):
            if path.stem not in names or path.suffix != SUFFIX:
                path.unlink(missing_ok=True)

    def _index(self, name: str) -> Any:
        with self._lock:
            if name not in self._open:
                path = self._folder / (name + SUFFIX)
                if not path.exists():
                    raise SegmentGoneError(name)
                self._open = {held: index for held, index in self._open.items() if self.exists(held)}
                self._open[name] = _faiss().read_index(str(path))
            return self._open[name]
