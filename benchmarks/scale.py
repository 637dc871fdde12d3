"""What the vector index costs by the number of passages: build, disk, load, memory, search, append; with a fitted law.

    python benchmarks/shaped.py --corpora ... --questions ... --into shaped.npz
    python benchmarks/scale.py --shaped shaped.npz --sizes 10000,100000,1000000 --into docs

Each size is written as one segment by the product's own code (``rag.vectors``), then opened in a process of its own,
which tells how long that takes, what memory it has more than before, and searches for 10 passages, one question after
another, on one thread. Recall is against an exact scan of the float32 vectors. A thousand passages are then appended,
and the time is taken until a search finds one of them; nothing that was there before is written again. ``--into`` has
``scale.json``, ``scale.svg`` and the part of ``performance.md`` between its two marks written anew; sizes that are in
``scale.json`` from an earlier run stay.
"""

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from plotting import Line, log_log
from shaped import Shaped, Vectors, describe, enlarged, made_up, read

from rag.permitted import Permitted
from rag.vectors import open_vectors

PARTS = (1.0, 0.5, 0.1, 0.01)
"""Of the passages that are permitted, in the searches of one row each."""
APPENDED = 1_000
_AT_ONCE = 100_000
MIB = 1 << 20
BEGIN, END = "<!-- scale.py writes from here -->", "<!-- to here -->"


@dataclass(frozen=True, slots=True)
class Searched:
    """Of searches for 10: milliseconds passed, those that the processor computed, and the parts found of the closest 10
    and 100 (of searches for 100)."""

    permitted: float
    p50: float
    p95: float
    processor: float
    recall_10: float
    recall_100: float


@dataclass(frozen=True, slots=True)
class Size:
    """Figures of one number of vectors. Seconds, MiB; ``scan_ms`` is an exact scan of one question on one thread."""

    vectors: int
    kind: str
    build_s: float
    build_cpu_s: float
    disk_mib: float
    load_s: float
    first_ms: float
    memory_mib: float
    mapped_mib: float
    scan_ms: float
    append_s: float
    seen_ms: float
    searched: tuple[Searched, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shaped", type=Path, help="vectors of shaped.py; without it made-up ones, to try this out")
    parser.add_argument("--asked", type=int, default=500, help="questions")
    parser.add_argument("--sizes", default="10000,100000,1000000")
    parser.add_argument("--work", type=Path, help="folder for the segments (a temporary one)")
    parser.add_argument("--into", type=Path, help="folder of performance.md")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        print(json.dumps(_read(arguments.read)))
        return
    shaped = read(arguments.shaped) if arguments.shaped else made_up(2_000, 100)
    shaped = Shaped(shaped.passages, shaped.questions[: arguments.asked])
    print(describe(shaped), flush=True)
    sizes: list[Size] = []
    for size in map(int, arguments.sizes.split(",")):
        with tempfile.TemporaryDirectory(dir=arguments.work) as folder:
            sizes.append(measure(shaped, size, Path(folder)))
        print(table(sizes[-1:]), flush=True)
    if arguments.into:
        sizes = sorted([*_earlier(arguments.into / "scale.json", sizes), *sizes], key=lambda one: one.vectors)
    report = written(shaped, sizes)
    print(report)
    if arguments.into:
        (arguments.into / "scale.json").write_text(json.dumps([asdict(one) for one in sizes], indent=1) + "\n")
        (arguments.into / "scale.svg").write_text(plotted(sizes), encoding="utf-8")
        put(arguments.into / "performance.md", report)


def _earlier(path: Path, sizes: Sequence[Size]) -> list[Size]:
    """Sizes that an earlier run measured and this one did not."""
    rows = json.loads(path.read_text()) if path.exists() else []
    kept = [row for row in rows if row["vectors"] not in {one.vectors for one in sizes}]
    return [Size(**row | {"searched": tuple(Searched(**one) for one in row["searched"])}) for row in kept]


def measure(shaped: Shaped, size: int, folder: Path) -> Size:
    """The figures of ``size`` vectors under ids from 1 on, whose segment lies in ``folder`` meanwhile."""
    every = enlarged(shaped.passages, size + APPENDED, folder / "vectors.f32")
    vectors, appended = every[:size], np.array(every[size:])
    ids = np.arange(1, size + 1)
    with open_vectors("faiss:", folder) as segments:
        started, cpu = time.perf_counter(), time.process_time()
        name = segments.write(ids, vectors)
        build_s, build_cpu_s = time.perf_counter() - started, time.process_time() - cpu
        shape = segments.shape(name)
        allowed = {part: _allowed(size, part) for part in PARTS}
        expected = {str(part): _expected(vectors, shaped.questions, some) for part, some in allowed.items()}
        scan_ms = _scan_ms(vectors, shaped.questions[:20])
        np.savez(folder / "asked.npz", questions=shaped.questions, name=name, size=size, **expected)
        del vectors, every
        found = _in_a_process(folder)
        before = {path: path.stat().st_mtime_ns for path in folder.glob(f"{name}.*")}
        segments.search([name], shaped.questions[0], 10, Permitted(ids))
        started = time.perf_counter()
        added = segments.write(np.arange(size + 1, size + APPENDED + 1), appended)
        append_s = time.perf_counter() - started
        seen_ms = _seen(lambda permitted: segments.search([name, added], appended[5], 1, permitted), size)
        if before != {path: path.stat().st_mtime_ns for path in folder.glob(f"{name}.*")}:
            raise RuntimeError("appending wrote the large segment anew")
    searched = tuple(Searched(**row) for row in found.pop("searched"))
    disk_mib = shape.bytes / MIB
    return Size(
        size, shape.kind, build_s, build_cpu_s, disk_mib, scan_ms=scan_ms, append_s=append_s, seen_ms=seen_ms,
        searched=searched, **found,
    )  # fmt: skip


def _seen(search: Callable[[Permitted], list[tuple[int, float]]], size: int) -> float:
    """Milliseconds of the first search that may find what was appended. Checks that it does, and that it does not from
    the moment on in which that is no longer permitted."""
    every = Permitted(np.arange(1, size + APPENDED + 1))
    started = time.perf_counter()
    found = search(every)
    took = 1000 * (time.perf_counter() - started)
    if found[0][0] != size + 6:
        raise RuntimeError(f"what was appended is not found: {found}")
    if search(Permitted(every.ids[every.ids != size + 6]))[0][0] == size + 6:
        raise RuntimeError("what was removed is found")
    return took


def _in_a_process(folder: Path) -> dict[str, Any]:
    read = [sys.executable, __file__, "--read", str(folder)]
    found: dict[str, Any] = json.loads(subprocess.run(read, check=True, capture_output=True, text=True).stdout)
    return found


def _read(folder: Path) -> dict[str, Any]:
    """What a process finds that opens a segment which others wrote."""
    with np.load(folder / "asked.npz") as stored:
        asked = {key: stored[key] for key in stored.files}
    name, size, questions = str(asked["name"]), int(asked["size"]), asked["questions"]
    permitted = {part: Permitted(_allowed(size, part)) for part in PARTS}
    for one in permitted.values():
        one.selector  # noqa: B018  # is made once for many searches
    anonymous, mapped = _memory("RssAnon"), _memory("RssFile")
    with open_vectors("faiss:", folder) as segments:
        started = time.perf_counter()
        segments.ids(name)
        load_s = time.perf_counter() - started
        started = time.perf_counter()
        segments.search([name], questions[0], 10, permitted[1.0])
        first_ms = 1000 * (time.perf_counter() - started)
        searched = []
        for part in PARTS:

            def find(question: Vectors, depth: int, part: float = part) -> list[int]:
                return [i for i, _ in segments.search([name], question, depth, permitted[part])]

            searched.append(asdict(_searched(find, part, questions, asked[str(part)])))
        return {
            "load_s": load_s,
            "first_ms": first_ms,
            "memory_mib": _memory("RssAnon") - anonymous + _memory("RssFile") - mapped,
            "mapped_mib": _memory("RssFile") - mapped,
            "searched": searched,
        }


def _searched(
    find: Callable[[Vectors, int], list[int]], part: float, questions: Vectors, expected: NDArray[np.int64]
) -> Searched:
    find(questions[0], 10)
    times, computed, near = [], [], []
    for question, right in zip(questions, expected, strict=True):
        started, cpu = time.perf_counter(), time.thread_time()
        found = find(question, 10)
        times.append(1000 * (time.perf_counter() - started))
        computed.append(1000 * (time.thread_time() - cpu))
        near.append(np.isin(right[:10], found).mean())
    far = [np.isin(right, find(q, 100)).mean() for q, right in zip(questions[:100], expected, strict=False)]
    p50, p95 = np.percentile(times, [50, 95])
    return Searched(part, p50, p95, float(np.median(computed)), float(np.mean(near)), float(np.mean(far)))


def _allowed(size: int, part: float) -> NDArray[np.int64]:
    chosen = np.random.default_rng(3).permutation(size)[: max(1, round(part * size))]
    return np.sort(chosen).astype(np.int64) + 1


def _expected(vectors: Vectors, questions: Vectors, allowed: NDArray[np.int64]) -> NDArray[np.int64]:
    best = faiss.ResultHeap(len(questions), min(100, len(allowed)), keep_max=True)
    for at in range(0, len(vectors), _AT_ONCE):  # a portion in memory at a time
        some = allowed[(allowed > at) & (allowed <= at + _AT_ONCE)]
        if len(some):
            depth = min(100, len(some))
            cosines, rows = faiss.knn(questions, np.array(vectors[some - 1]), depth, faiss.METRIC_INNER_PRODUCT)
            best.add_result(cosines, some[rows])
    best.finalize()
    found: NDArray[np.int64] = best.I
    return found


def _scan_ms(vectors: Vectors, questions: Vectors) -> float:
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    times = []
    for question in questions:
        started = time.perf_counter()
        faiss.knn(question[None, :], vectors, 10, faiss.METRIC_INNER_PRODUCT)
        times.append(1000 * (time.perf_counter() - started))
    faiss.omp_set_num_threads(threads)
    return float(np.median(times))


def _memory(kind: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"the system does not tell {kind}")


def law(sizes: Sequence[Size], figure: Callable[[Size], float]) -> tuple[float, float]:
    """``a`` and ``b`` of ``a n^b``, by least squares of the logarithms."""
    power, factor = np.polyfit(np.log([s.vectors for s in sizes]), np.log([figure(s) for s in sizes]), 1)
    return math.exp(factor), float(power)


FIGURES: dict[str, tuple[Callable[[Size], float], str]] = {
    "build, processor": (lambda s: s.build_cpu_s, "s"),
    "on disk": (lambda s: s.disk_mib, "MiB"),
    "in memory": (lambda s: s.memory_mib, "MiB"),
    "search, processor": (lambda s: s.searched[0].processor, "ms"),
    "search, 95th percentile": (lambda s: s.searched[0].p95, "ms"),
    "exact scan of float32": (lambda s: s.scan_ms, "ms"),
}


def table(sizes: Sequence[Size]) -> str:
    rows = [
        "| vectors | kept as | build (processor) | on disk | load | memory (mapped) "
        "| search for 10: p50, p95, processor | recall@10, @100 | exact scan | append 1,000, first search after |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for s in sizes:
        every = s.searched[0]
        rows.append(
            f"| {s.vectors:,} | {s.kind} | {s.build_s:.0f} s ({s.build_cpu_s:.0f} s) | {s.disk_mib:,.0f} MiB "
            f"| {s.load_s:.2f} s | {s.memory_mib:,.0f} MiB ({s.mapped_mib:,.0f}) "
            f"| {every.p50:.1f}, {every.p95:.1f}, {every.processor:.1f} ms | {every.recall_10:.3f}, "
            f"{every.recall_100:.3f} | {s.scan_ms:.0f} ms | {s.append_s:.2f} s, {s.seen_ms:.0f} ms |"
        )
    return "\n".join(rows)


def written(shaped: Shaped, sizes: Sequence[Size]) -> str:
    """The report in Markdown."""
    filters = [
        "| vectors | permitted | p50 | p95 | processor | recall@10 | recall@100 |",
        "|---|---|---|---|---|---|---|",
    ]
    filters += [
        f"| {s.vectors:,} | {one.permitted:.0%} | {one.p50:.1f} ms | {one.p95:.1f} ms | {one.processor:.1f} ms "
        f"| {one.recall_10:.3f} | {one.recall_100:.3f} |"
        for s in sizes
        for one in s.searched[1:]
    ]
    laws = ["| figure | law, n vectors | says of a million |", "|---|---|---|"]
    for name, (figure, unit) in FIGURES.items() if len(sizes) > 1 else ():
        factor, power = law(sizes, figure)
        laws.append(f"| {name} | {factor:.3g} · n^{power:.2f} {unit} | {factor * 1e6**power:,.1f} {unit} |")
    return "\n\n".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores of {_processor()}, load {os.getloadavg()[0]:.1f} at "
            f"the end, FAISS {faiss.__version__}; {len(shaped.passages):,} embedded passages, enlarged, and "
            f"{len(shaped.questions):,} embedded questions:",
            describe(shaped),
            table(sizes),
            "Where only a part of the passages is permitted (under a fifth of them, or under 50,000, they are compared "
            "one by one: recall 1):",
            "\n".join(filters),
            "![Cost by the number of vectors](scale.svg)",
            "\n".join(laws),
        ]
    )


def plotted(sizes: Sequence[Size]) -> str:
    """The plot, as SVG."""
    lines = []
    for name, (figure, unit) in FIGURES.items():
        points = [(float(s.vectors), figure(s)) for s in sizes]
        lines.append(Line(f"{name} ({unit})", points))
    return log_log("Cost of the vector index by the number of vectors", "vectors", lines)


def put(page: Path, report: str) -> None:
    """Puts the report between the marks of a page."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{after}", encoding="utf-8")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
