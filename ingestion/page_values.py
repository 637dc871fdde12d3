"""What is known of the places of words on pages, and the cutting of boxes to the words. Nothing here reads a file."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PlacedBox = tuple[int, float, float, float, float]
"""Page, left, top, right, bottom: in points from the top left corner of the page as shown."""
Letter = tuple[int, int, float, float, float, float]
"""Offset in a text, index of its line there, left, top, right, bottom."""

MIN_FOUND = 0.8
"""Share of a text's letters that a page has to have, for it to be told where the text stands."""
_HYPHENS = frozenset("-\u00ad\u2010\u2011\x02\ufffe")


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the letters of a passage stand; ``sizes`` are width and height in points of the pages that it is on."""

    page_count: int
    sizes: dict[int, tuple[float, float]]
    letters: list[Letter]


def keys_of(text: str) -> list[tuple[str, int]]:
    """What ``text`` is compared by, each with its offset: characters without their case, marks and forms; no spaces
    and no hyphens, which joining lines adds and takes away."""
    return [(key, at) for at, character in enumerate(text) for key in character_keys(character)]


def character_keys(character: str) -> Iterator[str]:
    for key in unicodedata.normalize("NFKD", character).casefold():
        if not (key.isspace() or key in _HYPHENS or unicodedata.combining(key) or not key.isprintable()):
            yield key


def boxes_between(
    letters: Sequence[Letter], lines: Sequence[PlacedBox], text: str, start: int, end: int
) -> tuple[PlacedBox, ...] | None:
    """A box for each of ``lines`` that ``text[start:end]`` stands on, cut where it begins and ends; None where too few
    of its letters were found to tell."""
    asked = sum(start <= at < end for _, at in keys_of(text))
    on_line: dict[int, list[Letter]] = defaultdict(list)
    for letter in letters:
        if start <= letter[0] < end:
            on_line[letter[1]].append(letter)
    if not asked or sum(map(len, on_line.values())) < MIN_FOUND * asked:
        return None
    return tuple(_around(lines[line], on_line[line]) for line in sorted(on_line))


def _around(line: PlacedBox, letters: Sequence[Letter]) -> PlacedBox:
    """What ``letters`` cover of their line, across it all of its height."""
    page, left, top, right, bottom = line
    first_left, first_top = min(one[2] for one in letters), min(one[3] for one in letters)
    last_right, last_bottom = max(one[4] for one in letters), max(one[5] for one in letters)
    if right - left >= bottom - top:
        return page, first_left, top, last_right, bottom
    return page, left, first_top, right, last_bottom
