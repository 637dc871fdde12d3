"""PubMed XML."""

import tracemalloc
from pathlib import Path

import pytest

from ingestion.loaders.pubmed import load
from ingestion.types import Block, BlockKind, LoadedDocument
from rag.errors import UnreadableFile

ARTICLE = """<PubmedArticle><MedlineCitation><PMID Version="1">12345</PMID><Article>
<Journal><JournalIssue><PubDate>{date}</PubDate></JournalIssue><Title>The Lancet</Title></Journal>
<ArticleTitle>Aspirin in <i>stroke</i>: H<sub>2</sub>
  blockers.</ArticleTitle>
<Abstract><AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Why &lt; 5%.</AbstractText>
<AbstractText Label="PATIENTS AND METHODS">How 10<sup>3</sup>.</AbstractText>
<AbstractText Label="UNLABELLED">Rest.</AbstractText><CopyrightInformation>(c) X</CopyrightInformation></Abstract>
<AuthorList><Author><LastName>Li</LastName><ForeName>Wei</ForeName></Author>
<Author><CollectiveName>The Group</CollectiveName></Author></AuthorList><Language>{language}</Language>
<VernacularTitle>阿司匹林</VernacularTitle></Article>
<OtherAbstract Language="chi"><AbstractText Label="目的">研究
阿司匹林。</AbstractText></OtherAbstract></MedlineCitation>
<PubmedData><ArticleIdList><ArticleId IdType="pubmed">12345</ArticleId><ArticleId IdType="doi">10.1/a</ArticleId>
<ArticleId IdType="pmc">PMC9</ArticleId></ArticleIdList>
<ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9/other</ArticleId></ArticleIdList></Reference>
</ReferenceList></PubmedData></PubmedArticle>"""


def loaded(tmp_path: Path, xml: str) -> list[LoadedDocument]:
    path = tmp_path / "pubmed.xml"
    path.write_text(xml, encoding="utf-8")
    return list(load(path))


def article(date: str = "<Year>2020</Year><Month>Mar</Month><Day>5</Day>", language: str = "eng") -> str:
    return ARTICLE.format(date=date, language=language)


def test_a_record_becomes_title_labelled_abstract_and_what_is_in_other_languages(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path, f"<PubmedArticleSet>{article()}</PubmedArticleSet>")

    assert document.blocks == (
        Block(BlockKind.TITLE, "Aspirin in stroke: H2 blockers."),
        Block(BlockKind.HEADING, "Background", level=1),
        Block(BlockKind.PARAGRAPH, "Why < 5%."),
        Block(BlockKind.HEADING, "Patients and methods", level=1),
        Block(BlockKind.PARAGRAPH, "How 10³."),
        Block(BlockKind.PARAGRAPH, "Rest."),
        Block(BlockKind.HEADING, "阿司匹林", level=1),
        Block(BlockKind.HEADING, "目的", level=2),
        Block(BlockKind.PARAGRAPH, "研究阿司匹林。"),
    )


def test_metadata_is_the_records_own_not_that_of_its_references(tmp_path: Path) -> None:
    (document,) = loaded(tmp_path, f"<PubmedArticleSet>{article()}</PubmedArticleSet>")

    metadata = document.metadata
    assert (metadata.external_id, metadata.pmid, metadata.pmcid, metadata.doi) == ("12345", "12345", "PMC9", "10.1/a")
    assert metadata.authors == ("Wei Li", "The Group")
    assert (metadata.journal, metadata.published, metadata.language) == ("The Lancet", "2020-03-05", "en")


@pytest.mark.parametrize(
    ("date", "published"),
    [
        ("<Year>2020</Year>", "2020"),
        ("<Year>2020</Year><Month>11</Month>", "2020-11"),
        ("<Year>1990</Year><Season>Spring</Season>", "1990"),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", "1998-12"),
        ("<MedlineDate>1998-1999</MedlineDate>", "1998"),
        ("<MedlineDate>Spring</MedlineDate>", None),
    ],
)
def test_a_publication_date_is_as_exact_as_the_record_states(tmp_path: Path, date: str, published: str | None) -> None:
    (document,) = loaded(tmp_path, article(date))

    assert document.metadata.published == published


def test_publication_types_design_and_the_record_that_it_updates_are_as_stated(tmp_path: Path) -> None:
    xml = article().replace(
        "</Article>",
        "<PublicationTypeList><PublicationType UI='D016428'>Journal Article</PublicationType>"
        "<PublicationType>Review</PublicationType><PublicationType>Systematic Review</PublicationType>"
        "</PublicationTypeList></Article><CommentsCorrectionsList><CommentsCorrections RefType='UpdateOf'>"
        "<RefSource>Cochrane 2015</RefSource><PMID>777</PMID></CommentsCorrections></CommentsCorrectionsList>",
    )
    metadata = loaded(tmp_path, xml)[0].metadata

    assert metadata.publication_types == ("Journal Article", "Review", "Systematic Review")
    assert (metadata.study_design, metadata.supersedes, metadata.retraction) == ("Systematic Review", "777", None)


def test_a_mesh_heading_names_the_design_where_no_publication_type_does(tmp_path: Path) -> None:
    xml = article().replace(
        "<OtherAbstract",
        "<MeshHeadingList><MeshHeading><DescriptorName>Humans</DescriptorName></MeshHeading><MeshHeading>"
        "<DescriptorName>Cohort Studies</DescriptorName></MeshHeading></MeshHeadingList><OtherAbstract",
        1,
    )

    assert loaded(tmp_path, xml)[0].metadata.study_design == "Cohort Studies"


@pytest.mark.parametrize(
    ("inside", "retraction"),
    [
        (
            "<CommentsCorrectionsList><CommentsCorrections RefType='RetractionIn'>"
            "<RefSource>Lancet. 2010 Feb</RefSource><PMID>20137807</PMID></CommentsCorrections>"
            "</CommentsCorrectionsList>",
            "Retraction in: Lancet. 2010 Feb PMID: 20137807",
        ),
        (
            "<CommentsCorrectionsList><CommentsCorrections RefType='RetractionOf'><RefSource>Lancet. 1998</RefSource>"
            "</CommentsCorrections></CommentsCorrectionsList>",
            None,
        ),
    ],
)
def test_a_retracted_article_has_the_notice_and_the_notice_itself_has_none(
    tmp_path: Path, inside: str, retraction: str | None
) -> None:
    xml = article().replace("</Article>", f"</Article>{inside}", 1)

    assert loaded(tmp_path, xml)[0].metadata.retraction == retraction


@pytest.mark.parametrize(
    ("old", "new", "retraction"),
    [
        (
            "</Article>",
            "<PublicationTypeList><PublicationType>Retracted Publication</PublicationType></PublicationTypeList>"
            "</Article>",
            "Retracted Publication",
        ),
        ("Aspirin in <i>", "RETRACTED: Aspirin in <i>", "RETRACTED"),
        ("Aspirin in <i>", "Retracted: Aspirin in <i>", None),
    ],
)
def test_a_retraction_without_a_notice_is_known_by_publication_type_or_title(
    tmp_path: Path, old: str, new: str, retraction: str | None
) -> None:
    assert loaded(tmp_path, article().replace(old, new, 1))[0].metadata.retraction == retraction


def test_a_record_without_a_set_around_it_is_read(tmp_path: Path) -> None:
    assert len(loaded(tmp_path, article())) == 1


def test_a_book_chapter_is_read(tmp_path: Path) -> None:
    (document,) = loaded(
        tmp_path,
        """<PubmedArticleSet><PubmedBookArticle><BookDocument><PMID>99</PMID><ArticleIdList>
        <ArticleId IdType="bookaccession">NBK1</ArticleId></ArticleIdList><Book><Publisher>
        <PublisherName>StatPearls</PublisherName></Publisher><BookTitle>Big book</BookTitle>
        <PubDate><Year>2023</Year><Month>01</Month></PubDate></Book><ArticleTitle>Sepsis</ArticleTitle>
        <Language>eng</Language><AuthorList Type="authors"><Author><LastName>Doe</LastName>
        <ForeName>J</ForeName></Author></AuthorList><Abstract><AbstractText>Text.</AbstractText></Abstract></BookDocument></PubmedBookArticle>
        </PubmedArticleSet>""",
    )

    assert [block.text for block in document.blocks] == ["Sepsis", "Text."]
    metadata = document.metadata
    assert (metadata.external_id, metadata.publisher, metadata.published) == ("99", "StatPearls", "2023-01")
    assert metadata.authors == ("J Doe",)


def test_a_set_is_streamed_and_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "pubmed.xml"
    with path.open("w", encoding="utf-8") as stream:
        stream.write("<PubmedArticleSet>")
        for _ in range(5000):
            stream.write(article())
        stream.write("</PubmedArticleSet>")

    tracemalloc.start()
    assert sum(1 for _ in load(path)) == 5000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2_000_000 < path.stat().st_size


def test_xml_that_is_cut_short_is_refused_with_the_line_after_the_whole_records(tmp_path: Path) -> None:
    path = tmp_path / "pubmed.xml"
    path.write_text(f"<PubmedArticleSet>\n{article()}\n<PubmedArticle>", encoding="utf-8")
    documents = load(path)

    with pytest.raises(UnreadableFile, match=r"^pubmed\.xml is not well-formed XML, line \d+"):
        list(documents)


def test_a_set_without_records_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="holds no PubMed record"):
        loaded(tmp_path, "<PubmedArticleSet></PubmedArticleSet>")


def test_a_record_without_a_citation_is_passed_over(tmp_path: Path) -> None:
    records = loaded(tmp_path, f"<PubmedArticleSet><PubmedArticle/><PubmedBookArticle/>{article()}</PubmedArticleSet>")

    assert [record.metadata.pmid for record in records] == ["12345"]
