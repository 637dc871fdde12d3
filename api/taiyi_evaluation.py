"""``evaluate taiyi2``: the sets of Taiyi's table put to the language model, its replies read and scored."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

from api.kept_replies import KeptReplies, fingerprint_of, write_line
from ingestion.annotated_texts.task_data import TaskData, read_task_data
from rag.asking_many import Reply, ask_many
from rag.classification_measures import Estimate
from rag.errors import InvalidRequest, Unavailable
from rag.llm import LanguageModel, Served, open_language_model
from rag.measures import CONFIDENCE, RESAMPLES
from rag.settings import Settings
from rag.taiyi_tasks.prompting import prompt_of
from rag.taiyi_tasks.scoring import TaskFigures, facts_of, figures, measure_of
from rag.taiyi_tasks.sets import published_means, task_sets
from rag.taiyi_tasks.types import Fact, Instance, TaskSet
from rag.types import GREEDY, Sampling

SAMPLING = GREEDY
_PACKAGES = ("taiyi-rag", "langchain-openai", "openai", "numpy", "scipy")


@dataclass(frozen=True, slots=True)
class AskedInstance:
    """``given`` is what the reply states."""

    instance: Instance
    prompt: str
    reply: Reply
    given: frozenset[Fact]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class SetResult:
    """``figures`` is None where nothing is marked in any instance."""

    data: TaskData
    items: tuple[AskedInstance, ...]
    figures: TaskFigures | None

    @property
    def task(self) -> TaskSet:
        return self.data.task

    @property
    def without_gold(self) -> int:
        return sum(item.instance.gold is None for item in self.items)

    @property
    def refused(self) -> int:
        return sum(bool(item.reply.error) for item in self.items)

    @property
    def cut(self) -> int:
        return sum(item.reply.finish_reason == "length" for item in self.items)

    @property
    def empty(self) -> int:
        """Of how many replies nothing could be read, or which say that there is nothing."""
        return sum(not item.given and not item.reply.error for item in self.items)


@dataclass(frozen=True, slots=True)
class TaiyiData:
    """The sets that a folder has, and those that it lacks."""

    present: tuple[TaskData, ...]
    missing: tuple[TaskSet, ...]
    limit: int | None


@dataclass(frozen=True, slots=True)
class TaiyiEvaluation:
    """All that was measured. ``asked`` counts the prompts that were put to the model now, the others were kept from
    before. ``other_items`` are replies kept in the folder that this run has no use for."""

    data: TaiyiData
    served: Served
    sampling: Sampling
    results: tuple[SetResult, ...]
    asked: int
    seconds: float
    other_items: tuple[Mapping[str, Any], ...]
    created_at: datetime

    @property
    def mean(self) -> float | None:
        """Of the measured sets, each with its own measure."""
        measured = [result.figures.value.value for result in self.results if result.figures]
        return fmean(measured) if measured else None


def read_data(folder: Path, limit: int | None) -> TaiyiData:
    """Raises UnreadableFile where a set cannot be read."""
    present, missing = read_task_data(folder, task_sets(), limit)
    return TaiyiData(tuple(present), tuple(missing), limit)


def configured_model(settings: Settings) -> LanguageModel:
    """Raises Unavailable where none is configured."""
    llm = open_language_model(settings)
    if llm is None:
        raise Unavailable(
            "evaluate taiyi2 needs a language model and none is configured: set RAG_LLM_URL to a vLLM server "
            "(make llm starts a small one)"
        )
    return llm


async def evaluate_taiyi(
    data: TaiyiData,
    llm: LanguageModel,
    at_once: int,
    items_file: Path,
    on_begin: Callable[[int], object] = lambda to_ask: None,
    on_reply: Callable[[], object] = lambda: None,
) -> TaiyiEvaluation:
    """Asks what ``items_file`` has no reply to, writes each reply down there at once, and scores. ``on_begin`` hears
    how many prompts there are to ask. Raises InvalidRequest where there is no set, and what ``ask_many`` raises."""
    if not data.present:
        raise InvalidRequest(
            "The folder has the files of none of the thirteen sets; docs/evaluation.md says which they are"
        )
    kept, served = KeptReplies(items_file), await llm.warmed_up()
    of_fingerprint = {
        fingerprint: (one.task, instance, prompt, fingerprint)
        for one in data.present
        for instance, prompt, fingerprint in _prompts(one, served.model)
        if kept.reply(fingerprint) is None
    }
    waiting = list(of_fingerprint.values())
    replies: dict[str, Reply] = {}
    on_begin(len(waiting))
    started = time.perf_counter()
    with kept.opened() as stream:

        def write(place: int, reply: Reply) -> None:
            task, instance, prompt, fingerprint = waiting[place]
            replies[fingerprint] = reply
            write_line(stream, _item_json(task, _asked(task, instance, prompt, reply, fingerprint)))
            on_reply()

        await ask_many((prompt for _, _, prompt, _ in waiting), llm, SAMPLING, at_once, write)
    seconds = time.perf_counter() - started
    results = []
    for one in data.present:
        items = tuple(
            _asked(one.task, instance, prompt, replies.get(fingerprint) or kept.reply(fingerprint), fingerprint)
            for instance, prompt, fingerprint in _prompts(one, served.model)
        )
        results.append(SetResult(one, items, figures(one.task, [(item.instance, item.given) for item in items])))
    used = {item.fingerprint for result in results for item in result.items}
    others = tuple(item for fingerprint, item in kept.items.items() if fingerprint not in used)
    now = datetime.now(UTC).replace(microsecond=0)
    return TaiyiEvaluation(data, served, SAMPLING, tuple(results), len(waiting), seconds, others, now)


def _prompts(data: TaskData, model: str) -> Iterator[tuple[Instance, str, str]]:
    for instance in data.instances:
        prompt = prompt_of(data.task, instance)
        yield instance, prompt, fingerprint_of(prompt, model, SAMPLING)


def _asked(task: TaskSet, instance: Instance, prompt: str, reply: Reply | None, fingerprint: str) -> AskedInstance:
    said = reply or Reply("")
    return AskedInstance(instance, prompt, said, facts_of(task, instance, said.text), fingerprint)


def metrics_json(evaluation: TaiyiEvaluation) -> dict[str, Any]:
    """Measured figures are 0 to 1, published ones are in percent, as they are printed."""
    return {
        "model": evaluation.served.model,
        "sampling": asdict(evaluation.sampling),
        "sets": {result.task.key: _set_json(result) for result in evaluation.results},
        "mean": evaluation.mean,
        "sets_measured": sum(result.figures is not None for result in evaluation.results),
        "published_means_percent": asdict(published_means()),
        "missing": {
            task.key: {
                "name": task.name,
                "source": task.source,
                "terms": task.terms,
                "published_percent": asdict(task.published),
            }
            for task in evaluation.data.missing
        },
        "limit": evaluation.data.limit,
        "asked": evaluation.asked,
        "seconds": round(evaluation.seconds, 3),
        "server": {"version": evaluation.served.version, "context_tokens": evaluation.served.context_tokens},
        "versions": {package: version(package) for package in _PACKAGES},
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "created_at": evaluation.created_at.isoformat(),
    }


def items_json(evaluation: TaiyiEvaluation) -> Iterator[dict[str, Any]]:
    """Every prompt and reply, set by set, then what was kept from other runs, with ``scored`` false."""
    for result in evaluation.results:
        for item in result.items:
            yield {**_item_json(result.task, item), "scored": item.instance.gold is not None}
    for other in evaluation.other_items:
        yield {**other, "scored": False}


def _item_json(task: TaskSet, item: AskedInstance) -> dict[str, Any]:
    gold = item.instance.gold
    return {
        "set": task.key,
        "id": item.instance.id,
        "fingerprint": item.fingerprint,
        "prompt": item.prompt,
        "reply": item.reply.text,
        "error": item.reply.error,
        "finish_reason": item.reply.finish_reason,
        "usage": dict(item.reply.usage),
        "seconds": round(item.reply.seconds, 3),
        "gold": None if gold is None else _listed(gold),
        "given": _listed(item.given),
    }


def _listed(facts: frozenset[Fact]) -> list[list[str]]:
    return [list(fact) for fact in sorted(facts)]


def _set_json(result: SetResult) -> dict[str, Any]:
    measured, task = result.figures, result.task
    stated: dict[str, Any] = {
        "name": task.name,
        "measure": measure_of(task),
        "value": measured and measured.value.value,
        "interval": measured and _interval(measured.value),
        "published_percent": asdict(task.published),
        "instances": len(result.items),
        "instances_available": result.data.available,
        "documents": measured.documents if measured else 0,
        "without_gold": result.without_gold,
        "refused": result.refused,
        "cut": result.cut,
        "nothing_read": result.empty,
        "files": [asdict(one) for one in result.data.files],
    }
    if measured and measured.micro:
        micro = measured.micro
        stated |= {
            "precision": micro.precision.value,
            "recall": micro.recall.value,
            "intervals": {"precision": _interval(micro.precision), "recall": _interval(micro.recall)},
            "right": micro.right,
            "wrong": micro.wrong,
            "missed": micro.missed,
        }
    return stated


def _interval(estimate: Estimate) -> list[float]:
    return [estimate.low, estimate.high]
