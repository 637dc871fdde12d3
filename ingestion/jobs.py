"""Uploads as jobs: acknowledged once they are on disk and in SQL, then ingested one after another.

A job that a crash interrupted is run again; ingestion itself continues where it stopped.
"""

import logging
import queue
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sqlalchemy import select

from ingestion.manifest import Stated, metadata_from
from ingestion.originals import sha256_of
from ingestion.pipeline import FileToRead, ingest
from rag.database import WriteSession
from rag.errors import NotFound, TaiyiError
from rag.system import System
from rag.tables import JobRow
from rag.types import Caller, Role

UNFINISHED = ("queued", "running")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """``state`` is ``queued``, ``running``, ``succeeded``, ``failed`` or ``cancelled``; ``files`` has each file's
    result as ``ingest`` prints it, and ``counts`` how many came to what."""

    id: str
    state: str
    collection: str
    filename: str
    files: list[dict[str, Any]]
    counts: dict[str, int]
    created_at: str
    finished_at: str | None


def upload_folder(system: System, job_id: str) -> Path:
    """Where an upload waits until its job has run."""
    return system.home / "uploads" / job_id


def accept(
    system: System, caller: Caller, collection: str, uploaded: Path, filename: str, stated: dict[str, Any]
) -> Job:
    """Records an uploaded file, which is moved into the home, as a job. Raises InvalidRequest for bad metadata."""
    metadata_from(stated)
    job_id = uuid.uuid4().hex
    folder = upload_folder(system, job_id)
    folder.mkdir(parents=True)
    name = _file_name(filename)
    kept = folder / name
    shutil.move(uploaded, kept)
    row = JobRow(
        id=job_id,
        caller_id=caller.id,
        collection=collection,
        state="queued",
        filename=name,
        sha256=sha256_of(kept),
        stated_metadata=stated,
        result=[],
        created_at=datetime.now(UTC),
    )
    with system.database.writing() as session:
        session.add(row)
    return _job(row)


def job(system: System, caller: Caller, job_id: str) -> Job:
    """A job of the caller's, an administrator's any. Raises NotFound."""
    with system.database.reading() as session:
        row = session.get(JobRow, job_id)
        if row is None or not (row.caller_id == caller.id or caller.role is Role.ADMIN):
            raise NotFound(f"There is no job {job_id!r}")
        return _job(row)


@contextmanager
def worker(system: System) -> Iterator["queue.SimpleQueue[str | None]"]:
    """Runs jobs in a thread of its own, first those that were left unfinished; put a job's id to have it run."""
    waiting: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with system.database.reading() as session:
        for job_id in session.scalars(
            select(JobRow.id).where(JobRow.state.in_(UNFINISHED)).order_by(JobRow.created_at, JobRow.id)
        ):
            waiting.put(job_id)
    thread = threading.Thread(target=_work, args=(system, waiting), name="ingestion", daemon=True)
    thread.start()
    try:
        yield waiting
    finally:
        waiting.put(None)
        thread.join()


def _work(system: System, waiting: "queue.SimpleQueue[str | None]") -> None:
    while (job_id := waiting.get()) is not None:
        try:
            _run(system, job_id)
        except Exception:
            log.exception("Job %s failed", job_id)
            _finish(system, job_id, "failed", [{"status": "failed", "reason": "internal error; see the server's log"}])


def _run(system: System, job_id: str) -> None:
    with system.database.writing() as session:
        row = session.get_one(JobRow, job_id)
        if row.state not in UNFINISHED:
            return
        row.state = "running"
        filename, collection, sha256 = row.filename, row.collection, row.sha256
        stated = Stated(metadata_from(row.stated_metadata))
    path = upload_folder(system, job_id) / filename
    try:
        results = [
            asdict(one) for one in ingest([FileToRead(path, f"upload:{sha256}/{filename}", stated)], collection, system)
        ]
    except TaiyiError as error:
        results = [{"path": filename, "status": "failed", "reason": str(error), "document_id": None, "documents": 0}]
    for result in results:
        result["path"] = filename
    _finish(system, job_id, "failed" if any(r["status"] == "failed" for r in results) else "succeeded", results)
    shutil.rmtree(upload_folder(system, job_id), ignore_errors=True)


def _file_name(stated: str) -> str:
    """The last part of a path as a client states it, fit to be a file's name here."""
    name = PurePosixPath("".join(c for c in stated if c.isprintable()).replace("\\", "/")).name
    path = PurePosixPath("upload" if name in ("", "..") else name)
    return path.stem[:60] + path.suffix[:12]


def _finish(system: System, job_id: str, state: str, results: list[dict[str, Any]]) -> None:
    with system.database.writing() as session:
        _record(session, job_id, state, results)


def _record(session: WriteSession, job_id: str, state: str, results: list[dict[str, Any]]) -> None:
    row = session.get_one(JobRow, job_id)
    row.state, row.result, row.finished_at = state, results, datetime.now(UTC)


def _job(row: JobRow) -> Job:
    counts: dict[str, int] = {}
    for result in row.result:
        counts[result["status"]] = counts.get(result["status"], 0) + 1
    return Job(
        id=row.id,
        state=row.state,
        collection=row.collection,
        filename=row.filename,
        files=row.result,
        counts=counts,
        created_at=row.created_at.isoformat(),
        finished_at=row.finished_at.isoformat() if row.finished_at else None,
    )
