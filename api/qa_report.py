"""The report of ``evaluate qa``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from api.qa_evaluation import QaEvaluation, estimates_of
from api.report import LANGUAGES, excerpt, render
from rag.exam_arms import Arm
from rag.exam_items import Item, JudgedSentence
from rag.exam_measures import Comparison, Outcome, RunFigures, outcomes, written_measures

SHOWN = 3
"""How many examples of one kind are shown."""
EVIDENCE_SHOWN = 3
SENTENCES_SHOWN = 6
REPLY_SHOWN = 900
NAMES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "supported_sentences": "supported sentences",
    "citation_recall": "citation recall",
    "citation_precision": "citation precision",
    "completeness": "completeness",
    "contradicted": "contradicted",
    "overlap": "overlap",
    "strict_accuracy": "strict accuracy",
    "lenient_accuracy": "lenient accuracy",
    "reciprocal_rank": "reciprocal rank",
    "list_precision": "list precision",
    "list_recall": "list recall",
    "list_f1": "list F1",
    "abstention": "abstention",
    "abstained_rightly": "abstained rightly",
}
ARM_NAMES: Mapping[Arm, str] = {
    "ungrounded": "from memory",
    "grounded": "with passages found",
    "oracle": "with the stated evidence",
    "wrong": "with another question's passages",
    "leave_one_out": "without the best passage",
    "extractive": "quotes, no model",
}

HELD = {True: "held by the evidence", False: "not in the evidence", None: "no evidence"}
REFUSALS = ("refused:", "abstained", "no choice could be read:", "no answer could be read:")
GOOD = ("supported_sentences", "completeness", "overlap", "reciprocal_rank", "list_f1")
"""The measures by whose mean a written answer is good or bad."""
STANDINGS = ("no difference shown", "better", "worse")


@dataclass(frozen=True, slots=True)
class Example:
    """A question on which an arm does better or worse than the other."""

    arm: Item
    against: Item


@dataclass(frozen=True, slots=True)
class Examples:
    """``is_ahead_of`` is that they are chosen by how far ``arm`` is ahead of ``against``, else by ``arm`` alone."""

    arm: Arm
    against: Arm
    is_ahead_of: bool
    better: tuple[Example, ...]
    worse: tuple[Example, ...]


def write_qa_report(evaluation: QaEvaluation, path: Path) -> None:
    path.write_text(qa_report(evaluation), encoding="utf-8")


def qa_report(evaluation: QaEvaluation, languages: Sequence[str] = tuple(LANGUAGES)) -> str:
    """The page; without examples where the evaluation is without items."""
    figures = evaluation.figures
    measured = [name for name in NAMES if any(name in estimates_of(one) for one in figures.whole.arms)]
    return render(
        "qa.html",
        f"{evaluation.run['questions']['name']} with and without evidence",
        languages,
        run=evaluation.run,
        figures=figures,
        names=NAMES,
        arm_names=ARM_NAMES,
        measured=measured,
        estimates_of=estimates_of,
        charts_of=list(_charts(figures, measured)),
        tests=[one for one in figures.comparisons if one.test],
        gaps=[one for one in figures.comparisons if one.test is None and not one.subset],
        verdict_on=verdict_on,
        labels_of=labels_of,
        examples=list(_examples(evaluation.items)) if evaluation.items else [],
        excerpt=excerpt,
        reply_shown=REPLY_SHOWN,
        evidence_shown=EVIDENCE_SHOWN,
        sentences_shown=SENTENCES_SHOWN,
        refusal_of=_refusal,
        said_of=_said,
    )


def verdict_on(one: Comparison) -> str:
    """What a difference says, in words; of being contradicted, less is better."""
    gap = one.difference
    if gap.low <= 0 <= gap.high:
        return STANDINGS[0]
    return STANDINGS[1] if (gap.low > 0) != (one.measure == "contradicted") else STANDINGS[2]


def labels_of(sentence: JudgedSentence) -> tuple[str, ...]:
    """What was found of a sentence: by what it cites, else by all the evidence for the question."""
    held = HELD[sentence.is_held]
    if not sentence.citations:
        return (held,)
    return (sentence.verdict,) if sentence.verdict == "supported" else (sentence.verdict, held)


def _charts(
    figures: RunFigures, measured: Sequence[str]
) -> Iterator[tuple[str, list[tuple[Arm, float, float, float]]]]:
    for name in measured:
        found = [(one.arm, estimates_of(one).get(name)) for one in figures.whole.arms]
        yield name, [(arm, one.value, one.low, one.high) for arm, one in found if one is not None]


def _examples(items: Sequence[Item]) -> Iterator[Examples]:
    """Of each arm against the first, the questions on which they differ most; of the first its best and worst by
    itself, of equals those on which the others do otherwise, beside the product's arm, where that was run."""
    by_arm = outcomes(items)
    first, *others = by_arm
    beside: Arm = "grounded" if "grounded" in others else (others or [first])[0]
    gaps = [
        (_worth(outcome) - 0.5, _worth(outcome) - others_worth, Example(outcome.item, other.item))
        for name, outcome in by_arm[first].items()
        if (other := by_arm[beside].get(name)) is not None
        for others_worth in [fmean(_worth(by_arm[arm][name]) for arm in by_arm if name in by_arm[arm])]
    ]
    yield _of_arm(first, beside, False, gaps)
    for arm in others:
        gaps = [
            (gap, gap, Example(outcome.item, other.item))
            for name, outcome in by_arm[arm].items()
            if (other := by_arm[first].get(name)) is not None
            for gap in [_worth(outcome) - _worth(other)]
        ]
        yield _of_arm(arm, first, True, gaps)


def _of_arm(arm: Arm, against: Arm, is_ahead_of: bool, gaps: list[tuple[float, float, Example]]) -> Examples:
    gaps.sort(key=lambda gap: gap[:2])
    worse = tuple(example for gap, _, example in gaps[:SHOWN] if gap < 0)
    better = tuple(example for gap, _, example in gaps[::-1][:SHOWN] if gap > 0)
    return Examples(arm, against, is_ahead_of, better, worse)


def _worth(outcome: Outcome) -> float:
    """How good an answer is, 0 to 1."""
    if outcome.item.options:
        return float(bool(outcome.right))
    values = written_measures(outcome.item)
    good = [values[name] for name in GOOD if name in values]
    return sum(good) / len(good) if good else 0.0


def _refusal(item: Item) -> str:
    """Why nothing was answered, as one of ``REFUSALS``; empty where something was."""
    if item.error:
        return "refused:"
    if item.kind == "free":
        return "" if item.reply else "abstained"
    if not item.options:
        return "" if item.answers else "no answer could be read:"
    return "" if item.chosen is not None else "no choice could be read:"


def _said(item: Item) -> str:
    """What was answered, for a reader; else what came instead."""
    if item.error or item.kind == "free":
        return item.error or item.reply[:REPLY_SHOWN]
    if item.answers:
        return "; ".join(item.answers)[:REPLY_SHOWN]
    if item.chosen is None:
        return item.reply[:80]
    return "; ".join(f"{one}. {item.options[one]}" if one != item.options[one] else one for one in _letters(item))


def _letters(item: Item) -> Sequence[str]:
    chosen = item.chosen or ""
    return [chosen] if chosen in item.options else list(chosen)
