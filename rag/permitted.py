"""The passages that a search may return, decided in SQL before the search."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from rag.types import Language

Read = TypeVar("Read")
KEPT = 32
"""Of 100,000 passages each of these takes about a megabyte."""


class Permitted:
    """A set of passage ids: ``ids`` is a sorted, unique int64 array."""

    def __init__(self, ids: NDArray[np.int64]) -> None:
        self.ids = ids

    def __len__(self) -> int:
        return len(self.ids)

    def contains(self, ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For each of ``ids`` whether it is permitted."""
        at, bitmap = ids >> 3, self.bitmap
        inside = (ids >= 0) & (at < len(bitmap))
        if not inside.all():
            found = np.zeros(len(ids), bool)
            found[inside] = self.contains(ids[inside])
            return found
        bits: NDArray[np.bool_] = (bitmap[at] >> (ids & 7).astype(np.uint8) & 1).astype(bool)
        return bits

    @cached_property
    def bitmap(self) -> NDArray[np.uint8]:
        """Bit ``i % 8`` of byte ``i // 8`` is set where id ``i`` is permitted, as FAISS's IDSelectorBitmap wants it."""
        size = int(self.ids[-1]) + 1 if len(self.ids) else 0
        flags = np.zeros(size, bool)
        flags[self.ids] = True
        return np.packbits(flags, bitorder="little")

    @cached_property
    def selector(self) -> Any:
        """The same set for FAISS."""
        import faiss

        bitmap = self.bitmap if len(self.bitmap) else np.zeros(1, np.uint8)
        return faiss.IDSelectorBitmap(len(bitmap), faiss.swig_ptr(bitmap))


class Kept(Generic[Read]):
    """What was read of a collection last, for as long as it holds. Safe for use by several threads. ``hits`` and
    ``misses`` count what was asked for."""

    def __init__(self) -> None:
        self.hits = self.misses = 0
        self._kept: OrderedDict[Hashable, tuple[int, Read]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, generation: int, read: Callable[[], Read]) -> Read:
        """What was kept under ``key`` for this generation of the collection, or what ``read`` gives."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == generation:
                self._kept.move_to_end(key)
                self.hits += 1
                return kept[1]
            self.misses += 1
        found = read()
        with self._lock:
            self._kept[key] = generation, found
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


class PermittedKept(Kept[Mapping[Language, Permitted]]):
    """What the last searches might return, by language: it takes SQL longer to say so than a search takes."""
