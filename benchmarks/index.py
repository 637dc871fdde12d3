"""How fast and how complete the vector index is, by size and by the part of the passages that is permitted.

    python benchmarks/index.py --sizes 10000,100000 --home data
    python benchmarks/index.py --sizes 100000 --home data --graphs      (HNSW too, which takes minutes to build)

With ``--home`` the vectors are those of that home's index and the questions the titles of its documents, embedded as
questions; where more vectors are asked for, they are made of those by adding noise of a third of their length. Without
it vectors and questions are random, which no index finds its way in. Recall at 10 and at 100 is against a scan of the
permitted vectors; times are of one search for 100 after another, in milliseconds.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from rag.permitted import Permitted
from rag.settings import Settings
from rag.system import open_system
from rag.tables import EditionRow, SegmentRow
from rag.vectors import open_vectors
from rag.vectors.ranking import SCANNED_BELOW, SCANNED_UNDER_PART

PARTS = (1.0, 0.75, 0.55, 0.3, 0.1, 0.01)
DEPTH = 100
NOISE = 0.33
Vectors = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="a home whose vectors and titles to use")
    parser.add_argument("--sizes", default="10000,100000")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--index-url", default="faiss:", help="as RAG_INDEX_URL; what is written is dropped again")
    parser.add_argument("--graphs", action="store_true", help="build HNSW for comparison")
    arguments = parser.parse_args()
    chance = np.random.default_rng(0)
    if arguments.home:
        own, questions = _of_home(arguments.home, arguments.questions)
    else:
        own, questions = np.zeros((0, 384), np.float32), _unit(chance.normal(size=(arguments.questions, 384)))
    for size in map(int, arguments.sizes.split(",")):
        vectors = _enough(own, size, chance)
        print(f"\n{size} vectors, {min(size, len(own))} of them as embedded, {len(questions)} questions")
        _measure_ours(arguments.index_url, vectors, questions, chance)
        if arguments.graphs:
            _measure_graphs(vectors, questions)


def _measure_ours(url: str, vectors: Vectors, questions: Vectors, chance: np.random.Generator) -> None:
    ids = np.arange(1, len(vectors) + 1)
    with tempfile.TemporaryDirectory() as folder, open_vectors(url, Path(folder)) as segments:
        started, cpu = time.perf_counter(), time.process_time()
        name = segments.write(ids, vectors)
        took = f"{time.perf_counter() - started:.1f} s, {time.process_time() - cpu:.1f} s of processor"
        shape = segments.shape(name)
        print(f"{segments.about()}: {shape.kind}, written in {took}, {shape.bytes / 2**20:.0f} MiB")
        for part in PARTS:
            allowed = np.sort(chance.permutation(ids)[: round(part * len(ids))])
            permitted = Permitted(allowed)

            def find(question: Vectors, permitted: Permitted = permitted) -> list[int]:
                return [i for i, _ in segments.search([name], question, DEPTH, permitted)]

            is_exact = "exact" in shape.kind or len(allowed) < max(SCANNED_BELOW, SCANNED_UNDER_PART * len(ids))
            _report(f"{part:.0%} permitted, {'scanned' if is_exact else 'searched'}", find, vectors, questions, allowed)
        segments.keep_only(set())


def _measure_graphs(vectors: Vectors, questions: Vectors) -> None:
    """HNSW with 32 neighbours, which a person would take instead; ids are rows, counted from 1."""
    graph = faiss.IndexHNSWFlat(vectors.shape[1], 32, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = 200
    started, cpu = time.perf_counter(), time.process_time()
    graph.add(vectors)
    took = f"{time.perf_counter() - started:.1f} s, {time.process_time() - cpu:.1f} s of processor"
    size = len(vectors) * (vectors.shape[1] * 4 + 2 * 32 * 4) / 2**20
    print(f"HNSW, 32 neighbours: built in {took}, {size:.0f} MiB")
    for part in (1.0, 0.1, 0.01):
        allowed = np.sort(np.random.default_rng(1).permutation(len(vectors))[: round(part * len(vectors))]) + 1
        for effort in (200, 500):
            parameters = faiss.SearchParametersHNSW(efSearch=effort, sel=faiss.IDSelectorBatch(allowed - 1))

            def find(question: Vectors, parameters: faiss.SearchParametersHNSW = parameters) -> list[int]:
                return [int(i) + 1 for i in graph.search(question[None, :], DEPTH, params=parameters)[1][0] if i >= 0]

            _report(f"{part:.0%} permitted, effort {effort}", find, vectors, questions, allowed)


def _report(
    what: str, find: Callable[[Vectors], list[int]], vectors: Vectors, questions: Vectors, allowed: NDArray[np.int64]
) -> None:
    find(questions[0])
    times, found, cpu = [], [], time.process_time()
    for question in questions:
        started = time.perf_counter()
        found.append(find(question))
        times.append(1000 * (time.perf_counter() - started))
    cpu = 1000 * (time.process_time() - cpu) / len(questions)
    near, far = zip(
        *(_recalls(*pair) for pair in zip(found, _expected(vectors, questions, allowed), strict=True)), strict=True
    )
    print(
        f"  {what:28} recall@10 {np.mean(near):.4f} @100 {np.mean(far):.4f}   "
        f"p50 {np.median(times):6.2f} p95 {np.percentile(times, 95):6.2f}   processor {cpu:6.2f}"
    )


def _recalls(found: list[int], expected: NDArray[np.int64]) -> tuple[float, float]:
    return float(np.isin(expected[:10], found[:10]).mean()), float(np.isin(expected, found).mean())


def _expected(vectors: Vectors, questions: Vectors, allowed: NDArray[np.int64]) -> NDArray[np.int64]:
    cosines = questions @ vectors[allowed - 1].T
    return allowed[np.argsort(-cosines, axis=1, kind="stable")[:, :DEPTH]]


def _of_home(home: Path, questions: int) -> tuple[Vectors, Vectors]:
    with open_system(Settings(home=home)) as system:
        with system.database.reading() as session:
            names = session.scalars(select(SegmentRow.name).order_by(SegmentRow.name)).all()
            titles = session.scalars(select(EditionRow.title).distinct().order_by(EditionRow.title)).all()
        vectors = np.concatenate([system.vectors.vectors(name) for name in names])
        chosen = np.random.default_rng(2).permutation(len(titles))[:questions]
        return vectors, np.stack([system.embedder.embed_query(titles[number]) for number in chosen])


def _enough(own: Vectors, size: int, chance: np.random.Generator) -> Vectors:
    if size <= len(own):
        return own[chance.permutation(len(own))[:size]]
    width = own.shape[1]
    if not len(own):
        return _unit(chance.normal(size=(size, width)))
    copied = own[chance.integers(0, len(own), size - len(own))]
    noise = chance.normal(0, NOISE / np.sqrt(width), copied.shape)
    return np.concatenate([own, _unit(copied + noise)])


def _unit(rows: NDArray[np.float64]) -> Vectors:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


if __name__ == "__main__":
    main()
