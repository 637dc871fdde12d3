"""``evaluate qa`` and ``compare --questions``: a question set answered with and without evidence, and what that comes
to. Everything but the items is reckoned from the items, so that it can be reckoned again from them alone."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from api.qa_running import SAMPLING, Bar, QaOutcome, QaPlan, quiet, run_qa
from ingestion.corpus_homes import COLLECTION, CorpusHome, core_digest
from ingestion.json_lines import objects_of_file
from ingestion.question_sets.reading import Format, QuestionSet, read_questions
from rag.catalog import collections
from rag.classification_measures import Estimate
from rag.errors import InvalidRequest, Unavailable, UnreadableFile
from rag.exam_arms import ARMS, Arm
from rag.exam_items import Item
from rag.exam_measures import ArmFigures, Comparison, RunFigures, SubsetFigures, run_figures
from rag.ledger import KeptItem, KeptRun, fingerprint_of_run
from rag.measures import CONFIDENCE, RESAMPLES
from rag.prompts import PromptName, prompt
from rag.statistics import PairedTest
from rag.system import System
from rag.types import LOCAL_ADMIN

_PROMPTS: tuple[PromptName, ...] = ("grounded", "ungrounded", "multiple_choice", "multiple_answers", "yes_no_maybe")
_EXACT_PROMPTS: tuple[PromptName, ...] = ("factoid", "list")
_AS_STATED = (
    *("counts", "questions", "scored", "without_answer", "refused", "cut", "positions"),
    *("seconds", "prompt_tokens", "completion_tokens"),
)
"""What of the figures of an arm is written as it is."""
_PACKAGES = ("taiyi-rag", "langchain-openai", "openai", "numpy", "scipy", "sentence-transformers", "openvino")


@dataclass(frozen=True, slots=True)
class Stated:
    """A question set as it is to be run; ``available`` is how many questions it has, ``limit`` what was asked for."""

    questions: QuestionSet
    available: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class QaEvaluation:
    """``run`` is all that was configured, as JSON."""

    run: Mapping[str, Any]
    items: tuple[Item, ...]
    figures: RunFigures
    others: tuple[Mapping[str, object], ...] = ()


def read_exam(path: Path, form: Format | None, answers: Path | None, limit: int | None) -> Stated:
    """Raises UnreadableFile naming the line and the field."""
    found = read_questions(path, form, answers)
    return Stated(replace(found, questions=found.questions[:limit]), len(found.questions), limit)


def arms_of(stated: Sequence[Arm], exam: Stated, system: System) -> tuple[Arm, ...]:
    """Those that are run: all that there are unless some are stated, and without a language model quotes alone.

    Raises Unavailable where what is left needs a model, InvalidRequest where no question allows an arm."""
    has_free = any(one.kind == "free" for one in exam.questions.questions)
    chosen = [arm for arm in ARMS if arm in (stated or ARMS)]
    if system.llm is None:
        needing = [arm for arm in chosen if arm != "extractive"]
        if needing and (stated or not has_free):
            raise Unavailable(
                f"Arm {needing[0]!r} needs a language model and none is configured: set RAG_LLM_URL to a vLLM server "
                "(make llm starts a small one)"
            )
        chosen = ["extractive"]
    if not has_free:
        chosen = [arm for arm in chosen if arm != "extractive"]
    if not chosen:
        raise InvalidRequest("The arm extractive is for questions with a free answer, and this set has none")
    return tuple(chosen)


def evaluate_qa(
    exam: Stated,
    system: System,
    corpus: CorpusHome | None,
    arms: Sequence[Arm],
    items_file: Path,
    passages: int,
    orders: int,
    seed: int,
    bar: Bar = quiet,
) -> QaEvaluation:
    """Runs the arms over the set; ``corpus`` is that of ``system``, None for the library as it is. Raises what
    ``arms_of`` and ``run_qa`` raise, and InvalidRequest where nothing could be asked."""
    chosen = arms_of(arms, exam, system)
    collections = (COLLECTION,) if corpus else ()
    plan = QaPlan(exam.questions.questions, chosen, passages, orders, seed, collections)
    outcome = run_qa(plan, system, items_file, bar)
    if not outcome.items:
        raise InvalidRequest(
            "No arm has anything to show: nothing was found in the library, and the questions come without evidence. "
            "State --corpus, or load documents with: taiyi-rag ingest PATH"
        )
    return QaEvaluation(
        _run_json(exam, plan, outcome, system, corpus), outcome.items, run_figures(outcome.items), outcome.others
    )


def rescored(folder: Path) -> QaEvaluation:
    """The evaluation that lies in a folder, its figures reckoned anew from its items. Raises UnreadableFile."""
    metrics, items, others = folder / "metrics.json", [], []
    for _, where, stated in objects_of_file(folder / "items.jsonl"):
        if stated.get("scored"):
            items.append(_item_of(stated, where))
        else:
            others.append(stated)
    if not items:
        raise UnreadableFile(f"{folder / 'items.jsonl'} has no scored item: let the evaluation run to its end first")
    try:
        run: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))["run"]
    except (OSError, ValueError, KeyError) as error:
        raise UnreadableFile(f"{metrics} is none that evaluate qa wrote: {error!r}") from error
    return QaEvaluation(run, tuple(items), run_figures(items), tuple(others))


def _item_of(stated: Mapping[str, Any], where: str) -> Item:
    from pydantic import TypeAdapter, ValidationError

    try:
        found: Item = TypeAdapter(Item).validate_python({key: one for key, one in stated.items() if key != "scored"})
    except ValidationError as error:
        first = error.errors()[0]
        raise UnreadableFile(f"{where}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    return found


def items_json(evaluation: QaEvaluation) -> Iterator[dict[str, Any]]:
    """Every prompt and reply with how it was judged, then what was kept from other runs, with ``scored`` false."""
    for item in evaluation.items:
        yield {**asdict(item), "scored": True}
    for other in evaluation.others:
        yield {**other, "scored": False}


def items_to_keep(evaluation: QaEvaluation, texts: bool) -> list[KeptItem]:
    """The items as the ledger takes them, whole or without words."""
    return [
        KeptItem(item.id, item.arm, item.chosen, item.gold, asdict(item) if texts else None)
        for item in evaluation.items
    ]


def metrics_json(evaluation: QaEvaluation) -> dict[str, Any]:
    """The figures of one arm at the top, those of all under ``arms``; figures are 0 to 1."""
    figures = evaluation.figures
    top = headline(figures)
    return {
        "arm": top.arm,
        **_figures_json(top),
        "arms": {one.arm: _figures_json(one) for one in figures.whole.arms},
        "subsets": {
            subset.name: {one.arm: _figures_json(one) for one in subset.arms} for subset in figures.subsets[1:]
        },
        "comparisons": [_comparison_json(one) for one in figures.comparisons],
        "run": dict(evaluation.run),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
    }


def kept_evaluation(run: KeptRun) -> QaEvaluation:
    """The evaluation that a run of the ledger was, its figures as they were reckoned then, without its items."""
    figures = run.figures
    whole = {"": figures["arms"], **figures["subsets"]}
    subsets = [
        SubsetFigures(name, tuple(_figures_of(arm, one) for arm, one in arms.items())) for name, arms in whole.items()
    ]
    comparisons = tuple(map(_comparison_of, figures["comparisons"]))
    return QaEvaluation(run.configuration, (), RunFigures(tuple(subsets), comparisons))


def _figures_of(arm: Arm, stated: Mapping[str, Any]) -> ArmFigures:
    """What ``_figures_json`` made of an arm."""
    free = {name: Estimate(stated[name], *interval) for name, interval in stated["intervals"].items()}
    return ArmFigures(
        arm=arm,
        accuracy=free.pop("accuracy", None),
        macro_f1=free.pop("macro_f1", None),
        abstention=free.pop("abstention", None),
        abstained_rightly=free.pop("abstained_rightly", None),
        free=free,
        **{name: stated[name] for name in _AS_STATED},
    )


def _comparison_of(stated: Mapping[str, Any]) -> Comparison:
    """What ``_comparison_json`` made of one."""
    test = stated["mcnemar"]
    return Comparison(
        **{name: stated[name] for name in ("subset", "measure", "arm", "against", "questions", "p_holm")},
        difference=Estimate(stated["difference"], *stated["interval"]),
        test=PairedTest(**test) if test else None,
    )


def headline(figures: RunFigures) -> ArmFigures:
    """The arm that is the product: grounded, else the last."""
    return next((one for one in figures.whole.arms if one.arm == "grounded"), figures.whole.arms[-1])


def write_csv(evaluation: QaEvaluation, folder: Path) -> None:
    """``figures.csv``, a figure a line, and ``comparisons.csv``."""
    figures = evaluation.figures
    rows = [
        (subset.name, one.arm, name, estimate.value, estimate.low, estimate.high, one.counts[name])
        for subset in figures.subsets
        for one in subset.arms
        for name, estimate in estimates_of(one).items()
    ]
    _write_table(folder / "figures.csv", ("subset", "arm", "measure", "value", "low", "high", "questions"), rows)
    compared = [
        (
            one.subset, one.measure, one.arm, one.against, one.questions, one.difference.value, one.difference.low,
            one.difference.high, one.test.p if one.test else "", "" if one.p_holm is None else one.p_holm,
        )
        for one in figures.comparisons
    ]  # fmt: skip
    names = ("subset", "measure", "arm", "against", "questions", "difference", "low", "high", "p", "p_holm")
    _write_table(folder / "comparisons.csv", names, compared)


def estimates_of(one: ArmFigures) -> dict[str, Estimate]:
    """The figures of an arm that have an interval, by name."""
    stated = {
        "accuracy": one.accuracy,
        "macro_f1": one.macro_f1,
        **one.free,
        "abstention": one.abstention,
        "abstained_rightly": one.abstained_rightly,
    }
    return {name: estimate for name, estimate in stated.items() if estimate is not None}


def _write_table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(names)
        writer.writerows(rows)


def _figures_json(one: ArmFigures) -> dict[str, Any]:
    estimates = estimates_of(one)
    return {
        **{name: estimate.value for name, estimate in estimates.items()},
        "intervals": {name: [estimate.low, estimate.high] for name, estimate in estimates.items()},
        **{name: getattr(one, name) for name in _AS_STATED},
        "counts": {name: one.counts[name] for name in estimates},
        "positions": dict(one.positions),
    }


def _comparison_json(one: Comparison) -> dict[str, Any]:
    return {
        "subset": one.subset,
        "measure": one.measure,
        "arm": one.arm,
        "against": one.against,
        "questions": one.questions,
        "difference": one.difference.value,
        "interval": [one.difference.low, one.difference.high],
        "mcnemar": asdict(one.test) if one.test else None,
        "p_holm": one.p_holm,
    }


def _run_json(
    exam: Stated, plan: QaPlan, outcome: QaOutcome, system: System, corpus: CorpusHome | None
) -> dict[str, Any]:
    questions, served = exam.questions, outcome.served
    languages = sorted({one.language for one in questions.questions})
    asks_exactly = any(one.kind in _EXACT_PROMPTS for one in questions.questions)
    names = (*_PROMPTS, *(_EXACT_PROMPTS if asks_exactly else ()))
    run: dict[str, Any] = {
        "questions": {
            "name": questions.name,
            "format": questions.format,
            "sha256": questions.sha256,
            "answers_name": questions.answers_name,
            "available": exam.available,
            "limit": exam.limit,
        },
        "corpus": {"name": corpus.name, "sha256": corpus.sha256, "documents": corpus.documents} if corpus else None,
        "index_generation": None if corpus else _generation(system),
        "code": core_digest(),
        "arms": list(plan.arms),
        "passages": plan.passages,
        "orders": plan.orders,
        "seed": plan.seed,
        "model": served.model if served else None,
        "server": {"version": served.version, "context_tokens": served.context_tokens} if served else None,
        "sampling": asdict(SAMPLING),
        "prompts": [prompt(name, language).version for name in names for language in languages],
        "embedder": system.settings.embedder,
        "embedder_fingerprint": system.embedder.fingerprint,
        "check": system.entailment.fingerprint,
        "asked": outcome.asked,
        "seconds": round(outcome.seconds, 3),
        "versions": {package: version(package) for package in _PACKAGES},
        "created_at": datetime.now(UTC).replace(microsecond=0).isoformat(),
    }
    return {**run, "fingerprint": fingerprint_of_run(run)}


def _generation(system: System) -> int:
    """That of the whole library; it grows with every change."""
    with system.database.reading() as session:
        return sum(one.generation for one in collections(session, LOCAL_ADMIN))
