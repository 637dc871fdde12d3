"""Text that a file holds and its reader does not see: why, in the words that ``Block.hidden`` uses.

A loader takes such text out of the sentences around it and gives it a block of its own, after the paragraph or table
that it stood in.
"""

from typing import NamedTuple

NOT_DISPLAYED = "not displayed"
ZERO_SIZE = "zero size"
WHITE_ON_WHITE = "white on white"
COLOUR_OF_BACKGROUND = "colour of its background"
OFF_THE_PAGE = "off the page"

SMALLEST_POINTS = 2.0
_CLOSEST_COLOURS = 8


class Colour(NamedTuple):
    """Red, green and blue from 0 to 255."""

    red: int
    green: int
    blue: int


WHITE = Colour(255, 255, 255)


def colour_of_hex(stated: str | None) -> Colour | None:
    """``FFFFFF`` or ``#ffffff`` as a colour; None for anything else, such as ``auto``."""
    digits = (stated or "").removeprefix("#")
    if len(digits) != 6:
        return None
    try:
        return Colour(*bytes.fromhex(digits))
    except ValueError:
        return None


def why_unseen(colour: Colour | None, background: Colour | None, points: float | None) -> str | None:
    """Why text of that colour and size cannot be read on that background, if so; None stands for what is not known."""
    if points is not None and points < SMALLEST_POINTS:
        return ZERO_SIZE
    if colour is None or background is None:
        return None
    if max(abs(one - other) for one, other in zip(colour, background, strict=True)) > _CLOSEST_COLOURS:
        return None
    return WHITE_ON_WHITE if min(background) >= 255 - _CLOSEST_COLOURS else COLOUR_OF_BACKGROUND
