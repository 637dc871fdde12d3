"""What the ways beyond one machine cost where one machine would do: Milvus Lite beside files, Ray beside none.

    python benchmarks/beyond.py milvus --vectors 20000     vectors in Milvus Lite and in files
    python benchmarks/beyond.py ray --records 200          an ingest on a local Ray cluster of two nodes and without one

Rounds alternate; figures are medians, from the least to the most. Milvus Lite is a library in this process over a file:
a server adds the way there and back. The two Ray nodes are groups of processes that share this machine's cores, so what
shows is the overhead, not the gain. Both parts hold the results against each other, and exit with 1 where they differ.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from gpu import made_up
from ingest import fresh_home, timed_ingest, write_records
from sqlalchemy import select

from ingestion.pipeline import discover, ingest
from rag.permitted import Permitted
from rag.retrieval import search
from rag.system import System
from rag.tables import PassageRow
from rag.types import LOCAL_ADMIN, Query
from rag.vectors import VectorSegments, open_vectors

SEARCHES = 50
K = 100
QUESTIONS = ("Does apixaban reduce stroke?", "dose of metformin in renal disease", "asthma exacerbation in children")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--home", type=Path, default=Path("data"), help="where the packaged model is prepared")
    parser.add_argument("--threads", type=int, default=0, help="that embedding uses; 0 means one a core")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("milvus", help="vectors in Milvus Lite and in files")
    one.add_argument("--vectors", type=int, default=20_000)
    one.set_defaults(run=measure_milvus)
    one = commands.add_parser("ray", help="an ingest on two local Ray nodes and without")
    one.add_argument("--records", type=int, default=200)
    one.set_defaults(run=measure_ray)
    arguments = parser.parse_args()
    print(f"$ python {' '.join(sys.argv)}    ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f})", flush=True)
    sys.exit(0 if arguments.run(arguments) else 1)


def measure_milvus(arguments: argparse.Namespace) -> bool:
    vectors, questions = made_up(arguments.vectors, 384, SEARCHES)
    ids = np.arange(1, len(vectors) + 1)
    everything, few = Permitted(ids), Permitted(ids[::50])
    took: dict[str, dict[str, list[float]]] = {}
    found: dict[str, list[Any]] = {}
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, ExitStack() as opened:
        places: dict[str, VectorSegments] = {}
        for name, url in (("files", "faiss:"), ("Milvus Lite", f"milvus:{folder}/vectors.db")):
            places[name] = opened.enter_context(open_vectors(url, Path(folder) / "vectors"))
            took[name], found[name] = {}, []
        for _ in range(arguments.rounds):
            for name, place in places.items():
                for permitted, label in ((everything, "all"), (few, "one in fifty")):
                    found[name].append(tried(place, ids, vectors, questions, permitted, label, took[name]))
    report(took)
    parts = [agreement(*pair) for pair in zip(found["files"], found["Milvus Lite"], strict=True)]
    print(f"of the {K} closest in files, Milvus Lite found {min(parts):.4f} at least, of one in fifty {parts[1]:.4f}")
    return parts[1] == 1.0 and min(parts) >= 0.97


def tried(
    place: VectorSegments,
    ids: Any,
    vectors: Any,
    questions: Any,
    permitted: Permitted,
    label: str,
    kept: dict[str, list[float]],
) -> list[list[int]]:
    """Writes, searches, reads and drops a segment; the ids that each search found."""
    with timed(kept, f"write {len(ids)} vectors, s", 1):
        segments = [place.write(ids, vectors)]
    place.search(segments, questions[0], K, permitted)
    found = []
    for question in questions:
        with timed(kept, f"a search, {label} permitted, ms", 1000):
            found.append([identifier for identifier, _ in place.search(segments, question, K, permitted)])
    with timed(kept, "read 1,000 vectors back, ms", 1000):
        place.vectors_of(segments, ids[:1000])
    with timed(kept, "drop a segment, ms", 1000):
        place.keep_only(set())
    return found


def measure_ray(arguments: argparse.Namespace) -> bool:
    from ray.cluster_utils import Cluster

    from ingestion.cluster import on_cluster

    took: dict[str, dict[str, list[float]]] = {"one machine": {}, "two Ray nodes": {}}
    hits: dict[str, list[list[str]]] = {}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ["RAG_HOME"] = str(arguments.home.absolute())
    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=80 << 20, include_dashboard=False)
    try:
        with TemporaryDirectory() as made:
            write_records(Path(made), arguments.records)
            files = discover([Path(made)])
            for _ in range(arguments.rounds):
                with fresh_home(arguments) as system:
                    system.embedder.embed_query("warm up")
                    seconds, _ = timed_ingest(Path(made), system)
                    keep(took["one machine"], system, seconds, hits, "one machine")
                with fresh_home(arguments) as system:
                    began = time.perf_counter()
                    with on_cluster(system, cluster.address) as (far, reader):
                        joined = time.perf_counter()
                        ingest(files, "default", far, reader=reader)
                        seconds = time.perf_counter() - joined
                    took["two Ray nodes"].setdefault("join the cluster, s", []).append(joined - began)
                    keep(took["two Ray nodes"], system, seconds, hits, "two Ray nodes")
    finally:
        cluster.shutdown()
    report(took)
    same = all(found == hits["one machine"] for found in hits.values())
    print(f"the hits of {len(QUESTIONS)} questions are {'the same' if same else 'NOT the same'}")
    return same


def keep(
    kept: dict[str, list[float]], system: System, seconds: float, hits: dict[str, list[list[str]]], name: str
) -> None:
    with system.database.reading() as session:
        passages = len(session.scalars(select(PassageRow.id)).all())
    kept.setdefault(f"read {passages} passages, s", []).append(seconds)
    kept.setdefault("passages a second", []).append(passages / seconds)
    hits[name] = [[hit.passage.text for hit in search(Query(one), LOCAL_ADMIN, system).hits] for one in QUESTIONS]


@contextmanager
def timed(kept: dict[str, list[float]], label: str, unit: int) -> Iterator[None]:
    began = time.perf_counter()
    yield
    kept.setdefault(label, []).append((time.perf_counter() - began) * unit)


def report(took: dict[str, dict[str, list[float]]]) -> None:
    """A table of both sides, with the second's median as a multiple of the first's."""
    (first, one), (second, other) = took.items()
    print(f"| | {first} | {second} | times |\n|---|---|---|---|")
    for label in dict.fromkeys([*other, *one]):
        values = one.get(label), other.get(label)
        medians = [None if found is None else statistics.median(found) for found in values]
        ratio = f"{medians[1] / medians[0]:.2f}" if medians[0] and medians[1] else "–"
        print(f"| {label} | {cell(values[0])} | {cell(values[1])} | {ratio} |", flush=True)


def cell(values: Sequence[float] | None) -> str:
    if not values:
        return "–"
    return f"{statistics.median(values):.2f} ({min(values):.2f}–{max(values):.2f})"


def agreement(found: list[list[int]], other: list[list[int]]) -> float:
    return statistics.mean(len(set(a) & set(b)) / len(a) for a, b in zip(found, other, strict=True))


if __name__ == "__main__":
    main()
