from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from conftest import Library, new_home
from ingestion.pipeline import Reader
from rag import catalog, record
from rag.answering import answer
from rag.embedding import Embedder
from rag.errors import InvalidRequest, NotFound
from rag.removal import delete_document
from rag.retrieval import ranking, search
from rag.selection import selected
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Answer, Ask, Caller, Hit, Query, Role

COPY = "Zanubrutin 160 mg is taken twice daily until the disease progresses."
READER = Caller("r", Role.READER, frozenset({"public"}))


def hits(library: Library, question: str, caller: Caller = LOCAL_ADMIN, **query: object) -> tuple[Hit, ...]:
    return search(Query(question, **query), caller, library.system).hits  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def copies(
    tmp_path_factory: pytest.TempPathFactory, models: Path, embedder: Embedder, reader: Reader
) -> Iterator[Library]:
    """One sentence in five documents, one of them in a collection of its own, and other doses. Nothing is removed."""
    folder = tmp_path_factory.mktemp("copies")
    with open_system(Settings(home=new_home(folder / "home", models))) as opened:
        yield with_copies(Library(folder / "library", replace(opened, embedder=embedder), reader))


def with_copies(library: Library) -> Library:
    for number in range(4):
        library.write(f"copy{number}.md", f"# Leaflet {number}\n\n## Dose\n\n{COPY}\n")
    for dose in (80, 320):
        library.write(f"dose{dose}.md", f"# Leaflet {dose}\n\n## Dose\n\n{COPY.replace('160', str(dose))}\n")
    for number in range(12):
        library.write(f"other{number}.md", f"# Note {number}\n\nAnother medicine, number {number}, is injected.\n")
    library.ingest(collection="public")
    apart = library.folder.parent / "apart.md"
    apart.write_text(f"# Kept apart\n\n{COPY}\n")
    library.ingest(apart, collection="private")
    return library


def test_five_copies_are_one_hit_with_five_sources_and_other_doses_stay(copies: Library) -> None:
    found = hits(copies, "How is zanubrutin taken until progression?", top_k=3)
    assert sorted(hit.passage.text.split("Zanubrutin ")[1].split()[0] for hit in found) == ["160", "320", "80"]
    [copied] = [hit for hit in found if "160" in hit.passage.text]
    sources = {copied.passage.title, *(other.title for other in copied.also)}
    assert sources == {"Leaflet 0", "Leaflet 1", "Leaflet 2", "Leaflet 3", "Kept apart"}
    assert {other.collection for other in copied.also} <= {"public", "private"}
    assert all(other.passage_id != copied.passage.passage_id for other in copied.also)
    assert [hit.rank for hit in found] == [1, 2, 3]


def test_the_best_ranked_copy_is_kept_and_the_ranking_itself_knows_no_copies(copies: Library) -> None:
    query = Query("How is zanubrutin taken until progression?", top_k=3)
    [copied] = [hit for hit in hits(copies, query.text, top_k=3) if hit.also]
    ranked = [identifier for identifier, _ in ranking(query, LOCAL_ADMIN, copies.system, 100)]
    places = [ranked.index(int(one.passage_id)) for one in (copied.passage, *copied.also)]
    assert places == sorted(places)
    assert len(ranked) == 19


def test_copies_stay_apart_where_that_is_asked_for(copies: Library) -> None:
    found = hits(copies, "How is zanubrutin taken?", top_k=7, collapse=False)
    assert sum("160" in hit.passage.text for hit in found) == 5
    assert all(hit.also == () for hit in found)


def test_a_source_that_the_caller_may_not_read_is_not_named(copies: Library) -> None:
    for hit in hits(copies, "How is zanubrutin taken?", READER):
        assert {other.collection for other in hit.also} <= {"public"}
        assert "Kept apart" not in {other.title for other in hit.also}


def test_top_k_are_found_however_many_copies_stand_before_them(lite_library: Library) -> None:
    for number in range(28):
        lite_library.write(f"copy{number}.md", f"# Leaflet {number}\n\n{COPY}\n")
    for number in range(4):
        lite_library.write(f"other{number}.md", f"# Note {number}\n\nIn trial {number} it was injected.\n")
    lite_library.ingest()
    found = hits(lite_library, "zanubrutin twice daily", top_k=3)
    assert len(found) == 3
    assert len(found[0].also) == 27


def test_what_the_caller_may_not_read_takes_no_place_among_the_top(copies: Library) -> None:
    with copies.system.database.reading() as session:
        everything = ranking(Query("zanubrutin"), LOCAL_ADMIN, copies.system, 100)
        given = selected(everything, Query("zanubrutin", top_k=10), READER, copies.system, session)
    assert len(given) == 10
    assert {one.passage.collection for one in given} == {"public"}


def test_two_editions_stand_side_by_side(lite_library: Library) -> None:
    text = f"# Leaflet\n\n{COPY}\n"
    lite_library.write("old.md", text, external_id="z", published="2016-03")
    lite_library.write("new.md", text + "\nMore is not taken.\n", external_id="z", published="2018-05")
    lite_library.ingest()
    now, then = hits(lite_library, "zanubrutin"), hits(lite_library, "zanubrutin", as_of=date(2017, 1, 1))
    both = [(1, 1.0), (2, 0.9)]
    with lite_library.system.database.reading() as session:
        given = selected(both, Query("zanubrutin"), LOCAL_ADMIN, lite_library.system, session)
    assert {one.passage.edition_id for one in given} == {now[0].passage.edition_id, then[0].passage.edition_id}


@pytest.fixture
def studies(lite_library: Library) -> Library:
    """Four reports in nearly the same words, so that they score alike, the weakest read first."""
    kinds = {
        "case": ("Case Reports", "2023"),
        "unknown": (None, None),
        "trial": ("Randomized Controlled Trial", str(catalog.today().year - 4)),
        "review": ("Systematic Review", "2021"),
    }
    for at, (name, (design, published)) in enumerate(kinds.items()):
        known = {"study_design": design, "published": published}
        text = f"# Zanubrutin\n\nZanubrutin was given to some patients, as {name} number 1 says.\n"
        lite_library.write(f"{at}.md", text, **{key: value for key, value in known.items() if value})
    lite_library.write("far.md", "# Guideline on feet\n\nFeet are inspected.\n", study_design="Practice Guideline")
    lite_library.ingest()
    return lite_library


def named(found: tuple[Hit, ...]) -> list[str]:
    return [hit.passage.text.split(" number")[0].split()[-1] for hit in found]


def test_stronger_evidence_comes_first_among_passages_of_like_relevance(studies: Library) -> None:
    found = hits(studies, "zanubrutin patients", prefer_evidence=True, retrieval="lexical")
    assert named(found)[:4] == ["review", "trial", "unknown", "case"]
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)


def test_a_hit_says_how_strong_its_evidence_is_whether_or_not_that_counts(studies: Library) -> None:
    for prefer in (False, True):
        found = hits(studies, "zanubrutin", prefer_evidence=prefer, filters={"title": "Zanubrutin"})
        strengths = dict(zip(named(found), (hit.evidence for hit in found), strict=True))
        assert strengths["review"].reason == "Systematic Review, 2021 (level 1 of 5)"
        assert strengths["unknown"] is None


def test_evidence_lifts_by_less_than_a_tenth_of_the_best_relevance(studies: Library) -> None:
    with studies.system.database.reading() as session:
        by_name = {one.passage.title: one for one in hits(studies, "feet zanubrutin", top_k=10)}
        guideline = int(by_name["Guideline on feet"].passage.passage_id)
        case = next(
            int(hit.passage.passage_id) for hit in hits(studies, "case", top_k=10) if " case " in hit.passage.text
        )

        def first(behind: float) -> int:
            query = Query("x", prefer_evidence=True)
            given = selected([(case, 1.0), (guideline, 1 - behind)], query, LOCAL_ADMIN, studies.system, session)
            return int(given[0].passage.passage_id)

        assert first(behind=0.04) == guideline
        assert first(behind=0.11) == case


def test_diversity_takes_the_unlike_before_more_of_the_same(lite_library: Library) -> None:
    for number, many in enumerate(("one", "two", "three", "four")):
        text = f"# Dose\n\nZanubrutin is swallowed with water {many} times a day.\n"
        lite_library.write(f"dose{number}.md", text)
    lite_library.write(
        "harm.md", "# Harm\n\nBleeding and infections are seen under zanubrutin; monitor blood counts.\n"
    )
    lite_library.ingest()
    question = "How often is zanubrutin swallowed with water a day?"
    plain = [hit.passage.title for hit in hits(lite_library, question, top_k=2)]
    varied = [hit.passage.title for hit in hits(lite_library, question, top_k=2, diversity=0.7)]
    assert (plain, varied) == (["Dose", "Dose"], ["Dose", "Harm"])


def test_diversity_works_without_vectors_of_the_embedder_in_use(copies: Library) -> None:
    """Lexical search goes on after a change of the model, before its passages were embedded again."""

    class Other:
        fingerprint = "another"

        def embed_query(self, text: str) -> np.ndarray:
            raise AssertionError("lexical search embeds nothing")

        embed_passages = embed_query

    system: System = replace(copies.system, embedder=Other())  # type: ignore[arg-type]
    query = Query("zanubrutin", retrieval="lexical", top_k=3)
    plain = search(query, LOCAL_ADMIN, system).hits
    assert search(replace(query, diversity=0.5), LOCAL_ADMIN, system).hits == plain


@pytest.mark.parametrize("diversity", [-0.1, 1.1, float("nan")])
def test_a_diversity_out_of_range_is_refused(copies: Library, diversity: float) -> None:
    with pytest.raises(InvalidRequest, match="diversity"):
        search(Query("x", diversity=diversity), LOCAL_ADMIN, copies.system)


def test_an_answer_recorded_before_hits_had_copies_and_evidence_is_still_read(copies: Library) -> None:
    given = answer(Ask(Query("How is zanubrutin taken?")), LOCAL_ADMIN, copies.system)
    adapter = TypeAdapter(Answer)
    body = adapter.dump_python(given, mode="json")
    assert adapter.validate_python(body) == given
    for hit in body["passages"]:
        del hit["also"], hit["evidence"]
        for name in ("study_design", "publication_types", "evidence_grade"):
            del hit["passage"][name]
    older = adapter.validate_python(body)
    assert [hit.passage.passage_id for hit in older.passages] == [hit.passage.passage_id for hit in given.passages]
    assert all(hit.also == () and hit.evidence is None for hit in older.passages)


def test_a_recorded_answer_names_no_copy_in_a_collection_that_its_caller_may_no_longer_read(copies: Library) -> None:
    both = Caller("r", Role.READER, frozenset({"public", "private"}))
    given = answer(Ask(Query("How is zanubrutin taken twice daily?")), both, copies.system)
    assert any(other.collection == "private" for hit in given.passages for other in hit.also) or any(
        hit.passage.collection == "private" for hit in given.passages
    )
    with copies.system.database.reading() as session:
        assert record.load(session, both, given.id) == given
        with pytest.raises(NotFound):
            record.load(session, READER, given.id)


def test_a_purge_erases_the_name_of_a_copy_from_recorded_answers(lite_library: Library) -> None:
    for number in (1, 2):
        lite_library.write(f"copy{number}.md", f"# Leaflet {number}\n\n{COPY}\n")
    lite_library.ingest()
    given = answer(Ask(Query("How is zanubrutin taken twice daily?")), LOCAL_ADMIN, lite_library.system)
    [other] = [other for hit in given.passages for other in hit.also]
    delete_document(lite_library.system, LOCAL_ADMIN, other.document_id, purge=True)
    with lite_library.system.database.reading() as session:
        stored = record.load(session, LOCAL_ADMIN, given.id)
    titles = {one.title for hit in stored.passages for one in hit.also if one.edition_id == other.edition_id}
    assert titles == {record.ERASED}
    assert stored.text == given.text
