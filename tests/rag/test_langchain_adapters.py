"""The adapters inside chains and stores of langchain-core."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from typing import Any

import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough
from langchain_core.vectorstores import InMemoryVectorStore

from rag import catalog
from rag.embedding import Embedder
from rag.errors import InvalidRequest, NotFound
from rag.langchain_adapters import TaiyiEmbeddings, TaiyiRetriever
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System
from rag.types import LOCAL_ADMIN, Caller, Hit, Passage, Query, Role

QUESTION = "Below which eGFR is metformin contraindicated?"
CHINESE = "哮喘第1级治疗的首选方案是什么？"


@pytest.fixture(scope="module")
def retriever(sample: System) -> TaiyiRetriever:
    return TaiyiRetriever(system=sample, caller=LOCAL_ADMIN, options=Query("", top_k=4))


def cited(documents: list[Document]) -> str:
    """How a chain would number what it found, and say where it stands."""
    return "\n".join(
        f"[{one.metadata['rank']}] {one.metadata['title']}, {one.metadata['section']}: {one.page_content}"
        for one in documents
    )


@pytest.mark.parametrize("question", [QUESTION, CHINESE])
def test_a_chain_puts_the_passages_found_into_a_prompt(retriever: TaiyiRetriever, question: str) -> None:
    template = ChatPromptTemplate.from_messages(
        [("system", "Answer from these passages, cite them by number.\n{passages}"), ("human", "{question}")]
    )
    prompt = {"passages": retriever | RunnableLambda(cited), "question": RunnablePassthrough()} | template
    system_message, human_message = prompt.invoke(question).to_messages()
    found = search(Query(question, top_k=4), LOCAL_ADMIN, retriever.system).hits
    assert [hit.passage.text in system_message.text for hit in found] == [True] * 4
    assert human_message.text == question

    chain = prompt | FakeListChatModel(responses=["Below 30 [1]."]) | StrOutputParser()
    assert chain.invoke(question) == "Below 30 [1]."
    assert asyncio.run(chain.ainvoke(question)) == "Below 30 [1]."
    assert chain.batch([question, question]) == ["Below 30 [1]."] * 2


def test_documents_are_the_hits_of_a_search_with_all_that_a_citation_needs(retriever: TaiyiRetriever) -> None:
    hits = search(Query(QUESTION, top_k=4), LOCAL_ADMIN, retriever.system).hits
    documents = retriever.invoke(QUESTION)
    assert [document.id for document in documents] == [hit.passage.passage_id for hit in hits]
    for hit, document in zip(hits, documents, strict=True):
        assert document.page_content == hit.passage.text
        for of, value in ((Passage, hit.passage), (Hit, hit)):
            named = {field.name for field in fields(of)} - {"text", "passage"}
            assert named <= set(document.metadata)
            assert {name: document.metadata[name] for name in named} == {name: asdict(value)[name] for name in named}
        json.dumps(document.metadata)


def test_a_document_is_the_exact_words_of_its_edition(retriever: TaiyiRetriever) -> None:
    for question in (QUESTION, CHINESE):
        for document in retriever.invoke(question):
            stated = document.metadata
            with retriever.system.database.reading() as session:
                text = catalog.document(session, LOCAL_ADMIN, stated["document_id"], stated["edition_id"]).text
            assert text is not None
            assert text[stated["char_start"] : stated["char_end"]] == document.page_content


def test_options_hold_for_the_retriever_and_may_change_for_a_call(retriever: TaiyiRetriever) -> None:
    lexical = TaiyiRetriever(system=retriever.system, caller=LOCAL_ADMIN, options=Query("", retrieval="lexical"))
    assert {document.metadata["cosine"] for document in lexical.invoke(QUESTION)} == {None}
    assert len(retriever.invoke(QUESTION)) == 4
    assert len(retriever.invoke(QUESTION, top_k=2)) == 2
    assert len(asyncio.run(retriever.ainvoke(QUESTION, top_k=1))) == 1
    languages = {one.metadata["language"] for one in retriever.invoke(QUESTION, filters={"language": "zh"})}
    assert languages == {"zh"}


def test_what_is_wrong_with_a_call_is_said_as_by_a_search(retriever: TaiyiRetriever) -> None:
    with pytest.raises(InvalidRequest, match="empty"):
        retriever.invoke("  ")
    with pytest.raises(InvalidRequest, match="top_k"):
        retriever.invoke(QUESTION, top_k=0)
    with pytest.raises(TypeError, match="depth"):
        retriever.invoke(QUESTION, depth=3)


def test_a_caller_finds_only_what_it_may_read(lite_library) -> None:
    for ward in ("open", "closed"):
        path = lite_library.write(f"{ward}.md", f"# Gout\n\nThe {ward} ward treats gout with colchicine.\n")
        lite_library.ingest(path, collection=ward)
    system = lite_library.system
    reader = Caller(id="reader", role=Role.READER, collections=frozenset({"open"}))

    def found(caller: Caller, **options: Any) -> set[str]:
        retriever = TaiyiRetriever(system=system, caller=caller, options=Query("", **options))
        return {one.metadata["collection"] for one in retriever.invoke("Which drug treats gout?")}

    assert found(LOCAL_ADMIN) == {"open", "closed"}
    assert found(LOCAL_ADMIN, collections=("closed",)) == {"closed"}
    assert found(reader) == {"open"}
    with pytest.raises(NotFound):
        found(reader, collections=("closed",))
    with pytest.raises(NotFound):
        TaiyiRetriever(system=system, caller=reader).invoke("Which drug treats gout?", collections=("closed",))


class HeldEmbedder:
    """An embedder that waits to be let go before it embeds a query."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder, self.go, self.thread = embedder, threading.Event(), threading.current_thread()

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    def embed_query(self, text: str) -> np.ndarray:
        assert self.go.wait(timeout=30)
        self.thread = threading.current_thread()
        return self._embedder.embed_query(text)

    def embed_passages(self, texts: Any) -> np.ndarray:
        return self._embedder.embed_passages(texts)


@pytest.fixture
def held(sample: System) -> Iterator[HeldEmbedder]:
    embedder = HeldEmbedder(sample.embedder)
    yield embedder
    embedder.go.set()


def test_the_event_loop_turns_while_a_search_waits(sample: System, held: HeldEmbedder) -> None:
    """Were the loop blocked, nothing could let the search go on."""
    retriever = TaiyiRetriever(system=replace(sample, embedder=held), caller=LOCAL_ADMIN)
    embeddings = TaiyiEmbeddings(held)

    async def both() -> tuple[list[Document], list[float]]:
        searching = asyncio.create_task(retriever.ainvoke(QUESTION))
        embedding = asyncio.create_task(embeddings.aembed_query(QUESTION))
        await asyncio.sleep(0.05)
        assert not searching.done()
        assert not embedding.done()
        held.go.set()
        return await searching, await embedding

    documents, vector = asyncio.run(both())
    assert documents
    assert len(vector) == 384
    assert held.thread is not threading.current_thread()


def test_a_vector_store_of_langchain_finds_across_languages(embedder: Embedder) -> None:
    texts = [
        "Metformin is contraindicated below an eGFR of 30.",
        "Salbutamol relieves an attack of asthma within minutes.",
        "Colchicine treats an acute attack of gout.",
    ]
    store = InMemoryVectorStore.from_texts(texts, TaiyiEmbeddings(embedder))
    [(best, cosine)] = store.similarity_search_with_score("沙丁胺醇治疗哮喘发作", k=1)
    assert best.page_content == texts[1]
    assert cosine == pytest.approx(
        float(embedder.embed_query("沙丁胺醇治疗哮喘发作") @ embedder.embed_passages(texts)[1]), abs=1e-4
    )
    assert asyncio.run(store.asimilarity_search("gout", k=1))[0].page_content == texts[2]


def test_embeddings_are_plain_lists_of_the_embedders_numbers(embedder: Embedder) -> None:
    embeddings = TaiyiEmbeddings(embedder)
    np.testing.assert_array_equal(np.float32(embeddings.embed_query(QUESTION)), embedder.embed_query(QUESTION))
    [vector] = embeddings.embed_documents(["Gout"])
    assert type(vector[0]) is float
    assert embeddings.embed_documents([]) == []


class Listener(BaseCallbackHandler):
    """Keeps what a tracer would be told of a chain and of the retriever in it."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def on_chain_start(self, serialized: dict[str, Any], inputs: dict[str, Any], **more: Any) -> None:
        self.told.append(f"{serialized} {inputs} {more}")

    def on_retriever_start(self, serialized: dict[str, Any], query: str, **more: Any) -> None:
        self.told.append(f"{serialized} {query} {more}")


def test_neither_a_tracer_nor_a_reader_of_the_retriever_learns_the_password_of_the_database(sample: System) -> None:
    settings = Settings(home=sample.home, database_url="postgresql+psycopg://taiyi:sesame@records/taiyi")
    retriever = TaiyiRetriever(system=replace(sample, settings=settings), caller=LOCAL_ADMIN)
    chain, listener = RunnablePassthrough() | retriever, Listener()
    chain.invoke(QUESTION, config={"callbacks": [listener]})
    assert len(listener.told) == 3
    assert not [one for one in (*listener.told, repr(retriever), repr(chain)) if "sesame" in one]
