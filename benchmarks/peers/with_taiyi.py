"""This project, called in-process: documents read in as the worker reads them, searches by vector alone, so that the
work is that of the others. What it does besides, it does here too: parsing in limited processes, the record, editions
and access in SQL, the word index, the original kept."""

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import select

from rag.embedding import EmbedderCounts, open_embedder
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import DocumentKeyRow
from rag.types import LOCAL_ADMIN, Query, RetrievalMode


class Known:
    """An embedder that was told the vectors of some texts."""

    def __init__(self, embedder: Any, vectors: dict[str, Any]) -> None:
        self._embedder, self._vectors = embedder, vectors
        self.embed_query = embedder.embed_query

    @property
    def fingerprint(self) -> str:
        return str(self._embedder.fingerprint)

    @property
    def counts(self) -> EmbedderCounts:
        found: EmbedderCounts = self._embedder.counts
        return found

    def embed_passages(self, texts: Sequence[str]) -> Any:
        """Those of texts that are split further here are embedded."""
        return np.array([self._vectors[one] if one in self._vectors else self._own(one) for one in texts], np.float32)

    def _own(self, text: str) -> Any:
        return self._embedder.embed_passages([text])[0]


class Taiyi:
    retrieval: RetrievalMode = "dense"

    def __init__(self, folder: Path, model: Path) -> None:
        """``model`` is the folder of converted weights; beside it lies the packaged embedder's own."""
        self.versions = {name: version(name) for name in ("taiyi-rag", "openvino", "faiss-cpu")}
        self._opened = ExitStack()
        self._reader: Any = None
        self._settings = Settings(home=folder)
        if not (folder / "models").exists():
            (folder / "models").symlink_to(model.parent)

    def load_model(self) -> None:
        self._embedder = open_embedder(self._settings)
        self._embedder.embed_query("warm up")

    def create(self) -> None:
        self.open()

    def open(self) -> None:
        opened = self._opened.enter_context(open_system(self._settings))
        self._system: System = replace(opened, embedder=self._embedder)

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._read(self._system, ids, texts)

    def add_embedded(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        known = Known(self._embedder, dict(zip(texts, vectors, strict=True)))
        self._read(replace(self._system, embedder=known), ids, texts)

    def _read(self, system: System, ids: Sequence[str], texts: Sequence[str]) -> None:
        """The processes that parse stay open, as the worker keeps them; the first file starts them."""
        from ingestion.pipeline import discover, ingest, local_reader  # who only searches does without

        if self._reader is None:
            self._reader = self._opened.enter_context(local_reader(self._settings.home))
        with TemporaryDirectory() as folder:
            lines = (json.dumps({"id": one, "text": text}) for one, text in zip(ids, texts, strict=True))
            Path(folder, "passages.jsonl").write_text("\n".join(lines), encoding="utf-8")
            [result] = ingest(discover([Path(folder)]), "default", system, reader=self._reader)
        if result.status == "failed":
            raise RuntimeError(result.reason)

    def save(self) -> None:
        """What was read in is on disk."""

    def search(self, question: str, k: int) -> list[str]:
        query = Query(question, retrieval=self.retrieval, top_k=k, collapse=False)
        hits = search(query, LOCAL_ADMIN, self._system).hits
        return [str(hit.passage.external_id) for hit in hits]

    def update(self, identifier: str, text: str) -> None:
        self._read(self._system, [identifier], [text])

    def delete(self, identifier: str) -> None:
        from rag.removal import delete_document

        with self._system.database.reading() as session:
            key = select(DocumentKeyRow.document_id).where(DocumentKeyRow.key == f"id:{identifier}")
            document_id = session.scalars(key).one()
        delete_document(self._system, LOCAL_ADMIN, document_id)

    def close(self) -> None:
        self._opened.close()


open_peer = Taiyi
