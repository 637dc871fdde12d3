"""A library whose vectors live in Milvus gives what one on a single machine's files gives, whatever is done to it."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from conftest import SAMPLE, new_home
from ingestion.pipeline import Reader, discover, ingest
from rag.embedding import Embedder, EmbedderCounts, Vectors
from rag.indexing import compact, merge_segments, read_live
from rag.removal import delete_document
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import CollectionRow, EditionRow, SegmentRow
from rag.types import LOCAL_ADMIN
from rag.verification import verify
from same_results import assert_same_results

QUESTIONS = (
    "Below which eGFR is metformin contraindicated?",
    "哮喘第1级治疗的首选方案是什么？",
    "target blood pressure in patients with diabetes",
    "心房颤动抗凝治疗",
)
pytest.importorskip("pymilvus", reason="pymilvus is not installed: pip install 'taiyi-rag[milvus]'")
pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed: pip install milvus-lite")


class Remembering:
    """An embedder that does not embed again what was embedded in another home."""

    def __init__(self, embedder: Embedder, vectors: dict[str, Vectors]) -> None:
        self._embedder, self._vectors = embedder, vectors
        self.embed_query = embedder.embed_query
        self.fingerprint = embedder.fingerprint

    @property
    def counts(self) -> EmbedderCounts:
        return self._embedder.counts

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if missing:
            self._vectors |= zip(missing, self._embedder.embed_passages(missing), strict=True)
        return np.stack([self._vectors[text] for text in texts])


def embedded(system: System) -> dict[str, Vectors]:
    """By what of a passage is embedded, its vector."""
    with system.database.reading() as session:
        entries = list(read_live(session, session.scalars(select(CollectionRow.id)).one()))
        names = list(session.scalars(select(SegmentRow.name)))
    held, vectors = system.vectors.vectors_of(names, np.array([entry.id for entry in entries], np.int64))
    assert held.all()
    return {entry.text: vector for entry, vector in zip(entries, vectors, strict=True)}


@pytest.fixture
def places(
    sample_home: Path, models: Path, embedder: Embedder, reader: Reader, tmp_path: Path
) -> Iterator[tuple[System, System]]:
    """The sample documents, read in twice: into files of FAISS, and into Milvus Lite."""
    shutil.copytree(sample_home, tmp_path / "files", symlinks=True)
    elsewhere = Settings(home=new_home(tmp_path / "milvus", models), index_url=f"milvus:{tmp_path / 'vectors.db'}")
    with open_system(Settings(home=tmp_path / "files")) as files, open_system(elsewhere) as milvus:
        remembering = Remembering(embedder, embedded(files))
        milvus = replace(milvus, embedder=remembering)
        ingest(discover([SAMPLE]), "default", milvus, reader=reader)
        yield replace(files, embedder=remembering), milvus


def document_of(system: System, title: str) -> str:
    with system.database.reading() as session:
        return session.scalars(select(EditionRow.document_id).where(EditionRow.title.contains(title)).limit(1)).one()


def test_milvus_gives_what_files_give_after_reading_changing_deleting_and_compacting(
    places: tuple[System, System], reader: Reader, tmp_path: Path
) -> None:
    files, milvus = places
    assert assert_same_results(files, milvus, QUESTIONS, answered=2) > 500
    changed = tmp_path / "added"
    changed.mkdir()
    (changed / "advice.md").write_text("# Advice\n\nMetformin is given at 500 mg twice a day.\n")
    for text in ("", "Below an eGFR of 30 it is stopped.\n"):
        with (changed / "advice.md").open("a") as file:
            file.write(f"\n{text}")
        for system in places:
            ingest(discover([changed]), "default", system, reader=reader)
        assert assert_same_results(files, milvus, QUESTIONS[:1], answered=1) > 0
    for title, purge in (("Chronic obstructive pulmonary disease", False), ("Advice", True)):
        for system in places:
            delete_document(system, LOCAL_ADMIN, document_of(system, title), purge=purge)
        assert assert_same_results(files, milvus, QUESTIONS[:2]) > 0
    for system in places:
        with system.database.reading() as session:
            collection = session.scalars(select(CollectionRow.id)).one()
        merge_segments(system, collection)
        compact(system, collection)
    assert assert_same_results(files, milvus, QUESTIONS, answered=1) > 0
    assert verify(milvus) == verify(files) == []
