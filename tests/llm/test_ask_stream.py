"""Answers as they come about, over HTTP: drafts, sentences, heartbeats, and readers who go away."""

import json
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from scripted_server import Broken, Messages, Script, ScriptedServer, Service, eventually, number_of

from api.server import create_app
from conftest import start_server
from rag import record
from rag.notices import notice
from rag.settings import Settings
from rag.system import open_system
from rag.types import LOCAL_ADMIN

pytest_plugins = ["service_fixtures"]

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"
KEPT = f"{TRUE}. [1]"
ASKED = {"question": QUESTION, "stream": True}
PROMPTLY_S = 1.5
Told = Iterator[tuple[str, Any]]


def true(messages: Messages) -> str:
    return f"{TRUE} [{number_of(TRUE, messages)}]."


def steady(messages: Messages) -> Script:
    """A sentence, and then a long one that goes on for ten seconds without a pause to notice anything in."""
    yield f"{true(messages)} {ALSO_TRUE} "
    for _ in range(1000):
        yield "and so "
        yield 0.01


def hesitating(messages: Messages) -> Script:
    return [f"{true(messages)} {ALSO_TRUE} ", threading.Event()]


def told(response: httpx.Response) -> Told:
    """The events of a stream; a comment has no name."""
    assert response.headers["content-type"].startswith("text/event-stream")
    name = ""
    for line in response.iter_lines():
        match line.partition(": "):
            case ("event", _, value):
                name = value
            case ("data", _, value):
                yield name, json.loads(value)
            case ("", ": ", value):
                yield "", value


def up_to(name: str, events: Told) -> list[tuple[str, Any]]:
    """The events up to the first called ``name``."""
    read = []
    for event in events:
        read.append(event)
        if event[0] == name:
            return read
    raise AssertionError(f"there is no {name} in {read}")


def last_answer(service: Service) -> dict[str, Any]:
    newest = httpx.get(f"{service.url}/v1/answers?limit=1").json()["answers"][0]
    return httpx.get(f"{service.url}/v1/answers/{newest['id']}").json()


def test_passages_then_drafts_and_sentences_then_the_answer_and_the_end(service: Service) -> None:
    service.model.reset(lambda messages: f"{true(messages)} It is a good drug. {ALSO_TRUE} [1].")
    with httpx.stream("POST", f"{service.url}/v1/ask", json=ASKED) as response:
        events = list(told(response))
    names = [name for name, _ in events]
    assert names[0] == "passages"
    assert set(names[1:-2]) == {"token", "sentence"}
    assert names[-2:] == ["answer", "done"]
    answer = events[-2][1]
    assert events[-1][1] == {"id": answer["id"]}
    assert events[0][1]["hits"] == answer["passages"]
    sentences = [data for name, data in events if name == "sentence"]
    assert [data["kept"] for data in sentences] == [True, False, True]
    kept = [{key: value for key, value in data.items() if key != "kept"} for data in sentences if data["kept"]]
    assert kept == answer["sentences"]
    stored = httpx.get(f"{service.url}/v1/answers/{answer['id']}").json()
    assert stored == {**answer, "own": True, "feedback": None}


def test_drafts_and_sentences_arrive_while_the_model_still_writes(service: Service) -> None:
    first, second = threading.Event(), threading.Event()
    service.model.reset(lambda messages: ["Metformin", first, f" is{true(messages)[12:]} {ALSO_TRUE}", second, " [1]."])
    with httpx.stream("POST", f"{service.url}/v1/ask", json=ASKED) as response:
        events = told(response)
        assert [name for name, _ in up_to("token", events)] == ["passages", "token"]
        assert not first.is_set()
        first.set()
        sentence = up_to("sentence", events)[-1][1]
        assert (sentence["text"], sentence["kept"], sentence["verdict"]) == (f"{TRUE}.", True, "supported")
        second.set()
        assert up_to("done", events)[-2][1]["text"] == f"{KEPT} {ALSO_TRUE}. [2]"


def test_a_model_that_hesitates_is_bridged_by_comments(monkeypatch: pytest.MonkeyPatch, sample_copy: Path) -> None:
    monkeypatch.setattr("api.following.HEARTBEAT_S", 0.3)
    with ScriptedServer(lambda messages: ["Metformin", 1.5, true(messages)]) as model:
        app = create_app(Settings(home=sample_copy, llm_url=model.url), with_worker=False)
        with TestClient(app, base_url="http://127.0.0.1:8000") as client:
            names = [name for name, _ in told(client.post("/v1/ask", json=ASKED))]
    hesitated = names.index("", names.index("token"))
    assert "token" in names[hesitated:]
    assert names[-2:] == ["answer", "done"]


@pytest.mark.parametrize("script", [steady, hesitating])
@pytest.mark.parametrize("streams", [True, False])
def test_a_client_that_goes_away_stops_the_model_and_leaves_a_partial_answer(
    streams: bool, script: Any, service: Service
) -> None:
    service.model.reset(script)
    if streams:
        with httpx.stream("POST", f"{service.url}/v1/ask", json=ASKED) as response:
            up_to("sentence", told(response))
    else:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{service.url}/v1/ask", json={"question": QUESTION}, timeout=2.5)
    assert eventually(lambda: service.model.left == 1, PROMPTLY_S)
    assert eventually(lambda: last_answer(service)["status"] == "partial", PROMPTLY_S)
    partial = last_answer(service)
    assert (partial["question"], partial["text"]) == (QUESTION, KEPT)
    assert [sentence["verdict"] for sentence in partial["sentences"]] == ["supported"]
    assert partial["notices"] == [notice("cut_off", "en")]


def test_a_failure_after_the_first_event_is_an_event_of_its_own(service: Service) -> None:
    def breaks(messages: Messages) -> Script:
        yield f"{true(messages)} {ALSO_TRUE} "
        raise Broken

    service.model.reset(breaks)
    with httpx.stream("POST", f"{service.url}/v1/ask", json=ASKED) as response:
        events = list(told(response))
    assert response.status_code == 200
    name, problem = events[-1]
    assert name == "error"
    assert problem["status"] in (502, 503)
    assert problem["request_id"] == response.headers["x-request-id"]
    failed = httpx.get(f"{service.url}/v1/answers/{problem['answer_id']}").json()
    assert (failed["status"], failed["failure"], failed["text"]) == ("failed", problem["detail"], KEPT)
    service.model.reset(true)
    assert httpx.post(f"{service.url}/v1/ask", json={"question": QUESTION}).json()["status"] == "answered"


@pytest.mark.parametrize(
    ("wrong", "status"), [({"collections": ["nowhere"]}, 404), ({"conversation_id": "none"}, 404), ({"top_k": 0}, 422)]
)
def test_what_is_wrong_from_the_start_is_a_problem_and_no_stream(
    wrong: dict[str, Any], status: int, service: Service
) -> None:
    response = httpx.post(f"{service.url}/v1/ask", json={**ASKED, **wrong})
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


def test_a_prompt_without_room_is_a_problem_that_names_the_recorded_answer(service: Service) -> None:
    service.model.reset(true)
    service.model.count_tokens = lambda messages: 9000
    response = httpx.post(f"{service.url}/v1/ask", json=ASKED)
    assert (response.status_code, response.headers["content-type"]) == (422, "application/problem+json")
    failed = httpx.get(f"{service.url}/v1/answers/{response.json()['answer_id']}").json()
    assert (failed["status"], failed["failure"]) == ("failed", response.json()["detail"])


def test_eight_streams_run_at_once_and_leave_room_for_a_search(service: Service) -> None:
    release = threading.Event()
    service.model.reset(lambda messages: ["Metformin", release, true(messages).removeprefix("Metformin")])

    def asked(_: int) -> str:
        with httpx.stream("POST", f"{service.url}/v1/ask", json=ASKED, timeout=60) as response:
            return up_to("done", told(response))[-2][1]["text"]

    with ThreadPoolExecutor(8) as pool:
        texts = [pool.submit(asked, number) for number in range(8)]
        try:
            assert eventually(lambda: len(service.model.requests) == 8, 40)
            found = httpx.post(f"{service.url}/v1/search", json={"query": "blood pressure target"}, timeout=10).json()
            assert found["hits"]
            assert not any(text.done() for text in texts)
        finally:
            release.set()
        assert [text.result() for text in texts] == [KEPT] * 8


def test_a_service_that_is_stopped_ends_its_streams_and_records_what_was_written(
    sample_copy: Path, free_port: int
) -> None:
    with ScriptedServer(steady) as model:
        server = start_server(sample_copy, free_port, RAG_LLM_URL=model.url)
        with httpx.stream("POST", f"http://127.0.0.1:{free_port}/v1/ask", json=ASKED, timeout=30) as response:
            events = told(response)
            up_to("sentence", events)
            server.send_signal(signal.SIGTERM)
            assert "done" not in [name for name, _ in events]
        assert server.wait(6) in (0, -signal.SIGTERM)
        assert model.left == 1
    with open_system(Settings(home=sample_copy)) as system, system.database.reading() as session:
        last = record.latest(session, LOCAL_ADMIN, 1)[0]
    assert (last.status, last.text, last.notices) == ("partial", KEPT, (notice("cut_off", "en"),))
