"""The report of ``evaluate qa``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.qa_evaluation import QaEvaluation, estimates_of
from api.report import excerpt, render
from rag.exam_arms import Arm
from rag.exam_items import Item, JudgedSentence
from rag.exam_measures import Comparison, Outcome, RunFigures, measures_of, outcomes

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


@dataclass(frozen=True, slots=True)
class Example:
    """A question on which an arm does better or worse than the other."""

    arm: Item
    against: Item


@dataclass(frozen=True, slots=True)
class Examples:
    arm: Arm
    against: Arm
    better: tuple[Example, ...]
    worse: tuple[Example, ...]


def write_qa_report(evaluation: QaEvaluation, path: Path) -> None:
    figures = evaluation.figures
    measured = [name for name in NAMES if any(name in estimates_of(one) for one in figures.whole.arms)]
    page = render(
        "qa.html",
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
        label_of=label_of,
        examples=list(_examples(evaluation.items)),
        excerpt=excerpt,
        reply_shown=REPLY_SHOWN,
        evidence_shown=EVIDENCE_SHOWN,
        sentences_shown=SENTENCES_SHOWN,
        shown_of=_shown,
    )
    path.write_text(page, encoding="utf-8")


def verdict_on(one: Comparison) -> str:
    """What a difference says, in words; of being contradicted, less is better."""
    gap = one.difference
    if gap.low <= 0 <= gap.high:
        return "no difference shown"
    return "better" if (gap.low > 0) != (one.measure == "contradicted") else "worse"


def label_of(sentence: JudgedSentence) -> str:
    """What was found of a sentence: by what it cites, else by all the evidence for the question."""
    held = {True: "held by the evidence", False: "not in the evidence", None: "no evidence"}[sentence.is_held]
    if not sentence.citations:
        return held
    return sentence.verdict if sentence.verdict == "supported" else f"{sentence.verdict}; {held}"


def _charts(
    figures: RunFigures, measured: Sequence[str]
) -> Iterator[tuple[str, list[tuple[str, float, float, float, bool]]]]:
    for name in measured:
        rows = []
        for one in figures.whole.arms:
            estimate = estimates_of(one).get(name)
            if estimate is not None:
                row = (f"{one.arm}, {ARM_NAMES[one.arm]}", estimate.value, estimate.low, estimate.high)
                rows.append((*row, one.arm == "grounded"))
        yield NAMES[name], rows


def _examples(items: Sequence[Item]) -> Iterator[Examples]:
    """Of each arm against the first, the questions on which they differ most; where there is one arm alone, its best
    and worst against itself."""
    by_arm = outcomes(items)
    against = next(iter(by_arm))
    others = [arm for arm in by_arm if arm != against] or [against]
    for arm in others:
        gaps = []
        for name, outcome in by_arm[arm].items():
            other = by_arm[against].get(name)
            if other is not None:
                base = 0.5 if arm == against else _worth(other)
                gaps.append((_worth(outcome) - base, Example(outcome.item, other.item)))
        gaps.sort(key=lambda gap: gap[0])
        worse = tuple(example for gap, example in gaps[:SHOWN] if gap < 0)
        better = tuple(example for gap, example in gaps[::-1][:SHOWN] if gap > 0)
        yield Examples(arm, against, better, worse)


def _worth(outcome: Outcome) -> float:
    """How good an answer is, 0 to 1."""
    if outcome.item.judgement is None:
        return float(bool(outcome.right))
    values = measures_of(outcome.item.judgement)
    good = [values[name] for name in ("supported_sentences", "completeness", "overlap") if name in values]
    return sum(good) / len(good) if good else 0.0


def _shown(item: Item) -> str:
    """What was answered, for a reader."""
    if item.error:
        return f"refused: {item.error}"
    if item.kind == "free":
        return item.reply[:REPLY_SHOWN] or "abstained"
    if item.chosen is None:
        return f"no choice could be read: {item.reply[:80]}"
    return "; ".join(f"{one}. {item.options[one]}" if one != item.options[one] else one for one in _letters(item))


def _letters(item: Item) -> Sequence[str]:
    chosen = item.chosen or ""
    return [chosen] if chosen in item.options else list(chosen)
