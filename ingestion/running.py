"""Running a job: planning its files, reading them, writing each file's result to SQL with what it tells of.

Whoever runs a job holds the lock ``RAG_HOME/jobs/<id>.lock``, which the system takes from a process that dies. A job
that is ``running`` while its lock is free was cut off; running it again goes on with the files that have no result yet.
A file that ended its runner three times in a row is given up, so that it cannot keep the others waiting for ever.
"""

import contextlib
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import delete, func, insert, select, update

from ingestion.discovery import IN_ARCHIVE
from ingestion.jobs import UNFINISHED, check_may_load, ingest_roots, is_below, new_row, upload_folder
from ingestion.manifest import Stated, metadata_from
from ingestion.pipeline import FileResult, FileToRead, Listener, Reader, discover, ingest
from rag.database import WriteSession
from rag.disk import check_room
from rag.errors import DatabaseUnavailable, DiskShut, Inconsistent, TaiyiError, UnreadableFile
from rag.originals import sha256_of
from rag.system import System
from rag.tables import JobFileRow, JobRow
from rag.types import Caller, Role

ASK_EVERY_S = 0.3
TRIES = 3
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a job came to. ``results`` has the files that this run read."""

    job_id: str
    state: str
    error: str | None
    results: tuple[FileResult, ...]


def run_now(
    system: System,
    caller: Caller,
    collection: str,
    paths: Sequence[Path],
    files: Sequence[FileToRead],
    restore: bool = False,
    listener: Listener | None = None,
    reader: Reader | None = None,
) -> Run:
    """Records a job and runs it in this process: ``files``, which ``discover`` found at ``paths``.

    It is cancelled where ``listener.should_stop`` says so, or by KeyboardInterrupt, which is passed on. Raises
    InvalidRequest for a collection's name.
    """
    check_may_load(caller, collection)
    row = new_row(caller, collection, "folder", [str(path.absolute()) for path in paths], restore=restore)
    row.state = "running"
    with _held(system, row.id):
        with system.database.writing() as session:
            session.add(row)
        run = _carry_out(system, row.id, listener or Listener(), lambda: False, files, reader)
    if run is None:
        raise Inconsistent(f"Job {row.id} was ended by another process before it began; run the command again")
    return run


def run_waiting(system: System, job_id: str, leaving: Callable[[], bool], reader: Reader | None = None) -> Run | None:
    """Runs a queued or cut-off job; None where another process is at it or it has ended.

    Where ``leaving`` says so it ends after the file it is at and is queued again, for the next worker.
    """
    with _held(system, job_id) as mine:
        return _carry_out(system, job_id, Listener(), leaving, None, reader) if mine else None


def next_jobs(system: System) -> list[str]:
    """The jobs that have not ended, first the one that has waited longest since it was queued or had its turn."""
    since = func.coalesce(JobRow.started_at, JobRow.created_at)
    unfinished = select(JobRow.id).where(JobRow.state.in_(UNFINISHED)).order_by(since, JobRow.id)
    with system.database.reading() as session:
        return list(session.scalars(unfinished))


@contextmanager
def _held(system: System, job_id: str) -> Iterator[bool]:
    path = system.home / "jobs" / f"{job_id}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        path.unlink(missing_ok=True)
        lock.release()


def _acting(row: JobRow) -> Caller:
    """For whom a job reads, as the audit record has it; its request is the job."""
    return Caller(row.caller_id, Role.EDITOR, frozenset({row.collection}), request_id=row.id)


def _carry_out(
    system: System,
    job_id: str,
    listener: Listener,
    leaving: Callable[[], bool],
    found: Sequence[FileToRead] | None = None,
    reader: Reader | None = None,
) -> Run | None:
    with system.database.writing() as session:
        row = session.get_one(JobRow, job_id, with_for_update=True)
        if row.state not in UNFINISHED:
            return None
        row.state = "running"
        row.started_at = datetime.now(UTC)
        session.flush()
        session.expunge(row)
    record = _Record(system, job_id, row.source, listener, leaving)
    error = None
    try:
        if not record.should_stop():
            files = record.plan(_files(system, row) if found is None else found)
            with _counted_try(system, job_id) as try_number:
                if try_number > TRIES:
                    record.give_up(files)
                ingest(files, row.collection, system, record.listener, row.restore, reader, _acting(row))
            record.settle()
    except (DatabaseUnavailable, DiskShut):
        raise  # the job stays as it is, to be gone on with once there is a database again
    except TaiyiError as failure:
        error = str(failure)
    except KeyboardInterrupt:
        record.finish("cancelled", None)
        raise
    except Exception:
        log.exception("Job %s failed", job_id)
        check_room(system.home)  # where it is the disk's fault, the job is gone on with once there is room
        error = "internal error; the log of the process that ran it has the details"
    state = record.finish("failed" if error else None, error)
    if state == "succeeded" and row.source == "upload":
        shutil.rmtree(upload_folder(system, job_id), ignore_errors=True)
    return Run(job_id, state, error, tuple(record.results))


def _files(system: System, row: JobRow) -> list[FileToRead]:
    if row.source == "upload":
        [name] = row.paths
        path = upload_folder(system, row.id) / name
        digest = sha256_of(path) if path.is_file() else "lost"
        return [FileToRead(path, f"upload:{digest}/{name}", Stated(metadata_from(row.stated_metadata)))]
    found = discover([Path(path) for path in row.paths])
    if row.source == "root":
        roots = ingest_roots(system.settings)
        found = [file for file in found if is_below(file.path, roots)]
    return found


@contextmanager
def _counted_try(system: System, job_id: str) -> Iterator[int]:
    """How many times in a row this job was begun by runners that died before any file was done, this one included."""
    path = system.home / "jobs" / f"{job_id}.tries"
    number = 1 + (int(path.read_text() or 0) if path.exists() else 0)
    path.write_text(str(number))
    try:
        yield number
    finally:
        path.unlink(missing_ok=True)


@dataclass(slots=True)
class _Known:
    ordinal: int
    status: str


class _Record:
    """What one run writes of its job."""

    def __init__(
        self, system: System, job_id: str, source: str, listener: Listener, leaving: Callable[[], bool]
    ) -> None:
        self._system, self._job_id = system, job_id
        self._of_upload = source == "upload"
        self._heard, self._leaving = listener, leaving
        self._known: dict[str, _Known] = {}
        self._next_ordinal = 0
        self._files: dict[str, FileToRead] = {}
        self.results: list[FileResult] = []
        self._embedded = 0
        self._asked_at = self._embedded_at = 0.0
        self._cancelled = self._left = False
        self.listener = replace(
            listener,
            record=self._write,
            on_file=self._on_file,
            on_embedded=self._on_embedded,
            should_stop=self.should_stop,
        )

    def plan(self, found: Sequence[FileToRead]) -> list[FileToRead]:
        """The files that have no result yet. On the first run all that were found, which are written down first."""
        by_name = {self._name(file.location): file for file in found}
        with self._system.database.writing() as session:
            rows = select(JobFileRow.location, JobFileRow.ordinal, JobFileRow.status).where(
                JobFileRow.job_id == self._job_id
            )
            known = session.execute(rows.order_by(JobFileRow.ordinal)).all()
            if not known and by_name:
                session.execute(insert(JobFileRow), _planned(self._job_id, list(by_name)))
                known = session.execute(rows.order_by(JobFileRow.ordinal)).all()
        self._known = {location: _Known(ordinal, status) for location, ordinal, status in known}
        self._next_ordinal = 1 + max((one.ordinal for one in self._known.values()), default=-1)
        for name in [name for name, one in self._known.items() if one.status == "queued"]:
            owner = self._owner(name, by_name)
            if owner in by_name and by_name[owner].location == _plain(by_name[owner].location):
                self._files[owner] = by_name[owner]
            elif owner in by_name:
                self._failed(name, f"{Path(name).name} has a name that is not UTF-8; rename it")
            else:
                location = f"upload:/{name}" if self._of_upload else name
                self._failed(location, f"{Path(name).name} is no longer there")
        return list(self._files.values())

    def should_stop(self) -> bool:
        """Whether the job was cancelled, here or by another process, or is to be left to the next worker."""
        self._cancelled = self._cancelled or self._heard.should_stop()
        self._left = self._left or self._leaving()
        if not self._cancelled and time.monotonic() - self._asked_at >= ASK_EVERY_S:
            with self._system.database.reading() as session:
                asked = select(JobRow.cancel_requested).where(JobRow.id == self._job_id)
                self._cancelled = bool(session.scalar(asked))
            self._asked_at = time.monotonic()
        return self._cancelled or self._left

    def give_up(self, files: list[FileToRead]) -> None:
        """Takes the first file out, which ended its reader again and again. Raises UnreadableFile for no file."""
        if not files:
            raise UnreadableFile(f"Making the files searchable ended the process {TRIES} times; its log may say why")
        file = files.pop(0)
        reason = f"{file.path.name} ended the process that read it {TRIES} times; split it or leave it out"
        self._failed(file.location, reason)

    def settle(self) -> None:
        """After the last file: an archive is replaced by its members; what nothing was heard of has failed."""
        if self._cancelled or self._left:
            return
        heard = {self._owner(name, self._files) for name, one in self._known.items() if one.status != "queued"}
        silent = [(name, one) for name, one in self._known.items() if one.status == "queued"]
        with self._system.database.writing() as session:
            for name, one in silent:
                of_job = (JobFileRow.job_id == self._job_id, JobFileRow.ordinal == one.ordinal)
                if name in heard:
                    session.execute(delete(JobFileRow).where(*of_job))
                else:
                    values = {"status": "failed", "reason": f"{Path(name).name}: nothing was found there to read"}
                    session.execute(update(JobFileRow).where(*of_job).values(**values))

    def finish(self, state: str | None, error: str | None) -> str:
        """Writes how the run ended, by the files' results where ``state`` is None."""
        with self._system.database.writing() as session:
            counted = (
                select(JobFileRow.status, func.count().label("files"))
                .where(JobFileRow.job_id == self._job_id)
                .group_by(JobFileRow.status)
            )
            by_status = {row.status: row.files for row in session.execute(counted)}
            row = session.get_one(JobRow, self._job_id, with_for_update=True)
            is_whole = bool(by_status) and not by_status.get("queued")
            row.state = state or self._outcome(by_status, is_whole)
            row.error = error
            row.passages += self._embedded
            row.finished_at = None if row.state == "queued" else datetime.now(UTC)
            return row.state

    def _outcome(self, by_status: dict[str, int], is_whole: bool) -> str:
        if self._cancelled and not is_whole:
            return "cancelled"
        if self._left and not is_whole:
            return "queued"
        failed = by_status.get("failed", 0)
        if not failed:
            return "succeeded"
        return "failed" if failed == sum(by_status.values()) else "partial"

    def _write(self, session: WriteSession, results: Sequence[FileResult]) -> None:
        for result in results:
            name = self._name(result.path)
            values = {
                "status": result.status,
                "reason": _plain(result.reason) if result.reason else None,
                "document_id": result.document_id,
                "documents": result.documents,
                "flagged": result.flagged,
            }
            known = self._known.get(name)
            if known is None:
                session.add(JobFileRow(job_id=self._job_id, ordinal=self._next_ordinal, location=name, **values))
                self._known[name] = _Known(self._next_ordinal, result.status)
                self._next_ordinal += 1
            elif known.status in ("queued", "failed"):
                session.execute(
                    update(JobFileRow)
                    .where(JobFileRow.job_id == self._job_id, JobFileRow.ordinal == known.ordinal)
                    .values(**values)
                )
                known.status = result.status

    def _on_file(self, result: FileResult) -> None:
        with contextlib.suppress(FileNotFoundError):
            (self._system.home / "jobs" / f"{self._job_id}.tries").unlink()
        self.results.append(result)
        self._heard.on_file(result)

    def _failed(self, location: str, reason: str) -> None:
        """A file that is not even begun."""
        result = FileResult(location, "failed", reason)
        with self._system.database.writing() as session:
            self._write(session, [result])
        self._on_file(result)

    def _on_embedded(self, count: int) -> None:
        self._embedded += count
        if time.monotonic() - self._embedded_at >= ASK_EVERY_S:
            with self._system.database.writing() as session:
                session.get_one(JobRow, self._job_id, with_for_update=True).passages += self._embedded
            self._embedded, self._embedded_at = 0, time.monotonic()
        self._heard.on_embedded(count)

    def _name(self, location: str) -> str:
        """A file as the job's caller knows it: of ``upload:<sha256>/<name>`` the name."""
        return _plain(location.partition("/")[2] if self._of_upload else location)

    def _owner(self, name: str, files: dict[str, FileToRead]) -> str:
        """The file that is read for ``name``: itself, or the archive it is in."""
        parts = name.split(IN_ARCHIVE)
        return next((one for i in range(len(parts), 0, -1) if (one := IN_ARCHIVE.join(parts[:i])) in files), name)


def _planned(job_id: str, locations: Sequence[str]) -> list[dict[str, object]]:
    waiting = {"job_id": job_id, "status": "queued", "documents": 0, "flagged": 0}
    return [{**waiting, "ordinal": ordinal, "location": location} for ordinal, location in enumerate(locations)]


def _plain(text: str) -> str:
    """Text that a database takes: a byte of a file's name that is not UTF-8 is written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
