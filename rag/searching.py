"""From a query as somebody typed it to what was found for it: mask, translate, search."""

import asyncio
from dataclasses import replace

from rag.conversation import translated
from rag.languages import language_of
from rag.notices import masked_notice
from rag.privacy import masked_query
from rag.retrieval import search
from rag.system import System
from rag.types import Caller, Query, SearchResult


async def searched(query: Query, caller: Caller, system: System) -> SearchResult:
    """The passages that fit, as ``rag.retrieval.search`` finds them for the query without identifiers of persons; its
    ``query`` is what was searched for. Raises what that raises."""
    asked, kinds = await asyncio.to_thread(masked_query, query, system.settings)
    found = await asyncio.to_thread(search, await translated(asked, system), caller, system)
    return replace(found, query=asked.text, notices=masked_notice(kinds, language_of(asked.text)))
