"""What an answer says of its sources and of itself, from documents to the record, without a language model."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select, update

from conftest import Library
from rag import catalog, record
from rag.answering import answer
from rag.removal import delete_document
from rag.system import System
from rag.tables import AnswerRow, EditionRow
from rag.types import LOCAL_ADMIN, Answer, Ask, Caller, Query, Role
from rag.verification import verify
from rag.writing import set_abstention

OLD = "# Gout\n\nIn adults with gout, start zelvaprost at 10 mg once daily. Rest the joint.\n"
NEW = "# Gout\n\nZelvaprost is started at 20 mg once daily in adults with gout. Drink water.\n"
QUESTION = "At what dose is zelvaprost started in adults with gout?"
ELSEWHERE = "Which antenna receives signals from distant galaxies?"


def asked(question: str, system: System, *collections: str) -> Answer:
    return answer(Ask(Query(question, collections=collections)), LOCAL_ADMIN, system)


def stored(answer_id: str, system: System) -> Answer:
    with system.database.reading() as session:
        return record.load(session, LOCAL_ADMIN, answer_id)


@pytest.fixture
def disagreeing(library: Library) -> Library:
    """Two societies' guidelines on one drug."""
    library.write("a.md", OLD, title="Gout guideline", publisher="Society A", edition="1st", published="2016-05")
    library.write("b.md", NEW, title="Gout advice", publisher="Society B", edition="3rd", published="2023-02")
    library.ingest()
    return library


def test_where_guidelines_disagree_both_are_shown_with_edition_and_date(disagreeing: Library) -> None:
    given = asked(QUESTION, disagreeing.system)
    [conflict] = given.conflicts
    sides = {citation.marker: citation for citation in given.citations if citation.marker in conflict.citations}
    assert {(side.publisher, side.edition, side.published) for side in sides.values()} == {
        ("Society A", "1st", "2016-05"),
        ("Society B", "3rd", "2023-02"),
    }
    assert conflict.newer is not None
    assert sides[conflict.newer].publisher == "Society B"
    assert {"10 mg" in side.quote or "20 mg" in side.quote for side in sides.values()} == {True}
    assert "the newer one" in conflict.message
    assert "The sources disagree." in given.confidence_reasons
    assert stored(given.id, disagreeing.system) == given
    assert verify(disagreeing.system) == []


def test_the_disagreement_lowers_the_confidence(disagreeing: Library) -> None:
    apart = asked(QUESTION, disagreeing.system)
    with disagreeing.system.database.reading() as session:
        newer = next(one for one in catalog.documents(session, LOCAL_ADMIN) if one.title == "Gout advice")
    delete_document(disagreeing.system, LOCAL_ADMIN, newer.id)
    alone = asked(QUESTION, disagreeing.system)
    assert alone.conflicts == ()
    assert apart.confidence is not None
    assert alone.confidence is not None
    assert apart.confidence < 0.7 * alone.confidence


def test_a_purge_erases_the_disagreement_with_its_words(disagreeing: Library) -> None:
    given = asked(QUESTION, disagreeing.system)
    with disagreeing.system.database.reading() as session:
        newer = next(one for one in catalog.documents(session, LOCAL_ADMIN) if one.title == "Gout advice")
    delete_document(disagreeing.system, LOCAL_ADMIN, newer.id, purge=True)
    erased = stored(given.id, disagreeing.system)
    assert erased.conflicts == ()
    assert "Society B" not in str(erased)
    assert "20 mg" not in str(erased)


def test_a_chinese_answer_names_the_disagreement_of_chinese_sources_in_chinese(library: Library) -> None:
    target = "# 痛风\n\n痛风患者血尿酸的控制目标为低于{} μmol/L。\n"
    library.write("a.md", target.format(360), title="痛风指南", published="2016")
    library.write("b.md", target.format(300), title="痛风共识", published="2022")
    library.ingest()
    [conflict] = asked("痛风患者血尿酸的控制目标是多少？", library.system).conflicts
    assert conflict.message.startswith("各出处的数值不一致")
    assert "痛风共识, 2022，较新" in conflict.message


def test_a_refusal_says_what_was_looked_for_and_what_came_nearest(disagreeing: Library) -> None:
    given = asked(ELSEWHERE, disagreeing.system)
    assert given.status == "abstained"
    assert given.abstention is not None
    assert given.abstention.looked_for == ELSEWHERE
    assert {"antenna", "galaxies"} <= set(given.abstention.missing)
    assert ELSEWHERE in given.text
    for nearest in given.abstention.nearest:
        assert nearest.sentence in given.text
        assert nearest.title in given.text
    assert (given.sentences, given.citations, given.conflicts) == ((), (), ())


def test_a_purge_erases_what_came_nearest(disagreeing: Library) -> None:
    given = asked(ELSEWHERE, disagreeing.system)
    assert given.abstention is not None
    for document_id in {one.document_id for one in given.abstention.nearest}:
        delete_document(disagreeing.system, LOCAL_ADMIN, document_id, purge=True)
    erased = stored(given.id, disagreeing.system)
    assert erased.abstention is not None
    assert ELSEWHERE in erased.text
    for nearest in given.abstention.nearest:
        assert nearest.sentence not in str(erased)
        assert nearest.title not in erased.text


def test_an_answer_counts_the_documents_that_its_asker_could_have_been_answered_from(disagreeing: Library) -> None:
    system = disagreeing.system
    disagreeing.ingest(disagreeing.write("c.md", ELSEWHERE), collection="radio")
    reader = Caller("r", Role.READER, frozenset({"default"}))
    of_society_b = Query(QUESTION, filters={"publisher": "Society B"})
    assert asked(QUESTION, system).documents_searched == 3
    assert asked(ELSEWHERE, system, "default").documents_searched == 2
    assert answer(Ask(Query(QUESTION)), reader, system).documents_searched == 2
    assert answer(Ask(of_society_b), reader, system).documents_searched == 1
    assert answer(Ask(Query(QUESTION, as_of=date(2020, 1, 1))), LOCAL_ADMIN, system).documents_searched == 1
    delete_document(system, LOCAL_ADMIN, asked(QUESTION, system).citations[0].document_id)
    assert asked(QUESTION, system).documents_searched == 2


def test_the_turns_of_a_conversation_are_listed_apart_from_the_rest(disagreeing: Library) -> None:
    system = disagreeing.system
    first, other = asked(QUESTION, system), asked(QUESTION, system)
    second = answer(Ask(Query("And in the morning?"), conversation_id=first.id), LOCAL_ADMIN, system)
    with system.database.reading() as session:
        turns = record.latest(session, LOCAL_ADMIN, sought=record.Sought(conversation_id=first.id))
        assert record.latest(session, Caller("r", Role.READER), sought=record.Sought(conversation_id=first.id)) == []
    assert [turn.id for turn in turns] == [second.id, first.id]
    assert other.id not in {turn.id for turn in turns}


def test_a_stored_answer_says_which_source_was_retracted_since(disagreeing: Library) -> None:
    system = disagreeing.system
    given = asked(QUESTION, system)
    assert not any(citation.retracted or citation.superseded for citation in given.citations)
    retracted = given.citations[0].edition_id
    with system.database.writing() as session:
        session.execute(update(EditionRow).where(EditionRow.id == retracted).values(retraction="Data were made up"))
    since = {one.edition_id: (one.retracted, one.superseded) for one in stored(given.id, system).citations}
    assert since.pop(retracted) == (True, True)
    assert set(since.values()) == {(False, False)}


def test_editions_exist_by_their_ids_for_who_may_read_them(disagreeing: Library) -> None:
    ids = [citation.edition_id for citation in asked(QUESTION, disagreeing.system).citations]
    with disagreeing.system.database.reading() as session:
        assert set(catalog.editions_by_id(session, LOCAL_ADMIN, [*ids, "none"])) == set(ids)
        assert catalog.editions_by_id(session, Caller("r", Role.READER, frozenset({"radio"})), ids) == {}


def test_of_several_collections_the_strictest_threshold_holds(disagreeing: Library) -> None:
    system = disagreeing.system
    disagreeing.ingest(disagreeing.folder / "a.md", collection="other")
    with system.database.writing() as session:
        set_abstention(session, LOCAL_ADMIN, "other", 1.0)
    assert asked(QUESTION, system, "default").status == "answered"
    assert asked(QUESTION, system, "other").status == "abstained"
    assert asked(QUESTION, system, "default", "other").status == "abstained"
    assert asked(QUESTION, system).status == "abstained"


def test_what_a_collection_says_goes_before_the_settings(disagreeing: Library) -> None:
    strict = replace(disagreeing.system, settings=disagreeing.system.settings.model_copy(update={"abstain_below": 1.0}))
    assert asked(QUESTION, strict).status == "abstained"
    with strict.database.writing() as session:
        set_abstention(session, LOCAL_ADMIN, "default", 0.0)
    assert asked(QUESTION, strict).status == "answered"


def test_answers_stored_before_they_said_so_much_are_read_still(disagreeing: Library) -> None:
    system = disagreeing.system
    given = asked(QUESTION, system)
    with system.database.writing() as session:
        row = session.scalars(select(AnswerRow).where(AnswerRow.id == given.id)).one()
        body = {name: value for name, value in row.body.items() if name not in {"confidence_reasons", "abstention"}}
        sentences = [
            {name: value for name, value in sentence.items() if name != "probability"} for sentence in body["sentences"]
        ]
        row.body = {**body, "sentences": sentences, "conflicts": []}
    old = stored(given.id, system)
    assert (old.text, old.conflicts, old.abstention, old.confidence_reasons) == (given.text, (), None, ())
    assert {sentence.probability for sentence in old.sentences} == {None}
