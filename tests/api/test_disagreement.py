"""What sources disagree on, and why nothing is answered, by every door: HTTP, its stream, the OpenAI protocol, the
command line."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from api.cli import main
from api.server import create_app
from api.terminal import stated_probability
from conftest import Library
from rag.settings import Settings

QUESTION = "At what dose is zelvaprost started in adults with gout?"
ELSEWHERE = "Which antenna receives signals from distant galaxies?"


@pytest.fixture
def disagreeing(lite_library: Library, home: Path) -> Path:
    """A home with the guidelines of two societies."""
    lite_library.write(
        "a.md",
        "# Gout\n\nIn adults with gout, start zelvaprost at 10 mg once daily.\n",
        title="Gout guideline",
        publisher="Society A",
        published="2016-05",
    )
    lite_library.write(
        "b.md",
        "# Gout\n\nZelvaprost is started at 20 mg once daily in adults with gout.\n",
        title="Gout advice",
        publisher="Society B",
        edition="3rd",
        published="2023-02",
    )
    lite_library.ingest()
    return home


@pytest.fixture
def client(disagreeing: Path) -> Iterator[TestClient]:
    app = create_app(Settings(home=disagreeing), with_worker=False)
    with TestClient(app, base_url="http://127.0.0.1:8000") as opened:
        yield opened


def chat(question: str, **more: Any) -> dict[str, Any]:
    return {"model": "taiyi-rag", "messages": [{"role": "user", "content": question}], **more}


def test_an_answer_has_both_sides_of_a_disagreement_and_its_stream_ends_with_the_same(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": QUESTION}).json()
    [conflict] = answer["conflicts"]
    sides = {one["marker"]: one for one in answer["citations"]}
    assert {sides[marker]["published"] for marker in conflict["citations"]} == {"2016-05", "2023-02"}
    assert sides[conflict["newer"]]["edition"] == "3rd"
    assert conflict["kind"] == "number"
    assert 0 < answer["confidence"] < 1
    assert "The sources disagree." in answer["confidence_reasons"]
    streamed = client.post("/v1/ask", json={"question": QUESTION, "stream": True}).text
    events = [one.split("\ndata: ") for one in streamed.replace("event: ", "").strip().split("\n\n")]
    [last] = [json.loads(data) for name, data in events if name == "answer"]
    assert last["conflicts"] == answer["conflicts"]


def test_a_client_of_the_openai_protocol_reads_the_disagreement_in_the_text(client: TestClient) -> None:
    given = client.post("/v1/chat/completions", json=chat(QUESTION)).json()
    content = given["choices"][0]["message"]["content"]
    [conflict] = given["answer"]["conflicts"]
    assert content.endswith(conflict["message"])
    assert (given["answer"]["withheld"], given["answer"]["abstention"]) == ([], None)
    lines = client.post("/v1/chat/completions", json=chat(QUESTION, stream=True)).text.split("\n\n")
    chunks = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == content
    assert chunks[-1]["answer"]["conflicts"] == given["answer"]["conflicts"]


def test_a_refusal_says_what_was_looked_for(client: TestClient) -> None:
    answer = client.post("/v1/ask", json={"question": ELSEWHERE}).json()
    assert answer["status"] == "abstained"
    assert answer["abstention"]["looked_for"] == ELSEWHERE
    assert "antenna" in answer["abstention"]["missing"]
    given = client.post("/v1/chat/completions", json=chat(ELSEWHERE)).json()
    assert given["choices"][0]["message"]["content"] == answer["text"]
    assert given["answer"]["abstention"] == answer["abstention"]


def test_the_terminal_shows_the_disagreement_and_the_reasons(
    disagreeing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(disagreeing))
    shown = CliRunner().invoke(main, ["ask", QUESTION]).output
    for said in ("The sources disagree on a number", "10 mg", "20 mg", "Society B, 3rd, 2023-02, the newer one"):
        assert said in shown
    assert "Confidence 0." in shown
    assert "It rests on" in shown


def test_at_the_terminal_no_confidence_is_rounded_to_certainty() -> None:
    assert [stated_probability(one) for one in (0.0, 0.004, 0.01, 0.5, 0.99, 0.9951, 1.0)] == [
        "< 0.01", "< 0.01", "0.01", "0.50", "0.99", "> 0.99", "> 0.99",
    ]  # fmt: skip
