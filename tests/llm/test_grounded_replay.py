"""An answer that a language model wrote, made again from its record."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from scripted_server import Messages, Script, ScriptedServer, number_of

from rag.answering import answer
from rag.llm import LanguageModel
from rag.prompts import prompt
from rag.replaying import Replay, replay
from rag.system import System
from rag.types import LOCAL_ADMIN, Answer, Ask, Query, Turn

QUESTION = "Below which eGFR is metformin contraindicated?"
REWRITTEN = "When is starting metformin not recommended, by eGFR?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"


def true(messages: Messages) -> Script:
    if messages[0]["content"] == prompt("rewrite", "en").system:
        return REWRITTEN
    return f"{TRUE} [{number_of(TRUE, messages)}]."


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer(true) as server:
        yield server


@pytest.fixture
def system(sample: System, model: ScriptedServer) -> System:
    stated = sample.settings.model_copy(update={"llm_url": model.url, "llm_timeout_s": 20})
    return replace(sample, settings=stated, llm=LanguageModel(stated))


def asked_again(given: Answer, system: System, model: ScriptedServer) -> tuple[Replay, list[dict[str, Any]]]:
    """What came out, and what the model was sent for it."""
    model.requests.clear()
    replayed = replay(given.id, LOCAL_ADMIN, system)
    return replayed, model.requests


def test_the_model_is_sent_the_same_prompt_sampling_and_seed(model: ScriptedServer, system: System) -> None:
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert given.mode == "grounded"
    first = list(model.requests)
    replayed, sent = asked_again(given, system, model)
    assert sent == first
    assert (replayed.identical, replayed.text, replayed.deviations) == (True, "same", ())


def test_a_follow_up_is_replayed_as_the_question_that_was_searched_for(model: ScriptedServer, system: System) -> None:
    history = (Turn(QUESTION, "Below 30."),)
    given = answer(Ask(Query("And when is starting it not recommended?"), history=history), LOCAL_ADMIN, system)
    assert given.standalone_question == REWRITTEN
    _, answering = model.requests
    replayed, sent = asked_again(given, system, model)
    assert sent == [answering]
    assert replayed.identical


def test_another_wording_from_the_same_passages_is_told_apart(model: ScriptedServer, system: System) -> None:
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    model.script = lambda messages: f"{ALSO_TRUE} [{number_of(ALSO_TRUE, messages)}]."
    replayed, _ = asked_again(given, system, model)
    assert (replayed.identical, replayed.retrieval, replayed.text) == (False, "same", "different")
    [deviation] = replayed.deviations
    assert (deviation.what, deviation.recorded) == ("text", given.text)
    assert ALSO_TRUE in deviation.now


def test_a_service_without_its_model_says_so_and_leaves_the_record_alone(
    model: ScriptedServer, system: System, sample: System
) -> None:
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    replayed, sent = asked_again(given, sample, model)
    assert sent == []
    assert (replayed.answer, replayed.text) == (None, None)
    assert "failure" in {one.what for one in replayed.deviations}
