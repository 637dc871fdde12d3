"""How long a search takes beside the embedding of its question, where that goes, and what memory it takes.

    mkdir HOME; ln -s "$PWD/data/models" HOME/models
    python benchmarks/search.py --home HOME --passages 100000 --corpora A.jsonl.gz B.jsonl.gz --questions Q.jsonl.gz

With ``--corpora`` HOME is first filled up to so many passages, which takes minutes (``enlarged.py`` says of what).
A question is a line of JSON with ``text`` or ``question``; each is asked once, so that no cache helps. Times are in
milliseconds, of one search after another in one warm process. What is "beside" is the time of a search less all of the
embedding in it, and, in a second line, less that of the question alone: a home with passages in the other language has
the translated terms embedded too. Under it stand the parts of a search; "words" are those of the lexical index.
"Processor" is the median of what the asking thread itself computed, which a busy machine does not lengthen much.
"""

import argparse
import gzip
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from enlarged import build
from numpy.typing import NDArray
from sqlalchemy import func, select, update

from rag import asking, catalog, selection
from rag.languages import language_of
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import CollectionRow, EditionRow, PassageRow, SegmentRow
from rag.types import LOCAL_ADMIN, Filters, Query

WARM_UP = 5
KINDS: dict[str, Filters] = {
    "everything": {},
    "half, by year": {"published": {"gte": "2012"}},
    "a tenth, by publisher": {"publisher": "Publisher 3"},
}
Moment = NDArray[np.float64]
"""Milliseconds passed, and those that the asking thread computed in."""
Noted = dict[str, list[Moment]]
Times = dict[str, Moment]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--corpora", type=Path, nargs="*", default=[], help="JSON Lines, plain or gzip")
    parser.add_argument("--embedded", type=int, default=2_000, help="passages whose vectors are their own")
    parser.add_argument("--books", type=float, default=0.2, help="part of the records that stand in books of 1,000")
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--each", type=int, default=200, help="questions of each language for each kind of search")
    parser.add_argument("--top-k", type=int, default=10)
    arguments = parser.parse_args()
    with open_system(Settings(home=arguments.home)) as system:
        if arguments.corpora:
            build(system, arguments.corpora, arguments.passages, arguments.embedded, arguments.books)
        _describe(system)
        noted = _watch(system)
        for language, questions in _questions(arguments.questions).items():
            _measure(system, noted, language, iter(questions), arguments.each, arguments.top_k)
        print(f"\nresident memory {_memory('VmRSS')} MiB, of which {_memory('RssFile')} MiB are mapped files")


def _describe(system: System) -> None:
    with system.database.reading() as session:
        languages = session.execute(select(PassageRow.language, func.count()).group_by(PassageRow.language)).all()
        editions, longest = session.execute(select(func.count(), func.max(func.length(EditionRow.text)))).one()
        segments = session.scalars(select(SegmentRow.passages).order_by(SegmentRow.passages.desc())).all()
    print(f"passages: {', '.join(f'{count} {language}' for language, count in languages)}, in {editions} editions, of")
    print(f"which the longest has {longest} characters; vectors in segments of {', '.join(map(str, segments))}")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, resident memory {_memory('VmRSS')} MiB")


def _measure(system: System, noted: Noted, language: str, asked: Iterator[str], each: int, top_k: int) -> None:
    started = time.perf_counter()
    search(Query(next(asked)), LOCAL_ADMIN, system)
    print(f"\n{language}: the first search of the process took {time.perf_counter() - started:.2f} s")
    for kind, filters in KINDS.items():
        rows = [_search(system, noted, Query(next(asked), top_k=top_k, filters=filters)) for _ in range(WARM_UP + each)]
        _report(f"{language}, {kind}", rows[WARM_UP:])
    few = max(1, each // 10)
    new = [{"published": {"gte": f"2011-{1 + number % 12:02}-{1 + number // 12:02}"}} for number in range(few)]
    rows = [_search(system, noted, Query(next(asked), top_k=top_k, filters=filters)) for filters in new]
    _report(f"{language}, half, by a filter that is new", rows)
    rows = []
    for _ in range(few):
        with system.database.writing() as session:
            session.execute(update(CollectionRow).values(generation=CollectionRow.generation + 1))
        rows.append(_search(system, noted, Query(next(asked), top_k=top_k)))
    _report(f"{language}, everything, the first after a change", rows)


def _search(system: System, noted: Noted, query: Query) -> Times:
    noted.clear()
    started = _now()
    search(query, LOCAL_ADMIN, system)
    whole = _now() - started
    embedding = noted.get("embedding", [np.zeros(2)])
    row = {"search": whole, "embedding": sum(embedding), "beside": whole - sum(embedding)}
    if len(embedding) > 1:
        row["beside that of the question alone"] = whole - embedding[0]
    parts = {f"  {name}": sum(times) for name, times in noted.items() if name != "embedding"}
    return row | parts | {"  the rest": row["beside"] - sum(parts.values())}


def _report(what: str, rows: Sequence[Times]) -> None:
    print(f"{what}, {len(rows)} questions, load {os.getloadavg()[0]:.1f}")
    for name in dict.fromkeys(name for row in rows for name in row):
        passed, computed = np.stack([row.get(name, np.zeros(2)) for row in rows]).T
        print(
            f"  {name:36} p50 {np.median(passed):7.2f}   p95 {np.percentile(passed, 95):7.2f}   "
            f"processor {np.median(computed):7.2f}"
        )


def _watch(system: System) -> Noted:
    """Has each part of a search note how long it took, under its name; the parts do not overlap."""
    noted: Noted = defaultdict(list)

    def watch(owner: Any, method: str, name: str) -> None:
        function = getattr(owner, method)

        def timed(*given: Any, **named: Any) -> Any:
            started = _now()
            try:
                return function(*given, **named)
            finally:
                noted[name].append(_now() - started)

        setattr(owner, method, timed)

    watch(system.embedder, "embed_query", "embedding")
    watch(catalog, "permitted", "permitted")
    watch(asking, "translate", "translation")
    watch(system.vectors, "search", "vectors")
    watch(system.vectors, "vectors_of", "cosines")
    watch(system.lexical, "search", "words")
    watch(system.lexical, "matches", "words, matches")
    watch(catalog, "passages", "passages from SQL")
    watch(selection, "collapsed", "copies")
    return noted


def _questions(files: Sequence[Path]) -> dict[str, list[str]]:
    """By language, in a random order that is always the same."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                stated = json.loads(line)
                question = stated.get("text") or stated["question"]
                found[language_of(question)][question] = None
    return {language: random.Random(0).sample(list(asked), len(asked)) for language, asked in sorted(found.items())}


def _now() -> Moment:
    return 1000 * np.array([time.perf_counter(), time.thread_time()])


def _memory(kind: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) // 1024
    raise ValueError(f"the system does not tell {kind}")


if __name__ == "__main__":
    main()
