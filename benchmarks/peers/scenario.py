"""One system, measured in a process of its own: ``python scenario.py JOB.json``, the result as JSON on stdout.

Runs in the virtual environment of the system that it measures, so it and the ``with_`` modules beside it use nothing
but that system and the standard library. What a job asks for:

``ingest``   load the model, embed one text, then: embed the passages, add them to an empty store, leave it on disk.
``build``    the same with vectors that are given, to have a larger library in less time; not measured.
``use``      from the start of the process to the first answer; then questions by so many clients; then one passage
             after another given another text, and one after another deleted, each until it is found so and on disk.
``reload``   the model being loaded, open what ``use`` left and answer; then look whether it is as ``use`` left it.

Clients are threads of this process, each asking its next question when it has the answer to the one before. Each
question is asked once, so that keeping answers helps nobody. Times are seconds of ``time.monotonic()``, which all
processes of a machine share. Processor time is counted too: a busy machine lengthens it little.
"""

import importlib
import json
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Protocol

TOP_K = 10
WARM_UP = 5
TICKS = os.sysconf("SC_CLK_TCK")


class Peer(Protocol):
    """What is measured. ``folder`` is where its store lives; ids and texts are strings."""

    versions: dict[str, str]

    def load_model(self) -> None:
        """The embedder, ready to embed."""

    def create(self) -> None:
        """An empty store."""

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None: ...

    def add_embedded(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None: ...

    def save(self) -> None:
        """Leaves on disk what changed; nothing where that already is."""

    def open(self) -> None:
        """The store that is on disk."""

    def search(self, question: str, k: int) -> list[str]:
        """The ids of the closest passages, best first. Called by several threads at once."""

    def update(self, identifier: str, text: str) -> None: ...

    def delete(self, identifier: str) -> None: ...

    def close(self) -> None: ...


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with redirect_stdout(sys.stderr):
        module = importlib.import_module(f"with_{job['system']}")
        peer: Peer = module.open_peer(Path(job["folder"]), Path(job["model"]))
        try:
            result = ACTS[job["act"]](peer, job)
        finally:
            peer.close()
        result["versions"] = peer.versions
    print(json.dumps(result))


def ingest(peer: Peer, job: dict[str, Any]) -> dict[str, Any]:
    peer.load_model()
    peer.create()
    ids, texts = zip(*passages_of(job), strict=True)
    began, used = time.monotonic(), processor_seconds()
    peer.add(ids, texts)
    peer.save()
    took = {"ingest_s": time.monotonic() - began, "processor_s": processor_seconds() - used}
    return took | {"passages": len(ids)}


def build(peer: Peer, job: dict[str, Any]) -> dict[str, Any]:
    ids, texts = zip(*passages_of(job), strict=True)
    vectors = vectors_of(Path(job["vectors"]), job["dimension"])
    peer.load_model()
    peer.create()
    began = time.monotonic()
    peer.add_embedded(ids, texts, vectors)
    peer.save()
    return {"build_s": time.monotonic() - began}


def use(peer: Peer, job: dict[str, Any]) -> dict[str, Any]:
    questions: list[str] = list(job["questions"])
    peer.load_model()
    peer.open()
    first = peer.search(questions.pop(0), TOP_K)
    answered_at = time.monotonic()
    for _ in range(WARM_UP):
        peer.search(questions.pop(0), TOP_K)
    levels, found = {}, {}
    for clients, count in job["levels"]:
        asked, questions = questions[:count], questions[count:]
        used = processor_seconds()
        took, whole, answers = ask(peer.search, asked, clients)
        used = processor_seconds() - used
        levels[str(clients)] = {"latencies_s": took, "whole_s": whole, "processor_s": used}
        found |= answers
    changed = {act: change(peer, act, job[act]) for act in ("update", "delete")}
    return {"answered_at": answered_at, "first": len(first), "levels": levels, "found": found, "changed": changed}


def reload(peer: Peer, job: dict[str, Any]) -> dict[str, Any]:
    peer.load_model()
    began = time.monotonic()
    peer.open()
    peer.search(job["questions"][0], TOP_K)
    took = time.monotonic() - began
    return {"reload_s": took, "wrong": wrong_of(peer, job)}


def ask(
    search: Callable[[str, int], list[str]], questions: Sequence[str], clients: int
) -> tuple[list[float], float, dict[str, list[str]]]:
    """How long each question took, how long all of them, and what was found."""
    waiting: Iterator[str] = iter(questions)
    lock = threading.Lock()
    took: list[float] = []
    found: dict[str, list[str]] = {}
    faults: list[BaseException] = []

    def client() -> None:
        while not faults:
            with lock:
                question = next(waiting, None)
            if question is None:
                return
            began = time.monotonic()
            try:
                answer = search(question, TOP_K)
            except Exception as error:
                faults.append(error)
                return
            with lock:
                took.append(time.monotonic() - began)
                found[question] = answer

    threads = [threading.Thread(target=client) for _ in range(clients)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return took, time.monotonic() - began, found


def change(peer: Peer, act: str, changes: Sequence[dict[str, str]]) -> list[dict[str, float]]:
    """Seconds until each change is in memory, and until it is on disk too. One more is made first, to warm up."""
    times = []
    for one in changes:
        began = time.monotonic()
        if act == "update":
            peer.update(one["id"], one["text"])
        else:
            peer.delete(one["id"])
        in_memory = time.monotonic() - began
        peer.save()
        times.append({"in_memory_s": in_memory, "on_disk_s": time.monotonic() - began})
    return times[1:]


def wrong_of(peer: Peer, job: dict[str, Any]) -> list[str]:
    """What is not as it was left. Each new text is asked for by its own words, and each that was deleted too."""
    lost = [one["id"] for one in job["update"] if one["id"] not in peer.search(one["text"], TOP_K)]
    left = [one["id"] for one in job["delete"] if one["id"] in peer.search(one["text"], TOP_K)]
    return [f"{one} was updated and is not found by its new text" for one in lost] + [
        f"{one} was deleted and is found" for one in left
    ]


def processor_seconds(pid: int | str = "self") -> float:
    """What this process and all below it, those that ended included, had of the processor so far."""
    used = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15])) / TICKS
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        used += sum(processor_seconds(int(child)) for child in task.read_text().split())
    return used


def passages_of(job: dict[str, Any]) -> Iterator[tuple[str, str]]:
    with Path(job["passages"]).open(encoding="utf-8") as lines:
        for line in lines:
            stated = json.loads(line)
            yield stated["id"], stated["text"]


def vectors_of(path: Path, dimension: int) -> list[list[float]]:
    """The rows of a file of float32."""
    numbers = array("f", path.read_bytes())
    return [list(numbers[at : at + dimension]) for at in range(0, len(numbers), dimension)]


ACTS: dict[str, Callable[[Peer, dict[str, Any]], dict[str, Any]]] = {
    "ingest": ingest,
    "build": build,
    "use": use,
    "reload": reload,
}

if __name__ == "__main__":
    main()
