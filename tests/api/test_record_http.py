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
    stored = client.get(f"/v1/answers/{answer['id']}").json()
    assert (stored["own"], stored["feedback"]) == (True, {"rating": "down", "reason": given["reason"]})
    assert client.get(f"/v1/answers/{unanswered['id']}").json()["feedback"] is None


def test_what_was_dealt_with_is_off_the_list_until_more_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(client.app.state.system.home))  # type: ignore[attr-defined]
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    unanswered = client.post("/v1/ask", json={"question": "Who won the football cup of 1978?"}).json()
    said = f"/v1/answers/{answer['id']}/feedback"
    client.post(said, json={"rating": "down"})

    def listed() -> list[str]:
        found = client.get("/v1/feedback").json()
        assert found["total"] == len(found["feedback"])
        return [one["answer_id"] for one in found["feedback"]]

    assert {answer["id"], unanswered["id"]} <= set(listed())
    for one in (answer, unanswered):
        handled = client.post(f"/v1/answers/{one['id']}/handled").json()
        assert handled["answer_id"] == one["id"]
        assert handled["handled_at"] > one["created_at"]
    assert not {answer["id"], unanswered["id"]} & set(listed())
    assert answer["id"] in [one["answer_id"] for one in client.get("/v1/feedback?rating=down").json()["feedback"]]
    client.post(said, json={"rating": "down", "reason": "Still so."})
    assert answer["id"] in listed()
    assert unanswered["id"] not in listed()
    assert CliRunner().invoke(main, ["feedback", "handled", answer["id"]]).exit_code == 0
    assert answer["id"] not in listed()
    assert client.post("/v1/answers/none/handled").status_code == 404
    assert client.get("/v1/audit", params={"action": "handled"}).json()["entries"][0]["subject"] == answer["id"]
    assert client.post("/v1/audit/verify", json={}).json()["problems"] == []


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


def test_the_record_is_exported_and_read_through_over_http(client: TestClient) -> None:
    client.post("/v1/search", json={"query": QUESTION})
    exported = client.get("/v1/audit/export", params={"action": "search"})
    assert exported.headers["content-type"] == "application/x-ndjson"
    assert "audit.jsonl" in exported.headers["content-disposition"]
    rows = [json.loads(line) for line in exported.text.splitlines()]
    assert rows == list(reversed(entries(client, action="search", limit=1000)))
    sound = client.post("/v1/audit/verify", json={"head": client.get("/v1/audit").json()["head"]}).json()
    assert (sound["ok"], sound["problems"], sound["total"]) == (True, [], 0)
    number, _, _ = sound["head"].partition(":")
    foreign = client.post("/v1/audit/verify", json={"head": f"{number}:{'0' * 64}"}).json()
    assert (foreign["ok"], foreign["total"]) == (False, len(foreign["problems"]))
    assert client.post("/v1/audit/verify", json={"head": "nonsense"}).status_code == 422
    client.app.state.verifying.acquire()  # type: ignore[attr-defined]  # somebody else is at it
    busy = client.post("/v1/audit/verify", json={})
    client.app.state.verifying.release()  # type: ignore[attr-defined]
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "30")


def test_health_says_what_works_with_which_models_and_what_was_counted(client: TestClient) -> None:
    before = client.get("/v1/health").json()
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    found = client.get("/v1/health").json()
    assert found["status"] == "ok"
    assert found["checks"] == client.get("/readyz").json()["checks"]
    models = {one["part"]: one for one in found["models"]}
    assert [models[part]["calibrated"] for part in ("embedder", "entailment")] == [True, True]
    assert (models["reranker"]["name"], models["language model"]["name"]) == ("", "")
    assert found["index_generation"] == answer["index_generation"]
    whole = found["whole"]
    counted = client.get("/v1/collections").json()["collections"]
    assert sum(one["vectors"] for one in whole["index"]["vectors"]) >= sum(one["passages"] for one in counted) > 0
    assert (whole["index"]["missing"], whole["index"]["other_vectors"]) == (0, 0)
    assert whole["index"]["lexical_bytes"] > 0
    assert 0 < whole["disk_free"] < whole["disk_total"]
    assert not whole["keys_in_force"]

    def total(health: dict[str, Any], kind: str, name: str) -> int:
        return sum(point[kind].get(name, 0) for point in health["points"])

    assert total(found, "answers", "answered") == total(before, "answers", "answered") + 1
    supported = sum(one["verdict"] == "supported" for one in answer["sentences"])
    assert total(found, "sentences", "supported") == total(before, "sentences", "supported") + supported
    assert total(found, "requests", "2") == total(before, "requests", "2") + 1  # looking is not counted
    assert {"retrieve", "judge", "total"} <= {one["stage"] for one in found["stages"]}


def test_what_was_rated_is_listed_at_the_command_line(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    client.post(f"/v1/answers/{answer['id']}/feedback", json={"rating": "up", "reason": "It is on the page."})
    system: System = client.app.state.system  # type: ignore[attr-defined]
    monkeypatch.setenv("RAG_HOME", str(system.home))
    listed = CliRunner().invoke(main, ["feedback", "list", "--rating", "up", "--json"]).output.splitlines()
    assert [json.loads(line)["answer_id"] for line in listed] == [answer["id"]]
    assert "It is on the page." in CliRunner().invoke(main, ["feedback", "list", "--rating", "up"]).output


def test_keys_are_made_listed_and_revoked_over_http(client: TestClient) -> None:
    """Near the end: from the first key on, nobody is let in without one."""
    assert client.get("/v1/keys").json() == {"keys": []}
    locks_out = {"name": "first", "role": "reader"}
    assert client.post("/v1/keys", json=locks_out).status_code == 422
    made = client.post("/v1/keys", json={"name": "first", "role": "admin"})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert client.get("/v1/keys").status_code == 401
    headers = {"authorization": f"Bearer {made.json()['key']}"}
    stated = {"name": "Ward 3", "role": "reader", "collections": ["default"], "requests_per_minute": 9}
    ward = client.post("/v1/keys", json={**stated, "expires_at": "2199-01-31"}, headers=headers).json()
    assert {name: ward[name] for name in stated} == stated
    assert (ward["state"], ward["expires_at"]) == ("active", "2199-01-31T00:00:00+00:00")
    for wrong in ({"expires_at": "2001-01-01"}, {"expires_at": "0001-01-01T00:00:00+14:00"}, {"role": "king"}):
        assert client.post("/v1/keys", json={**stated, **wrong}, headers=headers).status_code == 422
    listed = client.get("/v1/keys", headers=headers)
    assert [one["name"] for one in listed.json()["keys"]] == ["Ward 3", "first"]
    secrets = [ward["key"], made.json()["key"]]
    told = listed.text + client.get("/v1/audit", headers=headers).text
    assert not any(secret.removeprefix("trag_") in told for secret in secrets)
    theirs = {"authorization": f"Bearer {ward['key']}"}
    assert client.get("/v1/collections", headers=theirs).status_code == 200
    assert client.get("/v1/keys", headers=theirs).status_code == 403
    assert client.post("/v1/keys", json=stated, headers=theirs).status_code == 403
    assert client.delete(f"/v1/keys/{ward['id']}", headers=theirs).status_code == 403
    assert client.delete("/v1/keys/none", headers=headers).status_code == 404
    assert client.delete(f"/v1/keys/{ward['id']}", headers=headers).json()["state"] == "revoked"
    assert client.get("/v1/collections", headers=theirs).status_code == 401


def test_who_is_no_administrator_reads_no_record_and_nobody_elses_feedback(client: TestClient) -> None:
    """Last: from the first key on, nobody is let in without one."""
    system: System = client.app.state.system  # type: ignore[attr-defined]
    with system.database.writing() as session:
        _, secret = keys.create(session, LOCAL_ADMIN, "a reader's", Role.READER, None)
    headers = {"authorization": f"Bearer {secret}"}
    for refused in ("/v1/audit", "/v1/audit/export"):
        assert client.get(refused, headers=headers).status_code == 403
    assert client.post("/v1/audit/verify", json={}, headers=headers).status_code == 403
    health = client.get("/v1/health", headers=headers).json()
    assert (health["status"], health["whole"], health["points"], health["stages"]) == ("ok", None, None, None)
    assert str(system.home) not in json.dumps(health)
    assert client.get("/v1/feedback", headers=headers).json() == {"feedback": [], "total": 0}
    answer = client.post("/v1/ask", json={"question": QUESTION}, headers=headers).json()
    assert client.get(f"/v1/answers/{answer['id']}", headers=headers).json()["own"]
    assert client.post(f"/v1/answers/{answer['id']}/handled", headers=headers).status_code == 403
    with system.database.writing() as session:
        _, secret = keys.create(session, LOCAL_ADMIN, "an administrator's", Role.ADMIN, None)
    theirs = {"authorization": f"Bearer {secret}"}
    assert not client.get(f"/v1/answers/{answer['id']}", headers=theirs).json()["own"]
    assert client.post(f"/v1/answers/{answer['id']}/handled", headers=theirs).status_code == 200
