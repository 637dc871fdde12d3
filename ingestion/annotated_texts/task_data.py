"""Which of Taiyi's sets a folder has, and their instances."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import iglob
from itertools import islice
from pathlib import Path

from ingestion.annotated_texts import entity_sets, topic_sets
from ingestion.judged_collections import content_sha256
from rag.errors import UnreadableFile
from rag.taiyi_tasks.types import Instance, TaskSet


@dataclass(frozen=True, slots=True)
class ReadFile:
    """``name`` is the path below the data folder."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TaskData:
    """``available`` counts the instances of the files, of which the first ``limit`` were taken."""

    task: TaskSet
    files: tuple[ReadFile, ...]
    instances: tuple[Instance, ...]
    available: int


def read_task_data(folder: Path, tasks: Sequence[TaskSet], limit: int | None) -> tuple[list[TaskData], list[TaskSet]]:
    """Those of the ``tasks`` that the folder has, and those that it lacks. Raises UnreadableFile where it has one that
    cannot be read."""
    below = {f"/{name.casefold()}": folder / name for name in sorted(iglob("**", root_dir=folder, recursive=True))}
    present: list[TaskData] = []
    missing: list[TaskSet] = []
    for task in tasks:
        paths = _found(task, below)
        if paths is None:
            missing.append(task)
        else:
            present.append(_read(task, folder, paths, limit))
    return present, missing


def _found(task: TaskSet, below: Mapping[str, Path]) -> list[Path] | None:
    """The files of the first alternative of which none is missing, each the first that fits by its name; it may be
    compressed."""
    for alternative in task.files:
        found = [
            path
            for pattern in alternative
            for path in islice((one for name, one in below.items() if _fits(name, pattern) and one.is_file()), 1)
        ]
        if len(found) == len(alternative):
            return found
    return None


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name.removesuffix(".gz"), pattern)


def _read(task: TaskSet, folder: Path, paths: list[Path], limit: int | None) -> TaskData:
    instances = _instances(task, paths)
    seen: set[str] = set()
    for instance in instances:
        if instance.id in seen:
            raise UnreadableFile(f"{paths[0].name}: {instance.id!r} is there twice; each should have an id of its own")
        seen.add(instance.id)
    files = tuple(ReadFile(path.relative_to(folder).as_posix(), content_sha256(path)) for path in paths)
    return TaskData(task, files, tuple(instances[:limit]), len(instances))


def _instances(task: TaskSet, paths: list[Path]) -> list[Instance]:
    match task.key:
        case "bc5cdr-chem":
            return entity_sets.chemicals(*paths)
        case "bc5cdr-dise" | "ncbi-disease":
            return entity_sets.diseases(*paths)
        case "bc5cdr-relations":
            return entity_sets.induced_diseases(*paths)
        case "chemdner":
            return entity_sets.chemdner(*paths)
        case "cmeee":
            return entity_sets.cmeee(*paths)
        case "cmeie":
            return entity_sets.cmeie(task, *paths)
        case "bc7-litcovid":
            return topic_sets.litcovid(task, *paths)
        case "hoc":
            return topic_sets.hallmarks(task, *paths)
        case "kuake-qic":
            return topic_sets.kuake(task, *paths)
        case "pubmedqa":
            return topic_sets.exam(paths[0], "pubmedqa", *paths[1:])
        case _:
            return topic_sets.exam(paths[0], "medqa")
