"""What must not grow with the corpus: the memory of an ingest, and the work of one that finds nothing changed.

``benchmarks/ingest.py`` measures the same at full size.
"""

import gc
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from numpy.typing import NDArray

from conftest import Library
from ingestion import pipeline
from ingestion.pipeline import FileToRead, Listener, Reader, discover, ingest
from rag.system import System

KIB = 1 << 10
DIMENSION = 384
RECORD = """<PubmedArticle><MedlineCitation><PMID>{pmid}</PMID><Article>
<ArticleTitle>Trial {pmid} of metformin</ArticleTitle><Abstract><AbstractText>{abstract}</AbstractText></Abstract>
</Article></MedlineCitation></PubmedArticle>"""


class StandInEmbedder:
    """Unit vectors that mean nothing, since embedding is not what is looked at."""

    fingerprint = "stand-in"

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self.embed_passages([text])[0]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = [np.random.default_rng(crc32(text.encode())).standard_normal(DIMENSION, np.float32) for text in texts]
        return np.stack(rows) / np.linalg.norm(rows, axis=1, keepdims=True)


def write_records(path: Path, count: int) -> None:
    records = (
        RECORD.format(pmid=pmid, abstract=" ".join(f"Arm {pmid}-{arm} took {arm} mg of it daily." for arm in range(8)))
        for pmid in range(1, count + 1)
    )
    path.write_text(f"<PubmedArticleSet>{''.join(records)}</PubmedArticleSet>", encoding="utf-8")


def test_an_ingest_holds_no_more_of_a_long_file_than_of_a_short_one(
    lite_system: System, tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what Python and numpy hold: what the process has of the system also depends on when the system takes it
    back, and is measured by the benchmark."""
    monkeypatch.setattr(pipeline, "PUBLISH_EVERY_PASSAGES", 128)  # many batches of few passages
    write_records(tmp_path / "records.xml", 800)
    samples: dict[int, int] = {}
    embedded = 0

    def on_embedded(count: int) -> None:
        nonlocal embedded
        embedded += count
        gc.collect()
        samples[embedded] = tracemalloc.get_traced_memory()[0]

    system = replace(lite_system, embedder=StandInEmbedder())
    tracemalloc.start()
    try:
        ingest(
            discover([tmp_path / "records.xml"]), "default", system, Listener(on_embedded=on_embedded), reader=reader
        )
    finally:
        tracemalloc.stop()
    first, second = (
        max(used for count, used in samples.items() if low < count / embedded <= high)
        for low, high in ((0.25, 0.6), (0.6, 1))
    )
    assert embedded >= 800
    assert second - first < 280 * KIB, f"{(second - first) / KIB:.0f} KiB more after {embedded} passages"


def test_an_ingest_with_nothing_changed_reads_no_file(lite_library: Library, reader: Reader) -> None:
    for number in range(30):
        lite_library.write(f"{number}.md", f"# Drug{number}\n\nDrug{number} is given at {number} mg.\n")
    started: list[Path] = []

    def start(file: FileToRead) -> object:
        started.append(file.path)
        return reader.start(file)

    def statuses() -> set[str]:
        results = ingest(discover([lite_library.folder]), "default", system, reader=replace(reader, start=start))
        return {result.status for result in results}

    system = replace(lite_library.system, embedder=StandInEmbedder())
    assert statuses() == {"added"}
    assert len(started) == 30
    started.clear()
    assert statuses() == {"unchanged"}
    assert started == []
    lite_library.write("7.md", "# Drug7\n\nDrug7 is given at 8 mg.\n")
    assert statuses() == {"unchanged", "updated"}
    assert [path.name for path in started] == ["7.md"]
