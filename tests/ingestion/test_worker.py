"""The worker as a process of its own, started, killed and continued."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import faults
import pytest
from sqlalchemy import func, select

from ingestion import jobs
from ingestion.worker import kept_running
from rag import record
from rag.answering import answer
from rag.checking.entailment import PackagedReader
from rag.embedding import Embedder
from rag.removal import delete_document
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import SegmentRow
from rag.types import LOCAL_ADMIN, Ask, Query
from rag.verification import verify

FILES = 80


@pytest.fixture
def system(home: Path) -> Iterator[System]:
    with open_system(Settings(home=home)) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(FILES):
        words = " ".join(f"Drug{number} is given at {number + step} mg in step {step}." for step in range(10))
        (folder / f"{number:03}.md").write_text(f"# Drug{number}\n\n{words}\n")
    return folder


def start(home: Path, **environment: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "RAG_HOME": str(home), **environment}
    return subprocess.Popen([sys.executable, "-m", "ingestion.worker"], env=environment)


@contextmanager
def worker(home: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = start(home, **environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_until(happened: Callable[[], bool], what: str, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline, f"{what} did not happen in {within_s:g} s"
        time.sleep(0.05)


def seen(system: System, job_id: str) -> jobs.Job:
    return jobs.summary(system, LOCAL_ADMIN, job_id)


def some_read(system: System, job_id: str) -> Callable[[], bool]:
    return lambda: seen(system, job_id).counts.get("added", 0) > 0


def has_succeeded(system: System, job_id: str) -> Callable[[], bool]:
    return lambda: seen(system, job_id).state == "succeeded"


def upload(system: System, tmp_path: Path, name: str) -> jobs.Job:
    (tmp_path / "incoming").write_text(f"# {name}\n\nTazoline of {name} is given at 5 mg.\n")
    return jobs.accept(system, LOCAL_ADMIN, "default", tmp_path / "incoming", f"{name}.md", {})


def test_a_killed_workers_job_is_continued_and_no_result_is_lost(system: System, folder: Path) -> None:
    job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    with worker(system.home) as first:
        wait_until(some_read(system, job.id), "the first result")
        first.send_signal(signal.SIGKILL)
        first.wait()
    cut_off = jobs.job(system, LOCAL_ADMIN, job.id)
    assert cut_off.state == "running"
    assert 0 < cut_off.counts["added"] < FILES
    with worker(system.home):
        wait_until(lambda: seen(system, job.id).finished, "the end of the job")
    ended = jobs.job(system, LOCAL_ADMIN, job.id)
    assert (ended.state, ended.counts) == ("succeeded", {"added": FILES})
    assert cut_off.passages <= ended.passages
    with system.database.reading() as session:
        from rag import catalog

        [counted] = catalog.count(session, LOCAL_ADMIN)
    assert counted.documents == FILES


def test_a_running_job_is_cancelled_from_outside_and_the_next_one_runs(
    system: System, folder: Path, tmp_path: Path
) -> None:
    big = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    small = upload(system, tmp_path, "small")
    with worker(system.home):
        wait_until(some_read(system, big.id), "the first result")
        assert seen(system, small.id).state == "queued"
        jobs.cancel(system, LOCAL_ADMIN, big.id)
        wait_until(lambda: seen(system, small.id).state == "succeeded", "the end of the upload")
    cancelled = seen(system, big.id)
    assert cancelled.state == "cancelled"
    assert cancelled.counts["added"] + cancelled.counts["queued"] == FILES


def test_two_workers_on_one_home_run_a_job_once(system: System, folder: Path, tmp_path: Path) -> None:
    with worker(system.home) as first, worker(system.home) as second:
        job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
        wait_until(lambda: seen(system, job.id).finished, "the end of the job")
        assert seen(system, job.id).counts == {"added": FILES}
        first.terminate()
        assert first.wait(20) == 0
        late = upload(system, tmp_path, "late")
        wait_until(lambda: seen(system, late.id).state == "succeeded", "the upload, by the other worker")
        second.terminate()
        assert second.wait(20) == 0


def test_a_worker_that_is_told_to_end_leaves_its_job_to_the_next(system: System, folder: Path) -> None:
    job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    with worker(system.home) as first:
        wait_until(some_read(system, job.id), "the first result")
        first.terminate()
        assert first.wait(30) == 0
    assert seen(system, job.id).state == "queued"


def test_a_worker_that_dies_is_started_again_and_ends_with_its_keeper(system: System, tmp_path: Path) -> None:
    with kept_running(Settings(home=system.home)):
        wait_until(lambda: bool(children()), "the start of the worker")
        [first] = children()
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: bool(set(children()) - {first}), "the worker's start after its death")
        job = upload(system, tmp_path, "again")
        wait_until(lambda: seen(system, job.id).state == "succeeded", "the upload")
    assert children() == []


KEEPER = """
import sys, time
from ingestion.worker import kept_running
from rag.settings import read_settings
with kept_running(read_settings()):
    time.sleep(600)
"""


def test_a_worker_ends_when_its_keeper_is_killed(system: System) -> None:
    environment = {**os.environ, "RAG_HOME": str(system.home)}
    keeper = subprocess.Popen([sys.executable, "-c", KEEPER], env=environment)
    wait_until(lambda: bool(children(keeper.pid)), "the start of the worker")
    [kept] = children(keeper.pid)
    keeper.kill()
    keeper.wait()
    wait_until(lambda: not Path(f"/proc/{kept}").exists() or "(zombie)" in status(kept), "the end of the worker", 20)


def status(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "(zombie)"


def children(of: int | None = None) -> list[int]:
    """The worker processes that a process, by default this one, has as children."""
    listed = Path("/proc").glob("[0-9]*")
    found = []
    for process in listed:
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if parent == (of or os.getpid()) and b"ingestion.worker" in command and b"--child" in command:
            found.append(int(process.name))
    return found


def test_the_worker_takes_what_was_removed_out_of_the_indexes(system: System, tmp_path: Path) -> None:
    with worker(system.home):
        for name in ("Tazol", "Fezol"):
            job = upload(system, tmp_path, name)
            wait_until(has_succeeded(system, job.id), "an upload")
        [file] = jobs.job(system, LOCAL_ADMIN, job.id).files or ()
        assert indexed(system) == 2
        delete_document(system, LOCAL_ADMIN, str(file.document_id))
        wait_until(lambda: indexed(system) == 1, "the removal from the indexes")
    assert verify(system) == []


def indexed(system: System) -> int:
    with system.database.reading() as session:
        return session.scalar(select(func.sum(SegmentRow.passages))) or 0


def test_the_worker_removes_answers_once_they_are_older_than_the_settings_keep(
    system: System, embedder: Embedder, entailment: PackagedReader, tmp_path: Path
) -> None:
    """An answer of today, for workers whose clocks are two days and four days ahead."""
    clock, environment = faults.clock_of_its_own(tmp_path)
    if clock is None:
        pytest.skip("needs libfaketime (apt-get install faketime)")
    asking = replace(system, embedder=embedder, entailment=entailment, reader=entailment)
    kept = answer(Ask(Query("Is tazoline given?"), "extractive"), LOCAL_ADMIN, asking)
    job = upload(system, tmp_path, "Tazoline")

    def is_there() -> bool:
        with system.database.reading() as session:
            return [one.id for one in record.latest(session, LOCAL_ADMIN, 10, 0)] == [kept.id]

    clock.write_text("+2d")
    with worker(system.home, RAG_RETENTION_DAYS="3", **environment):
        wait_until(lambda: seen(system, job.id).state == "succeeded", "a job, which comes after retention", 240)
    assert is_there()
    clock.write_text("+4d")
    with worker(system.home, RAG_RETENTION_DAYS="3", **environment):
        wait_until(lambda: not is_there(), "retention", 240)
    assert verify(asking) == []
