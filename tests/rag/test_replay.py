from dataclasses import replace

import pytest
from sqlalchemy import update

from conftest import Library
from rag.answering import answer
from rag.errors import NotFound
from rag.replaying import Replay, replay
from rag.retirement import retire_document
from rag.settings import Settings
from rag.tables import AnswerRow
from rag.types import LOCAL_ADMIN, Answer, Ask, Caller, Query, Role
from rag.verification import verify

QUESTION = "At which dose is allopurinol started in gout?"


@pytest.fixture
def asked(lite_library: Library) -> tuple[Library, Answer]:
    lite_library.write("gout.md", "# Gout\n\nAllopurinol is started at 100 mg daily in gout.\n", title="Gout")
    lite_library.write("asthma.md", "# Asthma\n\nBudesonide is inhaled twice daily in asthma.\n", title="Asthma")
    lite_library.ingest()
    return lite_library, answer(Ask(Query(QUESTION, top_k=3)), LOCAL_ADMIN, lite_library.system)


def differing(replayed: Replay) -> set[str]:
    return {one.what for one in replayed.deviations}


def test_an_answer_comes_out_the_same_from_the_same_corpus(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    replayed = replay(given.id, LOCAL_ADMIN, library.system)
    assert (replayed.identical, replayed.retrieval, replayed.text, replayed.deviations) == (True, "same", "same", ())
    assert replayed.answer is not None
    assert replayed.answer.passages == given.passages
    assert verify(library.system) == []


def test_it_is_asked_with_its_own_options(asked: tuple[Library, Answer]) -> None:
    library, _ = asked
    given = answer(Ask(Query(QUESTION, top_k=1, retrieval="lexical")), LOCAL_ADMIN, library.system)
    assert given.query is not None
    assert (given.query.top_k, given.query.retrieval, given.query.collections) == (1, "lexical", ("default",))
    assert replay(given.id, LOCAL_ADMIN, library.system).identical


def test_a_corpus_that_moved_on_is_named(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    library.write("new.md", "# Gout flares\n\nAllopurinol in gout is started at 50 mg daily in renal failure.\n")
    library.ingest()
    replayed = replay(given.id, LOCAL_ADMIN, library.system)
    assert not replayed.identical
    assert replayed.retrieval == "different"
    assert {"corpus", "retrieval"} <= differing(replayed)


def test_a_source_that_holds_no_more_is_named_and_found_as_of_then(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    retire_document(library.system, LOCAL_ADMIN, given.citations[0].document_id)
    replayed = replay(given.id, LOCAL_ADMIN, library.system)
    assert "source" in differing(replayed)


def test_a_setting_and_a_model_that_changed_are_named(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    other = Settings(home=library.system.home, exclude_flagged="hidden")
    replayed = replay(given.id, LOCAL_ADMIN, replace(library.system, settings=other))
    assert "settings" in differing(replayed)
    assert replayed.identical
    with library.system.database.writing() as session:
        body = {**session.get_one(AnswerRow, given.id).body, "model": "taiyi2", "text": "Something else."}
        session.execute(update(AnswerRow).where(AnswerRow.id == given.id).values(body=body))
    replayed = replay(given.id, LOCAL_ADMIN, library.system)
    assert {"model", "text"} <= differing(replayed)
    assert (replayed.retrieval, replayed.text, replayed.identical) == ("same", "different", False)


def test_a_model_that_is_gone_is_told(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    with library.system.database.writing() as session:
        body = {**session.get_one(AnswerRow, given.id).body, "mode": "grounded"}
        session.execute(update(AnswerRow).where(AnswerRow.id == given.id).values(body=body))
    replayed = replay(given.id, LOCAL_ADMIN, library.system)
    assert (replayed.identical, replayed.text, replayed.answer) == (False, None, None)
    assert "failure" in differing(replayed)


def test_an_answer_from_before_options_were_kept_is_replayed_with_the_defaults(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    with library.system.database.writing() as session:
        row = session.get_one(AnswerRow, given.id)
        row.body = {name: value for name, value in row.body.items() if name not in ("query", "settings", "recorded")}
    replayed = replay(given.id, LOCAL_ADMIN, library.system)
    assert differing(replayed) == {"record"}
    assert replayed.identical


def test_nobody_elses_answer_is_replayed(asked: tuple[Library, Answer]) -> None:
    library, given = asked
    with pytest.raises(NotFound):
        replay(given.id, Caller("other", Role.READER), library.system)
