"""The HTTP calls that bring documents in: uploads, folders of the service's machine, and the jobs that read them."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api import wire
from api.access import identified_anew
from api.events import HEARTBEAT, HEARTBEAT_S, event, event_stream
from api.problems import problem_of, request_id_of
from api.routes import Asker, OpenSystem
from api.schemas import FoldersBody
from ingestion import jobs
from rag.errors import InvalidRequest, TaiyiError

LOOK_EVERY_S = 0.3

router = APIRouter(prefix="/v1")


@router.post("/documents", status_code=202)
def upload_document(
    system: OpenSystem,
    caller: Asker,
    file: Annotated[UploadFile, File()],
    collection: Annotated[str, Form(min_length=1, max_length=100)] = "default",
    metadata: Annotated[str, Form()] = "{}",
) -> wire.Json:
    """Takes a file in; ``metadata`` is a JSON object of a document's metadata. The job tells what became of it."""
    incoming = system.home / "uploads"
    incoming.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=incoming, prefix="incoming-") as folder:
        uploaded = Path(folder) / "upload"
        with uploaded.open("wb") as kept:
            shutil.copyfileobj(file.file, kept)
        return wire.job_json(jobs.accept(system, caller, collection, uploaded, file.filename or "", _stated(metadata)))


@router.get("/jobs")
def list_jobs(
    system: OpenSystem,
    caller: Asker,
    state: str | None = None,
    files: Annotated[int, Query(ge=0, le=100)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> wire.Json:
    """Newest first, each with up to ``files`` of its files, the failed ones first. ``states`` counts all jobs."""
    found, total = jobs.listing(system, caller, state, limit, offset, files)
    return {
        "jobs": [wire.job_json(job) for job in found],
        "total": total,
        "states": jobs.count_by_state(system, caller),
    }


@router.post("/jobs", status_code=202)
def load_folders(body: FoldersBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """Has files and folders of the service's machine read, below those that RAG_INGEST_ROOTS names."""
    return wire.job_json(jobs.accept_folders(system, caller, body.collection, body.paths, body.restore))


@router.get("/jobs/{job_id}")
def show_job(
    job_id: str,
    system: OpenSystem,
    caller: Asker,
    status: str | None = None,
    limit: Annotated[int, Query(ge=0, le=10_000)] = jobs.FILES_SHOWN,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> wire.Json:
    """A job with what became of its files, the failed ones first; ``limit`` and ``offset`` count files."""
    return wire.job_json(jobs.job(system, caller, job_id, status, limit, offset))


@router.delete("/jobs/{job_id}")
def cancel_job(job_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """The job as it now is: it ends after the file it is at, and one that has ended stays as it is."""
    return wire.job_json(jobs.cancel(system, caller, job_id))


@router.post("/jobs/{job_id}/retry", status_code=202)
def retry_job(job_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """Queues the same job again for its failed files and those it never read."""
    return wire.job_json(jobs.retry(system, caller, job_id))


@router.get("/jobs/{job_id}/events")
async def follow_job(job_id: str, request: Request, system: OpenSystem, caller: Asker) -> StreamingResponse:
    """Server-sent events: ``progress`` with the job whenever it changes, then ``done`` with its files, or ``error``,
    also once the key or session it was asked with has ended."""
    first = await run_in_threadpool(jobs.summary, system, caller, job_id)

    async def events() -> AsyncIterator[str]:
        job, said, spoke_at = first, None, time.monotonic()
        try:
            while not job.finished and not request.app.state.stopping.is_set():
                if job != said:
                    yield event("progress", wire.job_json(job))
                    said, spoke_at = job, time.monotonic()
                elif time.monotonic() - spoke_at > HEARTBEAT_S:
                    yield HEARTBEAT
                    spoke_at = time.monotonic()
                await asyncio.sleep(LOOK_EVERY_S)
                job = await run_in_threadpool(jobs.summary, system, await identified_anew(request), job_id)
            if job.finished:
                yield event("done", wire.job_json(await run_in_threadpool(jobs.job, system, caller, job_id)))
        except TaiyiError as error:
            yield event("error", problem_of(error, request_id_of(request)))

    return event_stream(events())


def _stated(metadata: str) -> dict[str, Any]:
    try:
        stated = json.loads(metadata or "{}")
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"metadata is not JSON: {error}") from None
    if not isinstance(stated, dict):
        raise InvalidRequest('metadata is a JSON object such as {"title": "..."}')
    return stated
