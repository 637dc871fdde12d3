"""What identifies a person leaves no trace in a served home: not in the database, not in the log, not in an error."""

import json
import sqlite3
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import EXECUTABLE, find_free_port, start_server

NAME, PHONE, MRN = "Zebulon Quartermain", "415-555-0199", "00734512"
QUESTION = f"Mr. {NAME}, phone {PHONE}, MRN {MRN}: below which eGFR is metformin contraindicated?"
MASKED = "Mr. [name], phone [phone], MRN [record number]: below which eGFR is metformin contraindicated?"
CHINESE = "患者欧阳靖雯，身份证号11010519491231002X，住院号８８１２３４５６，痛风患者血尿酸应控制在多少以下？"
SECRET_PARTS = ("Zebulon", "Quartermain", PHONE, MRN, "欧阳靖雯", "11010519491231002X", "８８１２３４５６", "88123456")
WORDING = "below which eGFR is metformin contraindicated"


@dataclass(frozen=True)
class Served:
    home: Path
    url: str
    recorded: str
    unrecorded: str

    def call(self, method: str, path: str, key: str | None = None, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {key or self.recorded}"}
        return httpx.request(method, f"{self.url}{path}", headers=headers, timeout=60, **more)

    def ask(self, key: str | None = None, **body: Any) -> dict[str, Any]:
        response = self.call("POST", "/v1/ask", key, json=body)
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer

    def rows(self) -> str:
        """Every value of every table, as text."""
        with sqlite3.connect(self.home / "taiyi.db") as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return repr([database.execute(f'SELECT * FROM "{table}"').fetchall() for table in tables])

    def log(self) -> str:
        return (self.home / "serve.log").read_text(encoding="utf-8")


def _new_key(home: Path, *options: str) -> str:
    made = subprocess.run(
        [EXECUTABLE, "keys", "create", "--json", *options],
        env={"RAG_HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    key: str = json.loads(made.stdout)["key"]
    return key


@pytest.fixture(scope="module")
def served(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real process over a copy of the sample library, which logs every request."""
    import shutil

    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("private") / "home", symlinks=True))
    keys = _new_key(home, "--role", "admin"), _new_key(home, "--unrecorded")
    port = find_free_port()
    server = start_server(home, port, RAG_LOG_FORMAT="json")
    yield Served(home, f"http://127.0.0.1:{port}", *keys)
    server.terminate()
    server.wait(timeout=30)


def test_a_question_is_masked_before_it_is_searched_for_and_stored_and_the_asker_is_told(served: Served) -> None:
    answer = served.ask(question=QUESTION)
    assert answer["question"] == MASKED
    assert answer["status"] == "answered"
    assert any("name, phone, record number" in notice for notice in answer["notices"])
    assert served.call("GET", f"/v1/answers/{answer['id']}").json()["question"] == MASKED

    chinese = served.ask(question=CHINESE)
    assert chinese["question"] == "患者[姓名]，身份证号[证件号]，住院号[病历号]，痛风患者血尿酸应控制在多少以下？"
    assert any("姓名、证件号、病历号" in notice for notice in chinese["notices"])
    assert not [part for part in SECRET_PARTS if part in served.rows()]


def test_masking_does_not_disturb_what_is_found(served: Served) -> None:
    bare = served.ask(question="Below which eGFR is metformin contraindicated?")
    private = served.ask(question=QUESTION)
    assert private["citations"][0]["passage_id"] == bare["citations"][0]["passage_id"]
    assert not bare["notices"]


def test_a_search_is_masked_and_says_so(served: Served) -> None:
    found = served.call("POST", "/v1/search", json={"query": QUESTION}).json()
    assert found["query"] == MASKED
    assert any("name, phone, record number" in notice for notice in found["notices"])
    bare = served.call("POST", "/v1/search", json={"query": "Below which eGFR is metformin contraindicated?"}).json()
    assert found["hits"][0]["passage_id"] == bare["hits"][0]["passage_id"]
    assert bare["notices"] == []


def test_a_follow_up_and_the_openai_protocol_are_masked_too(served: Served) -> None:
    first = served.ask(question="Below which eGFR is metformin contraindicated?")
    second = served.ask(question=f"and for Mr. {NAME}?", conversation_id=first["id"])
    assert second["question"] == "and for Mr. [name]?"
    messages = [
        {"role": "user", "content": f"My patient {NAME} has gout. What is the target serum urate?"},
        {"role": "assistant", "content": f"For {NAME} it is below 360."},
        {"role": "user", "content": f"and with kidney disease? His MRN is {MRN}"},
    ]
    reply = served.call("POST", "/v1/chat/completions", json={"model": "taiyi-rag", "messages": messages}).json()
    assert any("record number, name" in notice for notice in reply["answer"]["notices"])
    stored = served.call("GET", f"/v1/answers/{reply['answer']['id']}").text
    assert not [part for part in SECRET_PARTS if part in stored + served.rows()]


def test_a_key_that_is_not_recorded_leaves_neither_question_nor_answer(served: Served) -> None:
    question = "What is the target serum urate in gout with tophi, xylophone?"
    answer = served.ask(served.unrecorded, question=question)
    assert answer["recorded"] is False
    assert answer["conversation_id"] is None
    assert any("recorded" in notice for notice in answer["notices"])
    assert "xylophone" not in served.rows()
    for key in (served.unrecorded, served.recorded):
        assert served.call("GET", f"/v1/answers/{answer['id']}", key).status_code == 404
    going_on = {"question": "and in kidney disease?", "conversation_id": answer["id"]}
    assert served.call("POST", "/v1/ask", served.unrecorded, json=going_on).status_code == 404
    assert served.call("GET", "/v1/answers", served.unrecorded).json()["answers"] == []


def test_a_key_that_is_not_recorded_goes_on_by_the_history_it_states(served: Served) -> None:
    turn = {"question": "Below which eGFR is metformin contraindicated?", "answer": "Below 30."}
    answer = served.ask(served.unrecorded, question="and above it?", history=[turn])
    assert answer["standalone_question"] == f"{turn['question']} and above it?"


def test_no_log_line_has_a_question_an_identifier_or_a_key(served: Served) -> None:
    """Whatever goes wrong: a refused body, no model, a wrong key, a table that is gone."""
    body = {"question": QUESTION}
    served.ask(**body)
    assert served.call("POST", "/v1/ask", json={**body, "unknown": QUESTION}).status_code == 422
    assert served.call("POST", "/v1/ask", json={**body, "mode": "grounded"}).status_code == 503
    assert served.call("POST", "/v1/ask", json={**body, "collections": [NAME]}).status_code == 404
    assert served.call("POST", "/v1/ask", "taiyi-" + "x" * 43, json=body).status_code == 401
    assert served.call("POST", "/v1/ask", content=f'{{"question": "{QUESTION}').status_code == 422
    with sqlite3.connect(served.home / "taiyi.db") as database:
        database.execute("ALTER TABLE answers RENAME TO answers_away")
    try:
        assert served.call("POST", "/v1/ask", json=body).status_code >= 500
        assert "event: error" in served.call("POST", "/v1/ask", json={**body, "stream": True}).text
    finally:
        with sqlite3.connect(served.home / "taiyi.db") as database:
            database.execute("ALTER TABLE answers_away RENAME TO answers")
    log = served.log()
    assert "/v1/ask" in log, "requests are logged"
    assert "answers" in log, "the failure is logged"
    leaked = [part for part in (*SECRET_PARTS, WORDING, served.recorded, served.unrecorded) if part in log]
    assert leaked == []
