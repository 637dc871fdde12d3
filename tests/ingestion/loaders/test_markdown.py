"""Markdown."""

from pathlib import Path

import pytest

from ingestion.loaders.markdown import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile


def loaded(tmp_path: Path, text: str) -> LoadedDocument:
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    (document,) = load(path)
    return document


def outline(document: LoadedDocument) -> list[tuple[str, int, str]]:
    return [(block.kind.value, block.level, block.text) for block in document.blocks]


def test_the_first_h1_is_the_title_and_headings_are_relative_to_it(tmp_path: Path) -> None:
    document = loaded(tmp_path, "# Asthma\n\nIntro.\n\n## Signs\n\n### Cough\n\nText\nwrapped.\n\n## Care\n")

    assert outline(document) == [
        ("title", 0, "Asthma"),
        ("paragraph", 0, "Intro."),
        ("heading", 1, "Signs"),
        ("heading", 2, "Cough"),
        ("paragraph", 0, "Text wrapped."),
        ("heading", 1, "Care"),
    ]
    assert document.metadata.title == "Asthma"


def test_without_an_h1_there_is_no_title_and_h2_is_outermost(tmp_path: Path) -> None:
    document = loaded(tmp_path, "## Signs\n\n### Cough\n")

    assert outline(document) == [("heading", 1, "Signs"), ("heading", 2, "Cough")]
    assert document.metadata.title is None


def test_inline_marks_go_and_link_text_stays(tmp_path: Path) -> None:
    document = loaded(
        tmp_path,
        "Give **5 mg** of _drug_ `x` ([leaflet](http://a.b/c)) ![a chart](c.png)<br>H<sub>2</sub>O &lt; 3 <!-- no -->",
    )

    assert document.blocks[0].text == "Give 5 mg of drug x (leaflet) a chart H2O < 3"


def test_lists_keep_their_markers_also_when_nested(tmp_path: Path) -> None:
    document = loaded(tmp_path, "- one\n- two\n  - inner\n\n  more\n\ntext\n\n3. three\n4. four\n")

    assert document.blocks == (
        Block(BlockKind.LIST_ITEM, "- one"),
        Block(BlockKind.LIST_ITEM, "- two", joins_previous=True),
        Block(BlockKind.LIST_ITEM, "- inner", joins_previous=True),
        Block(BlockKind.PARAGRAPH, "more"),
        Block(BlockKind.PARAGRAPH, "text"),
        Block(BlockKind.LIST_ITEM, "3. three"),
        Block(BlockKind.LIST_ITEM, "4. four", joins_previous=True),
    )


def test_each_table_row_is_a_block(tmp_path: Path) -> None:
    document = loaded(tmp_path, "| Age | Dose |\n|---|---|\n| 1 y | **5** mL |\n| 2 y | |\n")

    assert document.blocks == (
        Block(BlockKind.TABLE_ROW, "Age | Dose"),
        Block(BlockKind.TABLE_ROW, "1 y | 5 mL", joins_previous=True),
        Block(BlockKind.TABLE_ROW, "2 y", joins_previous=True),
    )


def test_quotes_code_and_html_are_paragraphs(tmp_path: Path) -> None:
    document = loaded(tmp_path, "> Do no harm.\n\n```sh\nrun it\nnow\n```\n\n<div><p>Inside</p></div>\n")

    assert outline(document) == [
        ("paragraph", 0, "Do no harm."),
        ("paragraph", 0, "run it now"),
        ("paragraph", 0, "Inside"),
    ]


def test_front_matter_is_metadata_and_not_content(tmp_path: Path) -> None:
    document = loaded(
        tmp_path,
        '---\ntitle: "Asthma guide"\nauthor: A. Wong, B. Li\ndate: 2023-05-01\nlang: zh-CN\n'
        "tags:\n  - x\n---\n\nText.\n",
    )

    assert outline(document) == [("paragraph", 0, "Text.")]
    assert document.metadata.title == "Asthma guide"
    assert document.metadata.authors == ("A. Wong", "B. Li")
    assert document.metadata.published == "2023-05-01"
    assert document.metadata.language == "zh"


def test_a_rule_at_the_top_is_no_front_matter(tmp_path: Path) -> None:
    assert outline(loaded(tmp_path, "---\n\nText.\n")) == [("paragraph", 0, "Text.")]


def test_wrapped_chinese_is_joined_without_a_space(tmp_path: Path) -> None:
    assert loaded(tmp_path, "高血压\n是常见病，\nBMI 高者\n多见").blocks[0].text == "高血压是常见病，BMI 高者多见"


def test_front_matter_alone_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^page\.md has no text"):
        loaded(tmp_path, "---\ntitle: x\n---\n")
