"""What the running service adds to a search, from its start on, and how many searches a second it answers.

    python benchmarks/service.py --questions Q.jsonl.gz [--home HOME] [--into docs/performance.md]

Starts ``taiyi-rag serve`` on HOME, or on a temporary home with the sample documents, and asks it questions with an API
key, every one of them new, so that no cache helps:

- from the start of the process to the first answered search, and the memory that it has then;
- one client: twenty searches over HTTP, then twenty in this process, and so on; and what of it is embedding, the rest
  of the search, and the row of the audit record;
- 1, 8 and 32 clients: searches a second and how long each takes, beside what the embedder alone does with as many
  texts in batches of as many; both too by the processor time that each search costs, which other work on the machine
  does not change as much.
"""

import argparse
import http.client
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from shaped import questions_of

from rag import keys
from rag.asking import Asked
from rag.languages import language_of
from rag.privacy import masked_query
from rag.retrieval import search
from rag.searching import _write_down
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Query, Role

SAMPLE = Path(__file__).parent.parent / "corpora" / "sample"
CLIENTS = (1, 8, 32)
BLOCK = 20
Result = TypeVar("Result")
BEGIN, END = "<!-- service.py writes from here -->", "<!-- to here, of service.py -->"
START_WITHIN_S = 300


@dataclass(frozen=True, slots=True)
class Server:
    port: int
    secret: str
    pid: int
    first_s: float
    first_cpu_s: float

    def processor_s(self) -> float:
        return processor_s(self.pid)


@dataclass(frozen=True, slots=True)
class Load:
    """``clients`` at one time: searches a second, milliseconds, and the server's processor time for each search."""

    clients: int
    per_s: float
    p50: float
    p95: float
    p99: float
    processor_ms: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="with documents; a key is made in it (a temporary one of the sample)")
    parser.add_argument("--models", type=Path, default=Path("data/models"), help="for a temporary home")
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--each", type=int, default=200, help="searches for each measurement")
    parser.add_argument("--into", type=Path, help="page whose part between this program's marks is written anew")
    arguments = parser.parse_args()
    asked = iter(questions_of(arguments.questions, 100_000))
    with tempfile.TemporaryDirectory() as made:
        home = arguments.home or _sample_home(Path(made), arguments.models)
        with open_system(Settings(home=home)) as system, serving(home, system) as server:
            report = "\n\n".join(_measured(server, system, asked, arguments.each))
    print(report)
    if arguments.into:
        text = arguments.into.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        arguments.into.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _measured(server: Server, system: System, asked: Iterator[str], each: int) -> Iterator[str]:
    memory = _memory(server.pid)
    yield (
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {_processor()}, load {os.getloadavg()[0]:.1f} at the "
        f"beginning, {_passages(system)}. From the start of `serve` to its first answered search "
        f"{server.first_s:.1f} s ({server.first_cpu_s:.1f} s of processor time); idle after it {memory} MiB resident."
    )
    yield alone(server, system, asked, each)
    found = [loaded(server, clients, [next(asked) for _ in range(max(each, 4 * clients))]) for clients in CLIENTS]
    texts = [_texts(next(asked), system) for _ in range(each)]
    yield _table(found, {load.clients: embedded(system, texts, load.clients) for load in found})


def alone(server: Server, system: System, asked: Iterator[str], each: int) -> str:
    """One search after another, over HTTP and here, some of each in turns: were it one of each, both processes would
    find their memory out of the processor's cache every time."""
    search(Query(next(asked)), LOCAL_ADMIN, system)  # which loads the model; the service closes an idle connection
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=START_WITHIN_S)
    took: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        found = work()
        took.setdefault(name, []).append(1000 * (time.perf_counter() - started))
        return found

    for number in range(-1, each // BLOCK):
        for _ in range(BLOCK):
            timed("over HTTP", lambda: _post(connection, server.secret, next(asked)))
        for _ in range(BLOCK):
            query, _kinds = masked_query(Query(next(asked)), system.settings)
            timed("embedding", partial(Asked(query.text, system.embedder).embed, ("en", "zh")))
            found = timed("search", partial(search, query, LOCAL_ADMIN, system))
            timed("record", partial(_write_down, query, found, LOCAL_ADMIN, system))
        if number < 0:
            took = {}  # what went before warmed up
    connection.close()
    whole = [e + s for e, s in zip(took["embedding"], took["search"], strict=True)]
    over = statistics.median(took["over HTTP"]) - statistics.median(whole)
    rows = ["| one search after another | median | 95th percentile | least |", "|---|---|---|---|"]
    names = {
        "embedding": "embedding, both languages",
        "search": "the rest of the search",
        "record": "row of the record",
    }
    for name, times in (("over HTTP", took["over HTTP"]), ("embedding and search in-process", whole), *(
        (names[key], took[key]) for key in names
    )):  # fmt: skip
        rows.append(
            f"| {name} | {statistics.median(times):.1f} ms | {np.percentile(times, 95):.1f} ms | {min(times):.1f} ms |"
        )
    least = min(took["over HTTP"]) - min(whole)
    rows.append(f"\nOver HTTP a search takes {over:.1f} ms more at the median ({least:.1f} ms comparing the quickest).")
    return "\n".join(rows)


def loaded(server: Server, clients: int, questions: Sequence[str]) -> Load:
    """``clients`` threads, each of which asks as soon as it was answered."""
    waiting, took, wrong = iter(questions), [], []
    lock = threading.Lock()

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=START_WITHIN_S)
        while True:
            with lock:
                question = next(waiting, None)
            if question is None:
                break
            started = time.perf_counter()
            try:
                _post(connection, server.secret, question)
            except RuntimeError as error:
                wrong.append(error)
            took.append(1000 * (time.perf_counter() - started))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    started, cpu = time.perf_counter(), server.processor_s()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - started
    if wrong:
        raise wrong[0]
    p50, p95, p99 = np.percentile(took, [50, 95, 99])
    return Load(clients, len(took) / passed, p50, p95, p99, 1000 * (server.processor_s() - cpu) / len(took))


def embedded(system: System, texts: Sequence[Sequence[str]], at_once: int) -> tuple[float, float]:
    """Searches a second, and milliseconds of processor time for each, of the embedder alone on the texts that searches
    embed, in batches of those of so many searches. None is known to it."""
    done, started, cpu = 0, time.perf_counter(), time.process_time()
    for at in range(0, len(texts), at_once):
        some = texts[at : at + at_once]
        system.embedder.embed_queries([f"{at_once} {text}" for one in some for text in one])  # type: ignore[attr-defined]
        done += len(some)
    return done / (time.perf_counter() - started), 1000 * (time.process_time() - cpu) / done


def _table(found: Sequence[Load], alone: dict[int, tuple[float, float]]) -> str:
    rows = [
        "| clients | searches/s | p50, p95, p99 | processor a search | embedder alone in batches of as many "
        "| of its searches/s | of its processor time |",
        "|---|---|---|---|---|---|---|",
    ]
    for load in found:
        per_s, cpu_ms = alone[load.clients]
        rows.append(
            f"| {load.clients} | {load.per_s:.1f} | {load.p50:.0f}, {load.p95:.0f}, {load.p99:.0f} ms "
            f"| {load.processor_ms:.1f} ms | {per_s:.1f}/s, {cpu_ms:.1f} ms | {load.per_s / per_s:.0%} "
            f"| {cpu_ms / load.processor_ms:.0%} |"
        )
    return "\n".join(rows)


@contextmanager
def serving(home: Path, system: System) -> Iterator[Server]:
    """A service on ``home``, with a key of its own; ends with the block."""
    with system.database.writing() as session:
        key, secret = keys.create(session, LOCAL_ADMIN, "benchmarks/service.py", Role.READER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"RAG_HOME": str(home), "RAG_REQUESTS_PER_MINUTE": "0"}
    command = [str(Path(sys.executable).parent / "taiyi-rag"), "serve", "--port", str(port)]
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment)
    try:
        first_s = _first_search(process, port, secret, started)
        yield Server(port, secret, process.pid, first_s, processor_s(process.pid))
    finally:
        process.terminate()
        process.wait()
        with system.database.writing() as session:
            keys.revoke(session, LOCAL_ADMIN, key.id)


def processor_s(pid: int) -> float:
    """Seconds that a process has computed since its start, without those that it started."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _first_search(process: subprocess.Popen[bytes], port: int, secret: str, started: float) -> float:
    while time.perf_counter() - started < START_WITHIN_S and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_WITHIN_S)
        try:
            _post(connection, secret, "the first question of all")
            return time.perf_counter() - started
        except OSError:
            time.sleep(0.01)
        finally:
            connection.close()
    raise RuntimeError("the service did not start")


def _post(connection: http.client.HTTPConnection, secret: str, question: str) -> bytes:
    headers = {"content-type": "application/json", "authorization": f"Bearer {secret}"}
    connection.request("POST", "/v1/search", json.dumps({"query": question}), headers)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise RuntimeError(f"{response.status}: {content.decode()[:200]}")
    return content


def _texts(question: str, system: System) -> list[str]:
    """What a search of this home embeds for a question."""
    recorded: list[str] = []

    class Recording:
        def embed_query(self, text: str) -> np.ndarray:
            recorded.append(text)
            return system.embedder.embed_query("ready")

    query, _ = masked_query(Query(question), system.settings)
    asked = Asked(query.text, Recording())  # type: ignore[arg-type]
    for language in ("en", "zh") if _is_bilingual(system) else (language_of(query.text),):
        asked.vector(language)
    return recorded


def _is_bilingual(system: System) -> bool:
    from sqlalchemy import select

    from rag.tables import PassageRow

    with system.database.reading() as session:
        return len(session.scalars(select(PassageRow.language).distinct()).all()) > 1


def _passages(system: System) -> str:
    from sqlalchemy import func, select

    from rag.tables import PassageRow

    with system.database.reading() as session:
        rows = session.execute(select(PassageRow.language, func.count()).group_by(PassageRow.language)).all()
    return " and ".join(f"{count:,} passages in {language}" for language, count in rows)


def _sample_home(home: Path, models: Path) -> Path:
    (home / "models").symlink_to(models.absolute())
    command = [str(Path(sys.executable).parent / "taiyi-rag"), "ingest", str(SAMPLE)]
    subprocess.run(command, env=os.environ | {"RAG_HOME": str(home)}, check=True, capture_output=True)
    return home


def _memory(pid: int) -> str:
    """Of the process that serves and of those that it started, in MiB."""
    children = " ".join(path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")).split()
    own, others = _resident(pid), [_resident(int(child)) for child in children]
    beside = f", and {' and '.join(f'{one:.0f}' for one in others)} of the worker beside it" if others else ""
    return f"{own:.0f}{beside}"


def _resident(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) / 1024
    raise ValueError("the system does not tell what a process has in memory")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
