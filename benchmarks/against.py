"""This project and others on the same work, in the same run: LangChain, txtai and Haystack, each with FAISS.

    make bench                                    the whole, under 15 minutes on two quiet cores
    python benchmarks/against.py --rounds 1 --passages 40 --library 500    a look whether it runs

Every system embeds with the same weights of multilingual-e5-small: the others by sentence-transformers or transformers
in float32 on torch, this project by its own default. Every measurement is a process of its own, which starts with
nothing but the files on disk; one runs at a time, and a round measures each system before the next round begins, in
another order each time. What is cut off leaves the table of the rounds before. Threads are what each system takes by
default, on the same cores. ``peers/scenario.py`` says what is done and timed, ``peers/with_*.py`` how each system is
called. Memory is the proportional share of physical memory (PSS) of a process and its children, sampled five times a
second.

The library is of real passages, most of whose vectors are those of others with noise of a third of their length, since
embedding it would take an hour; questions are embedded as they come. ``agreement`` is the part of the ten closest
passages, by a scan in numpy over the very vectors, that a system's answers have.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from against_table import machine, measured, put, written
from against_texts import Texts, read_texts

from rag.embedding import open_embedder
from rag.packaged_embedder import ensure_sentence_transformers_folder
from rag.settings import Settings

PROJECT = Path(__file__).parent.parent
PEERS = PROJECT / "benchmarks" / "peers"
OURS = ("taiyi", "taiyi_served")
OTHERS = ("langchain", "txtai", "haystack")
LEVELS = ((1, 50), (8, 120), (32, 192))
"""So many clients ask so many questions together."""
BESIDE = 6
"""Questions that are asked before those: the first, and to warm up."""
CHANGES = 6
"""Updates, and deletions, of a round; the first of each is not counted."""
EMBEDDED = 200
NOISE = 0.33
WITHIN_S = 1800


@dataclass(frozen=True, slots=True)
class Finished:
    """What a process said, from its start (``time.monotonic``), with the most memory that it took."""

    said: dict[str, Any]
    started: float
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--passages", type=int, default=120, help="that are embedded in a round by each system")
    parser.add_argument("--library", type=int, default=10_000, help="passages that questions are asked of")
    parser.add_argument("--questions", type=float, default=1.0, help="part of the questions that is asked")
    parser.add_argument("--home", type=Path, default=Path("data"), help="where the packaged model is prepared")
    parser.add_argument("--peers", type=Path, default=PROJECT / ".venv-peers" / "bin" / "python")
    parser.add_argument("--systems", nargs="+", choices=(*OURS, *OTHERS), default=[*OURS, *OTHERS])
    parser.add_argument("--out", type=Path, default=Path("data") / "bench", help="folder for table.md, measured.json")
    parser.add_argument("--into", type=Path, help="page to write the table into, such as docs/performance.md")
    arguments = parser.parse_args()
    if "taiyi" not in arguments.systems:
        parser.error("--systems has to name taiyi, with which the others are compared")
    if set(arguments.systems) & set(OTHERS) and not arguments.peers.exists():
        parser.error(f"there is no {arguments.peers}: run make bench, which installs the others there")
    shared = os.environ.get("TAIYI_SHARED_DATA")
    asked = BESIDE + int(arguments.questions * sum(count for _, count in LEVELS))
    texts = read_texts(Path(shared) if shared else None, arguments.home, arguments.library, asked)
    about = machine() | {"source": texts.source, "library": len(texts.passages)}
    about |= {"passages": min(arguments.passages, len(texts.passages))}
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        bench = Bench(arguments.systems, arguments.peers, arguments.home, texts, Path(folder))
        bench.build()
        for number in range(arguments.rounds):
            bench.round(number, arguments.passages)
            about |= {"rounds": number + 1, "load_after": os.getloadavg()[0]}
            rows = measured(bench.found, bench.bytes_a_passage, bench.nearest)
            lines = written(arguments.out, about, rows, bench.versions, bench.found)
    print("\n".join(lines))
    if arguments.into:
        put(arguments.into, lines)
    if bench.wrong:
        sys.exit("\n".join(bench.wrong))


class Bench:
    """``found`` is what was measured: by system, by act, what each round gave."""

    def __init__(self, systems: Sequence[str], peers: Path, home: Path, texts: Texts, folder: Path) -> None:
        self._systems = sorted(systems, key=(*OURS, *OTHERS).index)
        self._peers, self._folder, self._texts = peers, folder, texts
        self._model = ensure_sentence_transformers_folder(home).absolute()
        vectors, asked = vectors_of(home, texts)
        self._dimension = vectors.shape[1]
        (folder / "vectors").write_bytes(vectors.tobytes())
        closest = np.argsort(-(asked @ vectors.T), axis=1, kind="stable")[:, :10]
        ids = [identifier for identifier, _ in texts.passages]
        self.nearest = {
            question: [ids[at] for at in row] for question, row in zip(texts.questions, closest, strict=True)
        }
        self.found: dict[str, dict[str, list[dict[str, Any]]]] = {one: {} for one in systems}
        self.bytes_a_passage: dict[str, float] = {}
        self.versions: dict[str, dict[str, str]] = {}
        self.wrong: list[str] = []

    def build(self) -> None:
        """The library of each system; of this project's two columns one and the same."""
        passages = self._written("library", self._texts.passages)
        for system in self._systems:
            library = self._folder / f"library-{system}"
            if system == "taiyi_served":
                shutil.copytree(self._folder / "library-taiyi", library, symlinks=True)
                self.bytes_a_passage[system] = self.bytes_a_passage["taiyi"]
                make_key(library)
                continue
            library.mkdir()
            job = {"passages": passages, "vectors": str(self._folder / "vectors"), "dimension": self._dimension}
            self._run(system, "build", library, job)
            self.bytes_a_passage[system] = size_of(library) / len(self._texts.passages)

    def round(self, number: int, passages: int) -> None:
        turned = number % len(self._systems)
        order = [*self._systems[turned:], *self._systems[:turned]]
        chosen = self._texts.passages[:passages]
        to_read = self._written("to-read", chosen)
        for system in order:
            if system != "taiyi_served":
                with self._fresh() as folder:
                    self._keep(system, "ingest", self._run(system, "ingest", folder, {"passages": to_read}))
        changes = self._changes(number)
        for system in order:
            with self._fresh() as folder:
                shutil.copytree(self._folder / f"library-{system}", folder, symlinks=True, dirs_exist_ok=True)
                job = {"questions": self._texts.questions, "levels": levels(len(self._texts.questions)), **changes}
                self._keep(system, "use", self._run(system, "use", folder, job))
                reloaded = self._run(system, "reload", folder, job)
                self._keep(system, "reload", reloaded)
                self.wrong += [f"{system}: {one}" for one in reloaded.said["wrong"]]
                print(f"round {number + 1}: {system}", file=sys.stderr, flush=True)

    def _changes(self, number: int) -> dict[str, list[dict[str, str]]]:
        """Passages that are given another text, and others that are deleted."""
        chance = np.random.default_rng(number)
        chosen = [self._texts.passages[at] for at in chance.permutation(len(self._texts.passages))[: 2 * CHANGES]]
        told = f"In revision {number} the committee replaced this paragraph by advice number"
        return {
            "update": [
                {"id": one, "text": f"{told} {at}. {text[: len(text) // 2]}"}
                for at, (one, text) in enumerate(chosen[:CHANGES])
            ],
            "delete": [{"id": one, "text": text} for one, text in chosen[CHANGES:]],
        }

    def _keep(self, system: str, act: str, finished: Finished) -> None:
        said = finished.said | {"peak_bytes": finished.peak_bytes}
        if act == "use":
            said["first_answer_s"] = said["answered_at"] - finished.started
        self.versions[system] = said.pop("versions")
        self.found[system].setdefault(act, []).append(said)

    def _run(self, system: str, act: str, folder: Path, job: dict[str, Any]) -> Finished:
        stated = {"system": system, "act": act, "folder": str(folder), "model": str(self._model), **job}
        file = self._folder / "job.json"
        file.write_text(json.dumps(stated), encoding="utf-8")
        python = sys.executable if system in OURS else str(self._peers)
        return run([python, str(PEERS / "scenario.py"), str(file)])

    def _written(self, name: str, passages: Sequence[tuple[str, str]]) -> str:
        path = self._folder / f"{name}.jsonl"
        lines = (json.dumps({"id": identifier, "text": text}) for identifier, text in passages)
        path.write_text("\n".join(lines), encoding="utf-8")
        return str(path)

    @contextmanager
    def _fresh(self) -> Iterator[Path]:
        with TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def make_key(home: Path) -> None:
    """Leaves the key of an editor in a home, so that its service asks for one."""
    command = [str(Path(sys.executable).with_name("taiyi-rag")), "keys", "create", "--role", "editor", "--json"]
    environment = {**os.environ, "RAG_HOME": str(home)}
    made = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    (home / "key-of-the-benchmark").write_text(json.loads(made.stdout)["key"], encoding="ascii")


def levels(questions: int) -> list[tuple[int, int]]:
    """``LEVELS``, with as many of the questions as there are."""
    part = min(1.0, (questions - BESIDE) / sum(count for _, count in LEVELS))
    return [(clients, max(1, int(count * part))) for clients, count in LEVELS]


def vectors_of(home: Path, texts: Texts) -> tuple[Any, Any]:
    """Of the passages, some embedded and the others near one of those, and of the questions: float32, of length 1."""
    embedder = open_embedder(Settings(home=home))
    known = embedder.embed_passages([text for _, text in texts.passages[:EMBEDDED]])
    chance = np.random.default_rng(0)
    others = known[chance.integers(len(known), size=len(texts.passages) - len(known))]
    others = others + chance.normal(0, NOISE / np.sqrt(known.shape[1]), others.shape)
    vectors = np.concatenate([known, others / np.linalg.norm(others, axis=1, keepdims=True)])
    return vectors.astype(np.float32), np.stack([embedder.embed_query(text) for text in texts.questions])


def run(command: Sequence[str]) -> Finished:
    """Raises RuntimeError with what the process said last where it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    environment |= {"HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "HAYSTACK_TELEMETRY_ENABLED": "False"}
    environment["PYTHONPATH"] = str(PROJECT)
    with TemporaryDirectory() as folder:
        out, errors = Path(folder, "out"), Path(folder, "errors")
        with out.open("wb") as stdout, errors.open("wb") as stderr:
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env=environment, cwd=folder)
            with Memory(process.pid) as memory:
                status = wait(process)
        if status:
            raise RuntimeError(f"{' '.join(command)} failed:\n{errors.read_text('utf-8', 'replace')[-3000:]}")
        said = json.loads(out.read_text(encoding="utf-8").splitlines()[-1])
    return Finished(said, started, memory.peak)


def wait(process: subprocess.Popen[bytes]) -> int:
    """Its exit status; what takes longer than ``WITHIN_S`` is ended."""
    try:
        return process.wait(WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


class Memory:
    """The most memory that a process and its children took together, in bytes."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self.peak = max(self.peak, sum(map(proportional_bytes, tree(self._pid))))


def tree(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue  # it ended meanwhile
        for child in children:
            yield from tree(int(child))


def proportional_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it ended meanwhile
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def size_of(folder: Path) -> int:
    """Bytes of the files in a folder; what links lead to is not of it."""
    return sum(
        path.lstat().st_size
        for path in folder.rglob("*")
        if path.is_file() and not any(part.is_symlink() for part in (path, *path.parents))
    )


if __name__ == "__main__":
    print(f"$ python {' '.join(sys.argv)}    ({datetime.now(UTC):%Y-%m-%d %H:%M} UTC)", file=sys.stderr)
    main()
