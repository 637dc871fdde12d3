"""Word documents."""

import zipfile
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml

from ingestion.loaders.docx import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile

WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


@pytest.fixture
def word() -> Any:
    return docx.Document()


def loaded(tmp_path: Path, word: Any) -> LoadedDocument:
    path = tmp_path / "guide.docx"
    word.save(str(path))
    (document,) = load(path)
    return document


def outline(document: LoadedDocument) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.text) for block in document.blocks]


def test_paragraphs_tables_and_headings_come_in_the_order_of_the_document(tmp_path: Path, word: Any) -> None:
    word.add_heading("Fever", level=0)
    word.add_heading("When to call", level=1)
    word.add_paragraph("Call if  the child\nis drowsy.")
    table = word.add_table(rows=2, cols=2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["Age", "Dose", "1 y", "5 mL"], strict=True):
        cell.text = text
    word.add_heading("At home", level=2)
    word.add_paragraph("Give fluids.")

    document = loaded(tmp_path, word)

    assert document.blocks == (
        Block(BlockKind.TITLE, "Fever"),
        Block(BlockKind.HEADING, "When to call", level=1),
        Block(BlockKind.PARAGRAPH, "Call if the child is drowsy."),
        Block(BlockKind.TABLE_ROW, "Age | Dose"),
        Block(BlockKind.TABLE_ROW, "1 y | 5 mL", joins_previous=True),
        Block(BlockKind.HEADING, "At home", level=2),
        Block(BlockKind.PARAGRAPH, "Give fluids."),
    )
    assert document.metadata.title == "Fever"


def test_chinese_style_names_and_styles_derived_from_a_heading_are_headings(tmp_path: Path, word: Any) -> None:
    chinese = word.styles.add_style("标题 1", WD_STYLE_TYPE.PARAGRAPH)
    derived = word.styles.add_style("Red chapter", WD_STYLE_TYPE.PARAGRAPH)
    derived.base_style = word.styles["Heading 2"]
    word.add_paragraph("前言。")
    word.add_paragraph("一、概述", style=chinese)
    word.add_paragraph("诊断", style=derived)

    assert outline(loaded(tmp_path, word)) == [
        ("paragraph", 0, "前言。"),
        ("heading", 1, "一、概述"),
        ("heading", 2, "诊断"),
    ]


def test_lists_are_marked_and_numbered(tmp_path: Path, word: Any) -> None:
    word.add_paragraph("Call if:")
    word.add_paragraph("drowsy", style="List Bullet")
    word.add_paragraph("hot", style="List Bullet")
    word.add_paragraph("Then:")
    word.add_paragraph("call", style="List Number")
    word.add_paragraph("wait", style="List Number")

    assert loaded(tmp_path, word).blocks == (
        Block(BlockKind.PARAGRAPH, "Call if:"),
        Block(BlockKind.LIST_ITEM, "- drowsy"),
        Block(BlockKind.LIST_ITEM, "- hot", joins_previous=True),
        Block(BlockKind.PARAGRAPH, "Then:"),
        Block(BlockKind.LIST_ITEM, "1. call"),
        Block(BlockKind.LIST_ITEM, "2. wait", joins_previous=True),
    )


def test_merged_cells_are_not_repeated(tmp_path: Path, word: Any) -> None:
    table = word.add_table(rows=3, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).text = "c"
    table.cell(1, 0).merge(table.cell(2, 0)).text = "tall"
    table.cell(1, 1).text, table.cell(2, 1).text = "x", "y"

    assert [block.text for block in loaded(tmp_path, word).blocks] == ["wide | c", "tall | x", "y"]


def test_tracked_deletions_go_and_insertions_stay(tmp_path: Path, word: Any) -> None:
    paragraph = word.add_paragraph("Give ")
    for tag, text_tag, text in (("w:del", "w:delText", "10"), ("w:ins", "w:t", "5")):
        change, run, content = OxmlElement(tag), OxmlElement("w:r"), OxmlElement(text_tag)
        content.text = text
        run.append(content)
        change.append(run)
        paragraph._p.append(change)
    paragraph.add_run(" mg.")

    assert loaded(tmp_path, word).blocks[0].text == "Give 5 mg."


def test_text_in_content_controls_is_kept(tmp_path: Path, word: Any) -> None:
    paragraph = word.add_paragraph("Inside.")
    control, content = OxmlElement("w:sdt"), OxmlElement("w:sdtContent")
    paragraph._p.addprevious(control)
    control.append(content)
    content.append(paragraph._p)

    assert [block.text for block in loaded(tmp_path, word).blocks] == ["Inside."]
    assert control.tag == qn("w:sdt")


def test_properties_are_metadata_when_a_person_filled_them_in(tmp_path: Path, word: Any) -> None:
    word.core_properties.title, word.core_properties.author = "Fever guide", "Li Wei; J. Doe"
    word.core_properties.language = "zh-CN"
    word.add_paragraph("Text.")
    metadata = loaded(tmp_path, word).metadata

    assert (metadata.title, metadata.authors, metadata.language) == ("Fever guide", ("Li Wei", "J. Doe"), "zh")


@pytest.mark.parametrize("title", ["", "Microsoft Word - x.doc", "report_final.docx", "文档1", "Untitled"])
def test_a_title_that_a_program_filled_in_is_none(tmp_path: Path, word: Any, title: str) -> None:
    word.core_properties.title = title
    word.add_paragraph("Text.")
    metadata = loaded(tmp_path, word).metadata

    assert (metadata.title, metadata.authors, metadata.published) == (None, (), None)


def test_a_document_without_text_is_refused(tmp_path: Path, word: Any) -> None:
    with pytest.raises(UnreadableFile, match=r"^guide\.docx has no text"):
        loaded(tmp_path, word)


def test_a_damaged_file_is_refused_whatever_is_wrong_with_it(tmp_path: Path, word: Any) -> None:
    path = tmp_path / "guide.docx"
    word.add_paragraph("Text.")
    word.save(str(path))
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    for data in (whole[: len(whole) // 2], whole.replace(b"word/", b"wrod/"), whole[:60] + bytes(40) + whole[100:]):
        path.write_bytes(data)
        with pytest.raises(UnreadableFile, match=r"^guide\.docx is damaged"):
            list(load(path))
    for changed, content in (
        ("word/document.xml", b"<w:document"),
        ("[Content_Types].xml", b"<x/>"),
        ("_rels/.rels", b""),
    ):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in parts.items():
                archive.writestr(name, content if name == changed else data)
        with pytest.raises(UnreadableFile, match=r"^guide\.docx is damaged"):
            list(load(path))


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guide.docx"
    path.write_bytes(b"")

    with pytest.raises(UnreadableFile, match=r"^guide\.docx is empty"):
        list(load(path))


def run(text: str) -> str:
    return f'<w:r xmlns:w="{WORD}"><w:t>{text}</w:t></w:r>'


def with_note(path: Path, kind: str) -> None:
    """Adds a footnotes or endnotes part with a separator and the note 2 to the document at ``path``."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[f"word/{kind}s.xml"] = (
        f'<w:{kind}s xmlns:w="{WORD}"><w:{kind} w:type="separator" w:id="0"><w:p/></w:{kind}>'
        f'<w:{kind} w:id="2"><w:p><w:r><w:{kind}Ref/></w:r>{run(" Not in pregnancy.")}</w:p></w:{kind}></w:{kind}s>'
    ).encode()
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = f'<Relationship Id="rIdNotes" Type="{office}/{kind}s" Target="{kind}s.xml"/></Relationships>'
    relations = "word/_rels/document.xml.rels"
    parts[relations] = parts[relations].replace(b"</Relationships>", relation.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("kind", ["footnote", "endnote"])
def test_a_note_follows_the_paragraph_or_table_that_cites_it(tmp_path: Path, word: Any, kind: str) -> None:
    def cite(paragraph: Any) -> None:
        paragraph._p.append(parse_xml(f'<w:r xmlns:w="{WORD}"><w:{kind}Reference w:id="2"/></w:r>'))

    cite(word.add_paragraph("Give aspirin"))
    word.add_paragraph("After.")
    path = tmp_path / "guide.docx"
    word.save(str(path))
    with_note(path, kind)
    assert [block.text for block in next(load(path)).blocks] == ["Give aspirin", "Not in pregnancy.", "After."]

    table = docx.Document()
    cells = table.add_table(rows=2, cols=2)
    cells.cell(0, 0).text, cells.cell(0, 1).text, cells.cell(1, 0).text = "Aspirin", "100 mg", "Ibuprofen"
    cite(cells.cell(0, 1).paragraphs[0])
    table.save(str(path))
    with_note(path, kind)
    assert [block.text for block in next(load(path)).blocks] == ["Aspirin | 100 mg", "Ibuprofen", "Not in pregnancy."]


def test_a_text_box_follows_the_paragraph_that_it_is_anchored_in_and_is_read_once(tmp_path: Path, word: Any) -> None:
    compatibility = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    box = f"<w:pict><w:txbxContent><w:p>{run('Red flags')}</w:p><w:p>{run('Stiff neck')}</w:p></w:txbxContent></w:pict>"
    paragraph = word.add_paragraph("Fever")
    paragraph._p.append(
        parse_xml(
            f'<w:r xmlns:w="{WORD}" xmlns:mc="{compatibility}"><mc:AlternateContent><mc:Choice Requires="wps">{box}'
            f"</mc:Choice><mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r>"
        )
    )
    word.add_paragraph("After.")

    texts = [block.text for block in loaded(tmp_path, word).blocks]
    assert texts == ["Fever", "Red flags", "Stiff neck", "After."]


def test_a_power_stays_a_power(tmp_path: Path, word: Any) -> None:
    paragraph = word.add_paragraph("10")
    paragraph.add_run("5").font.superscript = True
    paragraph.add_run(" CFU")

    assert loaded(tmp_path, word).blocks[0].text == "10⁵ CFU"
