"""On a Ray cluster of two machines, which are groups of processes on this one."""

import json
import socket
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import numpy as np
import pytest
from sqlalchemy import select

from conftest import find_free_port, new_home
from ingestion.isolation import parsing_processes
from ingestion.pipeline import FileResult, FileToRead, Listener, Reader, discover, ingest
from ingestion.types import ParsedDocument
from rag.embedding import Embedder
from rag.errors import Unavailable
from rag.removal import delete_document
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import EditionRow, PassageRow, SegmentRow
from rag.types import LOCAL_ADMIN, Query
from rag.verification import verify
from same_results import assert_same_results

ray = pytest.importorskip("ray", reason="Ray is not installed: pip install 'taiyi-rag[ray]'")

from ingestion import cluster  # noqa: E402
from ingestion.cluster import on_cluster  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray.*"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file .*ray:ResourceWarning"),
]
OBJECT_STORE_BYTES = 80 << 20
QUERIES = ("Drug3 dose", "哮喘急性发作", "which table has the interval", "Drug7 in the archive", "corpus Drug12")


@pytest.fixture(scope="module")
def two_machines(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAG_HOME", str(new_home(tmp_path_factory.mktemp("machine") / "home", models)))
        started = Cluster()
        for _ in range(2):
            started.add_node(num_cpus=1, object_store_memory=OBJECT_STORE_BYTES, include_dashboard=False)
        yield started
        started.shutdown()


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Files of several formats, one that cannot be read, two of the same bytes, one with a sidecar, and an archive."""
    folder = tmp_path / "library"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.md").write_text(f"# Drug{number}\n\nThe dose of Drug{number} is {number + 5} mg.\n")
    (folder / "again-0.md").write_bytes((folder / "0.md").read_bytes())
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of a PDF follows")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "untitled.txt").write_text("支气管哮喘急性发作时首选吸入短效β2受体激动剂。\n" * 3)
    (folder / "page.html").write_text("<h1>Visits</h1><table><tr><td>Interval</td><td>6 weeks</td></tr></table>")
    (folder / "stated.md").write_text("# Own title\n\nWarfarin is stopped five days before.\n")
    (folder / "stated.md.meta.json").write_text(json.dumps({"title": "Stated title", "publisher": "Ward 7"}))
    word = docx.Document()
    word.add_heading("Insulin", 1)
    word.add_paragraph("Insulin glargine is given once a day.")
    word.save(str(folder / "insulin.docx"))
    records = [{"id": f"r{n}", "title": f"Record {n}", "text": f"The corpus knows Drug{n}."} for n in range(70)]
    (folder / "corpus.jsonl").write_text("\n".join([*map(json.dumps, records), "{"]))
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        archive.writestr("inside.md", "# Archived\n\nDrug7 lies in the archive.\n")
        archive.writestr("bad.pdf", b"no PDF")
    sections = (f"## Section {number}\n\nFinding {number} stands by itself.\n" for number in range(80))
    (folder / "sections.md").write_text("# A book\n\n" + "\n".join(sections))
    return folder


@pytest.fixture
def here(tmp_path: Path, models: Path, embedder: Embedder) -> Iterator[System]:
    with open_system(Settings(home=new_home(tmp_path / "here", models))) as opened:
        yield replace(opened, embedder=embedder)


@pytest.fixture
def there(tmp_path: Path, models: Path, embedder: Embedder) -> Iterator[System]:
    with open_system(Settings(home=new_home(tmp_path / "there", models))) as opened:
        yield replace(opened, embedder=embedder)


@pytest.fixture
def far_away(tmp_path: Path, models: Path, embedder: Embedder) -> Iterator[System]:
    """A home whose vectors live in Milvus: nothing of the work is then done where it is on one machine."""
    pytest.importorskip("milvus_lite", reason="Milvus Lite is not installed: pip install milvus-lite")
    settings = Settings(home=new_home(tmp_path / "far", models), index_url=f"milvus:{tmp_path / 'vectors.db'}")
    with open_system(settings) as opened:
        yield replace(opened, embedder=embedder)


def contents(system: System) -> list[tuple[Any, ...]]:
    """What is in a home, down to each passage; ids of documents and editions follow from what they hold."""
    columns = [column for column in EditionRow.__table__.columns if column.name != "ingested_at"]
    passages = [column for column in PassageRow.__table__.columns if column.name != "id"]
    with system.database.reading() as session:
        rows = session.execute(select(*columns, *passages).join(PassageRow).order_by(PassageRow.id)).all()
    return [tuple(map(repr, row)) for row in rows]


def vectors(system: System) -> np.ndarray[Any, Any]:
    with system.database.reading() as session:
        names = list(session.scalars(select(SegmentRow.name)))
        ids = np.array(session.scalars(select(PassageRow.id).order_by(PassageRow.id)).all(), np.int64)
    held, found = system.vectors.vectors_of(names, ids)
    assert held.all()
    assert found is not None
    return found


def hits(system: System, words: str) -> list[str]:
    found = search(Query(words), LOCAL_ADMIN, system).hits
    return [repr(hit.passage) for hit in found]


def test_a_cluster_gives_the_home_that_one_machine_gives(
    two_machines: Any, library: Path, here: System, there: System
) -> None:
    files = discover([library])
    expected = ingest(files, "default", here)
    with on_cluster(there, two_machines.address) as (system, reader):
        results = ingest(files, "default", system, reader=reader)
        assert system.embedder.embedded_here == 0
    assert results == expected
    by_name = {Path(result.path).name: result for result in results}
    assert {name for name, result in by_name.items() if result.status == "failed"} == {
        *("broken.pdf", "empty.txt", "corpus.jsonl", "bad.pdf"),
    }
    assert by_name["corpus.jsonl"].documents == 70
    assert contents(there) == contents(here)
    assert len(contents(here)) > 150
    assert (vectors(there) * vectors(here)).sum(axis=1).min() > 0.99999
    for words in QUERIES:
        assert hits(there, words) == hits(here, words) != []
    assert verify(there) == []
    assert {result.status for result in ingest(files, "default", there)} == {"unchanged", "failed"}


@pytest.mark.full
def test_a_cluster_that_writes_to_milvus_gives_the_results_of_one_machine(
    two_machines: Any, library: Path, here: System, far_away: System
) -> None:
    def read() -> None:
        files = discover([library])
        ingest(files, "default", here)
        with on_cluster(far_away, two_machines.address) as (system, reader):
            ingest(files, "default", system, reader=reader)

    read()
    assert assert_same_results(here, far_away, QUERIES[:3], answered=1, rounded=True) > 50
    (library / "3.md").write_text("# Drug3\n\nThe dose of Drug3 is now 99 mg.\n")
    read()
    with here.database.reading() as session:
        document_id = session.scalars(select(EditionRow.document_id).where(EditionRow.title == "Drug5")).one()
    for system in (here, far_away):
        delete_document(system, LOCAL_ADMIN, document_id)
    assert assert_same_results(here, far_away, (QUERIES[0], "Drug5 dose"), rounded=True) > 20
    assert verify(far_away) == []


@pytest.mark.full
def test_a_machine_that_dies_half_way_is_done_without(
    two_machines: Any, tmp_path: Path, here: System, there: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "BLOCK_FILES", 1)
    monkeypatch.setattr(cluster, "BATCH_PIECES", 1)
    library = tmp_path / "many"
    library.mkdir()
    for number in range(8):
        paragraphs = (f"Finding {n} of trial {number}: " + "a dose was given. " * 40 for n in range(4))
        (library / f"{number:02}.txt").write_text("\n\n".join(paragraphs))
    files = discover([library])
    expected = ingest(files, "default", here)
    dying = threading.Thread(target=two_machines.remove_node, args=(two_machines.worker_nodes.copy().pop(), False))

    def on_file(_: FileResult) -> None:
        if not dying.ident:
            dying.start()

    with on_cluster(there, two_machines.address) as (system, reader):
        results = ingest(files, "default", system, Listener(on_file), reader=reader)
        dying.join()
        assert [node["Alive"] for node in ray.nodes()].count(True) == 1
    assert results == expected
    assert contents(there) == contents(here)
    assert verify(there) == []


def test_where_no_cluster_answers_one_line_says_so(here: System) -> None:
    address = f"127.0.0.1:{find_free_port()}"
    with pytest.raises(Unavailable, match=f"{address}.*ray start"), on_cluster(here, address):
        pass


def test_without_ray_it_says_how_to_install_it(here: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Unavailable, match=r"pip install 'taiyi-rag\[ray\]'"), on_cluster(here):
        pass


def test_a_stopped_run_drops_what_was_begun_where_that_costs_nothing(here: System, library: Path) -> None:
    done: list[FileResult] = []
    files = discover(sorted(library.glob("?.md")))
    listener = Listener(on_file=done.append, should_stop=lambda: bool(begun) and begun[-1] == files[-1])
    begun: list[FileToRead] = []
    with parsing_processes(here.home) as parsers:

        def start(file: FileToRead) -> AbstractContextManager[Iterator[ParsedDocument]]:
            begun.append(file)
            return closing(parsers.parse(file.path))

        ingest(files, "default", here, listener, reader=Reader(start, parsers.unpack, ahead=4, drops=True))
    assert len(begun) == 8
    assert len(done) == 4
    assert len({passage[0] for passage in contents(here)}) == 4


def test_a_machine_with_another_model_is_refused(two_machines: Any, library: Path, there: System) -> None:
    class Other:
        """The embedder with one weight changed, as far as anybody can see."""

        fingerprint = "0" * 64

    with (
        on_cluster(replace(there, embedder=Other()), two_machines.address) as (system, reader),
        pytest.raises(Unavailable, match=f"^{socket.gethostname()} has another model"),
    ):
        ingest(discover([library / "0.md"]), "default", system, reader=reader)
