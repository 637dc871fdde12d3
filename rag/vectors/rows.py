"""The vectors of a large segment as they were given, in a file of their own: float32 rows in the order of their ids.

A search reads from it only those rows that it scores again. They are read, not mapped: what is mapped counts as memory
of the process for as long as it likes, and each row that is touched brings its neighbours along.
"""

import os
import weakref
from pathlib import Path

import numpy as np

from rag.vectors.types import Ids, Vectors

_AT_ONCE = 8_192


class Rows:
    """An opened file, which stays readable when it is removed. Safe for use by several threads."""

    def __init__(self, path: Path, dimension: int) -> None:
        """Raises FileNotFoundError."""
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._dimension = dimension

    def __len__(self) -> int:
        return os.fstat(self._file).st_size // (4 * self._dimension)

    def at(self, places: Ids) -> Vectors:
        """(n, dimension): the rows at ``places``, counted from 0."""
        found = np.empty((len(places), self._dimension), np.float32)
        size = 4 * self._dimension
        for row, place in zip(found, places.tolist(), strict=True):
            os.preadv(self._file, [row.data], place * size)
        return found

    def all(self) -> Vectors:
        found = np.empty((len(self), self._dimension), np.float32)
        for at in range(0, len(found), _AT_ONCE):
            os.preadv(self._file, [found[at : at + _AT_ONCE].data], at * 4 * self._dimension)
        return found


def write_rows(path: Path, vectors: Vectors) -> None:
    """Writes vectors, which are in the order of their ids."""
    with path.open("wb") as file:
        for at in range(0, len(vectors), _AT_ONCE):
            file.write(np.ascontiguousarray(vectors[at : at + _AT_ONCE], np.float32).data)
