from dataclasses import replace
from datetime import date

import pytest

from conftest import Library
from rag.embedding import open_embedder
from rag.errors import Inconsistent, InvalidRequest, NotFound
from rag.indexing import compact
from rag.packaged_embedder import ensure_sentence_transformers_folder
from rag.removal import delete_document
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System
from rag.types import LOCAL_ADMIN, Caller, Query, Role
from rag.verification import verify

OLD = "# Hypertension\n\nHypertension begins at 140/90 mmHg in this edition.\n"
NEW = "# Hypertension\n\nHypertension begins at 130/80 mmHg in this edition.\n"


@pytest.fixture
def editions(library: Library) -> Library:
    """One guideline in two editions, the older read last; one dated and one undated text beside it."""
    library.write("b-new.md", NEW, external_id="ht", published="2018-05-15", publisher="A", language="en")
    library.write("c-old.md", OLD, external_id="ht", published="2016-03", publisher="A", language="en")
    library.write("d-gout.md", "# Gout\n\nThe target urate is below 6 mg/dL.\n", published="2017", publisher="B")
    library.write("e-undated.md", "# Note\n\nBlood pressure is measured twice.\n")
    assert {result.status for result in library.ingest().values()} <= {"added", "updated"}
    return library


def test_default_search_sees_only_the_current_edition(editions: Library) -> None:
    for retrieval in ("hybrid", "dense", "lexical"):
        texts = editions.found("hypertension mmHg edition", retrieval=retrieval)
        assert any("130/80" in text for text in texts)
        assert not any("140/90" in text for text in texts)


@pytest.mark.parametrize(
    ("day", "seen"),
    [
        (date(2016, 2, 29), None),
        (date(2016, 3, 1), "140/90"),
        (date(2018, 5, 14), "140/90"),
        (date(2018, 5, 15), "130/80"),
    ],
)
def test_as_of_sees_what_was_in_force_on_that_day(editions: Library, day: date, seen: str | None) -> None:
    texts = editions.found("hypertension mmHg", as_of=day)
    assert [text for text in texts if "mmHg" in text] == ([t for t in texts if seen and seen in t])
    assert bool(seen) == any("mmHg" in text for text in texts)


def test_as_of_leaves_out_undated_texts_and_counts_them(editions: Library) -> None:
    result = search(Query("blood pressure", as_of=date(2020, 1, 1)), LOCAL_ADMIN, editions.system)
    assert result.undated_left_out == 1
    assert not any("measured twice" in hit.passage.text for hit in result.hits)


def test_an_edition_that_is_not_in_force_yet_waits_for_its_day(editions: Library) -> None:
    editions.write("f.md", NEW.replace("130/80", "120/75"), external_id="ht", published="2018", effective="2999-01-01")
    editions.ingest()
    texts = editions.found("hypertension mmHg edition")
    assert any("130/80" in text for text in texts)
    assert not any("120/75" in text for text in texts)
    assert any("120/75" in text for text in editions.found("hypertension", as_of=date(2999, 1, 1)))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"publisher": "B"}, {"Gout"}),
        ({"publisher": ["A", "B"]}, {"Gout", "Hypertension"}),
        ({"published": {"gte": "2018"}}, {"Hypertension"}),
        ({"published": {"lte": "2017"}}, {"Gout"}),
        ({"published": {"gte": "2017", "lte": "2018"}}, {"Gout", "Hypertension"}),
        ({"published": "2018-05"}, {"Hypertension"}),
        ({"external_id": "ht", "publisher": "B"}, set()),
        ({"format": "markdown"}, {"Gout", "Hypertension", "Note"}),
    ],
)
def test_a_filter_holds_in_the_search(editions: Library, filters: dict, expected: set[str]) -> None:
    result = search(Query("blood pressure urate", filters=filters), LOCAL_ADMIN, editions.system)
    assert {hit.passage.title for hit in result.hits} == expected


@pytest.mark.parametrize(
    "filters", [{"nonsense": "x"}, {"publisher": 3}, {"publisher": []}, {"publisher": {"gte": "A"}}, {"published": {}}]
)
def test_a_bad_filter_is_refused(editions: Library, filters: dict) -> None:
    with pytest.raises(InvalidRequest, match="ilter"):
        search(Query("x", filters=filters), LOCAL_ADMIN, editions.system)


@pytest.mark.parametrize("query", [Query("  "), Query("x", top_k=0), Query("x", top_k=101)])
def test_a_bad_query_is_refused(sample: System, query: Query) -> None:
    with pytest.raises(InvalidRequest):
        search(query, LOCAL_ADMIN, sample)


def test_a_caller_reaches_only_its_collections(library: Library) -> None:
    library.ingest(library.write("a.md", "# A\n\nThe secret dose is 5 mg.\n"), collection="private")
    library.ingest(library.write("b.md", "# B\n\nThe public dose is 7 mg.\n"), collection="public")
    reader = Caller("r", Role.READER, frozenset({"public"}))
    assert library.found("dose", reader) == ["B\n\nThe public dose is 7 mg."]
    for name in ("private", "never-was"):
        with pytest.raises(NotFound, match=f"There is no collection '{name}'"):
            search(Query("dose", (name,)), reader, library.system)
    before = search(Query("dose"), reader, library.system)
    library.ingest(library.write("c.md", "# C\n\nAnother dose is 9 mg.\n"), collection="private")
    assert search(Query("dose"), reader, library.system) == before


def test_a_deleted_document_is_found_by_no_arm_and_comes_back_only_when_asked_for(library: Library) -> None:
    path = library.write("a.md", "# A\n\nXyloquine is given at 5 mg.\n")
    library.write("b.md", "# B\n\nSomething else is given.\n")
    document_id = library.ingest()["a.md"].document_id
    receipt = delete_document(library.system, LOCAL_ADMIN, document_id)
    assert (receipt.title, receipt.editions, receipt.passages) == ("A", 1, 1)
    for retrieval in ("hybrid", "dense", "lexical"):
        assert not any("Xyloquine" in text for text in library.found("Xyloquine", retrieval=retrieval))
    again = library.ingest()["a.md"]
    assert (again.status, "restore" in again.reason) == ("unchanged", True)
    assert not any("Xyloquine" in text for text in library.found("Xyloquine"))
    library.ingest(path, restore=True)
    assert "Xyloquine" in library.found("Xyloquine")[0]
    assert verify(library.system) == []


def test_deleting_the_newer_edition_brings_the_older_back_into_force(editions: Library) -> None:
    result = search(Query("hypertension", filters={"external_id": "ht"}), LOCAL_ADMIN, editions.system)
    newer = result.hits[0].passage
    delete_document(editions.system, LOCAL_ADMIN, newer.document_id, newer.edition_id)
    assert "140/90" in editions.found("hypertension mmHg", filters={"external_id": "ht"})[0]


def test_compaction_changes_no_result(editions: Library) -> None:
    queries = [Query("hypertension"), Query("target urate"), Query("blood pressure", retrieval="lexical")]
    before = [search(query, LOCAL_ADMIN, editions.system).hits for query in queries]
    compact(editions.system, 1)
    assert [search(query, LOCAL_ADMIN, editions.system).hits for query in queries] == before
    compact(editions.system, 1, embed_again=True)
    after = [search(query, LOCAL_ADMIN, editions.system).hits for query in queries]
    assert [[h.passage for h in hits] for hits in after] == [[h.passage for h in hits] for hits in before]


def test_vectors_of_another_model_are_refused(editions: Library, models) -> None:
    other = open_embedder(Settings(embedder=str(ensure_sentence_transformers_folder(models.parent))))
    with pytest.raises(Inconsistent, match="reindex"):
        search(Query("hypertension"), LOCAL_ADMIN, replace(editions.system, embedder=other))


def test_an_empty_library_finds_nothing(system: System) -> None:
    assert search(Query("anything"), LOCAL_ADMIN, system).hits == ()


def test_hits_are_spans_of_their_editions(sample: System) -> None:
    from rag import catalog

    result = search(Query("blood pressure 血压", top_k=50), LOCAL_ADMIN, sample)
    assert [hit.rank for hit in result.hits] == list(range(1, len(result.hits) + 1))
    assert [hit.score for hit in result.hits] == sorted((hit.score for hit in result.hits), reverse=True)
    with sample.database.reading() as session:
        for hit in result.hits:
            text = catalog.document(session, LOCAL_ADMIN, hit.passage.document_id, hit.passage.edition_id).text
            assert text[hit.passage.char_start : hit.passage.char_end] == hit.passage.text


def test_a_bad_filter_is_refused_where_there_is_nothing_to_search(lite_system: System) -> None:
    with pytest.raises(InvalidRequest, match="Unknown filter"):
        search(Query("metformin", filters={"nonsense": {"a": "b"}}), LOCAL_ADMIN, lite_system)
