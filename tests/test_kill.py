"""What survives ``kill -9``: the program is started as a user starts it, and killed at random moments."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from conftest import EXECUTABLE, new_home, start_server

QUERIES = ["Drug7 dose", "什么药物用于治疗", "kidney function", "Drug3 children", "blood pressure"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    topics = ("kidney function", "blood pressure", "children", "pregnancy", "药物用于治疗高血压")
    for number in range(40):
        topic = topics[number % len(topics)]
        sentences = " ".join(f"Drug{number} is given at {number + i} mg for {topic} in step {i}." for i in range(6))
        (folder / f"d{number:02}.md").write_text(f"# Drug{number}\n\n## Use\n\n{sentences}\n", encoding="utf-8")
    lines = (json.dumps({"id": f"r{i}", "title": f"Record {i}", "text": f"Record {i} on Drug{i}."}) for i in range(60))
    (folder / "records.jsonl").write_text("\n".join(lines))
    return folder


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RAG_HOME": str(home)}
    return subprocess.run([EXECUTABLE, *arguments], env=environment, capture_output=True, text=True, timeout=300)


def state(home: Path) -> list:
    """Everything a user can see: the passages with their ids, and the results of searches."""
    from rag import catalog
    from rag.retrieval import search
    from rag.settings import Settings
    from rag.system import open_system
    from rag.types import LOCAL_ADMIN, Query

    with open_system(Settings(home=home)) as system:
        with system.database.reading() as session:
            passages = catalog.passages(session, LOCAL_ADMIN, range(1, 2000))
        seen = [sorted((p.external_id or p.title, p.char_start, p.text) for p in passages.values())]
        for query in QUERIES:
            hits = search(Query(query), LOCAL_ADMIN, system).hits
            seen.append([(hit.passage.title, hit.passage.text, round(hit.score, 6)) for hit in hits])
    return seen


def start_ingest(home: Path, folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [EXECUTABLE, "ingest", str(folder)],
        env={**os.environ, "RAG_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, models: Path, folder: Path) -> tuple[list, float]:
    home = new_home(tmp_path_factory.mktemp("undisturbed") / "home", models)
    started = time.perf_counter()
    assert command(home, "ingest", str(folder)).returncode == 0
    return state(home), time.perf_counter() - started


@pytest.mark.parametrize("rounds", [pytest.param(3, id="few"), pytest.param(25, id="many", marks=pytest.mark.full)])
def test_an_ingest_killed_at_random_ends_like_an_undisturbed_one(
    tmp_path: Path, models: Path, folder: Path, undisturbed: tuple[list, float], rounds: int
) -> None:
    expected, duration = undisturbed
    chance = random.Random(7)
    for number in range(rounds):
        home = new_home(tmp_path / f"home{number}", models)
        for _ in range(2):
            process = start_ingest(home, folder)
            time.sleep(chance.uniform(0.2, 1.0) * duration)
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert command(home, "ingest", str(folder)).returncode == 0
        assert state(home) == expected
        assert command(home, "verify").returncode == 0


def test_two_processes_ingesting_at_once_lose_nothing(
    tmp_path: Path, models: Path, folder: Path, undisturbed: tuple[list, float]
) -> None:
    home = new_home(tmp_path / "home", models)
    both = [start_ingest(home, folder) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert state(home) == undisturbed[0]
    assert command(home, "verify").returncode == 0


def test_a_server_killed_while_it_answers_loses_nothing(sample_copy: Path, free_port: int) -> None:
    for moment in (0.05, 0.4):
        server = start_server(sample_copy, free_port)
        first = ask(free_port, "What is the target serum urate in gout?")
        process = subprocess.Popen(
            [sys.executable, "-c", ASKING, f"http://127.0.0.1:{free_port}/v1/ask"], stderr=subprocess.DEVNULL
        )
        time.sleep(moment)
        server.send_signal(signal.SIGKILL)
        server.wait()
        process.wait(60)
        shown = command(sample_copy, "answers", "show", first["id"], "--json")
        assert json.loads(shown.stdout)["text"] == first["text"]
        assert command(sample_copy, "verify").returncode == 0


def test_an_acknowledged_upload_survives_the_servers_death(sample_copy: Path, free_port: int) -> None:
    server = start_server(sample_copy, free_port)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="q.md"\r\n\r\n'
        b"# Quoxin\n\nQuoxin 3 mg is given weekly.\n\r\n--b--\r\n"
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{free_port}/v1/documents", body, {"content-type": "multipart/form-data; boundary=b"}
    )
    with urllib.request.urlopen(request) as response:
        assert response.status == 202
    server.send_signal(signal.SIGKILL)
    server.wait()
    again = start_server(sample_copy, free_port)
    deadline = time.monotonic() + 60
    while not any("Quoxin" in hit["text"] for hit in post(free_port, "search", {"query": "Quoxin"})["hits"]):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    again.terminate()
    assert again.wait(20) in (0, -signal.SIGTERM)


ASKING = """
import json, sys, urllib.request
body = json.dumps({"question": "Which four drug classes treat heart failure?"}).encode()
while True:
    urllib.request.urlopen(urllib.request.Request(sys.argv[1], body, {"content-type": "application/json"})).read()
"""


def post(port: int, path: str, body: dict) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/{path}", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def ask(port: int, question: str) -> dict:
    return post(port, "ask", {"question": question})
