"""What is particular to one place where vectors live, and a whole library kept in Milvus."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from vector_oracle import clustered_rows, unit_rows

from api.doctor import Finding, examine
from conftest import Library, find_free_port
from ingestion.pipeline import Reader
from rag.embedding import Embedder
from rag.errors import Inconsistent, InvalidRequest, Unavailable
from rag.indexing import MOST_SEGMENTS, compact, merge_segments, merged_count
from rag.permitted import Permitted
from rag.settings import Settings, read_settings
from rag.system import open_system
from rag.vectors import SegmentGoneError, VectorSegments, open_vectors
from rag.vectors.lists import list_count, lists_for
from rag.verification import verify


def _found(url: str, folder: Path) -> None:
    with open_vectors(url, folder) as segments:
        segments.search(
            [segments.write(np.array([1]), unit_rows(1, 1))], unit_rows(1, 1)[0], 1, Permitted(np.array([1]))
        )


@pytest.mark.parametrize("value", ["faiss", "milvus:", "milvus:vectors", "gpu:", "milvus:ftp://host"])
def test_an_address_that_nothing_can_live_at_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_INDEX_URL", value)
    with pytest.raises(InvalidRequest, match=r"RAG_INDEX_URL: .*milvus:FILE\.db"):
        read_settings()


@pytest.mark.parametrize(("url", "package"), [("faiss:", "faiss"), ("milvus:vectors.db", "pymilvus")])
def test_a_missing_package_is_named_with_what_installs_it(
    url: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(Unavailable, match=r"pip install 'taiyi-rag\[(cpu|milvus)\]'"):
        _found(url, tmp_path)


def test_a_gpu_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    import faiss

    if hasattr(faiss, "StandardGpuResources") and faiss.get_num_gpus():
        pytest.skip("there is a GPU")
    with pytest.raises(Unavailable, match="RAG_INDEX_URL=faiss:"):
        _found("faiss+gpu:", tmp_path)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("pymilvus")
    port = find_free_port()
    with pytest.raises(Unavailable, match=f"http://127.0.0.1:{port}/ward") as raised:
        _found(f"milvus:http://writer:secret@127.0.0.1:{port}/ward", tmp_path)
    assert "secret" not in str(raised.value)


def test_a_reader_keeps_the_file_that_it_has_open_when_it_is_compacted_away(tmp_path: Path) -> None:
    with open_vectors("faiss:", tmp_path) as writer, open_vectors("faiss:", tmp_path) as reader:
        old = writer.write(np.array([1]), unit_rows(1, 1))
        assert list(reader.ids(old)) == [1]
        writer.keep_only(set())
        assert reader.search([old], unit_rows(1, 1)[0], 1, Permitted(np.array([1]))) == [(1, 1.0)]
        with pytest.raises(SegmentGoneError):
            writer.ids(old)


def test_half_a_file_is_removed_and_a_broken_one_is_named(tmp_path: Path) -> None:
    with open_vectors("faiss:", tmp_path) as segments:
        name = segments.write(np.arange(1, 10), unit_rows(9, 1))
        (tmp_path / "abc.unfinished").write_bytes(b"half")
        segments.keep_only({name})
        assert [path.name for path in tmp_path.iterdir()] == [f"{name}.faiss"]
        (tmp_path / f"{name}.faiss").write_bytes(b"IxM2 and then nothing")
        with pytest.raises(Inconsistent, match="reindex"):
            segments.ids(name)


@pytest.mark.parametrize("coded_from", [50_000, 2_000], ids=["exact", "coded"])
def test_a_file_of_any_size_gives_back_what_was_written(
    coded_from: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.vectors.codes.CODED_FROM", coded_from)
    vectors, ids = clustered_rows(2_100, 1), np.random.default_rng(2).permutation(np.arange(1, 2_101)).astype(np.int64)
    with open_vectors("faiss:", tmp_path) as segments:
        name = segments.write(ids, vectors)
        assert ("codes" in segments.shape(name).kind) == (coded_from == 2_000)
        _gives_back(segments, name, ids, vectors)
        again = segments.write(segments.ids(name), segments.vectors(name))
        few = Permitted(np.arange(1, 2_101, 3))
        for query in unit_rows(5, 3):
            assert segments.search([again], query, 20, few) == segments.search([name], query, 20, few)


def _gives_back(segments: VectorSegments, name: str, ids: np.ndarray, vectors: np.ndarray) -> None:
    order = np.argsort(segments.ids(name))
    np.testing.assert_array_equal(segments.ids(name)[order], np.sort(ids))
    np.testing.assert_array_equal(segments.vectors(name)[order], vectors[np.argsort(ids)])
    held, found = segments.vectors_of([name], ids[:30])
    assert held.all()
    np.testing.assert_array_equal(found, vectors[:30])


def test_lists_that_an_earlier_version_wrote_are_read_and_searched(tmp_path: Path) -> None:
    import faiss

    vectors, ids = clustered_rows(2_100, 1), np.random.default_rng(2).permutation(np.arange(1, 2_101)).astype(np.int64)
    lists = faiss.IndexIVFFlat(faiss.IndexFlatIP(24), 24, 50, faiss.METRIC_INNER_PRODUCT)
    lists.train(vectors)
    lists.add_with_ids(vectors, ids)
    lists.nprobe = 4
    faiss.write_index(lists, str(tmp_path / "earlier.faiss"))
    with open_vectors("faiss:", tmp_path) as segments:
        assert segments.shape("earlier").kind == "IVF, 4 of 50 lists"
        _gives_back(segments, "earlier", ids, vectors)
        exact, few = segments.write(ids, vectors), Permitted(np.arange(1, 2_101, 3))
        for query in unit_rows(5, 3):
            assert segments.search(["earlier"], query, 20, few) == segments.search([exact], query, 20, few)


@pytest.mark.parametrize("enough", [0.9, 1.1], ids=["with codes", "whose codes do not find enough"])
def test_a_coded_segment_gives_the_scores_and_the_order_of_a_small_one(
    enough: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coded, many of these are alike; scored again from the rows they come as an exact search has them, bit for bit."""
    vectors = np.concatenate([np.repeat(clustered_rows(1, 1), 300, axis=0), clustered_rows(2_000, 2)])
    vectors[150:300] += unit_rows(1, 3) * 1e-4
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = np.random.default_rng(2).permutation(np.arange(1, 2_301)).astype(np.int64)
    everything, few = Permitted(np.arange(1, 2_301)), Permitted(np.arange(1, 2_301, 7))
    with open_vectors("faiss:", tmp_path) as segments:
        exact = segments.write(ids, vectors)
        monkeypatch.setattr("rag.vectors.codes.CODED_FROM", 2_000)
        monkeypatch.setattr("rag.vectors.codes._ENOUGH", enough)
        coded = segments.write(ids, vectors)
        assert ("codes" in segments.shape(coded).kind) == (enough < 1)
        for query in (vectors[0], vectors[299], *clustered_rows(5, 4)):
            assert segments.search([coded], query, 160, few) == segments.search([exact], query, 160, few)
            expected = segments.search([exact], query, 160, everything)
            assert segments.search([coded], query, 160, everything) == expected
            monkeypatch.setattr("rag.vectors.ranking.SCANNED_BELOW", 100)
            found = segments.search([coded], query, 160, everything)
            assert len(set(found) & set(expected)) >= (152 if enough < 1 else 160)
            assert found == sorted(found, key=lambda one: (-one[1], one[0]))
            monkeypatch.undo()
            monkeypatch.setattr("rag.vectors.codes.CODED_FROM", 2_000)


def test_a_coded_segment_is_removed_with_its_files_and_named_when_they_are_not_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.vectors.codes.CODED_FROM", 1_000)
    ids, vectors = np.arange(1, 1_201), clustered_rows(1_200, 1)
    with open_vectors("faiss:", tmp_path) as writer, open_vectors("faiss:", tmp_path) as reader:
        old, kept = writer.write(ids, vectors), writer.write(ids, vectors)
        found = reader.search([old], vectors[3], 3, Permitted(ids))
        (tmp_path / "killed.rows").write_bytes(b"rows of a segment that was never finished")
        writer.keep_only({kept})
        assert {path.name for path in tmp_path.iterdir()} == {f"{kept}.{end}" for end in ("faiss", "rows", "codes")}
        assert reader.search([old], vectors[3], 3, Permitted(ids)) == found
        os.truncate(tmp_path / f"{kept}.rows", 5_000)
        with pytest.raises(Inconsistent, match="reindex"):
            writer.ids(kept)


@pytest.mark.parametrize("vectors", [1, 9_999, 10_000, 100_000, 10_000_000])
def test_lists_are_many_enough_to_skip_and_long_enough_to_learn_from(vectors: int) -> None:
    lists = list_count(vectors)
    assert lists == 0 if vectors < 10_000 else 40 * lists <= vectors
    assert lists <= 3 * vectors**0.5


def test_the_fewer_are_permitted_the_more_lists_are_looked_into() -> None:
    assert [lists_for(50, 1_000, 100, part) for part in (1.0, 0.5, 0.25)] == [50, 100, 200]
    assert lists_for(50, 1_000, 200, 1.0) == 100
    assert lists_for(500, 1_000, 100, 0.25) == 1_000


@pytest.mark.parametrize(("passages", "at_once"), [(100_000, 250), (100_000, 500), (1_000_000, 500)])
def test_a_long_ingest_copies_a_vector_a_few_times_and_ends_with_most_in_one_segment(
    passages: int, at_once: int
) -> None:
    sizes: list[int] = []
    copied = 0
    for _ in range(passages // at_once):
        full = len(sizes) >= MOST_SEGMENTS
        sizes = sorted([*sizes, at_once])
        if full:
            count = merged_count(sizes)
            copied += sum(sizes[:count])
            sizes = sorted([*sizes[count:], sum(sizes[:count])])
    assert copied < 5 * passages
    assert len(sizes) <= MOST_SEGMENTS
    assert sizes[-1] > passages / 2


def test_permitted_ids_are_told_from_others() -> None:
    permitted = Permitted(np.array([0, 3, 8, 21]))
    asked = np.array([21, -1, 3, 4, 2**40, 0, 22, 23, 24])
    assert list(permitted.contains(asked)) == [True, False, True, False, False, True, False, False, False]
    assert not Permitted(np.zeros(0, np.int64)).contains(asked).any()


def test_a_library_kept_in_milvus_is_found_merged_compacted_and_rebuilt(
    home: Path, embedder: Embedder, reader: Reader, tmp_path: Path
) -> None:
    pytest.importorskip("milvus_lite")
    settings = Settings(home=home, index_url=f"milvus:{tmp_path / 'vectors.db'}")
    with open_system(settings) as opened:
        library = Library(tmp_path / "library", replace(opened, embedder=embedder), reader)
        for number, text in enumerate(("Aspirin thins the blood.", "Insulin lowers glucose.", "Salt raises pressure.")):
            library.ingest(library.write(f"{number}.md", text))
        assert library.found("What lowers glucose?", retrieval="dense")[0] == "Insulin lowers glucose."
        for change in (merge_segments, compact):
            before = library.found("What lowers glucose?", retrieval="dense")
            change(library.system, 1)
            assert library.found("What lowers glucose?", retrieval="dense") == before
            assert verify(library.system) == []
    said = [finding for finding in examine(settings) if finding.part == "vectors"]
    assert said[1] == Finding("vectors", True, "default: 3 in 1 segment (exact, in Milvus); 0.0 MiB")


def test_the_commands_start_without_any_index_library() -> None:
    code = "import sys, api.cli; print([m for m in ('faiss', 'pymilvus', 'grpc') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
