"""What every place where vectors live promises, held against a scan in numpy."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from vector_oracle import clustered_rows, expected_of, unit_rows

from rag.errors import Inconsistent
from rag.permitted import Permitted
from rag.vectors import SegmentGoneError, VectorSegments, open_vectors


def _gpus() -> int:
    import faiss

    return faiss.get_num_gpus() if hasattr(faiss, "StandardGpuResources") else 0


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, VectorSegments]]:
    """One Milvus Lite for all tests, since it takes seconds to open and lets in one process."""
    pytest.importorskip("pymilvus")
    pytest.importorskip("milvus_lite")
    folder = tmp_path_factory.mktemp("lite")
    url = f"milvus:{folder / 'vectors.db'}"
    with open_vectors(url, folder) as segments:
        yield url, segments


@pytest.fixture(params=["faiss:", "faiss+gpu:", "milvus:"])
def segments(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorSegments]:
    if request.param == "milvus:":
        _, opened = request.getfixturevalue("lite")
        yield opened
        opened.keep_only(set())
        return
    if request.param == "faiss+gpu:" and not _gpus():
        pytest.skip("no GPU")
    with open_vectors(request.param, tmp_path / "vectors") as opened:
        yield opened


def _write(segments: VectorSegments, ids: np.ndarray, vectors: np.ndarray, parts: int = 3) -> list[str]:
    ranges = np.array_split(np.arange(len(ids)), parts)
    return [segments.write(ids[part], vectors[part]) for part in ranges]


@pytest.mark.parametrize("part", [1.0, 0.99, 0.5, 0.05, 0.002, 0.0])
def test_search_is_exact_over_the_permitted_passages_only(segments: VectorSegments, part: float) -> None:
    vectors = unit_rows(600, 1)
    ids = np.random.default_rng(2).permutation(np.arange(10, 610)).astype(np.int64)
    names = _write(segments, ids, vectors)
    chance = np.random.default_rng(3)
    for query in unit_rows(8, 4):
        allowed = np.sort(ids[chance.random(600) < part])
        found = segments.search(names, query, 10, Permitted(allowed))
        expected = expected_of(ids, vectors, query, 10, allowed)
        assert [identifier for identifier, _ in found] == [identifier for identifier, _ in expected]
        np.testing.assert_allclose([c for _, c in found], [c for _, c in expected], atol=1e-6)


def test_more_than_there_is_gives_all_there_is(segments: VectorSegments) -> None:
    vectors, ids = unit_rows(7, 1), np.arange(1, 8)
    names = _write(segments, ids, vectors)
    found = segments.search(names, vectors[0], 50, Permitted(ids))
    assert sorted(identifier for identifier, _ in found) == list(ids)


def test_equal_passages_come_in_the_order_of_their_ids_also_where_the_list_ends(segments: VectorSegments) -> None:
    vectors = np.concatenate([np.repeat(unit_rows(1, 1), 60, axis=0), unit_rows(90, 2)])
    ids = np.random.default_rng(3).permutation(np.arange(1, 151)).astype(np.int64)
    names = _write(segments, ids, vectors)
    found = segments.search(names, vectors[0], 25, Permitted(np.arange(1, 151)))
    assert [identifier for identifier, _ in found] == sorted(ids[:60])[:25]


def test_merging_segments_changes_nothing_that_is_found(segments: VectorSegments) -> None:
    vectors = np.repeat(unit_rows(100, 5), 2, axis=0)
    ids = np.random.default_rng(6).permutation(np.arange(1, 201)).astype(np.int64)
    names = _write(segments, ids, vectors, parts=4)
    merged = segments.write(
        np.concatenate([segments.ids(name) for name in names]),
        np.concatenate([segments.vectors(name) for name in names]),
    )
    for query in unit_rows(5, 7):
        before = segments.search(names, query, 30, Permitted(np.arange(1, 201)))
        assert segments.search([merged], query, 30, Permitted(np.arange(1, 201))) == before


def test_a_segment_gives_back_what_was_written(segments: VectorSegments) -> None:
    vectors, ids = unit_rows(5, 7), np.array([9, 4, 2**40, 1, 6], np.int64)
    name = segments.write(ids, vectors)
    order = np.argsort(segments.ids(name))
    np.testing.assert_array_equal(segments.ids(name)[order], np.sort(ids))
    np.testing.assert_array_equal(segments.vectors(name)[order], vectors[np.argsort(ids)])


def test_vectors_are_given_by_id_from_whichever_segment_holds_them(segments: VectorSegments) -> None:
    vectors, ids = unit_rows(30, 8), np.random.default_rng(9).permutation(np.arange(1, 31)).astype(np.int64)
    names = _write(segments, ids, vectors)
    wanted = np.array([30, 99, 2, 17, 0], np.int64)
    held, found = segments.vectors_of(names, wanted)
    assert list(held) == [True, False, True, True, False]
    np.testing.assert_array_equal(found, [vectors[list(ids).index(i)] for i in (30, 2, 17)])
    held, found = segments.vectors_of(names, np.array([99], np.int64))
    assert not held.any()
    assert found is None


def test_a_removed_segment_is_gone(segments: VectorSegments) -> None:
    old, kept = segments.write(np.array([1]), unit_rows(1, 1)), segments.write(np.array([2]), unit_rows(1, 2))
    assert segments.exists(old)
    segments.keep_only({kept})
    assert (segments.exists(old), segments.exists(kept)) == (False, True)
    for read in (segments.ids, segments.vectors, segments.shape):
        with pytest.raises(SegmentGoneError):
            read(old)
    with pytest.raises(SegmentGoneError):
        segments.search([kept, old], unit_rows(1, 3)[0], 1, Permitted(np.array([1, 2])))
    with pytest.raises(SegmentGoneError):
        segments.search([uuid.uuid4().hex], unit_rows(1, 3)[0], 1, Permitted(np.array([1, 2])))
    assert list(segments.ids(kept)) == [2]


def test_an_embedder_of_another_width_is_told_to_reindex(segments: VectorSegments) -> None:
    name = segments.write(np.array([1]), unit_rows(1, 1))
    with pytest.raises(Inconsistent, match="reindex"):
        segments.search([name], unit_rows(1, 1, dimension=8)[0], 1, Permitted(np.array([1])))


def test_segments_are_described(segments: VectorSegments) -> None:
    shape = segments.shape(segments.write(np.arange(1, 21), unit_rows(20, 1)))
    assert shape.vectors == 20
    assert shape.bytes >= 20 * 24 * 4
    assert "exact" in shape.kind
    assert "FAISS" in segments.about() or "Milvus" in segments.about()


def test_no_segments_and_no_permission_find_nothing(segments: VectorSegments) -> None:
    name = segments.write(np.arange(1, 21), unit_rows(20, 1))
    assert segments.search([], unit_rows(1, 2)[0], 5, Permitted(np.array([1]))) == []
    assert segments.search([name], unit_rows(1, 2)[0], 5, Permitted(np.zeros(0, np.int64))) == []


def test_searches_go_on_while_segments_are_merged_and_dropped(segments: VectorSegments) -> None:
    """As a service and a writer do it: a reader takes the names of the live segments and starts again where one of
    them has gone meanwhile."""
    vectors, ids = unit_rows(120, 1), np.arange(1, 121)
    live = _write(segments, ids, vectors)
    queries = unit_rows(6, 2)
    permitted = [Permitted(np.sort(np.random.default_rng(n).choice(ids, 50, replace=False))) for n in range(6)]
    expected = [
        [identifier for identifier, _ in expected_of(ids, vectors, query, 10, allowed.ids)]
        for query, allowed in zip(queries, permitted, strict=True)
    ]
    done, wrong, searched = threading.Event(), [], [0] * 3

    def read(number: int) -> None:
        while not done.is_set():
            for query, allowed, right in zip(queries, permitted, expected, strict=True):
                try:
                    found = segments.search(list(live), query, 10, allowed)
                except SegmentGoneError:
                    continue
                except Exception as error:
                    wrong.append(error)
                    return
                searched[number] += 1
                if [identifier for identifier, _ in found] != right:
                    wrong.append(found)

    readers = [threading.Thread(target=read, args=(number,)) for number in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(2):
        merged = segments.write(
            np.concatenate([segments.ids(name) for name in live]),
            np.concatenate([segments.vectors(name) for name in live]),
        )
        live[:] = [merged]
        segments.keep_only({merged})
        rows = np.random.default_rng(len(live)).permutation(120)
        parts = [segments.write(ids[part], vectors[part]) for part in np.array_split(rows, 2)]
        live[:] = parts
        segments.keep_only(set(parts))
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert min(searched) > 0


_WRITER = """
import sys
from pathlib import Path

import numpy as np

from rag.vectors import open_vectors

with open_vectors(sys.argv[1], Path(sys.argv[2])) as segments:
    vectors = np.eye(24, dtype=np.float32)
    print(segments.write(np.arange(1, 25), vectors), flush=True)
    while True:
        segments.write(np.arange(1, 8_001), np.resize(vectors, (8_000, 24)))
"""


@pytest.mark.parametrize("kind", ["faiss:", "milvus:"])
def test_what_was_written_outlives_a_kill_and_what_was_not_is_removed(kind: str, tmp_path: Path) -> None:
    url = kind
    if kind == "milvus:":
        pytest.importorskip("pymilvus")
        pytest.importorskip("milvus_lite")
        url = f"milvus:{tmp_path / 'killed.db'}"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, url, str(tmp_path / "vectors")], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    with writer.stdout:
        name = writer.stdout.readline().strip()
        time.sleep(0.05)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    with open_vectors(url, tmp_path / "vectors") as segments:
        segments.keep_only({name})
        np.testing.assert_array_equal(segments.vectors(name), np.eye(24, dtype=np.float32))
        found = segments.search([name], np.eye(24, dtype=np.float32)[4], 1, Permitted(np.arange(1, 25)))
        assert found == [(5, 1.0)]


@pytest.mark.parametrize("part", [1.0, 0.6])
def test_a_large_segment_finds_nearly_all_and_nothing_that_is_not_permitted(
    segments: VectorSegments, part: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sizes are lowered, so that a segment that makes a test last no longer counts as large."""
    monkeypatch.setattr("rag.vectors.lists.LISTED_FROM", 3_000)
    monkeypatch.setattr("rag.vectors.codes.CODED_FROM", 3_000)
    monkeypatch.setattr("rag.vectors.ranking.SCANNED_BELOW", 1_000)
    rows = clustered_rows(4_040, 1)
    vectors, queries = rows[:4_000], rows[4_000:]
    ids = np.random.default_rng(2).permutation(np.arange(1, 4_001)).astype(np.int64)
    name = segments.write(ids, vectors)
    assert any(word in segments.shape(name).kind for word in ("lists", "codes"))
    allowed = np.sort(ids[np.random.default_rng(3).random(4_000) < part])
    shares = []
    for query in queries:
        found = {identifier for identifier, _ in segments.search([name], query, 100, Permitted(allowed))}
        assert found <= set(allowed)
        shares.append(len(found & {i for i, _ in expected_of(ids, vectors, query, 100, allowed)}) / 100)
    assert np.mean(shares) >= 0.98


def test_a_large_segment_is_exact_where_few_are_permitted(
    segments: VectorSegments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.vectors.lists.LISTED_FROM", 3_000)
    monkeypatch.setattr("rag.vectors.codes.CODED_FROM", 3_000)
    monkeypatch.setattr("rag.vectors.ranking.SCANNED_BELOW", 500)
    vectors = clustered_rows(4_000, 1)
    ids = np.random.default_rng(2).permutation(np.arange(1, 4_001)).astype(np.int64)
    name = segments.write(ids, vectors)
    for part in (0.1, 0.15):
        allowed = np.sort(ids[np.random.default_rng(3).random(4_000) < part])
        for query in unit_rows(10, 4):
            found = segments.search([name], query, 50, Permitted(allowed))
            assert [i for i, _ in found] == [i for i, _ in expected_of(ids, vectors, query, 50, allowed)]
