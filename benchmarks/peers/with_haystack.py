"""Haystack: its makers' sentence-transformers embedders, their FAISS document store, and a pipeline that asks it."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from haystack import Document, Pipeline
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)
from haystack_integrations.components.retrievers.faiss import FAISSEmbeddingRetriever
from haystack_integrations.document_stores.faiss import FAISSDocumentStore


class Haystack:
    def __init__(self, folder: Path, model: Path) -> None:
        self.versions = {
            name: version(name)
            for name in ("haystack-ai", "faiss-haystack", "sentence-transformers-haystack", "faiss-cpu", "torch")
        }
        self._path = folder / "store"
        self._questions = SentenceTransformersTextEmbedder(model=str(model), prefix="query: ", progress_bar=False)
        self._documents = SentenceTransformersDocumentEmbedder(model=str(model), prefix="passage: ", progress_bar=False)

    def load_model(self) -> None:
        self._questions.warm_up()
        self._documents.warm_up()
        self._dimension = len(self._questions.run(text="warm up")["embedding"])

    def create(self) -> None:
        self._use(FAISSDocumentStore(embedding_dim=self._dimension))

    def _use(self, store: FAISSDocumentStore) -> None:
        self._store = store
        self._pipeline = Pipeline()
        self._pipeline.add_component("embedder", self._questions)
        self._pipeline.add_component("retriever", FAISSEmbeddingRetriever(document_store=store))
        self._pipeline.connect("embedder.embedding", "retriever.query_embedding")

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        documents = [Document(id=one, content=text) for one, text in zip(ids, texts, strict=True)]
        self._store.write_documents(self._documents.run(documents=documents)["documents"], DuplicatePolicy.OVERWRITE)

    def add_embedded(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        self._store.write_documents(
            [
                Document(id=one, content=text, embedding=list(vector))
                for one, text, vector in zip(ids, texts, vectors, strict=True)
            ]
        )

    def save(self) -> None:
        self._store.save(self._path)

    def open(self) -> None:
        self._use(FAISSDocumentStore(index_path=str(self._path), embedding_dim=self._dimension))

    def search(self, question: str, k: int) -> list[str]:
        found = self._pipeline.run({"embedder": {"text": question}, "retriever": {"top_k": k}})
        return [document.id for document in found["retriever"]["documents"]]

    def update(self, identifier: str, text: str) -> None:
        self.add([identifier], [text])

    def delete(self, identifier: str) -> None:
        self._store.delete_documents([identifier])

    def close(self) -> None:
        """Nothing is held open."""


open_peer = Haystack
