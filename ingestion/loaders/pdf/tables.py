"""Tables out of the words of a page and the lines ruled on it. Pure functions; y grows upwards.

Ruled tables are found by their rules: a grid of level and upright ones, or level ones of one length above each other
(the three rules of a journal's table). Others are found by lines whose cells stand under each other. Cells that go on
over several lines are joined into their row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingestion.loaders.pdf.geometry import Rect
from ingestion.loaders.pdf.words import Fragment, Word, rows

_TOUCH = 3.0
_MAX_RULES = 800
_MIN_GAP_EMS = 0.55
_JOINED_LINES = 3
_PROSE_LINES = 4
_PROSE_EMS = 14


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands on one line of a cell."""

    text: str
    rect: Rect


Cell = tuple[Piece, ...]
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` from the top, the header first; a cell that the row leaves blank is empty."""

    rect: Rect
    size: float
    rows: tuple[Row, ...]


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


def columns_of(lines: Sequence[Sequence[Fragment]], size: float) -> list[float]:
    """The x between each column and the next, where the words of ``lines`` leave a channel free."""
    spans = sorted((word[1], word[3]) for line in lines for fragment in line for word in _joined(fragment, size))
    if not spans:
        return []
    allowed = len(lines) // 8
    edges = sorted([(left, 1) for left, _ in spans] + [(right, -1) for _, right in spans])
    borders = []
    depth = 0
    free_since: float | None = None
    for x, step in edges:
        if depth <= allowed and depth + step > allowed and free_since is not None:
            if x - free_since >= _MIN_GAP_EMS * size:
                borders.append((free_since + x) / 2)
            free_since = None
        if depth > allowed >= depth + step:
            free_since = x
        depth += step
    return borders


def cells_of(line: Sequence[Fragment], borders: Sequence[float]) -> Row:
    """The cells of one line, parted at ``borders``."""
    cells: list[list[Piece]] = [[] for _ in range(len(borders) + 1)]
    for fragment in line:
        words: dict[int, list[Word]] = {}
        for word in fragment.words:
            middle = (word[1] + word[3]) / 2
            words.setdefault(sum(middle > border for border in borders), []).append(word)
        if len(words) > 1 and len(fragment.words) > 1 and _spans(fragment, borders):
            words = {min(words): list(fragment.words)}
        for column, of in words.items():
            rect = Rect(min(w[1] for w in of), fragment.bottom, max(w[3] for w in of), fragment.top)
            cells[column].append(Piece(" ".join(word[0] for word in of), rect))
    return tuple((_one_piece(cell),) if cell else () for cell in cells)


def table_of(lines: Sequence[Sequence[Fragment]], borders: Sequence[float]) -> Table:
    """The table whose text stands on ``lines``; a line that goes on with the row above it is joined to it."""
    fragments = [fragment for line in lines for fragment in line]
    size = median(fragment.size for fragment in fragments)
    parted = [(cells_of(line, borders), min(f.bottom for f in line)) for line in lines]
    return Table(_around(fragments), size, tuple(_joined_rows(parted, size)))


def _joined_rows(lines: Sequence[tuple[Row, float]], size: float) -> list[Row]:
    gaps = [above - below for (_, above), (_, below) in pairwise(lines)]
    tight = min(gaps, default=0.0)
    is_spaced = bool(gaps) and sum(gap > 1.25 * tight for gap in gaps) >= 2 and tight < 1.6 * size
    widths = [
        max((piece.rect.width for row, _ in lines for piece in row[column]), default=0.0)
        for column in range(len(lines[0][0]))
    ]
    joined: list[Row] = []
    for position, (row, _) in enumerate(lines):
        gap = gaps[position - 1] if position else 0.0
        if joined and gap < 2.2 * size and _goes_on(joined[-1], row, widths, gap < 1.25 * tight, is_spaced):
            joined[-1] = tuple(above + below for above, below in zip(joined[-1], row, strict=True))
        else:
            joined.append(row)
    return joined


def _goes_on(above: Row, row: Row, widths: Sequence[float], is_tight: bool, is_spaced: bool) -> bool:
    """Whether ``row`` is the next line of wrapped cells in the row ``above``."""
    filled = [column for column, cell in enumerate(row) if cell]
    if not filled or any(not above[column] for column in filled) or len(filled) == len(row):
        return False
    if is_spaced:
        return is_tight
    if len(filled) > max(1, len(row) // 2):
        return False
    if 0 in filled and len(filled) > 1:
        return False
    for column in filled:
        start = row[column][0].text[:1]
        last = above[column][-1]
        if not (start.islower() or start in "(&/+," or last.rect.width > 0.75 * widths[column]):
            return False
        if column == 0 and not (start.islower() or start in "(&/+,"):
            return False
    return True


def _one_piece(cell: list[Piece]) -> Piece:
    if len(cell) == 1:
        return cell[0]
    cell.sort(key=lambda piece: piece.rect.left)
    text = cell[0].text
    for before, piece in pairwise(cell):
        is_apart = piece.rect.left - before.rect.right > 0.12 * piece.rect.height
        text += (" " if is_apart else "") + piece.text
    rects = [piece.rect for piece in cell]
    return Piece(
        text,
        Rect(
            min(r.left for r in rects),
            min(r.bottom for r in rects),
            max(r.right for r in rects),
            max(r.top for r in rects),
        ),
    )


def _joined(fragment: Fragment, size: float) -> Iterator[Word]:
    """The words of ``fragment``, those with only a common space between them as one."""
    word: Word | None = None
    for following in fragment.words:
        if word is not None and following[1] - word[3] < 0.4 * size:
            word = (word[0], word[1], word[2], max(word[3], following[3]))
        else:
            if word is not None:
                yield word
            word = following
    if word is not None:
        yield word


def _spans(fragment: Fragment, borders: Sequence[float]) -> bool:
    """Whether ``fragment`` goes on over a border with no more than a common space there."""
    crossed = [border for border in borders if fragment.left < border < fragment.right]
    for border in crossed:
        before = max((word[3] for word in fragment.words if word[1] + word[3] < 2 * border), default=fragment.left)
        after = min((word[1] for word in fragment.words if word[1] + word[3] >= 2 * border), default=fragment.right)
        if after - before > 0.4 * fragment.size:
            return False
    return bool(crossed)


def _around(fragments: Iterable[Fragment]) -> Rect:
    of = list(fragments)
    return Rect(min(f.left for f in of), min(f.bottom for f in of), max(f.right for f in of), max(f.top for f in of))


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
        return Table(_around(fragments), median(f.size for f in fragments), tuple(row for row in grid if any(row)))

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
        if _is_prose(rows(parts), borders):
            return None
        return Table(_around(fragments), median(f.size for f in fragments), tuple(joined))

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
    return tuple(_one_piece([Piece(fragment.text, fragment.rect()) for fragment in line]) for line in rows(fragments))


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
        if len(bands) < 4 and _is_prose(lines, borders):
            return None
        joined: list[Row] = []
        is_banded = len(bands) >= 4 and len(lines) <= _JOINED_LINES * len(bands)
        for number, band in enumerate(bands):
            parted = [cells_of(line, borders) for line in band]
            if number == 0 or is_banded:
                joined.append(tuple(tuple(p for cell in column for p in cell) for column in zip(*parted, strict=True)))
            else:
                joined += table_of(band, borders).rows
        return Table(_around(f for line in lines for f in line), size, tuple(joined))


def _is_prose(lines: Sequence[Sequence[Fragment]], borders: Sequence[float]) -> bool:
    """Whether what stands between ``borders`` is columns of running text: wide, and most lines filled."""
    parted = [cells_of(line, borders) for line in lines]
    prose = 0
    for column in range(len(borders) + 1):
        widths = [row[column][0].rect.width for row in parted if row[column]]
        size = median([f.size for line in lines for f in line])
        filled = sum(width > 0.75 * max(widths) for width in widths) if widths else 0
        is_wide = bool(widths) and max(widths) > _PROSE_EMS * size
        prose += is_wide and len(widths) >= _PROSE_LINES and filled > 0.5 * len(widths)
    return prose > len(borders) / 2 and prose >= 2


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
