"""A segment's FAISS indexes as ``rag.vectors.codes`` builds them, opened to be read by several threads."""

import threading
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from rag.permitted import Permitted
from rag.vectors.codes import proposed
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
    scored,
)
from rag.vectors.rows import Rows
from rag.vectors.types import Ids, Vectors


@dataclass(frozen=True, slots=True)
class Coded:
    """What a large segment has beside its 16 bit numbers; ``codes`` is None where they were not found to be enough."""

    rows: Rows
    codes: Any


class OpenSegment:
    """``ids`` are in the order in which the vectors are kept. ``index`` is exact, or the 16 bit numbers of a large
    segment, in the order of their ids, or the lists that an earlier version wrote."""

    def __init__(self, faiss: Any, index: Any, coded: Coded | None = None) -> None:
        self._faiss, self._index, self._coded = faiss, index, coded
        self._listed = isinstance(index, faiss.IndexIVFFlat)
        self._held: WeakKeyDictionary[Permitted, int] = WeakKeyDictionary()
        self._counting = threading.Lock()
        if self._listed:
            index.set_direct_map_type(faiss.DirectMap.Hashtable)
            self.ids: Ids = np.concatenate([self._list_ids(number) for number in range(index.nlist)])
        else:
            self.ids = faiss.vector_to_array(index.id_map)
        self.ids.setflags(write=False)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    @property
    def kind(self) -> str:
        if self._listed:
            return f"IVF, {self._index.nprobe} of {self._index.nlist} lists"
        if self._coded is None:
            return "exact"
        return "codes of 4 bit, scored again" if self._coded.codes is not None else "exact, by 16 bit"

    def search(self, query: Vectors, k: int, permitted: Permitted) -> Ranked:
        """As ``VectorSegments.search``, in this segment; some passage is permitted, if not in this segment."""
        if not self._listed and self._coded is None:
            held = min(len(self.ids), len(permitted))
            scan = self._faiss.SearchParameters(sel=permitted.selector)
            return closest(query, k, held, lambda depth: self._propose(query, depth, scan))
        held = self.held(permitted)
        if not held:
            return NONE
        scanned = is_scanned(len(permitted), held, len(self.ids))
        if self._coded is None:
            return self._search_lists(query, k, permitted, held, scanned)
        if self._coded.codes is not None and not scanned:
            return self._search_codes(self._coded, query, k, permitted, held)
        scan = self._faiss.SearchParameters(sel=permitted.selector)
        return closest(query, k, held, lambda depth: self._propose(query, depth, scan), SPARE_HALVED, ROUNDING_HALVED)

    def _search_codes(self, coded: Coded, query: Vectors, k: int, permitted: Permitted, held: int) -> Ranked:
        some = None if held == len(self.ids) else permitted.selector
        asked = self._faiss.SearchParametersIVF(sel=some, nprobe=1)
        _, ids = coded.codes.search(query[None, :], min(proposed(k), held), params=asked)
        found = ids[0][ids[0] >= 0]
        return scored(query, k, found, self.vectors_of(found))

    def _search_lists(self, query: Vectors, k: int, permitted: Permitted, held: int, scanned: bool) -> Ranked:
        lists = self._index.nlist
        if not scanned:
            lists = lists_for(self._index.nprobe, self._index.nlist, k, held / len(self.ids))
        some = self._faiss.SearchParametersIVF(sel=permitted.selector, nprobe=lists)
        return closest(query, k, held, lambda depth: self._propose(query, depth, some), SPARE, ROUNDING)

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
        if self._coded is not None:
            return self._coded.rows.all()
        if self._listed:
            return np.concatenate([self._list_vectors(number) for number in range(self._index.nlist)])
        vectors: Vectors = self._index.index.reconstruct_n(0, self._index.ntotal)
        return vectors

    def vectors_of(self, ids: Ids) -> Vectors:
        """(n, dimension), in the order of ``ids``, all of which the segment holds."""
        if self._coded is not None:
            return self._coded.rows.at(np.searchsorted(self.ids, ids))
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
