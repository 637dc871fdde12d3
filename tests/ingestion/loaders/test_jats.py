"""JATS."""

from pathlib import Path

import pytest

from ingestion.loaders.jats import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile

FRONT = """<front><journal-meta><journal-title-group><journal-title>BMJ</journal-title></journal-title-group>
<publisher><publisher-name>BMJ Group</publisher-name></publisher></journal-meta><article-meta>
<article-id pub-id-type="pmid">1</article-id><article-id pub-id-type="pmc">2329613</article-id>
<article-id pub-id-type="doi">10.1/x</article-id>
<title-group><article-title>Sepsis care<xref ref-type="fn" rid="f"><sup>*</sup></xref></article-title>
<subtitle>a trial</subtitle><trans-title-group xml:lang="zh"><trans-title>脓毒症</trans-title></trans-title-group>
</title-group><contrib-group><contrib contrib-type="author"><name>
<surname>Li</surname><given-names>Wei</given-names></name>
</contrib><contrib contrib-type="author"><collab>The Group</collab></contrib>
<contrib contrib-type="editor"><name><surname>No</surname></name></contrib></contrib-group>
<author-notes><fn><p>Contact me</p></fn></author-notes>
<pub-date pub-type="collection"><year>2009</year></pub-date>
<pub-date pub-type="epub"><day>1</day><month>4</month><year>2008</year></pub-date>
<permissions><license xlink:href="http://cc.org/by"><license-p>CC</license-p></license></permissions>
<abstract><sec><title>Aim</title><p>To test.</p></sec></abstract>
<abstract abstract-type="graphical"><p>picture</p></abstract>
<trans-abstract xml:lang="zh"><p>目的。</p></trans-abstract>
</article-meta></front>"""


def article(body: str = "", back: str = "", front: str = FRONT) -> str:
    return (
        '<article xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:mml="http://www.w3.org/1998/Math/MathML" '
        f'xml:lang="en">{front}<body>{body}</body>{back}</article>'
    )


def loaded(tmp_path: Path, xml: str) -> list[LoadedDocument]:
    path = tmp_path / "article.nxml"
    path.write_text(xml, encoding="utf-8")
    return list(load(path))


def body_blocks(tmp_path: Path, body: str, back: str = "") -> tuple[Block, ...]:
    return loaded(tmp_path, article(body, back, front=""))[0].blocks


def test_front_matter_gives_title_abstract_and_translations_in_that_order(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path, article("<p>Text.</p>"))

    assert document.blocks == (
        Block(BlockKind.TITLE, "Sepsis care*: a trial"),
        Block(BlockKind.HEADING, "Aim", level=1),
        Block(BlockKind.PARAGRAPH, "To test."),
        Block(BlockKind.HEADING, "脓毒症", level=1),
        Block(BlockKind.PARAGRAPH, "目的。"),
        Block(BlockKind.PARAGRAPH, "Text."),
    )


def test_metadata_is_what_the_article_states(tmp_path: Path) -> None:
    metadata = loaded(tmp_path, article("<p>Text.</p>"))[0].metadata

    assert (metadata.external_id, metadata.pmcid, metadata.doi, metadata.pmid) == (
        "PMC2329613",
        "PMC2329613",
        "10.1/x",
        "1",
    )
    assert metadata.authors == ("Wei Li", "The Group")
    assert (metadata.journal, metadata.publisher, metadata.published) == ("BMJ", "BMJ Group", "2008-04-01")
    assert (metadata.language, metadata.licence) == ("en", "http://cc.org/by")


def test_without_a_pmcid_the_doi_names_the_article(tmp_path: Path) -> None:
    front = FRONT.replace('<article-id pub-id-type="pmc">2329613</article-id>', "")

    assert loaded(tmp_path, article("<p>Text.</p>", front=front))[0].metadata.external_id == "10.1/x"


def test_sections_nest_and_keep_their_labels(tmp_path: Path) -> None:
    blocks = body_blocks(
        tmp_path,
        "<sec><label>1.</label><title>Methods</title><p>A.</p><sec><title>Patients</title><p>B.</p></sec></sec>"
        "<boxed-text><caption><title>Key points</title></caption><p>C.</p></boxed-text>",
    )

    assert [(block.level, block.text) for block in blocks] == [
        (1, "1. Methods"),
        (0, "A."),
        (2, "Patients"),
        (0, "B."),
        (1, "Key points"),
        (0, "C."),
    ]


@pytest.mark.parametrize(
    ("marked", "plain"),
    [
        ('shown<sup><xref ref-type="bibr">1</xref>,<xref ref-type="bibr">2</xref></sup>. Next', "shown. Next"),
        ('shown [<xref ref-type="bibr">1</xref>,<xref ref-type="bibr">2</xref>] by', "shown by"),
        ('shown <xref ref-type="bibr">[1]</xref>–<xref ref-type="bibr">[3]</xref>.', "shown."),
        ('shown (<xref ref-type="bibr">Li, 2010</xref>).', "shown (Li, 2010)."),
        ('10<sup>3</sup> CO<sub>2</sub> (<xref ref-type="fig">Fig. 1</xref>)', "10³ CO2 (Fig. 1)"),
    ],
)
def test_numbers_that_cite_go_and_everything_else_stays(tmp_path: Path, marked: str, plain: str) -> None:
    assert body_blocks(tmp_path, f"<p>{marked}</p>")[0].text == plain


def test_tables_lists_and_captions_stand_where_they_are_in_the_text(tmp_path: Path) -> None:
    blocks = body_blocks(
        tmp_path,
        "<p>Before:<list list-type='order'><list-item><p>one</p></list-item>"
        "<list-item><p>two</p></list-item></list>after.</p>"
        "<table-wrap><label>Table 1</label><caption><p>Doses.</p></caption><table><thead>"
        "<tr><th>Age</th><th>mg</th></tr></thead><tbody><tr><td>1 y</td><td>5</td></tr></tbody></table>"
        "<table-wrap-foot><fn><p>mg: milligram</p></fn>"
        "</table-wrap-foot></table-wrap><fig><label>Fig 1</label><caption><title>A heart.</title><p>Seen.</p></caption>"
        "</fig>",
    )

    assert blocks == (
        Block(BlockKind.PARAGRAPH, "Before:"),
        Block(BlockKind.LIST_ITEM, "1. one"),
        Block(BlockKind.LIST_ITEM, "2. two", joins_previous=True),
        Block(BlockKind.PARAGRAPH, "after."),
        Block(BlockKind.PARAGRAPH, "Table 1 Doses."),
        Block(BlockKind.TABLE_ROW, "Age | mg"),
        Block(BlockKind.TABLE_ROW, "1 y | 5", joins_previous=True),
        Block(BlockKind.PARAGRAPH, "mg: milligram"),
        Block(BlockKind.PARAGRAPH, "Fig 1 A heart. Seen."),
    )


def test_references_thanks_notes_reviews_and_tex_are_dropped(tmp_path: Path) -> None:
    blocks = body_blocks(
        tmp_path,
        "<p>Text <alternatives><tex-math>\\documentclass</tex-math>"
        "<mml:math><mml:mi>x</mml:mi></mml:math></alternatives>"
        "<fn><p>note</p></fn>.</p>",
        "<back><ack><p>Thanks</p></ack><ref-list><ref><mixed-citation>R</mixed-citation></ref></ref-list>"
        "<app-group><app><title>Appendix</title><p>More.</p></app></app-group></back>"
        "<sub-article><body><p>review</p></body></sub-article>",
    )

    assert [block.text for block in blocks] == ["Text x.", "Appendix", "More."]


def test_many_articles_in_one_file_are_many_documents_in_any_namespace(tmp_path: Path) -> None:
    one = article("<p>One.</p>", front="")
    other = '<article xmlns="https://jats.nlm.nih.gov/ns/archiving/1.3/"><body><p>Two.</p></body></article>'
    documents = loaded(
        tmp_path, f"<OAI-PMH xmlns='http://oai'><record>{one}</record><record>{other}</record></OAI-PMH>"
    )

    assert [document.blocks[0].text for document in documents] == ["One.", "Two."]


def test_an_external_entity_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the password")
    (document,) = loaded(
        tmp_path,
        f'<!DOCTYPE article [<!ENTITY x SYSTEM "{secret.as_uri()}">]><article><body><p>A&x;B</p></body></article>',
    )

    assert document.blocks[0].text == "AB"


def test_names_of_characters_that_the_absent_dtd_declares_become_their_characters(tmp_path: Path) -> None:
    (document,) = loaded(
        tmp_path,
        '<!DOCTYPE article PUBLIC "-//NLM//DTD" "archive.dtd"><article><body><p>B&nbsp;C&alpha;</p></body></article>',
    )

    assert document.blocks[0].text == "B Cα"


def test_a_bomb_of_entities_is_refused_and_never_expanded(tmp_path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))

    with pytest.raises(UnreadableFile, match=r"^article\.nxml is not well-formed XML"):
        loaded(tmp_path, f"<!DOCTYPE article [{entities}]><article><body><p>A&a9;B</p></body></article>")


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        ("<article>\n<body>\n<p>Text</body></article>", "is not well-formed XML, line 3"),
        ("<article>\n<body><p>A&nbsp;B</p></body></article>", "is not well-formed XML, line 2: Entity 'nbsp'"),
        ("<article><body/></article>", "holds no JATS article"),
        ("<article>" + "<a>" * 300 + "</a>" * 300 + "</article>", "is not well-formed XML"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path, xml: str, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=rf"^article\.nxml {reason}"):
        loaded(tmp_path, xml)


@pytest.mark.parametrize(
    ("kind", "subject", "design"),
    [
        ("research-article", "Randomized Controlled Trial", "Randomized Controlled Trial"),
        ("systematic-review", "Medicine", "Systematic Review"),
        ("research-article", "Research Article", None),
    ],
)
def test_the_article_type_and_the_journals_headings_tell_the_design(
    tmp_path: Path, kind: str, subject: str, design: str | None
) -> None:
    categories = f"<article-categories><subj-group><subject>{subject}</subject></subj-group></article-categories>"
    front = FRONT.replace("<title-group>", f"{categories}<title-group>", 1)
    xml = article("<p>Text.</p>", front=front).replace("<article ", f'<article article-type="{kind}" ', 1)
    metadata = loaded(tmp_path, xml)[0].metadata

    assert (metadata.publication_types, metadata.study_design) == ((kind,), design)


NOTICE = '<related-article related-article-type="{}" xlink:href="10.1/notice"/>'


@pytest.mark.parametrize(
    ("kind", "front", "retraction"),
    [
        ("research-article", NOTICE.format("retraction-forward"), "Retraction in: 10.1/notice"),
        ("research-article", NOTICE.format("corrected-article"), None),
        ("retraction", NOTICE.format("retracted-article"), None),
        (
            "research-article",
            "<history><date date-type='retracted'><year>2010</year><month>2</month></date></history>",
            "Retracted 2010-02",
        ),
        ("retracted-article", "", "retracted-article"),
    ],
)
def test_a_retracted_article_says_so_and_the_notice_of_it_does_not(
    tmp_path: Path, kind: str, front: str, retraction: str | None
) -> None:
    xml = article("<p>Text.</p>", front=FRONT.replace("<permissions>", f"{front}<permissions>"))
    xml = xml.replace("<article ", f'<article article-type="{kind}" ', 1)

    assert loaded(tmp_path, xml)[0].metadata.retraction == retraction
