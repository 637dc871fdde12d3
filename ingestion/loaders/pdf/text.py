"""A page's text layer as fragments, each word with the place where it stands.

PDFium is asked for the text of a page in one call, and for the places of the first and the last character of each word:
a call for every character costs more than all the rest of reading a PDF.
"""

import ctypes
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

from pypdfium2 import raw as pdfium

from ingestion.loaders.pdf import hidden
from ingestion.loaders.pdf.geometry import Rect, Sheet, Turned
from ingestion.loaders.pdf.objects import Drawn, address
from ingestion.loaders.pdf.words import Fragment, Word

_GAP_HEIGHTS = 0.9
_BOLD_WEIGHT = 600
_MIN_SIZE = 2.0
_MAX_ASPECT = 1.7
_SENTENCE_GAP = 0.07
_ASKEW_DEGREES = 12

_LINE_END_HYPHENS = "\x02\ufffe"  # what PDFium gives for a hyphen at the end of a line
_WORD = re.compile(rf"[^\x00-\x20\u00a0\u2028\u2029\ufffe]+[{_LINE_END_HYPHENS}]?|[{_LINE_END_HYPHENS}]")
_SENTENCES = re.compile(r"(?<=[^\W\d_A-Z][.;:!?,])(?=[A-Z][^\W\d_A-Z])")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st"})
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPECIAL = re.compile(f"[{_LINE_END_HYPHENS}\ufb00-\ufb06\ud800-\udfff]")
_BOLD_NAME = re.compile(rb"bold|black|heavy|semibold|-bd|simhei", re.I)


_place_of, _object_of = pdfium.FPDFText_GetLooseCharBox, pdfium.FPDFText_GetTextObject
_Place = tuple[float, float, float, float]


@dataclass(slots=True)
class _Paint:
    """How one text object is set: upright where ``quarter`` is 0, ``None`` where it stands askew."""

    size: float
    quarter: int | None
    bold: bool
    hidden: str | None = None


@dataclass(slots=True)
class _Run:
    """The characters from ``start`` to ``end`` of one word, in the file's space."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    paint: _Paint
    after_line_end: bool


def fragments(page: Any, text: Any, drawn: Drawn, shown: Turned) -> tuple[Sheet, list[Fragment]]:
    """How ``page`` (pypdfium2's) is read, and its fragments in reading space, in the order in which they are drawn.

    Text that stands askew, or otherwise than most of the page's text does, is left out.
    """
    runs = _Reader(page, text.raw, drawn, shown).runs()
    quarters: Counter[int] = Counter()
    for run in runs:
        if run.paint.hidden is None and run.paint.quarter is not None:
            quarters[run.paint.quarter] += len(run.text)
    quarter = quarters.most_common(1)[0][0] if quarters else 0
    upright = [run for run in runs if run.paint.quarter == quarter]
    seen = [run for run in upright if run.paint.hidden is None]
    unseen = [run for run in upright if run.paint.hidden is not None]
    right_to_left = sum(len(_RIGHT_TO_LEFT.findall(run.text)) for run in seen)
    sheet = Sheet(shown, Turned(shown.region, quarter), mirrored=2 * right_to_left > quarters[quarter])
    return sheet, [*_fragments(seen, sheet), *_fragments(unseen, sheet)]


def characters(text: Any) -> str:
    """The text of a page, one character for each of PDFium's."""
    count = pdfium.FPDFText_CountChars(text)
    if count <= 0:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(text, 0, count, buffer) - 1
    decoded = bytes(buffer)[: 2 * max(written, 0)].decode("utf-16-le", "surrogatepass")
    if len(decoded) != count:  # characters without a meaning are left out of the text but counted
        codes = [pdfium.FPDFText_GetUnicode(text, index) for index in range(count)]
        decoded = "".join(chr(code) if code < 0x110000 else "\ufffd" for code in codes)
    return decoded


class _Reader:
    """Reads the words of one page; what is asked of each text object and font is asked once."""

    def __init__(self, page: Any, text: Any, drawn: Drawn, shown: Turned) -> None:
        self._text = text
        self._string = characters(text)
        self._region = shown.region
        self._hidden = hidden.hidden_texts(page, drawn, shown)
        self._paints: dict[int, _Paint] = {}
        self._bold: dict[int, bool] = {}
        self._box = pdfium.FS_RECTF()
        self._reference = ctypes.byref(self._box)
        self._is_plain = _SPECIAL.search(self._string) is None

    def runs(self) -> list[_Run]:
        string = self._string
        cuts = {match.start() for match in _SENTENCES.finditer(string)}
        found: list[_Run] = []
        previous_end = 0
        for match in _WORD.finditer(string):
            start, end = match.span()
            after_line_end = start - previous_end > 1 and "\n" in string[previous_end:start]
            after_line_end = after_line_end or (previous_end > 0 and string[previous_end - 1] in _LINE_END_HYPHENS)
            previous_end = end
            if self._hidden:
                pieces = self._parted_by_sight(start, end)
            elif cuts and not cuts.isdisjoint(range(start + 1, end)):
                pieces = self._parted_by_gaps(start, end, cuts)
            else:
                found.append(self._run(start, end, self._paint_at(start), after_line_end))
                continue
            for first, last, paint in pieces:
                found.append(self._run(first, last, paint, after_line_end))
                after_line_end = False
        return found

    def _parted_by_sight(self, start: int, end: int) -> Iterator[tuple[int, int, _Paint]]:
        """The word, parted where the file hides a part of it."""
        paint, first = self._paint_at(start), start
        for index in range(start + 1, end):
            following = self._paint_at(index)
            if following.hidden != paint.hidden:
                yield first, index, paint
                paint, first = following, index
        yield first, end, paint

    def _parted_by_gaps(self, start: int, end: int, cuts: AbstractSet[int]) -> Iterator[tuple[int, int, _Paint]]:
        """The word, parted where a sentence seems to end and the page leaves a gap that its text does not have."""
        paint, first = self._paint_at(start), start
        for at in sorted(index for index in range(start + 1, end) if index in cuts):
            right = self._place(at - 1)[2]
            if self._place(at)[0] - right > _SENTENCE_GAP * paint.size:
                yield first, at, paint
                first = at
        yield first, end, paint

    def _run(self, start: int, end: int, paint: _Paint, after_line_end: bool) -> _Run:
        string = self._string[start:end]
        if not self._is_plain:
            if string[-1] in _LINE_END_HYPHENS:
                string = string[:-1] + "-"
                end -= end - start > 1
            if _SURROGATE.search(string):
                string = string.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            string = string.translate(_LIGATURES)
        first = left, bottom, right, top = self._place(start)
        if end - start > 1:
            last = self._place(end - 1)
            height = top - bottom
            is_one_row = (
                0 <= last[2] - left < _MAX_ASPECT * height * (end - start)
                and right <= last[2]
                and abs(last[1] - bottom) < 0.6 * height
                and not paint.quarter
            )
            if is_one_row:
                right = last[2]
                if last[1] < bottom:
                    bottom = last[1]
                if last[3] > top:
                    top = last[3]
            else:
                places = [first, *map(self._place, range(start + 1, end))]
                left, bottom = min(place[0] for place in places), min(place[1] for place in places)
                right, top = max(place[2] for place in places), max(place[3] for place in places)
        if paint.hidden is None:
            x, y, region = (left + right) / 2, (bottom + top) / 2, self._region
            if not (region.left <= x <= region.right and region.bottom <= y <= region.top):
                paint = replace(paint, hidden=hidden.OFF_THE_PAGE)
        return _Run(string, left, bottom, right, top, paint, after_line_end)

    def _place(self, index: int) -> _Place:
        """Left, bottom, right and top of a character."""
        _place_of(self._text, index, self._reference)
        box = self._box
        return box.left, box.bottom, box.right, box.top

    def _paint_at(self, index: int) -> _Paint:
        item = _object_of(self._text, index)
        key = ctypes.addressof(item.contents) if item else 0
        paint = self._paints.get(key)
        if paint is None:
            paint = self._paints[key] = self._paint(item, index)
        return paint

    def _paint(self, item: Any, index: int) -> _Paint:
        size = float(pdfium.FPDFText_GetFontSize(self._text, index))
        matrix = pdfium.FS_MATRIX()
        quarter: int | None = 0
        if pdfium.FPDFText_GetMatrix(self._text, index, matrix):
            size *= math.hypot(matrix.c, matrix.d)
            degrees = math.degrees(math.atan2(matrix.b, matrix.a))
            quarter = round(degrees / 90) % 4
            if abs((degrees + 45) % 90 - 45) > _ASKEW_DEGREES:
                quarter = None
        reason = self._hidden.get(address(item)) or (hidden.ZERO_SIZE if abs(size) < _MIN_SIZE else None)
        return _Paint(abs(size), quarter, self._is_bold(item, index), reason)

    def _is_bold(self, item: Any, index: int) -> bool:
        font = pdfium.FPDFTextObj_GetFont(item) if item else None
        key = address(font)
        if key not in self._bold:
            name = ctypes.create_string_buffer(128)
            pdfium.FPDFText_GetFontInfo(self._text, index, name, 128, ctypes.c_int())
            is_heavy = pdfium.FPDFText_GetFontWeight(self._text, index) >= _BOLD_WEIGHT
            self._bold[key] = is_heavy or _BOLD_NAME.search(name.value) is not None
        return self._bold[key]


def _fragments(runs: Sequence[_Run], sheet: Sheet) -> Iterator[Fragment]:
    """Runs that follow each other on one baseline without a wide gap, as one fragment."""
    is_plain = sheet.reading.quarters == 0 and not sheet.mirrored
    x, y = sheet.reading.region.left, sheet.reading.region.bottom
    group: list[_Run] = []
    words: list[Word] = []
    left = right = bottom = top = 0.0
    for run in runs:
        if is_plain:
            run_left, run_bottom, run_right, run_top = run.left - x, run.bottom - y, run.right - x, run.top - y
        else:
            place = sheet.read(Rect(run.left, run.bottom, run.right, run.top))
            run_left, run_bottom, run_right, run_top = place.left, place.bottom, place.right, place.top
        height = top - bottom
        if group and (
            run.after_line_end
            or run_left - right > _GAP_HEIGHTS * height
            or run_right < left - _GAP_HEIGHTS * height
            or run_bottom > top
            or run_top < bottom
            or run.paint.hidden != group[-1].paint.hidden
        ):
            yield from _fragment(group, words)
            group, words = [], []
        if not group:
            left, right, bottom, top = run_left, run_right, run_bottom, run_top
        else:
            left, right = min(left, run_left), max(right, run_right)
        group.append(run)
        words.append((run.text, run_left, run_bottom, run_right))
    if group:
        yield from _fragment(group, words)


def _fragment(group: list[_Run], words: list[Word]) -> Iterator[Fragment]:
    """The fragment of ``group``; its size, weight and baseline are those of the run in its middle."""
    half = sum(len(run.text) for run in group) / 2
    middle = 0
    while (half := half - len(group[middle].text)) > 0:
        middle += 1
    paint = group[middle].paint
    size = paint.size if paint.hidden is None else max(paint.size, 1.0)
    if size > 0:
        bottom = words[middle][2]
        left, right = min(word[1] for word in words), max(word[3] for word in words)
        text = " ".join(word[0] for word in words)
        yield Fragment(text, left, right, bottom, bottom + size, size, paint.bold, tuple(words), paint.hidden)
