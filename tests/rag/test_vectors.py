from pathlib import Path

import numpy as np
import pytest

from rag.errors import Inconsistent
from rag.permitted import Permitted
from rag.vectors import SegmentGoneError, VectorSegments


def unit_rows(count: int, seed: int, dimension: int = 24) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def segments(tmp_path: Path) -> VectorSegments:
    return VectorSegments(tmp_path / "vectors")


@pytest.mark.parametrize("part", [1.0, 0.5, 0.05, 0.0])
def test_search_is_exact_over_the_permitted_passages_only(segments: VectorSegments, part: float) -> None:
    vectors = unit_rows(600, 1)
    ids = np.random.default_rng(2).permutation(np.arange(10, 610)).astype(np.int64)
    names = [segments.write(ids[at : at + 200], vectors[at : at + 200]) for at in (0, 200, 400)]
    chance = np.random.default_rng(3)
    for query in unit_rows(20, 4):
        allowed = np.sort(ids[chance.random(600) < part])
        found = segments.search(names, query, 10, Permitted(allowed))
        cosines = vectors @ query
        expected = sorted((-cosines[i], ids[i]) for i in range(600) if ids[i] in allowed)[:10]
        assert [identifier for identifier, _ in found] == [identifier for _, identifier in expected]
        np.testing.assert_allclose([c for _, c in found], [-c for c, _ in expected], atol=1e-5)


def test_a_segment_gives_back_what_was_written(segments: VectorSegments) -> None:
    vectors, ids = unit_rows(5, 7), np.array([9, 4, 2**40, 1, 6], np.int64)
    name = segments.write(ids, vectors)
    np.testing.assert_array_equal(segments.ids(name), ids)
    np.testing.assert_array_equal(segments.vectors(name), vectors)


def test_a_compacted_segment_is_gone_for_new_readers_and_not_for_open_ones(segments: VectorSegments, tmp_path) -> None:
    old, new = segments.write(np.array([1]), unit_rows(1, 1)), segments.write(np.array([2]), unit_rows(1, 2))
    reader = VectorSegments(tmp_path / "vectors")
    reader.ids(old)
    segments.keep_only({new})
    assert list(reader.ids(old)) == [1]
    with pytest.raises(SegmentGoneError):
        segments.ids(old)


def test_what_a_killed_writer_left_is_removed(segments: VectorSegments, tmp_path) -> None:
    name = segments.write(np.array([1]), unit_rows(1, 1))
    (tmp_path / "vectors" / "abc.unfinished").write_bytes(b"half")
    segments.keep_only({name})
    assert [path.name for path in (tmp_path / "vectors").iterdir()] == [name + ".faiss"]


def test_an_embedder_of_another_width_is_told_to_reindex(segments: VectorSegments) -> None:
    name = segments.write(np.array([1]), unit_rows(1, 1))
    with pytest.raises(Inconsistent, match="reindex"):
        segments.search([name], unit_rows(1, 1, dimension=8)[0], 1, Permitted(np.array([1])))
