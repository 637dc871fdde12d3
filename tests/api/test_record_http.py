"""The record over HTTP and on the command line: replay, feedback, the audit record, its head."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from api.cli import main
from api.server import create_app
from rag import keys
from rag.settings import Settings
from rag.system import System
from rag.types import LOCAL_ADMIN, Role

QUESTION = "Below which eGFR is metformin contraindicated?"


@pytest.fixture(scope="module")
def client(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = shutil.copytree(sample_home, tmp_path_factory.mktemp("record") / "home", symlinks=True)
    app = create_app(Settings(home=Path(home)), with_worker=False)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as opened:
        yield opened


def entries(client: TestClient, **asked: Any) -> list[dict[str, Any]]:
    return client.get("/v1/audit", params=asked).json()["entries"]


def test_what_is_asked_and_searched_is_in_the_record_without_its_words(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION}, headers={"x-request-id": "asked-1"}).json()
    client.post("/v1/search", json={"query": QUESTION, "top_k": 3})
    searched, answered = entries(client, limit=2)
    assert (searched["action"], searched["details"]["hits"]) == ("search", 3)
    assert (answered["action"], answered["subject"], answered["request_id"]) == ("answer", answer["id"], "asked-1")
    said = {"mode", "model", "prompt", "generation", "settings", "collections", "recorded"}
    assert said <= answered["details"].keys()
    assert answered["details"]["generation"] == answer["index_generation"]
    assert "metformin" not in json.dumps([searched, answered]).lower()


def test_rows_are_paged_and_picked(client: TestClient) -> None:
    newest, second = entries(client, limit=2)
    assert entries(client, limit=1, before=newest["number"]) == [second]
    assert {one["action"] for one in entries(client, action="answer")} == {"answer"}
    assert entries(client, until="2020-01-01T00:00:00Z") == []
    head = client.get("/v1/audit").json()["head"]
    assert head == f"{newest['number']}:{newest['digest']}"


def test_an_answer_is_made_again_over_http(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION, "top_k": 4}).json()
    replayed = client.post(f"/v1/answers/{answer['id']}/replay").json()
    assert (replayed["identical"], replayed["retrieval"], replayed["text"]) == (True, "same", "same")
    assert replayed["answer"]["text"] == answer["text"]
    assert client.post("/v1/answers/none/replay").status_code == 404


def test_what_is_said_of_an_answer_is_kept_without_identifiers_and_listed(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    address = f"/v1/answers/{answer['id']}/feedback"
    assert client.post(address, json={"rating": "up"}).json()["rating"] == "up"
    given = client.post(address, json={"rating": "down", "reason": "Call me: jo.smith@example.org"}).json()
    assert "example.org" not in given["reason"]
    found = client.get("/v1/feedback").json()
    assert [one["answer_id"] for one in found["feedback"]] == [answer["id"]]
    assert found["total"] == 1
    assert client.get("/v1/feedback", params={"rating": "up"}).json()["feedback"] == []
    unanswered = client.post("/v1/ask", json={"question": "Who won the football cup of 1974?"}).json()
    assert unanswered["status"] == "abstained"
    assert unanswered["id"] in [one["answer_id"] for one in client.get("/v1/feedback").json()["feedback"]]
    assert client.post(address, json={"rating": "maybe"}).status_code == 422
    assert client.post("/v1/answers/none/feedback", json={"rating": "up"}).status_code == 404


def test_answers_are_listed_by_status_and_time(client: TestClient) -> None:
    found = client.get("/v1/answers", params={"status": "abstained"}).json()["answers"]
    assert {one["status"] for one in found} == {"abstained"}
    assert client.get("/v1/answers", params={"until": "2020-01-01T00:00:00Z"}).json()["answers"] == []
    everything = client.get("/v1/answers").json()["answers"]
    assert client.get("/v1/answers", params={"limit": 1, "offset": 1}).json()["answers"] == everything[1:2]


def test_answers_are_found_by_question_mode_collection_model_and_asker(client: TestClient) -> None:
    client.post("/v1/ask", json={"question": QUESTION})

    def found(**sought: Any) -> tuple[list[dict[str, Any]], int]:
        listed = client.get("/v1/answers", params=sought).json()
        return listed["answers"], listed["total"]

    everything, total = found()
    assert len(everything) == total > 2
    some, counted = found(text="EGFR IS metformin", limit=1)
    assert (len(some), some[0]["question"], some[0]["caller_id"]) == (1, QUESTION, "local")
    assert counted == sum(one["question"] == QUESTION for one in everything)
    assert found(text="%") == found(text="x" * 50) == ([], 0)
    assert found(mode="extractive")[1] == found(model=some[0]["model"])[1] == found(caller_id="local")[1] == total
    assert found(mode="grounded")[1] == found(model="other")[1] == found(caller_id="key:none")[1] == 0
    assert found(collection="default")[1] > 0
    assert found(collection="elsewhere")[1] == 0


def test_the_command_line_lists_exports_and_checks_against_a_head(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    system: System = client.app.state.system  # type: ignore[attr-defined]
    monkeypatch.setenv("RAG_HOME", str(system.home))
    runner = CliRunner()
    head = runner.invoke(main, ["audit", "head"]).output.strip()
    exported = runner.invoke(main, ["audit", "export"]).output.splitlines()
    last = json.loads(exported[-1])
    assert head == f"{last['number']}:{last['digest']}"
    assert [json.loads(line)["number"] for line in exported] == list(range(1, len(exported) + 1))
    listed = runner.invoke(main, ["audit", "list", "--action", "answer", "--json"]).output.splitlines()
    assert {json.loads(line)["action"] for line in listed} == {"answer"}
    (tmp_path / "head").write_text(f"{head}\n")
    sound = runner.invoke(main, ["verify", "--head", str(tmp_path / "head"), "--json"])
    assert json.loads(sound.output) == {"ok": True, "problems": []}
    foreign = runner.invoke(main, ["verify", "--head", f"{last['number']}:{'0' * 64}", "--json"])
    assert (foreign.exit_code, json.loads(foreign.output)["ok"]) == (1, False)
    assert runner.invoke(main, ["verify", "--head", "nonsense"]).exit_code == 2
    answered = json.loads(listed[0])["subject"]
    replayed = runner.invoke(main, ["answers", "replay", answered, "--json"]).output
    assert json.loads(replayed)["identical"] is True
    assert runner.invoke(main, ["audit", "retain", "--older-than", "1"]).output.startswith("Removed 0 answers")


def test_who_is_no_administrator_reads_no_record_and_nobody_elses_feedback(client: TestClient) -> None:
    """Last: from the first key on, nobody is let in without one."""
    system: System = client.app.state.system  # type: ignore[attr-defined]
    with system.database.writing() as session:
        _, secret = keys.create(session, LOCAL_ADMIN, "a reader's", Role.READER, None)
    headers = {"authorization": f"Bearer {secret}"}
    assert client.get("/v1/audit", headers=headers).status_code == 403
    assert client.get("/v1/feedback", headers=headers).json() == {"feedback": [], "total": 0}
