"""LitCovid, HoC and KUAKE-QIC, and exam questions, as instances of Taiyi's tasks.

- LitCovid (Chen et al. 2021, BioCreative VII): a table with ``pmid``, ``title``, ``abstract`` and ``label``, the labels
  with semicolons between.
- HoC, the hallmarks of cancer (Baker et al. 2016), in the form of BLUE (Peng et al. 2019): a table with tabs between of
  index, sentence and labels. The index is that of the abstract, ``_`` and the sentence's; as in BLUE an abstract has
  the labels of all its sentences.
- KUAKE-QIC (Zhang et al. 2022, CBLUE): a JSON list of ``{"id", "query", "label"}``.
"""

from collections.abc import Iterable
from pathlib import Path

from ingestion.question_sets.items import Item, id_or_number, json_document, json_objects
from ingestion.question_sets.reading import Format, read_questions
from ingestion.question_sets.tables import named_rows, rows
from rag.errors import UnreadableFile
from rag.taiyi_tasks.naming import label_of
from rag.taiyi_tasks.types import Fact, Instance, TaskSet
from rag.taiyi_tasks.wording import plain

LITCOVID = "pmid,title,abstract,label"
KUAKE = '{"id": "s1", "query": "...", "label": "..."}'


def litcovid(task: TaskSet, path: Path) -> list[Instance]:
    instances: list[Instance] = []
    for where, cells in named_rows(path, ("pmid", "abstract", "label")):
        item = Item(where, cells, LITCOVID)
        text = " ".join(part for part in (item.optional_text("title"), item.optional_text("abstract")) if part)
        if not text:
            raise item.wrong("abstract", "is empty")
        stated = [one for one in item.optional_text("label").split(";") if one.strip()]
        gold = _labels(task, stated, where) if stated else None
        instances.append(Instance(item.text("pmid"), text, gold, item.text("pmid")))
    return instances


def hallmarks(task: TaskSet, path: Path) -> list[Instance]:
    instances: list[Instance] = []
    header: list[str] = []
    for line, cells in rows(path, "\t"):
        named = [cell.strip().casefold() for cell in cells]
        if not instances and "index" in named:
            header = named
            continue
        where = f"{path.name}, line {line}"
        if len(cells) < 3:
            raise UnreadableFile(f"{where} has no index, sentence and labels with tabs between")
        index, sentence, stated = (cells[place].strip() for place in _places(header, len(cells)))
        labels = [one for one in stated.split(",") if one.strip() and one.strip().casefold() != task.none]
        instances.append(Instance(index, sentence, _labels(task, labels, where), index.split("_")[0]))
    if not instances:
        raise UnreadableFile(f"{path.name} has no sentence")
    return instances


def _places(header: list[str], count: int) -> tuple[int, int, int]:
    """Of index, sentence and labels; BLUE's own header names more columns than its rows have."""
    text = next((place for place, name in enumerate(header) if name.startswith("sentence")), None)
    labels = next((place for place, name in enumerate(header) if name.startswith("label")), None)
    if len(header) != count or text is None or labels is None:
        return 0, 1, count - 1
    return header.index("index"), text, labels


def kuake(task: TaskSet, path: Path) -> list[Instance]:
    instances: list[Instance] = []
    for number, item in enumerate(json_objects(path, json_document(path), KUAKE, "query")):
        identifier, stated = id_or_number(item, number), item.optional_text("label")
        gold = _labels(task, [stated], item.where) if stated else None
        instances.append(Instance(identifier, item.text("query"), gold, identifier))
    return instances


def exam(path: Path, format: Format, answers: Path | None = None) -> list[Instance]:  # noqa: A002
    return [
        Instance(one.id, "", frozenset({(one.answer,)}) if one.answer else None, one.id, question=one)
        for one in read_questions(path, format, answers).questions
    ]


def _labels(task: TaskSet, stated: Iterable[str], where: str) -> frozenset[Fact]:
    known = label_of(task)
    found: set[Fact] = set()
    for one in stated:
        label = known.get(plain(one).strip().casefold())
        if label is None:
            raise UnreadableFile(f"{where}: {one.strip()!r} is no label of {task.name}: {', '.join(task.labels)}")
        found.add((label,))
    return frozenset(found)
