"""The HTTP calls under ``/v1`` and the probes. Each is a thin door to a function of the core or of ingestion."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, Query, Request, UploadFile
from fastapi.responses import JSONResponse

from api import wire
from api.schemas import AskBody, SearchBody
from ingestion import jobs
from rag import catalog, record
from rag.answering import answer
from rag.errors import InvalidRequest, TaiyiError
from rag.retrieval import search
from rag.system import System
from rag.types import LOCAL_ADMIN, Caller
from rag.writing import delete_document

probes = APIRouter(tags=["probes"])
router = APIRouter(prefix="/v1")


def _system(request: Request) -> System:
    system: System = request.app.state.system
    return system


def _caller() -> Caller:
    return LOCAL_ADMIN


OpenSystem = Annotated[System, Depends(_system)]
Asker = Annotated[Caller, Depends(_caller)]


@probes.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@probes.get("/readyz")
def readyz(system: OpenSystem) -> JSONResponse:
    """Everything that is configured works; 503 names what does not."""
    checks: dict[str, Callable[[], object]] = {
        "database": system.database.ping,
        "embedder": lambda: system.embedder.embed_query("ready"),
    }
    states: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
            states[name] = "ok"
        except TaiyiError as error:
            states[name] = str(error)
    ready = all(state == "ok" for state in states.values())
    return JSONResponse({"status": "ok" if ready else "not ready", "checks": states}, 200 if ready else 503)


@router.post("/ask")
def ask(body: AskBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """An answer whose every sentence quotes its source, or an abstention."""
    return wire.answer_json(answer(body.to_ask(), caller, system))


@router.post("/search")
def search_passages(body: SearchBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """The passages that fit, best first."""
    return wire.search_json(search(body.to_query(), caller, system))


@router.get("/collections")
def list_collections(system: OpenSystem, caller: Asker) -> wire.Json:
    with system.database.reading() as session:
        return {"collections": [wire.collection_json(counts) for counts in catalog.count(session, caller)]}


@router.get("/documents")
def list_documents(
    system: OpenSystem,
    caller: Asker,
    collection: Annotated[list[str] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> wire.Json:
    with system.database.reading() as session:
        found = catalog.documents(session, caller, collection or ())
    return {
        "documents": [wire.document_json(document) for document in found[offset : offset + limit]],
        "total": len(found),
    }


@router.post("/documents", status_code=202)
def upload_document(
    request: Request,
    system: OpenSystem,
    caller: Asker,
    file: Annotated[UploadFile, File()],
    collection: Annotated[str, Form(min_length=1, max_length=100)] = "default",
    metadata: Annotated[str, Form()] = "{}",
) -> wire.Json:
    """Takes a file in; ``metadata`` is a JSON object of a document's metadata. The job tells what became of it."""
    incoming = system.home / "uploads" / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as kept:
        shutil.copyfileobj(file.file, kept)
    try:
        job = jobs.accept(system, caller, collection, Path(kept.name), file.filename or "", _stated(metadata))
    finally:
        Path(kept.name).unlink(missing_ok=True)
    request.app.state.jobs.put(job.id)
    return {"job_id": job.id, **wire.job_json(job)}


@router.get("/jobs/{job_id}")
def show_job(job_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    return wire.job_json(jobs.job(system, caller, job_id))


@router.get("/documents/{document_id}")
def show_document(document_id: str, system: OpenSystem, caller: Asker, edition_id: str | None = None) -> wire.Json:
    with system.database.reading() as session:
        return wire.document_json(catalog.document(session, caller, document_id, edition_id))


@router.delete("/documents/{document_id}")
def remove_document(document_id: str, system: OpenSystem, caller: Asker, edition_id: str | None = None) -> wire.Json:
    return wire.receipt_json(delete_document(system, caller, document_id, edition_id))


@router.get("/documents/{document_id}/history")
def show_history(document_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    with system.database.reading() as session:
        document = catalog.document(session, caller, document_id)
    return {"document_id": document.id, "editions": [wire.edition_json(edition) for edition in document.editions]}


@router.get("/passages/{passage_id}")
def show_passage(passage_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """A passage, its document, and the passages before and after it."""
    with system.database.reading() as session:
        passage, before, after = catalog.passage_with_neighbours(session, caller, passage_id)
        document = catalog.document(session, caller, passage.document_id)
    described = wire.document_json(document)
    del described["text"]
    return {
        **wire.passage_json(passage),
        "document": described,
        "previous": wire.passage_json(before) if before else None,
        "next": wire.passage_json(after) if after else None,
    }


@router.get("/answers")
def list_answers(system: OpenSystem, caller: Asker, limit: Annotated[int, Query(ge=1, le=1000)] = 50) -> wire.Json:
    with system.database.reading() as session:
        return {"answers": [wire.answer_summary_json(one) for one in record.latest(session, caller, limit)]}


@router.get("/answers/{answer_id}")
def show_answer(answer_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    with system.database.reading() as session:
        return wire.answer_json(record.load(session, caller, answer_id))


def _stated(metadata: str) -> dict[str, Any]:
    try:
        stated = json.loads(metadata or "{}")
    except json.JSONDecodeError as error:
        raise InvalidRequest(f"metadata is not JSON: {error}") from None
    if not isinstance(stated, dict):
        raise InvalidRequest('metadata is a JSON object such as {"title": "..."}')
    return stated
