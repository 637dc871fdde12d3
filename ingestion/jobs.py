"""Jobs: files on their way in, kept in SQL from before they are acknowledged on, with what became of each file.

This module takes jobs in, shows, cancels and retries them; ``ingestion.running`` does them. ``retry`` runs the same job
again for its failed files and those it never read.
"""

import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from ingestion.loaders import check_name
from ingestion.manifest import metadata_from
from rag import audit
from rag.database import ReadSession, WriteSession
from rag.errors import Forbidden, InvalidRequest, NotFound
from rag.settings import Settings
from rag.system import System
from rag.tables import JobFileRow, JobRow
from rag.types import Caller, Role

JobState = Literal["queued", "running", "succeeded", "partial", "failed", "cancelled"]
UNFINISHED = ("queued", "running")
FILES_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class JobFile:
    """``path`` as its caller knows it: the name of an upload, a path on the server; of a file in an archive,
    ``archive.zip!/name``. ``status`` is ``queued`` or as ``ingest`` prints it."""

    path: str
    status: str
    reason: str | None
    document_id: str | None
    documents: int
    flagged: int


@dataclass(frozen=True, slots=True)
class Job:
    """``source`` is ``upload``, ``folder`` (named on the command line) or ``root`` (named over HTTP, and held to the
    folders in RAG_INGEST_ROOTS). ``counts`` has how many files came to what; ``passages`` how many were embedded;
    ``flagged`` how many look as if they gave orders to a reader. ``files`` is None where only a summary was asked for.
    """

    id: str
    state: str
    source: str
    collection: str
    paths: tuple[str, ...]
    counts: dict[str, int]
    passages: int
    flagged: int
    restore: bool
    cancel_requested: bool
    error: str | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    files: tuple[JobFile, ...] | None = None

    @property
    def finished(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def filename(self) -> str | None:
        return self.paths[0] if self.source == "upload" else None

    @property
    def files_total(self) -> int:
        return sum(self.counts.values())

    @property
    def files_done(self) -> int:
        return self.files_total - self.counts.get("queued", 0)


def upload_folder(system: System, job_id: str) -> Path:
    """Where an upload lies until all of it was read."""
    return system.home / "uploads" / job_id


def accept(
    system: System, caller: Caller, collection: str, uploaded: Path, filename: str, stated: dict[str, Any]
) -> Job:
    """Records an uploaded file, which is moved into the home, as a job that outlives this process from here on.

    Raises InvalidRequest for bad metadata, Forbidden for a reader, UnsupportedFormat for a file that its name says no
    loader reads.
    """
    check_may_load(caller, collection)
    metadata_from(stated)
    name = _file_name(filename)
    check_name(Path(name))
    job_id = uuid.uuid4().hex
    folder = upload_folder(system, job_id)
    folder.mkdir(parents=True)
    shutil.move(uploaded, folder / name)
    for written in (folder / name, folder, folder.parent):
        _sync(written)
    return _queue(system, caller, new_row(caller, collection, "upload", [name], job_id=job_id, stated=stated))


def accept_folders(system: System, caller: Caller, collection: str, paths: Sequence[str], restore: bool = False) -> Job:
    """Queues files and folders of this machine. Raises Forbidden for what is not below RAG_INGEST_ROOTS, and for who
    may not read every collection: what lies in those folders belongs to no collection yet."""
    check_may_load(caller, collection)
    if caller.collections is not None:
        raise Forbidden("Reading folders of the service's machine needs a key for all collections; uploading does not")
    roots = ingest_roots(system.settings)
    if not roots:
        raise Forbidden("This service reads no folders; its administrator can name some in RAG_INGEST_ROOTS")
    resolved = [Path(path).resolve() for path in paths]
    for stated, path in zip(paths, resolved, strict=True):
        if not Path(stated).is_absolute() or not is_below(path, roots):
            raise Forbidden(f"{stated} is not the full path of something below a folder in RAG_INGEST_ROOTS")
        if not path.exists():
            raise InvalidRequest(f"There is no {stated} on the service's machine")
    return _queue(
        system, caller, new_row(caller, collection, "root", [str(path) for path in resolved], restore=restore)
    )


def detach(system: System, caller: Caller, collection: str, paths: Sequence[Path], restore: bool = False) -> Job:
    """Queues files and folders that the person at this machine named."""
    check_may_load(caller, collection)
    named = [str(path.absolute()) for path in paths]
    return _queue(system, caller, new_row(caller, collection, "folder", named, restore=restore))


def ingest_roots(settings: Settings) -> tuple[Path, ...]:
    """The folders in RAG_INGEST_ROOTS, links followed."""
    return tuple(Path(part).resolve() for part in settings.ingest_roots.split(os.pathsep) if part.strip())


def is_below(path: Path, roots: Sequence[Path]) -> bool:
    """Whether a path, links followed, is one of ``roots`` or below one."""
    resolved = path.resolve()
    return any(resolved.is_relative_to(root) for root in roots)


def new_row(
    caller: Caller,
    collection: str,
    source: str,
    paths: list[str],
    *,
    job_id: str | None = None,
    stated: dict[str, Any] | None = None,
    restore: bool = False,
) -> JobRow:
    """A job that is queued."""
    return JobRow(
        id=job_id or uuid.uuid4().hex,
        caller_id=caller.id,
        collection=collection,
        source=source,
        paths=paths,
        stated_metadata=stated or {},
        restore=restore,
        state="queued",
        cancel_requested=False,
        passages=0,
        created_at=datetime.now(UTC),
    )


def listing(
    system: System,
    caller: Caller,
    state: str | None = None,
    limit: int = 50,
    offset: int = 0,
    files: int = 0,
) -> tuple[list[Job], int]:
    """Jobs, newest first, and how many there are in all: summaries, or with up to ``files`` of the files of each, the
    failed ones first. The caller's own; an administrator's everyone's; none of a collection that the caller may no
    longer read."""
    if state is not None and state not in get_args(JobState):
        raise InvalidRequest(f"state {state!r} is none of {', '.join(get_args(JobState))}")
    wanted = _seen_by(caller)
    wanted += [JobRow.state == state] if state else []
    with system.database.reading() as session:
        total = session.scalar(select(func.count(JobRow.id)).where(*wanted)) or 0
        newest = select(JobRow).where(*wanted).order_by(JobRow.created_at.desc(), JobRow.id).limit(limit).offset(offset)
        found = _jobs(session, session.scalars(newest).all())
        if files:
            found = [replace(one, files=_files_of(session, one.id, limit=files)) for one in found]
        return found, total


def count_by_state(system: System, caller: Caller) -> dict[str, int]:
    """How many of the jobs that ``listing`` gives are in each state."""
    statement = select(JobRow.state, func.count()).where(*_seen_by(caller)).group_by(JobRow.state)
    with system.database.reading() as session:
        return {state: jobs for state, jobs in session.execute(statement.order_by(JobRow.state))}  # noqa: C416


def _seen_by(caller: Caller) -> list[ColumnElement[bool]]:
    whose = [] if caller.role is Role.ADMIN else [JobRow.caller_id == caller.id]
    return whose if caller.collections is None else [*whose, JobRow.collection.in_(caller.collections)]


def job(
    system: System, caller: Caller, job_id: str, status: str | None = None, limit: int = FILES_SHOWN, offset: int = 0
) -> Job:
    """A job with its files, the failed ones first, then the flagged: of ``status`` only where one is given.

    Raises NotFound.
    """
    with system.database.reading() as session:
        row = _visible(session, caller, job_id)
        files = _files_of(session, job_id, status, limit, offset)
        return _job(row, *_counts(session, [row.id])[row.id], files)


def _files_of(
    session: ReadSession, job_id: str, status: str | None = None, limit: int = FILES_SHOWN, offset: int = 0
) -> tuple[JobFile, ...]:
    of_status = [JobFileRow.status == status] if status else []
    files = session.scalars(
        select(JobFileRow)
        .where(JobFileRow.job_id == job_id, *of_status)
        .order_by(JobFileRow.status != "failed", JobFileRow.flagged == 0, JobFileRow.ordinal)
        .limit(limit)
        .offset(offset)
    )
    return tuple(map(_file, files))


def summary(system: System, caller: Caller, job_id: str) -> Job:
    """A job without its files. Raises NotFound."""
    with system.database.reading() as session:
        return _jobs(session, [_visible(session, caller, job_id)])[0]


def cancel(system: System, caller: Caller, job_id: str) -> Job:
    """Has a job end after the file it is at; what was read stays searchable. A finished job is left as it is."""
    with system.database.writing() as session:
        row = _visible(session, caller, job_id, to_change=True)
        if row.state == "queued":
            row.state, row.finished_at = "cancelled", datetime.now(UTC)
        if row.state in UNFINISHED:
            row.cancel_requested = True
            audit.append(session, caller, "job.cancel", row.id, {"collection": row.collection})
    return summary(system, caller, job_id)


def retry(system: System, caller: Caller, job_id: str) -> Job:
    """Queues a finished job again, for the files that failed or were not read. Raises InvalidRequest for no such."""
    with system.database.writing() as session:
        row = _visible(session, caller, job_id, to_change=True)
        if row.state in UNFINISHED:
            raise InvalidRequest(f"Job {job_id} is {row.state}; retry it once it has ended")
        counts, _ = _counts(session, [job_id])[job_id]
        if row.state == "succeeded" or (counts and not {"failed", "queued"} & counts.keys()):
            raise InvalidRequest(f"Job {job_id} read every file; there is nothing to retry")
        session.execute(
            update(JobFileRow)
            .where(JobFileRow.job_id == job_id, JobFileRow.status == "failed")
            .values(status="queued", reason=None)
        )
        row.state, row.cancel_requested, row.error, row.finished_at = "queued", False, None, None
        audit.append(session, caller, "job.retry", row.id, {"collection": row.collection})
    return summary(system, caller, job_id)


def check_may_load(caller: Caller, collection: str) -> None:
    """Raises Forbidden for a reader, InvalidRequest for a bad name, NotFound for a collection that is not theirs."""
    if not caller.may_edit:
        raise Forbidden("Loading documents needs a key with the role editor or admin")
    if not collection.strip() or len(collection) > 100:
        raise InvalidRequest("A collection's name has 1 to 100 characters")
    if not caller.may_read(collection):
        raise NotFound(f"There is no collection {collection!r}")


def _queue(system: System, caller: Caller, row: JobRow) -> Job:
    with system.database.writing() as session:
        session.add(row)
        audit.append(session, caller, "job", row.id, {"collection": row.collection, "source": row.source})
    return _job(row, {}, 0)


def _visible(session: Session, caller: Caller, job_id: str, to_change: bool = False) -> JobRow:
    row = session.get(JobRow, job_id, with_for_update=to_change)
    own = row is not None and (row.caller_id == caller.id or caller.role is Role.ADMIN)
    if row is None or not own or not caller.may_read(row.collection):
        raise NotFound(f"There is no job {job_id!r}")
    if to_change and not caller.may_edit:
        raise Forbidden("Cancelling and retrying jobs needs a key with the role editor or admin")
    return row


def _counts(session: ReadSession | WriteSession, ids: Sequence[str]) -> dict[str, tuple[dict[str, int], int]]:
    """By job: how many of its files came to what, and how many passages were flagged."""
    found: dict[str, tuple[dict[str, int], int]] = {job_id: ({}, 0) for job_id in ids}
    statement = (
        select(JobFileRow.job_id, JobFileRow.status, func.count(), func.sum(JobFileRow.flagged))
        .where(JobFileRow.job_id.in_(ids))
        .group_by(JobFileRow.job_id, JobFileRow.status)
        .order_by(JobFileRow.status)
    )
    for job_id, status, files, flagged in session.execute(statement):
        counts, so_far = found[job_id]
        found[job_id] = ({**counts, status: files}, so_far + int(flagged))
    return found


def _jobs(session: ReadSession, rows: Sequence[JobRow]) -> list[Job]:
    counts = _counts(session, [row.id for row in rows])
    return [_job(row, *counts[row.id]) for row in rows]


def _job(row: JobRow, counts: dict[str, int], flagged: int, files: tuple[JobFile, ...] | None = None) -> Job:
    return Job(
        id=row.id,
        state=row.state,
        source=row.source,
        collection=row.collection,
        paths=tuple(row.paths),
        counts=counts,
        passages=row.passages,
        flagged=flagged,
        restore=row.restore,
        cancel_requested=row.cancel_requested,
        error=row.error,
        created_at=row.created_at.isoformat(),
        started_at=row.started_at.isoformat() if row.started_at else None,
        finished_at=row.finished_at.isoformat() if row.finished_at else None,
        files=files,
    )


def _file(row: JobFileRow) -> JobFile:
    return JobFile(row.location, row.status, row.reason, row.document_id, row.documents, row.flagged)


def _file_name(stated: str) -> str:
    """The last part of a path as a client states it, fit to be a file's name here."""
    name = PurePosixPath("".join(c for c in stated if c.isprintable()).replace("\\", "/")).name
    path = PurePosixPath("upload" if name in ("", "..") else name)
    suffixes = "".join(path.suffixes[-2:]) if path.suffixes[-2:-1] == [".tar"] else path.suffix
    return path.name.removesuffix(suffixes)[:60] + suffixes[:12]


def _sync(path: Path) -> None:
    """Has a file, or the names in a folder, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
