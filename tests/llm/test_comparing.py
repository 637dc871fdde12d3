"""One question with evidence and without it, over the sample library, with a model that says what a test wants said."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from scripted_server import Messages, Script, ScriptedServer, Service, number_of, shown_passages

from api.cli import main
from api.server import create_app
from rag import record
from rag.comparing import Comparison, compare, stored
from rag.errors import NotFound, Unavailable
from rag.llm import LanguageModel
from rag.settings import Settings
from rag.system import System
from rag.types import LOCAL_ADMIN, Ask, Caller, Query, Role, Sampling

pytest_plugins = ["service_fixtures"]

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"
WRONG = "Metformin is contraindicated when the eGFR is below 60 mL/min/1.73 m2"
UNHEARD_OF = "Metformin lowers the risk of pancreatic cancer in smokers"


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def system(sample: System, model: ScriptedServer) -> System:
    stated = sample.settings.model_copy(update={"llm_url": model.url, "llm_timeout_s": 20})
    return replace(sample, settings=stated, llm=LanguageModel(stated))


def saying(memory: str, library: str = f"{TRUE} [TRUE]. {ALSO_TRUE} [TRUE].") -> Callable[[Messages], Script]:
    """From memory one thing, and another where passages are shown."""

    def said(messages: Messages) -> Script:
        if not shown_passages(messages):
            return memory
        return library.replace("[TRUE]", f"[{number_of(TRUE, messages)}]")

    return said


def compared(system: System, question: str = QUESTION, **ask: object) -> Comparison:
    return compare(Ask(Query(question), **ask), LOCAL_ADMIN, system)  # type: ignore[arg-type]


def test_what_the_corpus_supports_contradicts_and_does_not_mention_is_told_apart(
    model: ScriptedServer, system: System
) -> None:
    model.script = saying(f"{ALSO_TRUE}. {WRONG}. {UNHEARD_OF}.")
    found = compared(system).difference
    assert [one.text for one in found.ungrounded] == [f"{ALSO_TRUE}.", f"{WRONG}.", f"{UNHEARD_OF}."]
    assert [one.corpus.says for one in found.ungrounded if one.corpus] == [
        "supports",
        "contradicts",
        "does_not_mention",
    ]
    assert all(one.corpus is None for one in found.grounded)


def test_statements_of_both_answers_and_of_one_are_told_apart(model: ScriptedServer, system: System) -> None:
    model.script = saying(f"{WRONG}. {UNHEARD_OF}.", f"{TRUE} [TRUE]. {ALSO_TRUE} [TRUE].")
    found = compared(system).difference
    assert [(one.other_side, one.counterpart) for one in found.ungrounded[:1]] == [("disagrees", 0)]
    assert found.ungrounded[1].other_side == "absent"
    assert found.grounded[1].other_side != "agrees"
    model.script = saying(f"{TRUE}.", f"{TRUE} [TRUE]. {ALSO_TRUE} [TRUE].")
    found = compared(system).difference
    assert [one.other_side for one in found.ungrounded] == ["agrees"]
    assert found.grounded[0].other_side == "agrees"


def test_numbers_in_each_others_place_are_named_as_each_answer_writes_them(
    model: ScriptedServer, system: System
) -> None:
    model.script = saying(f"{WRONG}.", f"{TRUE} [TRUE].")
    numbers = compared(system).difference.numbers
    [one] = numbers.differ
    assert (one.grounded_index, one.ungrounded_index) == (0, 0)
    assert ["30" in stated for stated in one.grounded] == [True]
    assert ["60" in stated for stated in one.ungrounded] == [True]
    assert (len(numbers.only_grounded), len(numbers.only_ungrounded)) == (1, 1)


def test_what_the_corpus_says_is_quoted_from_the_passages_that_were_shown(
    model: ScriptedServer, system: System
) -> None:
    model.script = saying(f"{WRONG}.")
    comparison = compared(system)
    shown = {hit.passage.passage_id: hit.passage for hit in comparison.grounded.passages}
    [statement] = comparison.difference.ungrounded
    assert statement.corpus is not None
    assert statement.corpus.issues
    assert any(TRUE in quote.quote for quote in statement.corpus.quotes)
    for quote in statement.corpus.quotes:
        passage = shown[quote.passage_id]
        start = quote.char_start - passage.char_start
        assert passage.text[start : start + len(quote.quote)] == quote.quote


def test_both_are_asked_at_the_same_time_with_the_same_sampling_and_recorded(
    model: ScriptedServer, system: System
) -> None:
    """Each waits until the other has begun too."""
    begun = threading.Barrier(2, timeout=20)

    def said(messages: Messages) -> Script:
        begun.wait()
        return saying(f"{TRUE}.")(messages)

    model.script = said
    comparison = compared(system)
    one, other = model.requests
    names = ("model", "seed", "temperature", "top_p", "top_k", "repetition_penalty", "max_tokens")
    assert [one[name] for name in names] == [other[name] for name in names]
    assert comparison.grounded.sampling == comparison.ungrounded.sampling
    assert (comparison.grounded.mode, comparison.ungrounded.mode) == ("grounded", "ungrounded")
    assert comparison.ungrounded.passages == ()
    with system.database.reading() as session:
        for given in (comparison.grounded, comparison.ungrounded):
            assert record.load(session, LOCAL_ADMIN, given.id) == given


def test_a_stated_seed_is_that_of_both(model: ScriptedServer, system: System) -> None:
    model.script = saying(f"{TRUE}.")
    compared(system, sampling=Sampling(seed=7))
    assert [request["seed"] for request in model.requests] == [7, 7]


def test_where_the_library_has_no_answer_memory_is_still_held_against_what_was_found(
    model: ScriptedServer, system: System
) -> None:
    model.script = saying("Paris is the capital of France.")
    comparison = compared(system, "What is the capital of France?")
    assert comparison.grounded.status == "abstained"
    [statement] = comparison.difference.ungrounded
    assert (statement.other_side, statement.counterpart) == ("absent", None)
    assert statement.corpus is not None
    assert statement.corpus.says == "does_not_mention"


def test_items_are_read_with_the_line_that_announces_them_and_courtesies_are_none(
    model: ScriptedServer, system: System
) -> None:
    model.script = saying("Metformin is contraindicated in:\n- an eGFR below 60\nPlease consult your doctor.")
    [statement] = compared(system).difference.ungrounded
    assert statement.text == "Metformin is contraindicated in: an eGFR below 60"


def test_without_a_model_the_message_is_that_of_asking(sample: System) -> None:
    with pytest.raises(Unavailable, match="needs a language model and none is configured: set RAG_LLM_URL"):
        compared(replace(sample, llm=None))


def test_over_http_too_and_the_status_says_that_something_is_missing(sample_copy: Path) -> None:
    app = create_app(Settings(home=sample_copy), with_worker=False)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        response = client.post("/v1/compare", json={"question": QUESTION})
        asked = client.post("/v1/ask", json={"question": QUESTION, "mode": "grounded"})
    assert (response.status_code, response.json()["detail"]) == (503, asked.json()["detail"])
    assert "set RAG_LLM_URL to a vLLM server" in response.json()["detail"]


def test_the_command_prints_both_answers_and_what_changed(
    model: ScriptedServer, system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(system.home))
    model.script = saying(f"{WRONG}. {UNHEARD_OF}.")
    lacking = CliRunner().invoke(main, ["compare", QUESTION])
    assert lacking.exit_code == 1
    assert "none is configured: set RAG_LLM_URL" in lacking.stderr
    monkeypatch.setenv("RAG_LLM_URL", model.url)
    shown = CliRunner().invoke(main, ["compare", QUESTION])
    assert shown.exit_code == 0, shown.output
    for words in (f"{TRUE}. [1]", "contradicted", "not mentioned", "Other numbers", UNHEARD_OF):
        assert words in shown.output
    result = CliRunner().invoke(main, ["compare", QUESTION, "--json", "--seed", "3"])
    [given] = map(json.loads, result.stdout.splitlines())
    assert set(given) == {"id", "question", "grounded", "ungrounded", "difference"}
    assert given["grounded"]["sampling"]["seed"] == given["ungrounded"]["sampling"]["seed"] == 3
    assert given["difference"]["corpus_contradicts"] == [0]


def test_a_stored_comparison_is_seen_by_who_may_see_its_answers(model: ScriptedServer, system: System) -> None:
    model.script = saying(f"{WRONG}. {ALSO_TRUE}.")
    asker, other = (Caller(name, Role.READER, frozenset({"default"})) for name in ("asker", "other"))
    found = compare(Ask(Query(QUESTION)), asker, system)
    assert stored(found.id, asker, system) == found
    assert stored(found.id, LOCAL_ADMIN, system) == found
    with pytest.raises(NotFound):
        stored(found.id, other, system)
    with pytest.raises(NotFound):  # the answer from memory drew on no collection, the one beside it did
        stored(found.id, replace(asker, collections=frozenset({"else"})), system)
    seeded = [compared(system, sampling=Sampling(seed=seed)) for seed in (1, 2)]
    with pytest.raises(NotFound, match="no comparison"):
        stored(f"{seeded[0].grounded.id}-{seeded[1].ungrounded.id}", LOCAL_ADMIN, system)


def test_the_call_gives_both_answers_and_their_difference(service: Service) -> None:
    service.model.reset(saying(f"{WRONG}. {ALSO_TRUE}."))
    response = httpx.post(f"{service.url}/v1/compare", json={"question": QUESTION, "seed": 5}, timeout=60)
    assert response.status_code == 200, response.text
    given = response.json()
    assert set(given) == {"id", "question", "grounded", "ungrounded", "difference"}
    assert given["question"] == QUESTION
    for side in ("grounded", "ungrounded"):
        answer = given[side]
        assert answer["mode"] == side
        stored = httpx.get(f"{service.url}/v1/answers/{answer['id']}").json()
        assert stored == {**answer, "own": True, "feedback": None}
    says = [statement["corpus"] for statement in given["difference"]["ungrounded"]]
    assert [one["says"] for one in says] == ["contradicts", "supports"], says
    assert given["difference"]["corpus_contradicts"] == [0]
    assert given["difference"]["corpus_supports"] == [1]
    again = httpx.get(f"{service.url}/v1/compare/{given['id']}", timeout=60)
    assert again.json() == given
    for other in ("nothing", f"{given['id']}0", "-".join(reversed(given["id"].split("-")))):
        assert httpx.get(f"{service.url}/v1/compare/{other}", timeout=60).status_code == 404
    refused = httpx.post(f"{service.url}/v1/compare", json={"question": QUESTION, "stream": True})
    assert (refused.status_code, "stream" in refused.json()["detail"]) == (422, True)
