"""Plain text."""

from pathlib import Path

import pytest

from ingestion.loaders.text import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile


def loaded(tmp_path: Path, text: str, encoding: str = "utf-8") -> LoadedDocument:
    path = tmp_path / "note.txt"
    path.write_bytes(text.encode(encoding))
    (document,) = load(path)
    return document


def outline(document: LoadedDocument) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.text) for block in document.blocks]


def test_a_short_first_line_is_the_title_and_wrapped_lines_are_joined(tmp_path: Path) -> None:
    document = loaded(
        tmp_path,
        "Fever in children\n\nA fever is a temperature of 38 °C or more. It is a\ncommon sign of infection in young\n"
        "children.\n\nGive fluids.\n",
    )

    assert outline(document) == [
        ("title", 0, "Fever in children"),
        (
            "paragraph",
            0,
            "A fever is a temperature of 38 °C or more. It is a common sign of infection in young children.",
        ),
        ("paragraph", 0, "Give fluids."),
    ]
    assert document.metadata.title == "Fever in children"


def test_wrapped_chinese_lines_are_joined_without_a_space(tmp_path: Path) -> None:
    document = loaded(
        tmp_path, "高血压指南\n\n高血压是最常见的慢性病，\n也是心脑血管病最主要的危\n险因素。\n", "gb18030"
    )

    assert outline(document)[1] == ("paragraph", 0, "高血压是最常见的慢性病，也是心脑血管病最主要的危险因素。")


def test_numbered_chinese_and_capital_lines_that_stand_alone_are_headings(tmp_path: Path) -> None:
    document = loaded(
        tmp_path,
        "指南\n\n一、概述\n\n正文。\n\n（一）诊断标准\n\n正文。\n\n"
        "1.2 Diagnosis\n\nText.\n\nTREATMENT OPTIONS\n\nText.\n",
    )

    headings = [(block.level, block.text) for block in document.blocks if block.kind is BlockKind.HEADING]
    assert headings == [(1, "一、概述"), (2, "（一）诊断标准"), (2, "1.2 Diagnosis"), (1, "TREATMENT OPTIONS")]


def test_chinese_headings_need_no_blank_line_after_them(tmp_path: Path) -> None:
    document = loaded(tmp_path, "指南\n\n一、概述\n高血压是常见病。\n（二）治疗\n首选药物治疗。\n")

    assert outline(document)[1:] == [
        ("heading", 1, "一、概述"),
        ("paragraph", 0, "高血压是常见病。"),
        ("heading", 2, "（二）治疗"),
        ("paragraph", 0, "首选药物治疗。"),
    ]


def test_a_numbered_sentence_is_no_heading(tmp_path: Path) -> None:
    document = loaded(tmp_path, "Title\n\n1. Take two tablets at night.\n\n5 mg is the usual dose.\n")

    assert [block.kind for block in document.blocks[1:]] == [BlockKind.LIST_ITEM, BlockKind.PARAGRAPH]


def test_list_items_keep_a_marker_and_join_the_item_before(tmp_path: Path) -> None:
    document = loaded(
        tmp_path, "Call if:\n• the child is drowsy\n  and does not drink\n• under 3 months\n1) 第一\n2) 第二\n"
    )

    assert document.blocks == (
        Block(BlockKind.PARAGRAPH, "Call if:"),
        Block(BlockKind.LIST_ITEM, "- the child is drowsy and does not drink"),
        Block(BlockKind.LIST_ITEM, "- under 3 months", joins_previous=True),
        Block(BlockKind.LIST_ITEM, "1) 第一", joins_previous=True),
        Block(BlockKind.LIST_ITEM, "2) 第二", joins_previous=True),
    )


def test_long_lines_are_a_paragraph_each(tmp_path: Path) -> None:
    first, second = "One sentence. " * 20, "Another sentence. " * 20
    document = loaded(tmp_path, f"{first}\n{second}\n")

    assert [block.text for block in document.blocks] == [first.strip(), second.strip()]


def test_full_width_and_superscript_characters_stay_and_accents_are_composed(tmp_path: Path) -> None:
    document = loaded(tmp_path, "ＡＢＣ１２３ m² ½ e\u0301　全角。")

    assert document.blocks[0].text == "ＡＢＣ１２３ m² ½ é 全角。"


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "is empty"), (b" \n\t\n", "is empty"), (b"\0\1\2" * 99, "is not text")]
)
def test_what_holds_no_text_is_refused_by_name(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(data)

    with pytest.raises(UnreadableFile, match=f"^note.txt {reason}"):
        list(load(path))
