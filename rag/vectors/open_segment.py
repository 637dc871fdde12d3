"""A FAISS index of one of the kinds that ``rag.vectors.lists`` builds, opened to be read by several threads."""

import threading
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from rag.permitted import Permitted
from rag.vectors.lists import lists_for
from rag.vectors.ranking import (
    NONE,
    ROUNDING,
    ROUNDING_HALVED,
    SPARE,
    SPARE_HALVED,
    Proposal,
    Ranked,
    closest,
    is_scanned,
)
from rag.vectors.rows import Rows
from rag.vectors.types import Ids, Vectors


class OpenSegment:
    """``ids`` are in the order in which the vectors are kept. ``rows`` holds them where the index has halved them."""

    def __init__(self, faiss: Any, index: Any, rows: Rows | None = None) -> None:
        self._faiss, self._index, self._rows = faiss, index, rows
        self._listed = isinstance(index, faiss.IndexIVF)
        self._held: WeakKeyDictionary[Permitted, int] = WeakKeyDictionary()
        self._counting = threading.Lock()
        if self._listed:
            self.ids: Ids = np.concatenate([self._list_ids(number) for number in range(index.nlist)])
        else:
            self.ids = faiss.vector_to_array(index.id_map)
        if rows is not None:
            self.ids.sort()
        elif self._listed:
            index.set_direct_map_type(faiss.DirectMap.Hashtable)
        self.ids.setflags(write=False)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    @property
    def kind(self) -> str:
        if not self._listed:
            return "exact"
        bits = "" if self._rows is None else ", 16 bit"
        return f"IVF, {self._index.nprobe} of {self._index.nlist} lists{bits}"

    def search(self, query: Vectors, k: int, permitted: Permitted) -> Ranked:
        """As ``VectorSegments.search``, in this segment; some passage is permitted, if not in this segment."""
        if not self._listed:
            held = min(len(self.ids), len(permitted))
            scan = self._faiss.SearchParameters(sel=permitted.selector)
            return closest(query, k, held, lambda depth: self._propose(query, depth, scan))
        held, index = self.held(permitted), self._index
        if not held:
            return NONE
        lists = index.nlist
        if not is_scanned(len(permitted), held, len(self.ids)):
            lists = lists_for(index.nprobe, index.nlist, k, held / len(self.ids))
        some = self._faiss.SearchParametersIVF(sel=permitted.selector, nprobe=lists)
        spare, off = (SPARE, ROUNDING) if self._rows is None else (SPARE_HALVED, ROUNDING_HALVED)
        return closest(query, k, held, lambda depth: self._propose(query, depth, some), spare, off)

    def held(self, permitted: Permitted) -> int:
        """How many of the permitted passages are in this segment; counted once, as sets of them are kept."""
        with self._counting:
            known = self._held.get(permitted)
        if known is None:
            known = int(permitted.contains(self.ids).sum())
            with self._counting:
                self._held[permitted] = known
        return known

    def vectors(self) -> Vectors:
        """(n, dimension), in the order of ``ids``."""
        if self._rows is not None:
            return self._rows.all()
        if self._listed:
            return np.concatenate([self._list_vectors(number) for number in range(self._index.nlist)])
        vectors: Vectors = self._index.index.reconstruct_n(0, self._index.ntotal)
        return vectors

    def vectors_of(self, ids: Ids) -> Vectors:
        """(n, dimension), in the order of ``ids``, all of which the segment holds."""
        if self._rows is not None:
            return self._rows.at(np.searchsorted(self.ids, ids))
        vectors: Vectors = self._index.reconstruct_batch(ids)
        return vectors

    def _propose(self, query: Vectors, depth: int, parameters: Any) -> Proposal:
        cosines, ids = self._index.search(query[None, :], depth, params=parameters)
        found = ids[0] >= 0
        return ids[0][found], cosines[0][found], self.vectors_of(ids[0][found])

    def _list_ids(self, number: int) -> Ids:
        lists = self._index.invlists
        size = lists.list_size(number)
        ids = self._faiss.rev_swig_ptr(lists.get_ids(number), size) if size else np.zeros(0, np.int64)
        found: Ids = ids.astype(np.int64)
        return found

    def _list_vectors(self, number: int) -> Vectors:
        lists = self._index.invlists
        size = lists.list_size(number)
        if not size:
            return np.zeros((0, self.dimension), np.float32)
        codes = self._faiss.rev_swig_ptr(lists.get_codes(number), size * self.dimension * 4)
        vectors: Vectors = codes.copy().view(np.float32).reshape(size, self.dimension)
        return vectors
