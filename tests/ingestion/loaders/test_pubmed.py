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
        Block(BlockKind.PARAGRAPH, "How 103."),
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
