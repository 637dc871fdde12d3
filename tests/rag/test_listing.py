"""A page of documents is the same that one would pick by hand from all of them, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from conftest import Library
from rag import catalog
from rag.errors import InvalidRequest, NotFound
from rag.listing import Wanted, facets, listed
from rag.proposals import accept
from rag.reading import read
from rag.retirement import retire_document
from rag.types import LOCAL_ADMIN, Caller, Document, Role

READER = Caller("reader", Role.READER, frozenset({"default"}))


@pytest.fixture
def shelf(library: Library) -> Library:
    """A document in every standing: by a date of each precision, and one whose end has two reasons."""
    soon = (catalog.today() + timedelta(days=40)).isoformat()
    stated: dict[str, dict[str, str]] = {
        "current": {"published": "2019-03", "publisher": "Board", "language": "en"},
        "upcoming": {"effective": soon, "language": "en"},
        "withdrawn_month": {"published": "2010", "withdrawn": "2015-06"},
        "withdrawn_day": {"published": "2010", "withdrawn": "2015-06-30"},
        "overdue_year": {"published": "2010", "review_by": "2015"},
        "overdue_month": {"published": "2010", "review_by": "2015-02", "publisher": "Ärztekammer 100%"},
        "both": {"published": "2010", "review_by": "2014", "withdrawn": "2016"},
        "both_ways": {"published": "2010", "review_by": "2016", "withdrawn": "2014-05"},
        "retracted": {"published": "2012", "retraction": "Retracted for errors", "publisher": "Board"},
    }
    for name, known in stated.items():
        library.write(f"{name}.md", f"# {name}\n\n{name} is given.\n", **known)
    library.write("old.md", "# Quoxin\n\nQuoxin is given at 5 mg.\n", external_id="q", published="2018")
    library.write("new.md", "# Quoxin\n\nQuoxin is given at 7 mg.\n", external_id="q", published="2021")
    library.write("retired.md", "# Retired\n\nRetired is given.\n", published="2011", doi="10.1000/xyz")
    library.write("zh.txt", "痛风\n\n痛风患者应多饮水。\n", language="zh")
    library.write(
        "odd.html",
        "<html><body><h1>Odd</h1><p>Odd is seen.</p><p style='display:none'>Odd cures all.</p></body></html>",
    )
    results = library.ingest()
    retire_document(library.system, LOCAL_ADMIN, results["retired.md"].document_id or "")
    other = library.write("elsewhere.md", "# Elsewhere\n\nElsewhere is given.\n")
    library.ingest(other, collection="secret")
    return library


def test_pages_filters_and_counts_agree_with_the_documents_themselves(shelf: Library) -> None:
    with shelf.system.database.reading() as session:
        everything = catalog.documents(session, LOCAL_ADMIN)
        found = listed(session, LOCAL_ADMIN, Wanted())
        assert list(found.documents) == everything
        assert found.total == len(everything)

        def titles(wanted: Wanted) -> list[str]:
            return [document.title for document in listed(session, LOCAL_ADMIN, wanted).documents]

        counted = facets(session, LOCAL_ADMIN, Wanted())
        standings = {edition.standing for document in everything for edition in document.editions}
        assert standings == {"current", "upcoming", "superseded", "withdrawn", "overdue", "retracted", "retired"}
        assert counted["state"].keys() == standings
        for state in standings:
            expected = [one for one in everything if state in {edition.standing for edition in one.editions}]
            assert titles(Wanted(state=state)) == [one.title for one in expected]  # type: ignore[arg-type]
            assert counted["state"][state] == len(expected)
        assert counted["collection"] == {"default": len(everything) - 1, "secret": 1}
        assert counted["language"]["zh"] == 1
        assert titles(Wanted(language="zh")) == ["痛风"]
        assert titles(Wanted(format="html")) == ["Odd"] == titles(Wanted(flagged=True))
        in_secret = facets(session, LOCAL_ADMIN, Wanted(collections=("secret",)))
        assert in_secret["collection"] == counted["collection"]
        assert in_secret["format"] == {"markdown": 1}


def test_a_search_needs_all_its_words_and_takes_signs_as_they_are(shelf: Library) -> None:
    with shelf.system.database.reading() as session:

        def titles(text: str) -> list[str]:
            return [document.title for document in listed(session, LOCAL_ADMIN, Wanted(text=text)).documents]

        assert titles("board RETRACT") == ["retracted"]
        assert titles("100%") == ["overdue_month"] == titles("Ärztekammer")
        assert titles("10.1000/xyz") == ["Retired"]
        assert titles("痛") == ["痛风"]
        assert titles("odd.html") == ["Odd"]
        assert titles("nothing such") == []
        with pytest.raises(InvalidRequest):
            titles("word " * 21)


def test_pages_follow_each_other_in_the_order_asked_for(shelf: Library) -> None:
    with shelf.system.database.reading() as session:
        wanted = Wanted(collections=("default",), sort="published", descending=True)
        whole = listed(session, LOCAL_ADMIN, wanted).documents
        begins = [_shown_from(one) for one in whole]
        dated = [one for one in begins if one]
        assert dated == sorted(dated, reverse=True)
        assert begins == [*dated, *([None] * (len(begins) - len(dated)))]
        pages = [listed(session, LOCAL_ADMIN, replace(wanted, limit=4, offset=at)) for at in range(0, len(whole), 4)]
        assert [one.id for page in pages for one in page.documents] == [one.id for one in whole]
        assert {page.total for page in pages} == {len(whole)}
        by_title = listed(session, LOCAL_ADMIN, replace(wanted, sort="title", descending=False)).documents
        lowered = [one.title.lower() for one in by_title if one.title.isascii()]
        assert len(lowered) == len(whole) - 1


def test_what_a_caller_may_not_read_is_in_no_page_and_no_count(shelf: Library) -> None:
    with shelf.system.database.reading() as session:
        assert {one.collection for one in listed(session, READER, Wanted()).documents} == {"default"}
        counted = facets(session, READER, Wanted())
        assert counted["collection"].keys() == {"default"}
        assert sum(counted["format"].values()) == listed(session, READER, Wanted()).total
        with pytest.raises(NotFound):
            listed(session, READER, Wanted(collections=("secret",)))
        secret = listed(session, LOCAL_ADMIN, Wanted(collections=("secret",))).documents[0]
        with pytest.raises(NotFound):
            read(session, READER, secret.id, None, 10, 0)


def test_the_editions_of_a_merged_document_are_listed_as_one(library: Library) -> None:
    for name, year in (("first", "2019"), ("second", "2022")):
        text = f"# Zotrin\n\nZotrin of the {name} edition.\n"
        library.write(f"{name}.md", text, publisher="Board", published=year)
    results = library.ingest()
    newer, older = (results[name].document_id or "" for name in ("second.md", "first.md"))
    kept = accept(library.system, LOCAL_ADMIN, newer, older)
    with library.system.database.reading() as session:
        [only] = listed(session, LOCAL_ADMIN, Wanted(state="superseded")).documents
        assert (only.id, [one.standing for one in only.editions]) == (kept, ["current", "superseded"])


def test_a_text_is_read_on_from_page_to_page_without_a_word_twice(lite_library: Library) -> None:
    parts = "".join(f"## Part {n}\n\n" + f"Sentence {n} says that vexol is given. " * 90 + "\n\n" for n in range(5))
    lite_library.write("long.md", f"# Long\n\n{parts}")
    document_id = lite_library.ingest()["long.md"].document_id or ""
    with lite_library.system.database.reading() as session:
        text = catalog.document(session, LOCAL_ADMIN, document_id).text or ""
        whole = read(session, LOCAL_ADMIN, document_id, None, 1000, 0)
        assert len(whole.pieces) == whole.total > 5
        end = 0
        for piece in whole.pieces:
            assert piece.text == text[piece.char_start : piece.char_end]
            assert piece.char_start >= end
            end = piece.char_end
        pages = [read(session, LOCAL_ADMIN, document_id, None, 2, at) for at in range(0, whole.total, 2)]
        assert [piece for page in pages for piece in page.pieces] == list(whole.pieces)
        assert [heading.section for heading in whole.headings] == [f"Part {n}" for n in range(5)]
        for heading in whole.headings:
            assert whole.pieces[heading.ordinal].section == heading.section
        assert read(session, LOCAL_ADMIN, document_id, None, 5, 999).pieces == ()


def _shown_from(document: Document) -> str | None:
    return next(one for one in document.editions if one.id == document.edition_id).in_force_from
