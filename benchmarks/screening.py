"""How many hidden instructions the screening of passages finds, how often it is wrong on real text, and how fast it is.

    python benchmarks/screening.py DIR

DIR holds ``attack/instructions.jsonl`` (``id``, ``category``, ``text``) and one folder a collection with a
``corpus.jsonl`` or ``corpus.jsonl.gz`` of passages (``id``, ``text``). Each instruction is put between two sentences of
a medical text. The instructions are split by the hash of their id: rules were written with the first half in sight.
"""

import argparse
import gzip
import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.screening import Flag, flags_of

BEFORE, AFTER = "Metformin is the first choice in type 2 diabetes. ", " Check the eGFR once a year."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--missed", action="store_true", help="print the instructions that are not found")
    arguments = parser.parse_args()
    _recall(arguments.folder / "attack" / "instructions.jsonl", arguments.missed)
    _false_alarms(sorted(arguments.folder.glob("*/corpus.jsonl*")))


def _recall(path: Path, print_missed: bool) -> None:
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for row in _rows(path):
        is_found = Flag.INSTRUCTION in flags_of(f"{BEFORE}{row['text']}{AFTER}")
        for group in ("all", "half in sight" if _is_in_sight(row["id"]) else "half held out", row["category"]):
            total[group] += 1
            found[group] += is_found
        if print_missed and not is_found:
            print(f"  not found: {row['text']}")
    for group in sorted(total, key=lambda name: -total[name]):
        print(f"{group:<40} {found[group]:>3} of {total[group]:>3} instructions found")


def _is_in_sight(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % 2 == 0


def _false_alarms(paths: list[Path]) -> None:
    passages = alarms = 0
    seconds = 0.0
    for path in paths:
        texts = [(row["id"], row["text"]) for row in _rows(path)]
        started = time.process_time()
        flagged = [(name, flags) for name, text in texts if (flags := flags_of(text))]
        seconds += time.process_time() - started
        passages, alarms = passages + len(texts), alarms + len(flagged)
        print(f"{path.parent.name:<40} {len(flagged):>3} of {len(texts):>6} passages flagged")
        for name, flags in flagged:
            print(f"  {name}: {', '.join(flags)}")
    rate = 10_000 * alarms / max(passages, 1)
    print(f"{rate:.2f} in 10,000 real passages flagged; {passages / max(seconds, 1e-9):,.0f} passages a second")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main()
