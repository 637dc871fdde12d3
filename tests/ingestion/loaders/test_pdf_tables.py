"""Tables with and without rules: a row is a block, its cells parted by `` | ``, whatever lines the cells go over."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pdf_pages import PARAGRAPH, lines, loaded, pdf

from ingestion.types import BlockKind, LoadedDocument


def table(document: LoadedDocument) -> list[str]:
    return [block.text for block in document.blocks if block.kind is BlockKind.TABLE_ROW]


def other(document: LoadedDocument) -> list[str]:
    return [block.text for block in document.blocks if block.kind is not BlockKind.TABLE_ROW]


def cell(page: Any, text: str, x: float, y: float) -> None:
    lines(page, text.split("\n"), x, y)


def level(page: Any, y: float, left: float = 70, right: float = 500) -> None:
    page.line(left, y, right, y)


@pytest.mark.parametrize("as_rectangles", [False, True])
def test_a_grid_is_a_table_and_wrapped_cells_are_in_their_row(tmp_path: Path, as_rectangles: bool) -> None:
    ys, xs = [650, 630, 592, 566], [70, 150, 235, 500]

    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 720)
        if as_rectangles:
            for top, bottom in pairwise(ys):
                for left, right in pairwise(xs):
                    page.rect(left, bottom, right - left, top - bottom)
        else:
            page.grid(xs, ys)
        for row, y in zip(
            [
                ("Drug", "Dose", "When"),
                ("Amoxicillin", "500 mg\nthree times\na day", "In children, and\nin adults with pneumonia"),
                ("Aspirin", "75 mg", "After a stroke"),
            ],
            [637, 618, 575],
            strict=True,
        ):
            for text, x in zip(row, xs, strict=False):
                cell(page, text, x + 4, y)
        lines(page, PARAGRAPH, 72, 540)

    document = loaded(tmp_path, pdf(draw))

    assert table(document) == [
        "Drug | Dose | When",
        "Amoxicillin | 500 mg three times a day | In children, and in adults with pneumonia",
        "Aspirin | 75 mg | After a stroke",
    ]
    assert other(document) == [" ".join(PARAGRAPH)] * 2
    assert [block.joins_previous for block in document.blocks] == [False, False, True, True, False]


def test_a_cell_that_spans_rows_is_in_the_first_of_them(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 720)
        for y in (650, 630, 590):
            level(page, y)
        level(page, 610, 150)
        for x in (70, 150, 300, 500):
            page.line(x, 650, x, 590)
        for text, x, y in [
            ("Drug", 74, 637), ("Dose", 154, 637), ("Times", 304, 637), ("Aspirin", 74, 606),
            ("75 mg", 154, 617), ("1", 304, 617), ("300 mg", 154, 597), ("2", 304, 597),
        ]:  # fmt: skip
            cell(page, text, x, y)

    assert table(loaded(tmp_path, pdf(draw))) == ["Drug | Dose | Times", "Aspirin | 75 mg | 1", "| 300 mg | 2"]


def test_three_rules_make_a_table_with_narrow_gaps_and_wrapped_cells(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 720)
        for y in (652, 634, 560):
            level(page, y, 70, 330)
        for y, row in [
            (640, ("Outcome", "Drug (n = 120)", "Placebo (n = 118)")),
            (622, ("Systolic pressure", "131.2 (8.1)", "142.9 (9.3)")),
            (608, ("Stroke or transient", "4 (3.3)", "9 (7.6)")),
            (596, ("ischaemic attack", "", "")),
            (582, ("Death", "2 (1.7)", "3 (2.5)")),
            (568, ("Any adverse event", "12 (10.0)", "11 (9.3)")),
        ]:
            for text, x in zip(row, (72, 162, 240), strict=True):
                cell(page, text, x, y)
        lines(page, PARAGRAPH, 72, 530)

    document = loaded(tmp_path, pdf(draw))

    assert table(document) == [
        "Outcome | Drug (n = 120) | Placebo (n = 118)",
        "Systolic pressure | 131.2 (8.1) | 142.9 (9.3)",
        "Stroke or transient ischaemic attack | 4 (3.3) | 9 (7.6)",
        "Death | 2 (1.7) | 3 (2.5)",
        "Any adverse event | 12 (10.0) | 11 (9.3)",
    ]
    assert other(document) == [" ".join(PARAGRAPH)] * 2


def test_wrapped_cells_join_their_row_in_a_table_without_rules(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 720)
        for y, row in [
            (640, ("Drug", "Dose", "Remark")),
            (622, ("Amoxicillin", "500 mg", "not in people who are allergic\nto penicillin")),
            (592, ("Aspirin", "75 mg", "after a stroke")),
            (574, ("Ramipril", "5 mg", "with care in people who have\nkidney disease")),
        ]:
            for text, x in zip(row, (72, 182, 290), strict=True):
                cell(page, text, x, y)

    assert table(loaded(tmp_path, pdf(draw))) == [
        "Drug | Dose | Remark",
        "Amoxicillin | 500 mg | not in people who are allergic to penicillin",
        "Aspirin | 75 mg | after a stroke",
        "Ramipril | 5 mg | with care in people who have kidney disease",
    ]


def test_columns_of_prose_between_rules_are_no_table(tmp_path: Path) -> None:
    left = [f"left column line {number} runs to the gutter and" for number in range(12)]
    right = [f"right column line {number} runs to the margin or" for number in range(12)]

    def draw(page: Any) -> None:
        for y in (760, 725, 540):
            level(page, y, 60, 535)
        lines(page, ["A title that goes across both of the columns"], 100, 736, 18)
        lines(page, left, 60, 700)
        lines(page, right, 310, 700)
        page.rect(50, 500, 500, 300)

    document = loaded(tmp_path, pdf(draw))

    assert table(document) == []
    assert " ".join(other(document)[1:]) == " ".join(left + right)


def test_numbered_references_set_apart_from_their_numbers_are_no_table(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH, 72, 720)
        for number in range(1, 6):
            y = 660 - 14 * number
            lines(page, [f"{number}."], 72, y)
            lines(page, [f"Smith J. The treatment of disease number {number} in adults. Lancet 2001."], 100, y)

    assert table(loaded(tmp_path, pdf(draw))) == []


def test_a_sentence_that_goes_around_a_table_stays_whole(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH[:2], 72, 84)
        page.showPage()
        page.grid([70, 200, 400], [800, 780, 760])
        for text, x, y in [("Drug", 74, 786), ("Dose", 204, 786), ("Aspirin", 74, 766), ("75 mg", 204, 766)]:
            cell(page, text, x, y)
        lines(page, [PARAGRAPH[2]], 72, 700)

    document = loaded(tmp_path, pdf(draw))

    assert table(document) == ["Drug | Dose", "Aspirin | 75 mg"]
    assert " ".join(PARAGRAPH[:2]) in other(document)[0]
