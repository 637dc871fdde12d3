"""Where a part of a passage stands on its pages: cut at its first and its last character."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from pdf_pages import HEIGHT, lines, loaded, pdf

from ingestion.loaders.pdf.places import letters_of
from ingestion.page_values import PlacedBox, boxes_between
from ingestion.parsing import parsed

pytest.importorskip("reportlab")
from reportlab.pdfbase.pdfmetrics import stringWidth  # type: ignore[import-untyped]

SET = [
    "Amlodipine 5 mg is given once a day. Where that does not suf-",
    "fice, the dose is raised to 10 mg after four weeks. The ankles",
    "may swell. Amlodipine 5 mg is given once a day to the old.",
]


def marked(tmp_path: Path, data: bytes, words: str, nth: int = 0) -> list[PlacedBox]:
    """The boxes of the ``nth`` place at which ``words`` stand in the one passage of a PDF."""
    document = parsed(loaded(tmp_path, data), "pdf", lambda texts: [len(text.split()) for text in texts])
    (passage,) = document.passages
    text = document.text[passage.char_start : passage.char_end]
    start = -1
    for _ in range(nth + 1):
        start = text.index(words, start + 1)
    pdfium = pypdfium2.PdfDocument(data)
    found = boxes_between(letters_of(pdfium, passage.boxes, text), passage.boxes, text, start, start + len(words))
    assert found is not None
    return list(found)


def edges(line: str, words: str, x: float = 72) -> tuple[float, float]:
    """Where ``words`` begin and end on a line that is set at ``x``."""
    before, _, _ = line.partition(words)
    left = x + stringWidth(before, "Helvetica", 10)
    return left, left + stringWidth(words, "Helvetica", 10)


def test_a_sentence_over_two_lines_has_two_boxes_cut_where_it_begins_and_ends(tmp_path: Path) -> None:
    data = pdf(lambda page: lines(page, SET, 72, 700))

    first, second = marked(tmp_path, data, "Where that does not suffice, the dose is raised to 10 mg after four weeks.")

    assert (first[1], first[3]) == pytest.approx(edges(SET[0], "Where that does not suf-"), abs=4), "the hyphen goes"
    assert (second[1], second[3]) == pytest.approx(
        edges(SET[1], "fice, the dose is raised to 10 mg after four weeks."), abs=1
    )
    assert HEIGHT - 700 - 10 < first[2] < HEIGHT - 700 < first[4] < second[4] < HEIGHT - 700 + 12 + 4


def test_of_two_like_sentences_the_one_that_is_meant_is_found(tmp_path: Path) -> None:
    data = pdf(lambda page: lines(page, SET, 72, 700))
    words = "Amlodipine 5 mg is given once a day"

    ((_, left, top, right, _),) = marked(tmp_path, data, words, 0)
    ((_, other_left, other_top, other_right, _),) = marked(tmp_path, data, words, 1)

    assert (left, right) == pytest.approx(edges(SET[0], words), abs=1)
    assert (other_left, other_right) == pytest.approx(edges(SET[2], words), abs=1)
    assert other_top == pytest.approx(top + 24, abs=1)


def test_a_sentence_that_goes_over_the_page_is_found_on_both(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, ["Amlodipine is given once a day. Where that does"], 72, 84)
        page.showPage()
        lines(page, ["not suffice, the dose is raised. The ankles may swell."], 72, 760)

    first, second = marked(tmp_path, pdf(draw), "Where that does not suffice, the dose is raised.")

    assert (first[0], second[0]) == (1, 2)
    assert first[3] - first[1] == pytest.approx(stringWidth("Where that does", "Helvetica", 10), abs=1)
    assert second[3] - second[1] == pytest.approx(
        stringWidth("not suffice, the dose is raised.", "Helvetica", 10), abs=1
    )


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_on_a_turned_page_the_boxes_are_turned_with_it(tmp_path: Path, rotation: int) -> None:
    """The boxes of a sentence and of the one after it lie on the line one after the other, as they are read."""
    document = pypdfium2.PdfDocument(pdf(lambda page: lines(page, ["The first is read. The second is not."], 200, 400)))
    document[0].set_rotation(rotation)
    turned = tmp_path / "turned.pdf"
    document.save(str(turned))
    data = turned.read_bytes()

    ((_, *first),) = marked(tmp_path, data, "The first is read.")
    ((_, *second),) = marked(tmp_path, data, "The second is not.")

    along = {90: (1, 3), 180: (2, 0), 270: (3, 1)}[rotation]
    sign = 1 if rotation == 90 else -1
    assert sign * first[along[1]] < sign * second[along[0]]
    length = abs(first[along[1]] - first[along[0]])
    assert length == pytest.approx(stringWidth("The first is read.", "Helvetica", 10), abs=1)


def test_a_page_whose_letters_are_others_tells_nothing() -> None:
    pdfium = pypdfium2.PdfDocument(pdf(lambda page: lines(page, SET, 72, 700)))
    line = (1, 72.0, 130.0, 300.0, 145.0)
    text = "Nothing of this stands there: 完全不同的文字。"
    assert boxes_between(letters_of(pdfium, [line], text), [line], text, 0, len(text)) is None


def _set_in(font: str) -> Callable[[Any], None]:
    def draw(page: Any) -> None:
        page.setFont(font, 10)
        page.drawString(72, 700, "家庭血压达到135/85即为高血压。动态血压另有标准。")

    return draw


def test_chinese_has_no_spaces_and_is_cut_to_the_character_all_the_same(tmp_path: Path) -> None:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    ((_, left, _, right, _),) = marked(tmp_path, pdf(_set_in("STSong-Light")), "动态血压另有标准。")
    before = stringWidth("家庭血压达到135/85即为高血压。", "STSong-Light", 10)
    assert left == pytest.approx(72 + before, abs=2)
    assert right - left == pytest.approx(90, abs=2)
