"""The retriever and the embedder as LangChain knows them, to be plugged into chains of others. Needs langchain-core.

    with open_system(read_settings()) as system:
        retriever = TaiyiRetriever(system=system, caller=LOCAL_ADMIN, options=Query("", top_k=5))
        documents = retriever.invoke("Below which eGFR is metformin contraindicated?")

Where LANGSMITH_TRACING is set, LangChain sends questions and passages to LangSmith.
"""

import asyncio
from dataclasses import asdict, replace
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, GetPydanticSchema
from pydantic_core.core_schema import is_instance_schema

from rag.embedding import Embedder
from rag.retrieval import search
from rag.system import System
from rag.types import Caller, Hit, Query

AS_IT_IS = GetPydanticSchema(lambda kind, _: is_instance_schema(kind))
"""A value of its type, that pydantic neither copies nor looks into."""


class TaiyiRetriever(BaseRetriever):
    """Finds the passages that ``caller`` may read, best first. A call may change single options:
    ``invoke(question, top_k=3)``. Raises what ``search`` raises."""

    system: Annotated[System, AS_IT_IS] = Field(repr=False)
    caller: Annotated[Caller, AS_IT_IS]
    options: Annotated[Query, AS_IT_IS] = Query("")
    """How to search: every field but ``text``, which each call brings."""

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun | None = None, **changed: Any
    ) -> list[Document]:
        asked = replace(self.options, **changed, text=query)
        return [document(hit) for hit in search(asked, self.caller, self.system).hits]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun | None = None, **changed: Any
    ) -> list[Document]:
        return await asyncio.to_thread(self._get_relevant_documents, query, **changed)


class TaiyiEmbeddings(Embeddings):
    """Unit vectors of ``embedder``: of questions by ``embed_query``, of passages by ``embed_documents``. The
    asynchronous methods compute in a thread."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed_passages(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        vector: list[float] = self._embedder.embed_query(text).tolist()
        return vector


def document(hit: Hit) -> Document:
    """The passage's text, exactly ``[char_start:char_end]`` of its edition's, and as metadata the other fields of the
    passage and of the hit, under the names that they have there."""
    passage, found = asdict(hit.passage), asdict(hit)
    text, _ = passage.pop("text"), found.pop("passage")
    return Document(id=hit.passage.passage_id, page_content=text, metadata=passage | found)
