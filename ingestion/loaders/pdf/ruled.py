"""Tables that rules make out: a grid of level and upright ones, or level ones of one length above each other.

The second are the three rules of a journal's table, above and below its header and below its last row. Pure functions;
y grows upwards.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingestion.loaders.pdf.geometry import Rect
from ingestion.loaders.pdf.tables import (
    Cell,
    Piece,
    Row,
    Table,
    around,
    cells_of,
    columns_of,
    is_prose,
    one_piece,
    table_of,
)
from ingestion.loaders.pdf.words import Fragment, Word, rows

_TOUCH = 3.0
_MAX_RULES = 800
_JOINED_LINES = 3


def ruled_tables(fragments: Sequence[Fragment], rules: Sequence[Rect]) -> Iterator[tuple[Table, list[Fragment]]]:
    """Each table that rules make out, and the fragments that are in it."""
    level = _merged([rule for rule in rules if rule.width >= rule.height])
    upright = [_flipped(rule) for rule in _merged([_flipped(rule) for rule in rules if rule.width < rule.height])]
    if not level or len(level) + len(upright) > _MAX_RULES:
        return
    taken: set[int] = set()
    candidates: list[tuple[Rect, _Grid | _Stack]] = [*_grids(level, upright), *_stacks(level)]
    for region, found in candidates:
        inside = [f for f in fragments if id(f) not in taken and region.holds(f.rect(), slack=1.0)]
        for table, used in found(inside) if len(inside) >= 4 else ():
            taken.update(map(id, used))
            yield table, used


def _flipped(rect: Rect) -> Rect:
    return Rect(rect.bottom, rect.left, rect.top, rect.right)


def _merged(rules: list[Rect]) -> list[Rect]:
    """Level ``rules``, those that go on from each other as one."""
    merged: list[Rect] = []
    for rule in sorted(rules, key=lambda r: (round(r.bottom / 2), r.left)):
        last = merged[-1] if merged else None
        if last and abs(last.bottom - rule.bottom) < _TOUCH and last.left <= rule.left <= last.right + _TOUCH:
            merged[-1] = Rect(last.left, min(last.bottom, rule.bottom), max(last.right, rule.right), last.top)
        else:
            merged.append(rule)
    return merged


@dataclass(frozen=True, slots=True)
class _Grid:
    level: tuple[Rect, ...]
    upright: tuple[Rect, ...]
    ys: tuple[float, ...]
    xs: tuple[float, ...]

    def __call__(self, fragments: list[Fragment]) -> Iterator[tuple[Table, list[Fragment]]]:
        if (table := self._table(fragments)) is not None:
            yield table, fragments

    def _table(self, fragments: list[Fragment]) -> Table | None:
        columns, bands = len(self.xs) - 1, len(self.ys) - 1
        homes = self._homes(columns, bands)
        placed: dict[tuple[int, int], list[Fragment]] = {}
        borders = self.xs[1:-1]
        for fragment in (part for whole in fragments for part in _cut(whole, borders)):
            x, y = (fragment.left + fragment.right) / 2, (fragment.bottom + fragment.top) / 2
            column = min(max(sum(x > border for border in self.xs) - 1, 0), columns - 1)
            band = min(max(sum(y < border for border in self.ys) - 1, 0), bands - 1)
            placed.setdefault(homes[band, column], []).append(fragment)
        if len({column for _, column in placed}) < 2 or (len({band for band, _ in placed}) < 2 and bands > 1):
            return None
        if bands <= 2:
            return self._unruled_body(fragments, borders)
        cells = {place: _lines_of(of) for place, of in placed.items()}
        grid = tuple(tuple(cells.get((band, column), ()) for column in range(columns)) for band in range(bands))
        return Table(around(fragments), median(f.size for f in fragments), tuple(row for row in grid if any(row)))

    def _unruled_body(self, fragments: list[Fragment], borders: tuple[float, ...]) -> Table | None:
        """Where only the header is ruled off, or not even that, rows are told by their lines."""
        parts = [part for fragment in fragments for part in _cut(fragment, borders)]
        joined: list[Row] = []
        for top, bottom in pairwise(self.ys):
            lines = rows(f for f in parts if bottom <= (f.bottom + f.top) / 2 < top)
            if lines:
                joined += table_of(lines, borders).rows
        if sum(sum(map(bool, row)) > 1 for row in joined) < max(2, 0.5 * len(joined)):
            return None
        if is_prose(rows(parts), borders):
            return None
        return Table(around(fragments), median(f.size for f in fragments), tuple(joined))

    def _homes(self, columns: int, bands: int) -> dict[tuple[int, int], tuple[int, int]]:
        """For each place in the grid the place whose cell it belongs to: cells are merged where no rule parts them."""
        homes: dict[tuple[int, int], tuple[int, int]] = {}
        for band in range(bands):
            for column in range(columns):
                x, y = (self.xs[column] + self.xs[column + 1]) / 2, (self.ys[band] + self.ys[band + 1]) / 2
                home = (band, column)
                if column and not _any_at(self.upright, self.xs[column], y):
                    home = homes[band, column - 1]
                elif band and not any(r.left <= x <= r.right and abs(r.bottom - self.ys[band]) < 4 for r in self.level):
                    home = homes[band - 1, column]
                homes[band, column] = home
        return homes


def _any_at(upright: Iterable[Rect], x: float, y: float) -> bool:
    return any(abs(rule.left - x) < 4 and rule.bottom <= y <= rule.top for rule in upright)


def _cut(fragment: Fragment, borders: Sequence[float]) -> Iterator[Fragment]:
    """``fragment`` parted where it goes over an upright rule between two of its words."""
    if not any(fragment.left < border < fragment.right for border in borders):
        yield fragment
        return
    parts: dict[int, list[Word]] = {}
    for word in fragment.words:
        parts.setdefault(sum((word[1] + word[3]) / 2 > border for border in borders), []).append(word)
    for words in parts.values():
        yield fragment.of(words)


def _lines_of(fragments: list[Fragment]) -> Cell:
    return tuple(one_piece([Piece(fragment.text, fragment.rect()) for fragment in line]) for line in rows(fragments))


def _grids(level: list[Rect], upright: list[Rect]) -> Iterator[tuple[Rect, _Grid]]:
    """The connected sets of level and upright rules that make at least two columns."""
    every = [*level, *upright]
    group = list(range(len(every)))

    def root(index: int) -> int:
        while group[index] != index:
            group[index] = group[group[index]]
            index = group[index]
        return index

    for one, rule in enumerate(level):
        for other, crossing in enumerate(upright, start=len(level)):
            touches = (
                rule.left - _TOUCH <= crossing.right
                and crossing.left <= rule.right + _TOUCH
                and crossing.bottom - _TOUCH <= rule.top
                and rule.bottom <= crossing.top + _TOUCH
            )
            if touches:
                group[root(other)] = root(one)
    members: dict[int, list[int]] = {}
    for index in range(len(every)):
        members.setdefault(root(index), []).append(index)
    for indexes in members.values():
        lying = [every[i] for i in indexes if i < len(level)]
        standing = [every[i] for i in indexes if i >= len(level)]
        if not standing or len(lying) < 2:
            continue
        left, right = min(r.left for r in lying), max(r.right for r in lying)
        bottom, top = min(r.bottom for r in (*lying, *standing)), max(r.top for r in (*lying, *standing))
        xs = _distinct([*(r.left for r in standing), left, right], 8.0)
        ys = _distinct([*(r.bottom for r in lying), bottom, top], 5.0)[::-1]
        if len(xs) >= 3 and len(ys) >= 2:
            yield Rect(left, bottom, right, top), _Grid(tuple(lying), tuple(standing), tuple(ys), tuple(xs))


def _distinct(values: list[float], apart: float) -> list[float]:
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > apart:
            found.append(value)
    return found


@dataclass(frozen=True, slots=True)
class _Stack:
    """Level rules of one length above each other, from the top."""

    ys: tuple[float, ...]

    def __call__(self, fragments: list[Fragment]) -> Iterator[tuple[Table, list[Fragment]]]:
        bands = [
            rows(f for f in fragments if bottom <= (f.bottom + f.top) / 2 < top) for top, bottom in pairwise(self.ys)
        ]
        run: list[list[list[Fragment]]] = []
        for band in (*bands, None):
            if band and 2 * sum(len(line) > 1 for line in band) >= len(band):
                run.append(band)
            elif band is None or band:
                if (table := self._table(run)) is not None:
                    yield table, [fragment for of in run for line in of for fragment in line]
                run = []

    def _table(self, bands: list[list[list[Fragment]]]) -> Table | None:
        lines = [line for band in bands for line in band]
        if len(bands) < 2 or len(lines) < 3:
            return None
        size = median(f.size for line in lines for f in line)
        borders = columns_of(lines, size)
        if not borders or sum(sum(map(bool, cells_of(line, borders))) > 1 for line in lines) < 0.6 * len(lines):
            return None
        if len(bands) < 4 and is_prose(lines, borders):
            return None
        joined: list[Row] = []
        is_banded = len(bands) >= 4 and len(lines) <= _JOINED_LINES * len(bands)
        for number, band in enumerate(bands):
            parted = [cells_of(line, borders) for line in band]
            if number == 0 or is_banded:
                joined.append(tuple(tuple(p for cell in column for p in cell) for column in zip(*parted, strict=True)))
            else:
                joined += table_of(band, borders).rows
        return Table(around(f for line in lines for f in line), size, tuple(joined))


def _stacks(level: list[Rect]) -> Iterator[tuple[Rect, _Stack]]:
    """The level rules that begin and end at the same x, where there are three or more."""
    ends: dict[tuple[int, int], list[Rect]] = {}
    for rule in level:
        places = [(round(rule.left / 6) + i, round(rule.right / 6) + j) for i in (0, -1, 1) for j in (0, -1, 1)]
        place = next((place for place in places if place in ends), places[0])
        ends.setdefault(place, []).append(rule)
    for rules in ends.values():
        ys = _distinct([rule.bottom for rule in rules], 4.0)[::-1]
        if len(ys) < 3:
            continue
        left, right = min(r.left for r in rules), max(r.right for r in rules)
        yield Rect(left, ys[-1], right, ys[0]), _Stack(tuple(ys))
