"""The pieces of text that lie on a page, in reading space: lengths in points, y grows upwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ingestion.loaders.pdf.geometry import Rect

Word = tuple[str, float, float, float]
"""Text, left, bottom, right."""


@dataclass(slots=True)
class Fragment:
    """A run of words on one baseline without a wide gap."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool
    words: tuple[Word, ...] = ()
    hidden: str | None = None

    def rect(self) -> Rect:
        return Rect(self.left, self.bottom, self.right, self.top)

    def of(self, words: Sequence[Word]) -> "Fragment":
        """The part of it that is ``words``."""
        left, right = min(word[1] for word in words), max(word[3] for word in words)
        text = " ".join(word[0] for word in words)
        return Fragment(text, left, right, self.bottom, self.top, self.size, self.bold, tuple(words), self.hidden)


def rows(fragments: Iterable[Fragment]) -> list[list[Fragment]]:
    """``fragments`` grouped by the line they stand on, from the top down, each line from left to right."""
    grouped: list[list[Fragment]] = []
    bottom = top = 0.0
    for fragment in sorted(fragments, key=lambda f: -(f.bottom + f.top)):
        low, high = fragment.bottom, fragment.top
        overlap = (top if top < high else high) - (bottom if bottom > low else low)
        if grouped and overlap > 0.5 * min(top - bottom, high - low):
            grouped[-1].append(fragment)
            if high - low > top - bottom:
                bottom, top = low, high
        else:
            grouped.append([fragment])
            bottom, top = low, high
    for row in grouped:
        row.sort(key=lambda f: f.left)
    return grouped
