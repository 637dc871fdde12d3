"""How many identifiers of people are masked in questions, how many questions without any are changed, and how fast.

    python benchmarks/privacy.py DIR [--split dev] [--missed] [--home HOME] [-n 500]

The identifiers are made by ``benchmarks/identifying.py``; one counts as masked when nothing that identifies is left of
it, and is told apart from one of which the question around it was changed too. DIR holds question files: every
``*.jsonl`` or ``*.jsonl.gz`` in its folders but corpora, with the text in ``question`` or ``text``; none of them
identifies a patient, so that every change is wrong or needs a look (``--changed`` prints them). With the home of a
library, such as the sample's, how often a masked question finds what the bare question finds first.
"""

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from identifying import Identified, identified

from rag.privacy import masked
from rag.retrieval import search
from rag.settings import Settings
from rag.system import open_system
from rag.types import LOCAL_ADMIN, Query


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--split", choices=("dev", "held-out"), default="held-out")
    parser.add_argument("-n", type=int, default=500)
    parser.add_argument("--home", type=Path, help="search this library")
    parser.add_argument("--missed", action="store_true", help="print what is not masked")
    parser.add_argument("--changed", action="store_true", help="print the questions that are changed")
    arguments = parser.parse_args()
    _recall(identified(arguments.n, arguments.split), arguments.missed)
    if arguments.folder is not None:
        _altered(arguments.folder, arguments.changed)
    if arguments.home is not None:
        _found_all_the_same(arguments.home, identified(arguments.n, arguments.split))


def is_masked(one: Identified) -> bool:
    """Whether nothing of the identifier is left."""
    return not any(part in masked(one.text).text for part in one.parts)


def keeps_the_question(one: Identified) -> bool:
    return one.question in masked(one.text).text


def _recall(made: list[Identified], print_missed: bool) -> None:
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    whole = 0
    for one in made:
        groups = ("all", one.language, f"{one.language} {one.kind}")
        total.update(groups)
        whole += keeps_the_question(one)
        if is_masked(one):
            found.update(groups)
        elif print_missed:
            print(f"missed {one.kind}: {one.text}\n     -> {masked(one.text).text}")
        if print_missed and not keeps_the_question(one):
            print(f"damaged: {one.text}\n     -> {masked(one.text).text}")
    for group, count in total.items():
        print(f"{group:16} masked {found[group]:4} of {count:4}  {found[group] / count:.1%}")
    print(f"questions around them left as they were: {whole} of {len(made)}")


def _altered(folder: Path, print_changed: bool) -> None:
    asked = changed = 0
    seconds = 0.0
    for path in sorted(folder.glob("*/*.jsonl*")):
        if path.name.startswith(("corpus", "MANIFEST")):
            continue
        questions = list(_questions(path))
        before = changed
        for question in questions:
            started = time.perf_counter()
            result = masked(question)
            seconds += time.perf_counter() - started
            if result.text != question:
                changed += 1
                if print_changed:
                    print(f"changed: {question}\n      -> {result.text}")
        asked += len(questions)
        print(f"{path.parent.name}/{path.name}: {changed - before} of {len(questions)} changed")
    print(f"all: {changed} of {asked} changed, {changed / asked:.2%}; {1000 * seconds / asked:.2f} ms a question")


def _found_all_the_same(home: Path, made: list[Identified]) -> None:
    with open_system(Settings(home=home)) as system:

        @cache
        def best(text: str) -> str:
            hits = search(Query(text, top_k=3), LOCAL_ADMIN, system).hits
            return hits[0].passage.passage_id if hits else ""

        for name, form in (("masked", lambda text: masked(text).text), ("not masked", lambda text: text)):
            same = sum(best(form(one.text)) == best(one.question) for one in made)
            print(f"best passage that of the bare question, {name}: {same} of {len(made)}, {same / len(made):.1%}")


def _questions(path: Path) -> Iterator[str]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    for line in text.splitlines():
        row = json.loads(line)
        yield row.get("question") or row["text"]


if __name__ == "__main__":
    main()
