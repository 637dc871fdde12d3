"""LangChain as its pages show it: HuggingFaceEmbeddings and the FAISS vector store, saved by ``save_local``."""

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import faiss
from langchain_community.docstore.in_memory import InMemoryDocstore
from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings


class LangChain:
    def __init__(self, folder: Path, model: Path) -> None:
        self.versions = {
            name: version(name) for name in ("langchain-community", "langchain-huggingface", "faiss-cpu", "torch")
        }
        self._folder, self._model = folder, model

    def load_model(self) -> None:
        self._embeddings = HuggingFaceEmbeddings(
            model_name=str(self._model),
            model_kwargs={"device": "cpu"},
            encode_kwargs={"prompt_name": "passage"},
            query_encode_kwargs={"prompt_name": "query"},
        )
        self._dimension = len(self._embeddings.embed_query("warm up"))

    def create(self) -> None:
        index = faiss.IndexFlatL2(self._dimension)
        self._store = FAISS(self._embeddings, index, InMemoryDocstore(), {})

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._store.add_texts(texts, ids=list(ids))

    def add_embedded(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        self._store.add_embeddings(zip(texts, vectors, strict=True), ids=list(ids))

    def save(self) -> None:
        self._store.save_local(str(self._folder))

    def open(self) -> None:
        self._store = FAISS.load_local(str(self._folder), self._embeddings, allow_dangerous_deserialization=True)

    def search(self, question: str, k: int) -> list[str]:
        return [str(document.id) for document in self._store.similarity_search(question, k)]

    def update(self, identifier: str, text: str) -> None:
        self._store.delete([identifier])
        self._store.add_texts([text], ids=[identifier])

    def delete(self, identifier: str) -> None:
        self._store.delete([identifier])

    def close(self) -> None:
        """Nothing is held open."""


open_peer = LangChain
