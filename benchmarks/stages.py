"""Where the time of one search, one extractive answer and one ingest goes, as tables of their stages.

    python benchmarks/stages.py --home HOME --questions Q.jsonl.gz [--folder FOLDER] [--into docs/performance.md]

HOME has documents and is asked; FOLDER (the sample) is read into a home of its own. Times are medians over questions,
each asked once after others that warmed up; "processor" is what the thread that works computed, of a model without the
threads that it has itself.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from shaped import questions_of

import ingestion.pipeline
import rag.indexing
from ingestion.pipeline import discover, ingest
from rag import asking, audit, catalog, selection
from rag.answering import answer
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Ask, Query

SAMPLE = Path(__file__).parent.parent / "corpora" / "sample"
BEGIN, END = "<!-- stages.py writes from here -->", "<!-- to here, of stages.py -->"
WARM_UP = 5
Noted = dict[str, list[tuple[float, float]]]
"""By stage, milliseconds passed and computed of each time that it ran."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path("data/models"))
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--folder", type=Path, default=SAMPLE)
    parser.add_argument("--into", type=Path)
    arguments = parser.parse_args()
    asked = iter(questions_of(arguments.questions, 100_000))
    with open_system(Settings(home=arguments.home)) as system:
        parts = [_questions(system, asked, arguments.each)]
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "models").symlink_to(arguments.models.absolute())
        with open_system(Settings(home=Path(made))) as system:
            parts.append(_ingest(system, arguments.folder))
    where = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end."
    report = "\n\n".join([where, *parts])
    print(report)
    if arguments.into:
        text = arguments.into.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        arguments.into.write_text(f"{before}{BEGIN}\n\n{report}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


def _questions(system: System, asked: Iterator[str], each: int) -> str:
    """An extractive answer: its search by parts, then the rest."""
    rows: dict[str, list[tuple[float, float]]] = defaultdict(list)
    told: dict[str, list[float]] = defaultdict(list)
    with _watched(
        (asking.Asked, "embed", "embedding of the question and its translation"),
        (system.vectors, "search", "search: closest vectors"),
        (system.vectors, "vectors_of", "search: vectors of what words found"),
        (system.lexical, "search", "search: words"),
        (system.lexical, "matches", "search: words of what vectors found"),
        (catalog, "permitted", "search: what is permitted, from SQL"),
        (catalog, "passages", "search: passages from SQL"),
        (selection, "collapsed", "search: copies"),
        (asking, "translate", "search: translation by dictionary"),
        (audit, "append", "row of the record"),
    ) as noted:
        for number in range(WARM_UP + each):
            noted.clear()
            said = answer(Ask(Query(next(asked))), LOCAL_ADMIN, system)
            if number < WARM_UP:
                continue
            for name, times in noted.items():
                rows[name].append((sum(t for t, _ in times), sum(c for _, c in times)))
            for name, took in said.timings_ms.items():
                told[name].append(took)
    total = statistics.median(told["total"])
    table = [f"| stage of an answer ({each} questions) | median | processor | part |", "|---|---|---|---|"]
    for name, took in told.items():
        table.append(f"| **{name}** | {statistics.median(took):.1f} ms | | {statistics.median(took) / total:.0%} |")
    for name, times in rows.items():
        passed, computed = (statistics.median(column) for column in zip(*times, strict=True))
        table.append(f"| {name} | {passed:.1f} ms | {computed:.1f} ms | {passed / total:.0%} |")
    return "\n".join(table)


def _ingest(system: System, folder: Path) -> str:
    system.embedder.embed_query("warm up")
    with _watched(
        (system.embedder, "embed_passages", "embedding"),
        (system.vectors, "write", "vectors, to disk"),
        (rag.indexing, "_write_lexical", "word index, to disk"),
        (rag.indexing, "make_live", "which editions are in force"),
        (ingestion.pipeline, "add_edition", "rows of SQL"),
        (ingestion.pipeline, "keep_original", "copy of the original"),
    ) as noted:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        started, cpu = time.perf_counter(), time.process_time()
        results = ingest(discover([folder]), "default", system)
        whole, cpu = time.perf_counter() - started, time.process_time() - cpu
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    parsing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    table = [
        f"| stage of an ingest of {len(results)} files | passed | processor of its thread | part |",
        "|---|---|---|---|",
        f"| **all** | {whole:.2f} s | {cpu:.2f} s of this process | |",
        f"| parsing, in other processes meanwhile | | {parsing:.2f} s | |",
    ]
    for name, times in sorted(noted.items(), key=lambda item: -sum(t for t, _ in item[1])):
        passed, computed = (sum(column) / 1000 for column in zip(*times, strict=True))
        table.append(f"| {name} | {passed:.2f} s | {computed:.2f} s | {passed / whole:.0%} |")
    return "\n".join(table)


@contextmanager
def _watched(*watched: tuple[Any, str, str]) -> Iterator[Noted]:
    """Has each of ``(owner, function, name)`` note how long it took, as long as the block lasts."""
    noted: Noted = defaultdict(list)

    def timed(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            started, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*given, **named)
            finally:
                noted[name].append((1000 * (time.perf_counter() - started), 1000 * (time.thread_time() - cpu)))

        return call

    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in watched]
    for owner, name, told in watched:
        setattr(owner, name, timed(getattr(owner, name), told))
    try:
        yield noted
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


if __name__ == "__main__":
    main()
