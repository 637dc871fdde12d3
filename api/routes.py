"""The HTTP calls under ``/v1``. Each is a thin door to a function of the core or of ingestion."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from api import wire
from api.access import Asker
from api.drawing import Drawing
from api.limits import Turns
from api.schemas import DecisionBody, RetireBody, SearchBody
from rag import catalog, proposals
from rag.editions import Standing, first_day
from rag.listing import SortKey, Wanted, facets, listed
from rag.reading import read
from rag.removal import delete_document, receipts
from rag.retirement import retire_document, unretire_document
from rag.searching import searched, searched_and_explained
from rag.sources import source_of
from rag.system import System

__all__ = ["Asker", "OpenSystem", "router"]

router = APIRouter(prefix="/v1")


def _system(request: Request) -> System:
    system: System = request.app.state.system
    return system


OpenSystem = Annotated[System, Depends(_system)]


@router.post("/search")
async def search_passages(body: SearchBody, request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """The passages that fit, best first."""
    turns: Turns = request.app.state.turns
    async with turns.turn():
        return wire.search_json(await searched(body.to_query(), caller, system))


@router.post("/search/explain")
async def explain_search(body: SearchBody, request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """The same hits, and what each arm of the search found alone, with scores and the words that match."""
    turns: Turns = request.app.state.turns
    async with turns.turn():
        return wire.explanation_json(await searched_and_explained(body.to_query(), caller, system))


@router.get("/collections")
def list_collections(system: OpenSystem, caller: Asker) -> wire.Json:
    with system.database.reading() as session:
        return {"collections": [wire.collection_json(counts) for counts in catalog.count(session, caller)]}


@router.get("/documents")
def list_documents(
    system: OpenSystem,
    caller: Asker,
    collection: Annotated[list[str] | None, Query()] = None,
    q: Annotated[str, Query(max_length=400)] = "",
    state: Standing | None = None,
    language: Annotated[str | None, Query(max_length=16)] = None,
    kind: Annotated[str | None, Query(alias="format", max_length=16)] = None,
    flagged: bool = False,
    sort: SortKey | None = None,
    order: Literal["asc", "desc"] = "asc",
    with_facets: Annotated[bool, Query(alias="facets")] = False,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> wire.Json:
    """Documents, without ``sort`` by collection and title; ``q`` has words that all stand in a title, publisher,
    author, identifier or file name. ``facets`` counts what each other choice of a collection, state, language and
    format would list."""
    wanted = Wanted(tuple(collection or ()), q, state, language, kind, flagged, sort, order == "desc", limit, offset)
    with system.database.reading() as session:
        found = listed(session, caller, wanted)
        counted = facets(session, caller, wanted) if with_facets else None
    return wire.listing_json(found, counted)


@router.get("/documents/{document_id}")
def show_document(
    document_id: str, system: OpenSystem, caller: Asker, edition_id: str | None = None, text: bool = True
) -> wire.Json:
    """A document with its editions and, unless that is turned off, the text of one of them."""
    with system.database.reading() as session:
        return wire.document_json(catalog.document(session, caller, document_id, edition_id, with_text=text))


@router.delete("/documents/{document_id}")
def remove_document(
    document_id: str, system: OpenSystem, caller: Asker, edition_id: str | None = None, purge: bool = False
) -> wire.Json:
    """Takes a document out of every search at once; with ``purge`` its words are erased as well."""
    return wire.receipt_json(delete_document(system, caller, document_id, edition_id, purge))


@router.post("/documents/{document_id}/retire")
def retire(document_id: str, body: RetireBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """Ends a document's validity on a day, by default today; ``undo`` takes that back."""
    if body.undo:
        return wire.retirement_json(unretire_document(system, caller, document_id))
    return wire.retirement_json(retire_document(system, caller, document_id, first_day(body.on) if body.on else None))


@router.get("/documents/{document_id}/flagged")
def list_flagged(document_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """The passages in which screening found hidden text or instructions."""
    with system.database.reading() as session:
        found = catalog.flagged_passages(session, caller, document_id)
    return {"flagged": [wire.flagged_json(one) for one in found]}


@router.get("/proposals")
def list_proposals(system: OpenSystem, caller: Asker) -> wire.Json:
    """Pairs of documents of a like title and publisher that may be editions of one."""
    with system.database.reading() as session:
        return {"proposals": [wire.proposal_json(one) for one in proposals.waiting(session, caller)]}


@router.post("/proposals/{document_id}/{like_id}")
def decide_proposal(document_id: str, like_id: str, body: DecisionBody, system: OpenSystem, caller: Asker) -> wire.Json:
    if body.accept:
        return {"document_id": proposals.accept(system, caller, document_id, like_id)}
    proposals.reject(system, caller, document_id, like_id)
    return {"document_id": document_id}


@router.get("/removals")
def list_removals(system: OpenSystem, caller: Asker) -> wire.Json:
    """The receipts of what was removed, newest first."""
    with system.database.reading() as session:
        return {"removals": [wire.receipt_json(one) for one in receipts(session, caller)]}


@router.get("/documents/{document_id}/passages")
def read_document(
    document_id: str,
    system: OpenSystem,
    caller: Asker,
    edition_id: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> wire.Json:
    """The text of an edition, passage by passage, and where its sections begin."""
    with system.database.reading() as session:
        return wire.reading_json(read(session, caller, document_id, edition_id, limit, offset))


@router.get("/documents/{document_id}/history")
def show_history(document_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    with system.database.reading() as session:
        document = catalog.document(session, caller, document_id)
    return {"document_id": document.id, "editions": [wire.edition_json(edition) for edition in document.editions]}


@router.get("/passages/{passage_id}")
def show_passage(passage_id: str, request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """A passage, its document, the passages before and after it, and whether its page can be had as an image."""
    drawing: Drawing = request.app.state.drawing
    with system.database.reading() as session:
        passage, before, after = catalog.passage_with_neighbours(session, caller, passage_id)
        document = catalog.document(session, caller, passage.document_id)
        source = source_of(session, passage.passage_id)
    described = wire.document_json(document)
    del described["text"]
    return {
        **wire.passage_json(passage),
        "boxes": source.lines,
        "page_image": drawing.pages.has(source.sha256, source.format),
        "document": described,
        "previous": wire.passage_json(before) if before else None,
        "next": wire.passage_json(after) if after else None,
    }
