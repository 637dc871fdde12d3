"""What every place where vectors live can do, and in which words it is described."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.permitted import Permitted

Ids = NDArray[np.int64]
Vectors = NDArray[np.float32]


class SegmentGoneError(Exception):
    """A segment was compacted away between reading SQL and searching it: read SQL again."""


@dataclass(frozen=True, slots=True)
class SegmentShape:
    """How a segment is searched, how many vectors it holds, and its bytes on disk (on a server: of its vectors)."""

    kind: str
    vectors: int
    bytes: int


class VectorSegments(Protocol):
    """Immutable segments of unit vectors under passage ids. Safe for use by several threads.

    A segment is written once, whole, beside the live ones, and never changed; SQL says which segments are live. The
    inner product of unit vectors is their cosine similarity, -1 to 1, higher is closer. Everything that reads a
    segment raises SegmentGoneError where it was compacted away, and everything raises Unavailable, saying what to
    install or start, where the vectors cannot be reached.
    """

    def write(self, ids: Ids, vectors: Vectors) -> str:
        """A new segment's name, once it is safely stored. ``vectors`` is (n, dimension), rows of length 1."""

    def search(self, segments: Sequence[str], query: Vectors, k: int, permitted: Permitted) -> list[tuple[int, float]]:
        """The ``k`` permitted passages closest to ``query`` (dimension,), as ``(id, cosine)``, best first, ties by id.

        Exact where few passages are permitted (``rag.vectors.ranking``) or a segment is small; elsewhere as good as
        the segment was measured to be when it was written. Never a passage that is not permitted.
        """

    def ids(self, name: str) -> Ids:
        """The passage ids in a segment, in its own order."""

    def vectors(self, name: str) -> Vectors:
        """The vectors of a segment (n, dimension), bit for bit as written, in the order of its ``ids``."""

    def vectors_of(self, segments: Sequence[str], ids: Ids) -> tuple[NDArray[np.bool_], Any]:
        """Which of ``ids`` the segments hold, and the vectors of those (n, dimension), in the order of ``ids``; None
        where they hold none."""

    def exists(self, name: str) -> bool:
        """Whether there is such a segment."""

    def keep_only(self, names: set[str]) -> None:
        """Removes every segment but ``names``, and what killed writers left."""

    def shape(self, name: str) -> SegmentShape:
        """How a segment is kept."""

    def about(self) -> str:
        """Where the vectors live, in words. Raises Unavailable where they cannot be reached."""

    def close(self) -> None:
        """Lets go of what is open; what is used afterwards is opened again."""
