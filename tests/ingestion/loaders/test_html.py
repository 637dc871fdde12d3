"""Web pages."""

from pathlib import Path

import pytest

from ingestion.loaders.html import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile

MAIN = """<h1>Fever in children</h1><p>A fever is 38&nbsp;°C
or more.<sup><a href="#n1">[1]</a></sup></p><h2>When to call</h2><p>Call if:</p><ul><li>Drowsy
<a href="/d">child</a>.</li>
<li>Under 3 months.<ol><li>inner</li></ol></li></ul><table><caption>Doses</caption><tr><th>Age</th><th>Dose</th></tr>
<tr><td>1 y</td><td>5&nbsp;mL</td></tr></table><h3>At home</h3><p>Line one.<br><br>CO<sub>2</sub> two.</p>"""
EXPECTED = (
    Block(BlockKind.TITLE, "Fever in children"),
    Block(BlockKind.PARAGRAPH, "A fever is 38 °C or more."),
    Block(BlockKind.HEADING, "When to call", level=1),
    Block(BlockKind.PARAGRAPH, "Call if:"),
    Block(BlockKind.LIST_ITEM, "- Drowsy child."),
    Block(BlockKind.LIST_ITEM, "- Under 3 months.", joins_previous=True),
    Block(BlockKind.LIST_ITEM, "1. inner", joins_previous=True),
    Block(BlockKind.PARAGRAPH, "Doses"),
    Block(BlockKind.TABLE_ROW, "Age | Dose"),
    Block(BlockKind.TABLE_ROW, "1 y | 5 mL", joins_previous=True),
    Block(BlockKind.HEADING, "At home", level=2),
    Block(BlockKind.PARAGRAPH, "Line one."),
    Block(BlockKind.PARAGRAPH, "CO2 two."),
)
NAVIGATION = '<nav><ul><li><a href="/">Home</a></li><li><a href="/w">Wards</a></li></ul></nav>'
FOOTER = "<footer><p>Copyright 2024 St Anne. All rights reserved.</p></footer>"


def page(body: str, head: str = "") -> str:
    return (
        f'<!doctype html><html lang="en-GB"><head><title>Fever | St Anne</title>{head}</head><body>{body}</body></html>'
    )


def loaded(tmp_path: Path, html: str | bytes) -> LoadedDocument:
    path = tmp_path / "page.html"
    path.write_bytes(html if isinstance(html, bytes) else html.encode())
    (document,) = load(path)
    return document


@pytest.mark.parametrize(
    "body",
    [
        f"{NAVIGATION}<main>{MAIN}</main>{FOOTER}",
        f"{NAVIGATION}<article>{MAIN}</article><aside><p>Read also this.</p></aside>{FOOTER}",
        f'<div id="site-nav"><a href="/">Home</a></div><div class="page"><div role="main">{MAIN}</div></div>{FOOTER}',
        f'{NAVIGATION}<div><div class="content has-sidebar">{MAIN}</div></div>'
        '<div class="cookieBanner">We use cookies.</div>',
        f"<header><p>St Anne Hospital</p></header>{MAIN}<script>alert(1)</script>{FOOTER}",
        f'<ul><li><a href="/a">News</a></li><li><a href="/b">Jobs</a></li><li><a href="/c">Map</a></li></ul>{MAIN}',
    ],
    ids=["main", "article", "role", "divs", "plain body", "menu of links"],
)
def test_the_content_is_found_with_its_structure_and_without_the_furniture(tmp_path: Path, body: str) -> None:
    assert loaded(tmp_path, page(body)).blocks == EXPECTED


def test_a_list_of_links_that_a_sentence_introduces_is_content(tmp_path: Path) -> None:
    links = "".join(f'<li><a href="/{name}">{name}</a></li>' for name in ("Muscle pain", "Diarrhoea", "Hypertension"))
    document = loaded(tmp_path, page(f"<div><p>{'Text. ' * 20}</p><p>Side effects are</p><ul>{links}</ul></div>"))

    assert [block.text for block in document.blocks[-3:]] == ["- Muscle pain", "- Diarrhoea", "- Hypertension"]


def test_a_table_that_lays_out_the_page_is_read_through(tmp_path: Path) -> None:
    document = loaded(
        tmp_path,
        page("<table><tr><td><p>One.</p><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"),
    )

    assert document.blocks == (Block(BlockKind.PARAGRAPH, "One."), Block(BlockKind.TABLE_ROW, "a | b"))


def test_a_heading_above_the_content_is_still_the_title(tmp_path: Path) -> None:
    document = loaded(tmp_path, page(f"<div><h1>Gout</h1></div><main><p>{'Gout hurts. ' * 30}</p><h2>Care</h2></main>"))

    assert [(block.kind, block.level) for block in document.blocks] == [
        (BlockKind.TITLE, 0),
        (BlockKind.PARAGRAPH, 0),
        (BlockKind.HEADING, 1),
    ]


def test_metadata_is_what_the_page_states(tmp_path: Path) -> None:
    head = (
        '<meta name="citation_title" content="Fever"><meta name="citation_author" content="Li, W">'
        '<meta name="citation_author" content="Doe, J"><meta name="citation_publication_date" content="2020/3/5">'
        '<meta name="citation_doi" content="https://doi.org/10.1/x"><meta name="citation_journal_title" content="BMJ">'
        '<link rel="canonical" href="https://a.org/f"><link rel="license" href="https://cc.org/by">'
    )
    metadata = loaded(tmp_path, page("<p>Text.</p>", head)).metadata

    assert (metadata.title, metadata.authors, metadata.published) == ("Fever", ("Li, W", "Doe, J"), "2020-03-05")
    assert (metadata.doi, metadata.journal, metadata.language) == ("10.1/x", "BMJ", "en")
    assert (metadata.url, metadata.licence) == ("https://a.org/f", "https://cc.org/by")


@pytest.mark.parametrize(
    ("encoding", "head"),
    [
        ("utf-16", ""),
        ("utf-8-sig", '<meta charset="gbk">'),
        ("gb18030", '<meta charset="gb2312">'),
        ("gb18030", ""),
        ("gb18030", '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'),
        ("big5", '<meta charset="big5">'),
        ("utf-8", '<meta charset="utf-16">'),
    ],
)
def test_the_mark_then_the_declaration_then_the_bytes_say_the_encoding(
    tmp_path: Path, encoding: str, head: str
) -> None:
    text = "高血壓是常見病。" if encoding == "big5" else "高血压是最常见的\n慢性病之一。"
    document = loaded(tmp_path, page(f"<p>{text}</p>", head).encode(encoding))

    assert document.blocks[0].text == text.replace("\n", "")


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (b"", "is empty"),
        (page(NAVIGATION + FOOTER).encode(), "has no text"),
        (b"<!-- nothing -->", "(has no text|is no readable web page)"),
        (bytes(range(256)) * 9, "is not text"),
    ],
)
def test_what_holds_no_text_is_refused(tmp_path: Path, html: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=rf"^page\.html {reason}"):
        loaded(tmp_path, html)


def test_a_page_that_the_parser_gives_up_on_is_refused_rather_than_cut_short(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="nests its tags too deep"):
        loaded(tmp_path, "<p>start</p>" + "<div>" * 5000 + "deep")


def test_what_a_guideline_states_in_json_is_metadata_and_meta_tags_go_before_it(tmp_path: Path) -> None:
    page = """<html><head><script type="application/ld+json">{"@graph": [
    {"@type": "WebPage", "publisher": {"@type": "Organization", "name": "A hospital"}},
    {"@type": ["MedicalGuideline"], "evidenceLevel": "https://schema.org/EvidenceLevelA", "datePublished": "2019-05-01",
    "publisher": [{"name": "WHO"}], "license": "https://example.org/licence"}]}</script>
    <script type="application/ld+json">{broken</script><meta name="DC.date" content="2020">
    <meta name="citation_article_type" content="Systematic Review"></head><body><p>Text.</p></body></html>"""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    metadata = next(load(path)).metadata

    assert (metadata.evidence_grade, metadata.publisher) == ("https://schema.org/EvidenceLevelA", "WHO")
    assert (metadata.published, metadata.licence) == ("2020", "https://example.org/licence")
    assert (metadata.publication_types, metadata.study_design) == (("Systematic Review",), "Systematic Review")


@pytest.mark.parametrize(
    "script", ["[]", "3", '{"@graph": 3}', '{"@type": 3}', '{"@type": "Article", "license": [[]]}']
)
def test_json_of_another_shape_states_nothing(tmp_path: Path, script: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(f'<script type="application/ld+json">{script}</script><p>Text.</p>', encoding="utf-8")

    assert next(load(path)).metadata.licence is None


def test_a_power_stays_a_power(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("<p>10<sup>5</sup> CFU per m<sup>2</sup>, 2.5 × 10<sup>−3</sup> g</p>", encoding="utf-8")

    assert next(load(path)).blocks[0].text == "10⁵ CFU per m2, 2.5 × 10⁻³ g"
