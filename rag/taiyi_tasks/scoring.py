"""What a reply states, and how good the replies to a set are.

Entities, relations and labels: micro F1 over the documents of the set. Exam questions: accuracy; a reply of which
nothing can be read is wrong.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rag.classification_measures import Estimate
from rag.set_measures import MicroFigures, micro_figures
from rag.statistics import wilson
from rag.taiyi_tasks.choices import chosen
from rag.taiyi_tasks.entities import entities
from rag.taiyi_tasks.labels import labels
from rag.taiyi_tasks.relations import relations
from rag.taiyi_tasks.types import Fact, Instance, TaskSet


@dataclass(frozen=True, slots=True)
class TaskFigures:
    """``value`` is the measure that is published of the set, 0 to 1; ``micro`` is None for exam questions.
    ``documents`` were scored."""

    value: Estimate
    micro: MicroFigures | None
    documents: int


def facts_of(task: TaskSet, instance: Instance, reply: str) -> frozenset[Fact]:
    match task.kind:
        case "entities":
            return entities(task, instance.text, reply)
        case "relations":
            return relations(task, instance, reply)
        case "labels":
            return labels(task, reply)
        case "choice":
            return chosen(instance.question, reply) if instance.question else frozenset()


def measure_of(task: TaskSet) -> str:
    return "accuracy" if task.kind == "choice" else "micro F1"


def figures(task: TaskSet, scored: Sequence[tuple[Instance, frozenset[Fact]]]) -> TaskFigures | None:
    """Of instances with what was given for each. Those of which nothing is marked are left out; None where that is
    every one."""
    gold: dict[str, set[Fact]] = defaultdict(set)
    given: dict[str, set[Fact]] = defaultdict(set)
    for instance, said in scored:
        if instance.gold is not None:
            gold[instance.document] |= instance.gold
            given[instance.document] |= said
    if not gold:
        return None
    if task.kind == "choice":
        right = sum(given[document] == marked for document, marked in gold.items())
        return TaskFigures(wilson(right, len(gold)), None, len(gold))
    micro = micro_figures(list(gold.values()), [given[document] for document in gold])
    return TaskFigures(micro.f1, micro, len(gold))
