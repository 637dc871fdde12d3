"""txtai: ``Embeddings`` with content, which keeps vectors in FAISS and texts in SQLite, by its own defaults."""

import threading
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from txtai import Embeddings


class Txtai:
    def __init__(self, folder: Path, model: Path) -> None:
        self.versions = {name: version(name) for name in ("txtai", "faiss-cpu", "torch")}
        self._folder = folder
        self._config: dict[str, Any] = {
            "path": str(model),
            "content": True,
            "instructions": {"query": "query: ", "data": "passage: "},
        }
        self._turn = threading.Lock()
        """Its texts are read by one cursor of SQLite: searches that overlap end in "Recursive use of cursors"."""
        self._models: dict[str, Any] = {}
        """Its own cache of models, so that opening an index finds the one that is loaded."""

    def load_model(self) -> None:
        self._embeddings = Embeddings(self._config, models=self._models)
        self._embeddings.transform("warm up")

    def create(self) -> None:
        """An ``Embeddings`` that was not loaded is empty."""

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._embeddings.index(zip(ids, texts, strict=True))

    def add_embedded(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        known = {f"passage: {text}": vector for text, vector in zip(texts, vectors, strict=True)}
        known |= dict(zip(texts, vectors, strict=True))

        def transform(given: Sequence[str]) -> Any:
            return np.array([known[text] for text in given], np.float32)

        external = {key: value for key, value in self._config.items() if key != "path"}
        self._embeddings = Embeddings({**external, "method": "external", "transform": transform})
        self.add(ids, texts)
        for name in ("transform", "method"):
            self._embeddings.config.pop(name, None)
        self._embeddings.config["path"] = self._config["path"]

    def save(self) -> None:
        self._embeddings.save(str(self._folder))

    def open(self) -> None:
        self._embeddings = Embeddings(models=self._models).load(str(self._folder))

    def search(self, question: str, k: int) -> list[str]:
        with self._turn:
            return [str(found["id"]) for found in self._embeddings.search(question, k)]

    def update(self, identifier: str, text: str) -> None:
        self._embeddings.upsert([(identifier, text)])

    def delete(self, identifier: str) -> None:
        self._embeddings.delete([identifier])

    def close(self) -> None:
        self._embeddings.close()


open_peer = Txtai
