"""What is removed is found nowhere; what is purged is nowhere."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from conftest import Library
from rag import catalog, record
from rag.answering import answer
from rag.errors import NotFound
from rag.originals import original_path, sha256_of
from rag.removal import Tidying, delete_document, receipts
from rag.tables import CollectionRow, SegmentRow
from rag.types import LOCAL_ADMIN, Answer, Ask, Caller, Issue, Query, Role
from rag.verification import verify
from rag.writing import writing_turn

SECRET = "Quoxinol thrombastide"
TEXT = f"# Quoxinol\n\n{SECRET} is given at 17 mg daily to adults.\n"
OTHER = "# Zotrin\n\nZotrin is given at 3 mg daily to adults.\n"


@pytest.fixture
def answered(library: Library) -> tuple[Library, str, Answer]:
    library.write("a.md", TEXT)
    library.write("b.md", OTHER)
    library.ingest()
    given = answer(Ask(Query(f"At what dose is {SECRET} given?")), LOCAL_ADMIN, library.system)
    assert SECRET in given.text
    with library.system.database.reading() as session:
        document = next(one for one in catalog.documents(session, LOCAL_ADMIN) if one.title == "Quoxinol")
    return library, document.id, given


def test_a_removed_document_is_found_by_nothing_and_its_record_stays(answered: tuple[Library, str, Answer]) -> None:
    library, document_id, given = answered
    receipt = delete_document(library.system, LOCAL_ADMIN, document_id)
    assert (receipt.title, receipt.editions, receipt.passages, receipt.purged) == ("Quoxinol", 1, 1, False)
    for retrieval in ("hybrid", "dense", "lexical"):
        assert not any(SECRET in found for found in library.found(SECRET, retrieval=retrieval))
    assert "17 mg" not in answer(Ask(Query(f"At what dose is {SECRET} given?")), LOCAL_ADMIN, library.system).text
    with library.system.database.reading() as session:
        with pytest.raises(NotFound):
            catalog.document(session, LOCAL_ADMIN, document_id)
        with pytest.raises(NotFound):
            catalog.passage_with_neighbours(session, LOCAL_ADMIN, given.citations[0].passage_id)
        stored = record.load(session, LOCAL_ADMIN, given.id)
        assert receipts(session, LOCAL_ADMIN, document_id) == [receipt]
        assert receipts(session, Caller("someone", Role.READER)) == []
    assert stored.text == given.text
    assert stored.citations[0].superseded
    assert verify(library.system) == []


def test_what_was_removed_leaves_the_indexes_once_nobody_else_writes(answered: tuple[Library, str, Answer]) -> None:
    library, document_id, _ = answered
    tidying = Tidying(library.system)
    tidying.run()
    before = indexed(library)
    delete_document(library.system, LOCAL_ADMIN, document_id)
    with writing_turn(library.system):
        tidying.run()
    assert indexed(library) == before
    tidying.run()
    left = indexed(library)
    assert left < before
    assert len(left) == 1
    with library.system.database.reading() as session:
        [other] = catalog.documents(session, LOCAL_ADMIN)
    delete_document(library.system, LOCAL_ADMIN, other.id)
    assert indexed(library) == left
    Tidying(library.system).run()  # as another process, which has seen nothing yet
    assert indexed(library) == set()
    assert verify(library.system) == []


def test_a_missing_index_file_is_told_of_and_stops_nobody(
    answered: tuple[Library, str, Answer], caplog: pytest.LogCaptureFixture
) -> None:
    library, document_id, _ = answered
    delete_document(library.system, LOCAL_ADMIN, document_id)
    library.system.vectors.keep_only(set())
    Tidying(library.system).run()
    assert "run taiyi-rag verify, then taiyi-rag reindex" in caplog.text


def indexed(library: Library) -> set[int]:
    """The passages that have a vector, which are those that have words in the index."""
    with library.system.database.reading() as session:
        vectors = {
            int(one) for name in session.scalars(select(SegmentRow.name)) for one in library.system.vectors.ids(name)
        }
        words = {
            one
            for name in session.scalars(select(CollectionRow.lexical))
            if name
            for one in library.system.lexical.ids(name)
        }
    assert vectors == words
    return vectors


@pytest.mark.parametrize("purge", [False, True])
def test_it_comes_back_only_when_that_is_asked_for(answered: tuple[Library, str, Answer], purge: bool) -> None:
    library, document_id, _ = answered
    delete_document(library.system, LOCAL_ADMIN, document_id, purge=purge)
    assert verify(library.system) == []  # which opens the indexes as they are without it
    result = library.ingest()["a.md"]
    assert result.status == "unchanged"
    assert "--restore" in (result.reason or "")
    copy = library.write("copy.md", TEXT)
    assert library.ingest(copy)["copy.md"].status == "unchanged"
    assert not any(SECRET in found for found in library.found(SECRET))
    copy.unlink()
    assert library.ingest(restore=True)["a.md"].status == "added"
    assert SECRET in library.found(SECRET)[0]
    assert verify(library.system) == []
    assert library.ingest()["a.md"].status == "unchanged"


def test_a_purge_erases_what_was_found_wrong_with_a_sentence(answered: tuple[Library, str, Answer]) -> None:
    library, document_id, given = answered
    doubted = tuple(replace(one, issues=(Issue("wording", SECRET, SECRET),)) for one in given.sentences)
    with library.system.database.writing() as session:
        record.save(session, LOCAL_ADMIN, replace(given, id="doubted", sentences=doubted, withheld=doubted))
    delete_document(library.system, LOCAL_ADMIN, document_id, purge=True)
    with library.system.database.reading() as session:
        erased = record.load(session, LOCAL_ADMIN, "doubted")
    assert {issue.value for sentence in (*erased.sentences, *erased.withheld) for issue in sentence.issues} == set()


@pytest.mark.parametrize("removed_before", [False, True])
def test_a_purge_erases_every_word(answered: tuple[Library, str, Answer], removed_before: bool) -> None:
    library, document_id, given = answered
    original = original_path(library.system.home, sha256_of(library.folder / "a.md"))
    assert original.exists()
    if removed_before:
        delete_document(library.system, LOCAL_ADMIN, document_id)
    receipt = delete_document(library.system, LOCAL_ADMIN, document_id, purge=True)
    assert (receipt.purged, receipt.title, receipt.original_erased) == (True, None, True)
    with library.system.database.reading() as session:
        stored = record.load(session, LOCAL_ADMIN, given.id)
        assert all(one.title is None for one in receipts(session, LOCAL_ADMIN, document_id))
    assert SECRET not in repr(replace(stored, question=""))
    assert [stored.text[s.start : s.end] == s.text for s in stored.sentences] == [True] * len(stored.sentences)
    assert stored.citations[0].edition_id == given.citations[0].edition_id
    assert verify(library.system) == []
    with pytest.raises(NotFound):
        delete_document(library.system, LOCAL_ADMIN, document_id, purge=True)
    assert any("Zotrin" in found for found in library.found("Zotrin"))


def test_after_a_purge_no_file_of_the_home_holds_the_words(lite_library: Library) -> None:
    lite_library.write("a.md", TEXT)
    lite_library.write("b.md", OTHER)
    lite_library.ingest()
    with lite_library.system.database.reading() as session:
        document = next(one for one in catalog.documents(session, LOCAL_ADMIN) if one.title == "Quoxinol")
    home = lite_library.system.home
    assert files_with(home, "thrombastide")
    delete_document(lite_library.system, LOCAL_ADMIN, document.id, purge=True)
    assert files_with(home, "thrombastide") == []
    assert sqlite3.connect(home / "taiyi.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_original_that_other_documents_came_from_stays(library: Library) -> None:
    path = library.write(
        "r.jsonl",
        '{"id": "a", "title": "A", "text": "Quoxinol is given daily."}\n'
        '{"id": "b", "title": "B", "text": "Zotrin is given daily."}\n',
    )
    library.ingest()
    kept = original_path(library.system.home, sha256_of(path))
    with library.system.database.reading() as session:
        first, second = catalog.documents(session, LOCAL_ADMIN)
    assert not delete_document(library.system, LOCAL_ADMIN, first.id, purge=True).original_erased
    assert kept.exists()
    assert delete_document(library.system, LOCAL_ADMIN, second.id, purge=True).original_erased
    assert not kept.exists()


def files_with(home: Path, word: str) -> list[Path]:
    files = (path for path in home.rglob("*") if path.is_file() and "models" not in path.parts)
    return [path for path in files if word.encode() in path.read_bytes()]
