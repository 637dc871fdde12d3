"""Errors seeded into real sentences: how many the check of sentences catches, and how often faithful ones alarm.

    python benchmarks/seeded_errors.py DATA [--pairs N] [--split dev|held-out|all] [--seed N] [--write FILE] [--worst K]

DATA is a folder of test collections. N sentences are altered (a dose tenfold, a unit, number, comparator, negation,
drug, disease, population, frequency or direction changed) and N are faithful to their passage: word for word, or with
units converted, numbers reordered, frequencies, durations, numerals, ranges and comparators in other words, synonyms.
Each is judged against its whole passage; "caught" and "alarm" are any verdict but ``supported``.

The halves ``dev`` and ``held-out`` divide the passages by a hash of their ids. ``--write`` only writes the pairs, in
lines that ``taiyi-rag check --pairs`` takes; ``--worst K`` prints K misses of each kind with what was said.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seeded.pairs import Pair, pairs

if TYPE_CHECKING:
    from rag.checking.types import Checked

BATCH = 32


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pairs", type=int, default=2_400, help="altered sentences, and as many faithful ones")
    parser.add_argument("--split", choices=("dev", "held-out", "all"), default="all")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--write", type=Path, help="write the pairs here instead of judging them")
    parser.add_argument("--worst", type=int, default=0, help="misses of each kind to print")
    arguments = parser.parse_args()
    chosen = pairs(arguments.data, arguments.pairs, arguments.split, arguments.seed)
    if arguments.write:
        with arguments.write.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(one.row(), ensure_ascii=False) + "\n" for one in chosen)
        counts = sum(one.altered for one in chosen)
        print(f"{counts} altered and {len(chosen) - counts} faithful pairs in {arguments.write}")
        return
    checked, times = _judged(chosen)
    _table(chosen, checked)
    print(f"median {statistics.median(times):.1f} ms a sentence, in batches of {BATCH}")
    if arguments.worst:
        _misses(chosen, checked, arguments.worst)


def _judged(chosen: Sequence[Pair]) -> tuple[list["Checked"], list[float]]:
    """What is said of each pair, and the milliseconds that a sentence took in its batch."""
    from rag.checking.check import checked
    from rag.checking.entailment import open_entailment
    from rag.checking.types import Evidence
    from rag.settings import read_settings

    entailment = open_entailment(read_settings())
    said: list[Checked] = []
    times: list[float] = []
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        began = time.perf_counter()
        said.extend(checked([(one.sentence, [Evidence(one.evidence)]) for one in batch], entailment))
        times.extend([(time.perf_counter() - began) * 1000 / len(batch)] * len(batch))
        print(f"\r{len(said)} of {len(chosen)} judged", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return said, times


def _table(chosen: Sequence[Pair], said: Sequence["Checked"]) -> None:
    print(f"{'':<22}{'English':>32}{'Chinese':>32}{'both':>32}")
    for altered, heading in ((True, "caught"), (False, "false alarms")):
        print(heading)
        kinds = list(dict.fromkeys(one.kind for one in chosen if one.altered == altered))
        for kind in [*kinds, "all"]:
            cells = []
            for langs in (("en",), ("zh",), ("en", "zh")):
                alarms = [
                    checked.verdict != "supported"
                    for one, checked in zip(chosen, said, strict=True)
                    if one.altered == altered and one.lang in langs and kind in ("all", one.kind)
                ]
                cells.append(_rate(sum(alarms), len(alarms)))
            print(f"  {kind:<20}" + "".join(f"{cell:>32}" for cell in cells))


def _rate(count: int, total: int) -> str:
    if not total:
        return "-"
    low, high = wilson(count, total)
    return f"{100 * count / total:.1f} % ({100 * low:.1f}-{100 * high:.1f}) of {total}"


def wilson(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a rate (Wilson 1927)."""
    z = 1.959964
    rate, spread = count / total, z * z / total
    middle = (rate + spread / 2) / (1 + spread)
    half = z * math.sqrt(rate * (1 - rate) / total + spread / total / 4) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _misses(chosen: Sequence[Pair], said: Sequence["Checked"], most: int) -> None:
    shown: dict[tuple[str, str], int] = {}
    for one, checked in zip(chosen, said, strict=True):
        cell = (one.kind, one.lang)
        if (checked.verdict != "supported") == one.altered or shown.get(cell, 0) >= most:
            continue
        shown[cell] = shown.get(cell, 0) + 1
        print(f"\n{one.kind} {one.lang} {one.id}: {checked.verdict} at {checked.probability:.2f}")
        print(f"  sentence: {one.sentence}")
        if one.was:
            print(f"  changed: {one.was} -> {one.now}")
        for issue in checked.issues:
            print(f"  said: {issue.message}")


if __name__ == "__main__":
    main()
