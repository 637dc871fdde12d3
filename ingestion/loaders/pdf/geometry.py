"""Rectangles, and the turns between a page as the file draws it, as it is shown, and as its lines are read.

Lengths are in points and y grows upwards, but for ``Sheet.shown``, which counts from the top as readers do.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rect:
    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom

    @property
    def area(self) -> float:
        return max(self.width, 0.0) * max(self.height, 0.0)

    def holds(self, other: "Rect", slack: float = 0.0) -> bool:
        """Whether the centre of ``other`` lies inside, ``slack`` outside of the edges at most."""
        x, y = (other.left + other.right) / 2, (other.bottom + other.top) / 2
        return self.left - slack <= x <= self.right + slack and self.bottom - slack <= y <= self.top + slack

    def common(self, other: "Rect") -> "Rect":
        return Rect(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )


@dataclass(frozen=True, slots=True)
class Turned:
    """``region`` of the file's space turned clockwise ``quarters`` times, its lower left corner then at 0, 0."""

    region: Rect
    quarters: int = 0

    @property
    def width(self) -> float:
        return self.region.height if self.quarters % 2 else self.region.width

    @property
    def height(self) -> float:
        return self.region.width if self.quarters % 2 else self.region.height

    def of(self, rect: Rect) -> Rect:
        """Where ``rect`` of the file's space comes to lie."""
        region = self.region
        match self.quarters % 4:
            case 0:
                x, y = region.left, region.bottom
                return Rect(rect.left - x, rect.bottom - y, rect.right - x, rect.top - y)
            case 1:
                x, y = region.right, region.bottom
                return Rect(rect.bottom - y, x - rect.right, rect.top - y, x - rect.left)
            case 2:
                x, y = region.right, region.top
                return Rect(x - rect.right, y - rect.top, x - rect.left, y - rect.bottom)
            case _:
                x, y = region.left, region.top
                return Rect(y - rect.top, rect.left - x, y - rect.bottom, rect.right - x)

    def back(self, rect: Rect) -> Rect:
        """The rectangle of the file's space that comes to lie at ``rect``."""
        undone = Turned(Rect(0.0, 0.0, self.width, self.height), -self.quarters).of(rect)
        x, y = self.region.left, self.region.bottom
        return Rect(undone.left + x, undone.bottom + y, undone.right + x, undone.top + y)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page's two frames: ``page`` as it is shown, ``reading`` with its lines level and running from left to right.

    They differ where the text of a page stands on its side, and where it is ``mirrored`` because it runs from right to
    left.
    """

    page: Turned
    reading: Turned
    mirrored: bool = False

    def read(self, rect: Rect) -> Rect:
        """``rect`` of the file's space in reading space."""
        turned = self.reading.of(rect)
        if not self.mirrored:
            return turned
        width = self.reading.width
        return Rect(width - turned.right, turned.bottom, width - turned.left, turned.top)

    def shown(self, rect: Rect) -> tuple[float, float, float, float]:
        """Left, top, right and bottom, from the top left corner of the page as shown, of ``rect`` in reading space."""
        if self.mirrored:
            width = self.reading.width
            rect = Rect(width - rect.right, rect.bottom, width - rect.left, rect.top)
        seen = self.page.of(self.reading.back(rect))
        height = self.page.height
        return round(seen.left, 2), round(height - seen.top, 2), round(seen.right, 2), round(height - seen.bottom, 2)
