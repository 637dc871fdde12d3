"""PDF. The pages are set with reportlab, so what is on them and where is known."""

import time
from pathlib import Path
from typing import Any

import pytest
from pdf_pages import PARAGRAPH, lines, loaded, pdf, texts

from ingestion.types import BlockKind
from rag.errors import UnreadableFile

pytest.importorskip("reportlab")
from reportlab.lib.pdfencrypt import StandardEncryption  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]


def test_title_headings_paragraphs_and_lists_are_told_by_size_and_place(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, ["Hypertension guideline"], 72, 760, 20, "Helvetica-Bold")
        lines(page, ["Diagnosis"], 72, 720, 14, "Helvetica-Bold")
        lines(page, PARAGRAPH, 72, 700)
        lines(page, ["2.1 Drugs"], 72, 650, 10, "Helvetica-Bold")
        lines(page, PARAGRAPH, 72, 630)
        lines(page, ["• first choice is a drug that the patient will take every day and", "   that is cheap"], 72, 580)
        lines(page, ["• second choice"], 72, 556)

    document = loaded(tmp_path, pdf(draw))

    assert [(block.kind.value, block.level, block.text, block.page) for block in document.blocks] == [
        ("title", 0, "Hypertension guideline", 1),
        ("heading", 1, "Diagnosis", 1),
        ("paragraph", 0, " ".join(PARAGRAPH), 1),
        ("heading", 2, "2.1 Drugs", 1),
        ("paragraph", 0, " ".join(PARAGRAPH), 1),
        ("list_item", 0, "- first choice is a drug that the patient will take every day and that is cheap", 1),
        ("list_item", 0, "- second choice", 1),
    ]
    assert document.metadata.title == "Hypertension guideline"
    assert document.metadata.published is None


@pytest.mark.parametrize("row_by_row", [False, True])
def test_columns_are_read_one_after_the_other_however_the_file_draws_them(tmp_path: Path, row_by_row: bool) -> None:
    left = [f"left column line {number} runs to the gutter and" for number in range(12)]
    right = [f"right column line {number} runs to the margin or" for number in range(12)]

    def draw(page: Any) -> None:
        lines(page, ["A title that goes across both of the columns"], 100, 780, 18)
        if row_by_row:
            for number in range(12):
                lines(page, [left[number]], 60, 700 - 12 * number)
                lines(page, [right[number]], 310, 700 - 12 * number)
        else:
            lines(page, left, 60, 700)
            lines(page, right, 310, 700)

    document = loaded(tmp_path, pdf(draw))

    assert " ".join(texts(document)[1:]) == " ".join(left + right)


def test_running_heads_feet_and_page_numbers_are_dropped_and_pages_count_from_one(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        for number in range(1, 5):
            lines(page, ["NATIONAL GUIDELINE 2020"], 72, 810, 8)
            lines(page, [f"Page {number + 10} of 14"], 280, 30, 8)
            lines(
                page, [f"This is what page {'one two three four'.split()[number - 1]} says about the disease."], 72, 700
            )
            page.showPage()

    document = loaded(tmp_path, pdf(draw))

    assert [(block.text, block.page) for block in document.blocks] == [
        (f"This is what page {word} says about the disease.", number)
        for number, word in enumerate(["one", "two", "three", "four"], start=1)
    ]


def test_a_paragraph_goes_on_over_the_page_and_belongs_to_the_page_it_starts_on(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH[:2], 72, 84)
        page.showPage()
        lines(page, [PARAGRAPH[2], "A second sentence is here."], 72, 760)

    document = loaded(tmp_path, pdf(draw))

    assert [(block.text, block.page) for block in document.blocks] == [
        (" ".join(PARAGRAPH) + " A second sentence is here.", 1)
    ]


def test_hyphens_at_line_ends_are_mended_but_those_that_are_written_stay(tmp_path: Path) -> None:
    text = [
        "Long-term care of people with hyper-",
        "tension needs long-",
        "term plans, and COVID-",
        "19 and beta-",
        "blockers, since beta-blockers help.",
    ]
    document = loaded(tmp_path, pdf(lambda page: lines(page, text, 72, 700)))

    assert texts(document) == [
        "Long-term care of people with hypertension needs long-term plans, and COVID-19 and beta-blockers, "
        "since beta-blockers help."
    ]


def test_rows_with_wide_gaps_that_stand_under_each_other_are_a_table(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 700)
        for number, row in enumerate(
            [("Drug", "Dose", "Times"), ("Amoxicillin", "500 mg", "3"), ("Aspirin", "75 mg", "1")]
        ):
            for column, cell in enumerate(row):
                lines(page, [cell], 72 + 120 * column, 640 - 14 * number)

    document = loaded(tmp_path, pdf(draw))

    assert [(block.text, block.joins_previous) for block in document.blocks if block.kind is BlockKind.TABLE_ROW] == [
        ("Drug | Dose | Times", False),
        ("Amoxicillin | 500 mg | 3", True),
        ("Aspirin | 75 mg | 1", True),
    ]


def test_footnotes_come_after_the_text_of_their_page(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH[:2] * 4, 72, 700)
        lines(page, ["1 A note in small type."], 72, 60, 7)
        page.showPage()
        lines(page, ["and then it goes on and ends here."], 72, 700)

    document = loaded(tmp_path, pdf(draw))

    assert texts(document)[0].endswith("and then it goes on and ends here.")
    assert texts(document)[1:] == ["1 A note in small type."]


def test_chinese_lines_are_joined_without_spaces(tmp_path: Path) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))

    def draw(page: Any) -> None:
        lines(page, ["中国高血压防治指南"], 72, 760, 20, "STSong-Light")
        lines(page, ["一、概述"], 72, 720, 14, "STSong-Light")
        text = ["高血压是最常见的慢性病之一，也是心脑血管病最主要的危险因素，", "其控制率仍然较低。"]
        lines(page, text, 72, 690, 10, "STSong-Light")

    document = loaded(tmp_path, pdf(draw))

    assert [(block.kind.value, block.level, block.text) for block in document.blocks] == [
        ("title", 0, "中国高血压防治指南"),
        ("heading", 1, "一、概述"),
        ("paragraph", 0, "高血压是最常见的慢性病之一，也是心脑血管病最主要的危险因素，其控制率仍然较低。"),
    ]


def test_rotated_text_is_dropped(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 700)
        page.rotate(90)
        lines(page, ["DRAFT in the margin"], 300, -30, 20)

    assert texts(loaded(tmp_path, pdf(draw))) == [" ".join(PARAGRAPH)]


def test_what_the_file_states_is_metadata_and_what_programs_fill_in_is_not(tmp_path: Path) -> None:
    def draw(page: Any, title: str) -> None:
        page.setTitle(title)
        page.setAuthor("Li Wei; anonymous")
        lines(page, ["Care of sepsis"], 72, 760, 20)
        lines(page, [*PARAGRAPH, "Published online: 12 March 2020", "doi:10.1000/xyz.1"], 72, 700)

    stated = loaded(tmp_path, pdf(lambda page: draw(page, "Sepsis care, second edition"), lang="zh-CN")).metadata
    filled_in = loaded(tmp_path, pdf(lambda page: draw(page, "Microsoft Word - sepsis.doc"))).metadata

    assert (stated.title, stated.authors, stated.published) == (
        "Sepsis care, second edition",
        ("Li Wei",),
        "2020-03-12",
    )
    assert (stated.doi, stated.language) == ("10.1000/xyz.1", "zh")
    assert (filled_in.title, filled_in.language) == ("Care of sepsis", None)


def test_an_encrypted_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = pdf(lambda page: lines(page, PARAGRAPH, 72, 700), encrypt=StandardEncryption("secret"))

    with pytest.raises(UnreadableFile, match=r"^guide\.pdf is encrypted; remove the password and try again$"):
        loaded(tmp_path, data)


def test_a_file_without_text_is_refused_with_its_number_of_pages(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        for _ in range(3):
            page.rect(72, 72, 300, 300, fill=1)
            page.showPage()

    with pytest.raises(UnreadableFile, match=r"^guide\.pdf has no text that a reader sees, on 3 pages; run OCR"):
        loaded(tmp_path, pdf(draw))


def test_a_heading_that_fills_its_first_line_goes_on_in_the_next(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 700)
        lines(
            page,
            ["The move to community based mental health care in most of the", "countries of the world"],
            72,
            650,
            10,
            "Helvetica-Bold",
        )
        lines(page, PARAGRAPH, 72, 620)

    assert texts(loaded(tmp_path, pdf(draw)))[1] == (
        "The move to community based mental health care in most of the countries of the world"
    )


def test_a_page_that_stands_on_its_side_is_read_as_it_is_turned(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        page.rotate(90)
        lines(page, PARAGRAPH, 100, -200)

    assert texts(loaded(tmp_path, pdf(draw))) == [" ".join(PARAGRAPH)]


def test_a_hyphen_stays_between_words_that_the_text_has_only_apart(tmp_path: Path) -> None:
    text = [
        "The bound is high and the space is dimensional. It holds for high-",
        "dimensional data and d-",
        "dimensional vectors.",
    ]

    assert texts(loaded(tmp_path, pdf(lambda page: lines(page, text, 72, 700)))) == [
        "The bound is high and the space is dimensional. It holds for high-dimensional data and d-dimensional vectors."
    ]


def test_a_column_of_formulas_beside_one_of_text_is_read_after_it(tmp_path: Path) -> None:
    left = [f"This is line {number} of the text in the column and" for number in range(20)]
    right = [f"x{number} = y" + " + 2z" * (number % 4 * 3) for number in range(20)]

    def draw(page: Any) -> None:
        for number in range(20):
            lines(page, [left[number]], 60, 700 - 12 * number)
            lines(page, [right[number]], 310, 694 - 13 * number)

    assert " ".join(texts(loaded(tmp_path, pdf(draw)))) == " ".join(left + right)


def test_properties_in_xmp_give_a_doi_and_a_date(tmp_path: Path) -> None:
    packet = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><prism:doi>10.1000/abc.7</prism:doi>'
        "<prism:coverDate>2019-05-01</prism:coverDate></x:xmpmeta>"
    )
    data = pdf(lambda page: lines(page, PARAGRAPH, 72, 700))
    at = data.index(b"endobj") + len(b"endobj\n")
    stated = loaded(tmp_path, data[:at] + b"% " + packet.encode() + b"\n" + data[at:]).metadata

    assert (stated.doi, stated.published) == ("10.1000/abc.7", "2019-05-01")


def test_a_file_that_is_cut_short_damaged_or_empty_is_refused(tmp_path: Path) -> None:
    whole = pdf(lambda page: lines(page, PARAGRAPH, 72, 700))

    for data, reason in [
        (b"", "is empty"),
        (whole[: len(whole) // 2], "is cut short"),
        (b"%PDF-1.4\n" + b"junk" * 999 + b"\n%%EOF\n", "is a damaged PDF"),
    ]:
        with pytest.raises(UnreadableFile, match=rf"^guide\.pdf {reason}"):
            loaded(tmp_path, data)


def test_fifty_simple_pages_take_less_than_a_second(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        for number in range(100):
            lines(page, [f"{number} {line}" for line in PARAGRAPH * 13], 72, 780)
            page.showPage()

    data = pdf(draw)
    loaded(tmp_path, data)
    start = time.process_time()
    loaded(tmp_path, data)

    assert time.process_time() - start < 2.0
