"""Where the words of a passage stand on their pages, to the character.

A passage is stored with a box for each of its lines, not with a box for each letter. So the letters that the page has
inside those boxes are read again, and the passage's text is aligned with them: both without spaces, hyphens and the
forms of letters, since lines were joined and mended after they were read. What was recognised on a scan is recognised
once more.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from pypdfium2 import raw as pdfium

from ingestion.loaders.pdf import ocr
from ingestion.loaders.pdf.geometry import Rect
from ingestion.loaders.pdf.pages import shown_region
from ingestion.loaders.pdf.text import characters
from ingestion.page_values import MIN_FOUND, Letter, PlacedBox, character_keys, keys_of

_Placed = tuple[str, float, float, float, float]

_SLACK = 1.5


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a page shows inside a line; ``key`` is what it is compared by."""

    key: str
    line: int
    place: tuple[float, float, float, float]


def letters_of(pdf: Any, lines: Sequence[PlacedBox], text: str) -> list[Letter]:
    """Where the letters of ``text`` stand, as far as the page has them inside ``lines``, which are those of ``text``.

    Of a page whose own text is another, they are recognised where Tesseract is installed.
    """
    wanted = keys_of(text)
    found = _aligned(wanted, _seen(pdf, lines, _of_text_layer))
    if len(found) < MIN_FOUND * len(wanted) and ocr.languages():
        found = max(found, _aligned(wanted, _seen(pdf, lines, _of_scan)), key=len)
    return found


def _aligned(wanted: Sequence[tuple[str, int]], seen: Sequence[_Seen]) -> list[Letter]:
    keys, there = [key for key, _ in wanted], [one.key for one in seen]
    whole = "".join(there).find("".join(keys)) if all(len(key) == 1 for key in there) else -1
    if whole >= 0:
        pairs = [(index, whole + index) for index in range(len(keys))]
    else:
        blocks = SequenceMatcher(None, keys, there, autojunk=False).get_matching_blocks()
        pairs = [(block.a + step, block.b + step) for block in blocks for step in range(block.size)]
    return [(wanted[one][1], seen[other].line, *seen[other].place) for one, other in pairs]


def _seen(pdf: Any, lines: Sequence[PlacedBox], read: Callable[[Any], Iterator[_Placed]]) -> list[_Seen]:
    """What stands inside ``lines``, line by line."""
    on_line: dict[int, list[_Seen]] = defaultdict(list)
    for number in sorted({line[0] for line in lines}):
        of_page = [(index, line) for index, line in enumerate(lines) if line[0] == number]
        with closing(pdf[number - 1]) as page:
            for text, left, top, right, bottom in read(page):
                x, y = (left + right) / 2, (top + bottom) / 2
                line_at = next((index for index, line in of_page if _holds(line, x, y)), None)
                if line_at is not None:
                    place = (round(left, 1), round(top, 1), round(right, 1), round(bottom, 1))
                    on_line[line_at] += [_Seen(key, line_at, place) for key in character_keys(text)]
    return [seen for line_at in sorted(on_line) for seen in on_line[line_at]]


def _holds(line: PlacedBox, x: float, y: float) -> bool:
    _, left, top, right, bottom = line
    return left - _SLACK <= x <= right + _SLACK and top - _SLACK <= y <= bottom + _SLACK


def _of_text_layer(page: Any) -> Iterator[_Placed]:
    """The characters of the page's text layer in its order, each with its place on the page as shown."""
    shown = shown_region(page)
    box = pdfium.FS_RECTF()
    with closing(page.get_textpage()) as text:
        string = characters(text.raw)
        for at, character in enumerate(string):
            if "\udc00" <= character <= "\udfff":
                continue  # the second half of a character, which came with the first
            if "\ud800" <= character <= "\udbff":
                character = string[at : at + 2].encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if not pdfium.FPDFText_GetLooseCharBox(text.raw, at, box):
                continue
            place = shown.of(Rect(box.left, box.bottom, box.right, box.top))
            yield character, place.left, shown.height - place.top, place.right, shown.height - place.bottom


def _of_scan(page: Any) -> Iterator[_Placed]:
    """The characters that OCR recognises, those of a word each as wide as the others."""
    height = page.get_height()
    try:
        recognised = ocr.recognised(page)
    except ocr.OcrFailed:
        return
    for fragment in recognised:
        for word, left, _, right in fragment.words:
            step = (right - left) / max(len(word), 1)
            for at, character in enumerate(word):
                place = (left + at * step, height - fragment.top, left + (at + 1) * step, height - fragment.bottom)
                yield character, *place
