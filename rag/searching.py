"""From a query as somebody typed it to what was found for it: mask, translate, search."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from rag import audit
from rag.conversation import translated
from rag.explaining import Explanation, explained
from rag.languages import language_of
from rag.notices import masked_notice
from rag.placeholders import Kind
from rag.privacy import masked_query
from rag.retrieval import search
from rag.system import SearchNote, System
from rag.types import Caller, Query, SearchResult


async def searched(query: Query, caller: Caller, system: System) -> SearchResult:
    """The passages that fit, as ``rag.retrieval.search`` finds them for the query without identifiers of persons; its
    ``query`` is what was searched for. That there was a search is written into the audit record. Raises what that
    raises."""
    asked, kinds = await asyncio.to_thread(masked_query, query, system.settings)
    found = await asyncio.to_thread(_found, await translated(asked, system), caller, system)
    return _told(found, asked, kinds)


async def searched_and_explained(query: Query, caller: Caller, system: System) -> Explanation:
    """The same, with what each step of the search found and why."""
    asked, kinds = await asyncio.to_thread(masked_query, query, system.settings)
    found = await asyncio.to_thread(_found_and_explained, await translated(asked, system), caller, system)
    return replace(found, result=_told(found.result, asked, kinds))


def _found(query: Query, caller: Caller, system: System) -> SearchResult:
    found = search(query, caller, system)
    _write_down(query, found, caller, system)
    return found


def _found_and_explained(query: Query, caller: Caller, system: System) -> Explanation:
    found = explained(query, caller, system)
    _write_down(query, found.result, caller, system)
    return found


def _told(found: SearchResult, asked: Query, kinds: tuple[Kind, ...]) -> SearchResult:
    """What was found, with what was searched for."""
    return replace(found, query=asked.text, notices=masked_notice(kinds, language_of(asked.text)))


def _write_down(query: Query, found: SearchResult, caller: Caller, system: System) -> None:
    """Writes into the audit record that a search was made, without a word of it. Searches that end at one time are
    written in one transaction: each waits until its row is safely stored."""
    details = {
        "collections": query.collections or sorted({hit.passage.collection for hit in found.hits}),
        "retrieval": query.retrieval,
        "as_of": query.as_of,
        "generation": found.index_generation,
        "embedder": system.embedder.fingerprint,
        "hits": len(found.hits),
    }
    system.search_notes.done((caller, details), lambda notes: _append(notes, system))


def _append(notes: Sequence[SearchNote], system: System) -> list[None]:
    with system.database.writing() as session:
        for caller, details in notes:
            audit.append(session, caller, "search", None, details)
    return [None] * len(notes)
