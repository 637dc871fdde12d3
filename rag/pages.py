"""Pages of a text, given the offsets at which they begin."""

from bisect import bisect_right
from collections.abc import Sequence


def page_of(page_starts: Sequence[int], offset: int) -> int | None:
    """The 1-based physical page that ``offset`` is on, None where the source has no pages."""
    return max(1, bisect_right(page_starts, offset)) if page_starts else None
