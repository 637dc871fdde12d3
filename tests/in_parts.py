"""Runs the tests in parts, two at a time, each part in a process of its own: on two cores this takes little more than
half as long, and what a process has opened is closed with it. Arguments are pytest's.

A part's output is printed when it ends, that of the parts that failed last.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

TESTS = Path(__file__).parent
AT_ONCE = 2
PARTS = {
    "rag": ["rag"],
    "whole": sorted(path.name for path in TESTS.glob("test_*.py")),
    "api": ["api"],
    "ingestion": ["ingestion", "benchmarks"],
    "llm": ["llm"],
}
"""The longest first."""
NOTHING_CHOSEN = 5
"""pytest's status where no test of a part was chosen."""


def run(part: str, arguments: list[str]) -> tuple[int, str]:
    """The status of pytest and what it printed."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", *arguments, *(str(TESTS / path) for path in PARTS[part])]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    minutes = (time.monotonic() - began) / 60
    return done.returncode, f"===== {part}: {minutes:.1f} minutes =====\n{done.stdout}"


def main() -> None:
    print(f"Running {', '.join(PARTS)}, {AT_ONCE} at a time; each is printed when it ends", flush=True)
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as turns:
        running = {turns.submit(run, part, sys.argv[1:]): part for part in PARTS}
        for ended in as_completed(running):
            status, output = ended.result()
            if status in (0, NOTHING_CHOSEN):
                print(output, flush=True)
            else:
                print(f"===== {running[ended]} failed; printed at the end =====", flush=True)
                failed.append(output)
    print("\n".join(failed) or "All parts passed.")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
