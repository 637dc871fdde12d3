"""PowerPoint presentations."""

import zipfile
from pathlib import Path
from typing import Any

import pptx
import pytest
from pptx.oxml import parse_xml
from pptx.util import Inches

from ingestion.loaders import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile

TITLE_SLIDE, TITLE_AND_CONTENT, TITLE_ONLY, BLANK = 0, 1, 5, 6
NAMESPACE = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


@pytest.fixture
def slides() -> Any:
    return pptx.Presentation()


def added(slides: Any, layout: int, title: str = "") -> Any:
    slide = slides.slides.add_slide(slides.slide_layouts[layout])
    if title:
        slide.shapes.title.text = title
    return slide


def text_box(shapes: Any, text: str) -> Any:
    box = shapes.add_textbox(Inches(1), Inches(1), Inches(3), Inches(1))
    box.text_frame.text = text
    return box


def loaded(tmp_path: Path, slides: Any) -> LoadedDocument:
    path = tmp_path / "talk.pptx"
    slides.save(str(path))
    (document,) = load(path)
    return document


def test_slides_come_in_order_with_titles_lists_tables_and_notes(tmp_path: Path, slides: Any) -> None:
    first = added(slides, TITLE_SLIDE, "Fever")
    first.placeholders[1].text = "A short course"
    second = added(slides, TITLE_AND_CONTENT, "At home")
    second.placeholders[1].text = "Give fluids\nMeasure\vtwice"
    second.notes_slide.notes_text_frame.text = "Ask who has children.\n"
    third = added(slides, TITLE_ONLY, "Doses")
    table = third.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, texts in enumerate((("Age", "Dose"), ("1 y", "5 mL"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text

    assert loaded(tmp_path, slides).blocks == (
        Block(BlockKind.TITLE, "Fever", page=1),
        Block(BlockKind.PARAGRAPH, "A short course", page=1),
        Block(BlockKind.HEADING, "At home", level=1, page=2),
        Block(BlockKind.LIST_ITEM, "- Give fluids", page=2),
        Block(BlockKind.LIST_ITEM, "- Measure twice", page=2, joins_previous=True),
        Block(BlockKind.HEADING, "Notes", level=2, page=2),
        Block(BlockKind.PARAGRAPH, "Ask who has children.", page=2),
        Block(BlockKind.HEADING, "Doses", level=1, page=3),
        Block(BlockKind.TABLE_ROW, "Age | Dose", page=3),
        Block(BlockKind.TABLE_ROW, "1 y | 5 mL", page=3, joins_previous=True),
    )


def test_a_bullet_that_a_paragraph_states_goes_before_that_of_its_placeholder(tmp_path: Path, slides: Any) -> None:
    frame = added(slides, TITLE_AND_CONTENT, "Steps").placeholders[1].text_frame
    frame.text = "one\ntwo\ninside\nthree\nplain"
    frame.paragraphs[2].level = 1
    for line in (*frame.paragraphs[:2], frame.paragraphs[3]):
        line._p.get_or_add_pPr().append(parse_xml(f'<a:buAutoNum {NAMESPACE} type="arabicPeriod"/>'))
    frame.paragraphs[4]._p.get_or_add_pPr().append(parse_xml(f"<a:buNone {NAMESPACE}/>"))

    assert [block.text for block in loaded(tmp_path, slides).blocks] == [
        "Steps", "1. one", "2. two", "- inside", "3. three", "plain",
    ]  # fmt: skip


def test_text_boxes_and_groups_are_read_and_furniture_is_not(tmp_path: Path, slides: Any) -> None:
    slide = added(slides, BLANK)
    text_box(slide.shapes, "In a box")
    text_box(slide.shapes.add_group_shape().shapes, "• In a group")
    footer = added(slides, TITLE_ONLY, "Last")
    layout = footer.slide_layout.placeholders
    for holder in layout:
        if holder.placeholder_format.idx in (10, 11, 12):
            footer.shapes.clone_placeholder(holder)
    for holder in footer.placeholders:
        if holder.placeholder_format.idx in (10, 11, 12):
            holder.text_frame.text = "Footer"

    document = loaded(tmp_path, slides)

    assert [(block.kind, block.text) for block in document.blocks] == [
        (BlockKind.PARAGRAPH, "In a box"),
        (BlockKind.LIST_ITEM, "- In a group"),
        (BlockKind.HEADING, "Last"),
    ]
    assert sum(holder.has_text_frame and holder.text_frame.text == "Footer" for holder in footer.placeholders) == 3


def test_merged_cells_are_not_repeated(tmp_path: Path, slides: Any) -> None:
    table = added(slides, BLANK).shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    table.cell(0, 0).merge(table.cell(0, 1))
    table.cell(0, 0).text, table.cell(1, 0).text, table.cell(1, 1).text = "wide", "a", "b"

    assert [block.text for block in loaded(tmp_path, slides).blocks] == ["wide", "a | b"]


def test_a_hidden_slide_is_marked_as_hidden(tmp_path: Path, slides: Any) -> None:
    added(slides, TITLE_ONLY, "Seen")
    added(slides, TITLE_ONLY, "Unseen")._element.set("show", "0")

    assert [(block.text, block.hidden) for block in loaded(tmp_path, slides).blocks] == [
        ("Seen", None),
        ("Unseen", "hidden slide"),
    ]


def test_properties_are_metadata_when_a_person_filled_them_in(tmp_path: Path, slides: Any) -> None:
    properties = slides.core_properties
    properties.title, properties.author, properties.language = "PowerPoint Presentation", "Li Wei; user", "zh-CN"
    added(slides, TITLE_SLIDE, "Fever")
    metadata = loaded(tmp_path, slides).metadata

    assert (metadata.title, metadata.authors, metadata.language) == ("Fever", ("Li Wei",), "zh")


def test_a_presentation_without_text_is_refused(tmp_path: Path, slides: Any) -> None:
    added(slides, BLANK)

    with pytest.raises(UnreadableFile, match=r"^talk\.pptx has no text"):
        loaded(tmp_path, slides)


def test_a_damaged_file_is_refused_whatever_is_wrong_with_it(tmp_path: Path, slides: Any) -> None:
    path = tmp_path / "talk.pptx"
    added(slides, TITLE_ONLY, "Fever")
    slides.save(str(path))
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    for changed, content in (
        ("ppt/presentation.xml", b"<p:presentation"),
        ("ppt/slides/slide1.xml", b"<x/>"),
        ("[Content_Types].xml", b"<x/>"),
        ("_rels/.rels", b""),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, content if name == changed else data)
        with pytest.raises(UnreadableFile, match=r"^talk\.pptx is damaged"):
            list(load(path))
