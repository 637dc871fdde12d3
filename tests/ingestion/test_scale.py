"""What must not grow with the corpus: the memory of an ingest, and the work of one that finds nothing changed.

``benchmarks/ingest.py`` measures the same at full size.
"""

import sys
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

MIB = 1 << 20
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


def memory() -> int:
    """Resident memory of this process that no file is mapped to, in bytes."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssAnon")]
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_memory_of_an_ingest_grows_by_the_vectors_alone(
    lite_system: System, tmp_path: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "PUBLISH_EVERY_PASSAGES", 256)  # many batches of few passages
    write_records(tmp_path / "records.xml", 2400)
    samples: dict[int, int] = {}
    embedded = 0

    def on_embedded(count: int) -> None:
        nonlocal embedded
        embedded += count
        samples[embedded] = memory()

    ingest(
        discover([tmp_path / "records.xml"]),
        "default",
        replace(lite_system, embedder=StandInEmbedder()),
        Listener(on_embedded=on_embedded),
        reader=reader,
    )
    first, second = (
        max(used for count, used in samples.items() if low <= count / embedded <= high)
        for low, high in ((0.3, 0.5), (0.75, 1))
    )
    vectors = embedded // 2 * DIMENSION * 4
    assert embedded >= 2400
    assert second - first < 2 * vectors + 8 * MIB, f"{(second - first) / MIB:.0f} MiB for half of {embedded} passages"


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
