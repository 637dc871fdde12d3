"""What survives ``kill -9``: the program is started as a user starts it, and killed at random moments."""

import json
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from conftest import EXECUTABLE, new_home, start_server
from rag import catalog
from rag.retrieval import search
from rag.settings import Settings
from rag.system import open_system
from rag.tables import PassageRow
from rag.types import LOCAL_ADMIN, Query

pytestmark = pytest.mark.sqlite  # what a killed process has written is looked for in SQLite's own file

TOPICS = ("kidney function", "blood pressure", "children", "pregnancy", "药物用于治疗高血压", "急性发作时的吸入治疗")
FINDINGS = (
    "dose",
    "risk",
    "trial",
    "renal",
    "hepatic",
    "elderly",
    "interval",
    "relapse",
    "剂量",
    "疗程",
    "风险",
    "复发",
)
BEFORE = "before anything was committed, or with nothing left to do"
IN_BETWEEN = "between reading and publishing"
ROUNDING = 1e-5
log = logging.getLogger(__name__)
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


def write_portions(folder: Path, count: int, documents: int) -> list[Path]:
    """``count`` folders, each of ``documents`` documents: a fifth of them in a zip, a fifth records of one file."""
    chance = random.Random(3)
    portions = [folder / f"portion{number:02}" for number in range(count)]
    for number, portion in enumerate(portions):
        portion.mkdir()
        texts = {f"Drug{number * documents + i}": chance.sample(FINDINGS, 4) for i in range(documents)}
        apart = documents // 5
        with zipfile.ZipFile(portion / "others.zip", "w") as archive:
            for name in list(texts)[:apart]:
                archive.writestr(f"{name}.md", document(name, texts[name]))
        records = [
            {"id": name, "title": f"Record of {name}", "text": f"{name} and {' '.join(texts[name])} for {name}."}
            for name in list(texts)[apart : 2 * apart]
        ]
        (portion / "records.jsonl").write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
        for name in list(texts)[2 * apart :]:
            (portion / f"{name}.md").write_text(document(name, texts[name]), encoding="utf-8")
    return portions


def document(name: str, findings: list[str]) -> str:
    number = int(name.removeprefix("Drug"))
    topic = TOPICS[number % len(TOPICS)]
    sentences = " ".join(f"{name} is given at {number + i} mg for {topic}: {one}." for i, one in enumerate(findings))
    return f"# {name}\n\n## Use\n\n{sentences}\n\n## {findings[0]}\n\n{sentences} {' '.join(findings)}\n"


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RAG_HOME": str(home)}
    return subprocess.run([EXECUTABLE, *arguments], env=environment, capture_output=True, text=True, timeout=300)


def state(home: Path, searches: int = 40) -> tuple[list, list]:
    """What a user can see: every passage with the ids of its document and edition, the ten best of some searches with
    their scores."""
    chance = random.Random(5)
    queries = [
        f"Drug{chance.randrange(500)} {chance.choice(TOPICS)} {chance.choice(FINDINGS)}" for _ in range(searches)
    ]
    with open_system(Settings(home=home)) as system:
        with system.database.reading() as session:
            passages = catalog.passages(session, LOCAL_ADMIN, session.scalars(select(PassageRow.id)).all())
        found = [search(Query(query, top_k=10), LOCAL_ADMIN, system).hits for query in queries]
    return (
        sorted((p.document_id, p.edition_id, p.char_start, p.title, p.text) for p in passages.values()),
        [{(hit.passage.edition_id, hit.passage.char_start): hit.score for hit in hits} for hits in found],
    )


def assert_same(first: tuple[list, list], second: tuple[list, list]) -> None:
    """The same passages, and the same ten best but for what scores alike: how texts fall into batches shows in the
    sixth decimal of a cosine."""
    assert first[0] == second[0]
    for ours, theirs in zip(first[1], second[1], strict=True):
        assert list(ours.values()) == pytest.approx(list(theirs.values()), abs=ROUNDING)
        last = min(ours.values())
        for passage in ours.keys() | theirs.keys():
            assert ours.get(passage, last) == pytest.approx(theirs.get(passage, last), abs=2 * ROUNDING)


def start_ingest(home: Path, *paths: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [EXECUTABLE, "ingest", *map(str, paths)],
        env={**os.environ, "RAG_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def progress(home: Path) -> tuple[int, int, int]:
    """How many editions are committed, how many of those are pending, how many files were read to their end."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'taiyi.db'}?mode=ro", uri=True)) as connection:
            [row] = connection.execute(
                "SELECT (SELECT COUNT(*) FROM editions), (SELECT COUNT(*) FROM editions WHERE state = 'pending'),"
                " (SELECT COUNT(*) FROM sources)"
            )
    except sqlite3.OperationalError:  # killed before there was a database
        return 0, 0, 0
    return row


def where_it_was(before: tuple[int, int, int], after: tuple[int, int, int]) -> str:
    if after[2] > before[2]:
        return "after publishing"
    if after[1]:
        return IN_BETWEEN
    return BEFORE


def processes_of(home: Path) -> list[str]:
    """The command lines that name ``home``, as those of the processes do that read files for it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [line for line in found if str(home) in line]


def leftovers(home: Path) -> list[Path]:
    unfinished = [path for folder in ("index", "originals") for path in (home / folder).rglob("*.unfinished")]
    return unfinished + [path for folder in ("unpacked", "uploads") for path in (home / folder).rglob("*")]


@pytest.fixture(scope="module")
def portions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_portions(tmp_path_factory.mktemp("documents"), 5, 12)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, models: Path, portions: list[Path]) -> tuple[list, list]:
    home = new_home(tmp_path_factory.mktemp("undisturbed") / "home", models)
    assert command(home, "ingest", *map(str, portions)).returncode == 0
    return state(home)


@LINUX
def test_an_ingest_killed_at_random_ends_like_an_undisturbed_one(
    tmp_path: Path, models: Path, portions: list[Path], undisturbed: tuple[list, list]
) -> None:
    killed_again_and_again(tmp_path, models, portions, 5)
    assert_same(state(tmp_path / "home"), undisturbed)


@LINUX
@pytest.mark.full
def test_an_ingest_of_500_documents_killed_200_times_ends_like_an_undisturbed_one(tmp_path: Path, models: Path) -> None:
    portions = write_portions(tmp_path, 25, 20)
    landed = killed_again_and_again(tmp_path, models, portions, 200)
    log.info("kills %s", dict(landed))
    undisturbed = new_home(tmp_path / "undisturbed", models)
    assert command(undisturbed, "ingest", *map(str, portions)).returncode == 0
    expected = state(undisturbed, searches=200)
    assert_same(state(tmp_path / "home", searches=200), expected)
    assert len({document_id for document_id, *_ in expected[0]}) == 500
    assert landed[IN_BETWEEN] >= 50
    assert landed[BEFORE] >= 50


def killed_again_and_again(tmp_path: Path, models: Path, portions: list[Path], kills: int) -> Counter[str]:
    """Reads ``portions`` into ``tmp_path / "home"``, a further one after some kills, so that there is always something
    to do; then once undisturbed. Where the kills hit."""
    first = new_home(tmp_path / "first", models)
    started = time.monotonic()
    assert command(first, "ingest", str(portions[0])).returncode == 0
    longest = time.monotonic() - started
    home = new_home(tmp_path / "home", models)
    chance, landed = random.Random(7), Counter[str]()
    while landed.total() < kills:
        before = progress(home)
        process = start_ingest(home, *portions[: 1 + landed.total() * len(portions) // kills])
        try:
            assert process.wait(chance.uniform(0.05, longest)) == 0
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            landed[where_it_was(before, progress(home))] += 1
    assert command(home, "ingest", *map(str, portions)).returncode == 0
    assert command(home, "verify").returncode == 0
    assert leftovers(home) == []
    deadline = time.monotonic() + 15
    while processes_of(home):
        assert time.monotonic() < deadline, processes_of(home)
        time.sleep(0.1)
    return landed


def test_two_processes_ingesting_at_once_lose_nothing(
    tmp_path: Path, models: Path, portions: list[Path], undisturbed: tuple[list, list]
) -> None:
    home = new_home(tmp_path / "home", models)
    both = [start_ingest(home, *portions) for _ in range(2)]
    assert [process.wait(300) for process in both] == [0, 0]
    assert_same(state(home), undisturbed)
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
