"""The figures of a run over a question set, reckoned from its items alone.

Choices: accuracy, the share of right ones; where a question was asked in several orders of its options, the option
that was chosen most often counts, of equally frequent ones that of the first order. A refused or unreadable reply is
wrong. Free answers, each first by answer, then the mean over answers:

- supported sentences: the share of the sentences that the evidence for the question supports.
- citation recall: the share of the sentences that are supported by what they cite; one without citations is not.
- citation precision: the share of the citations that are precise (``rag.exam_judging``), 0 where there is none.
- completeness: the share of the must-have statements that the answer supports; *contradicted*, that it contradicts.
- overlap: the F1 of the words with those of the closest reference.

An abstention has no sentences and counts in completeness and overlap alone, with 0. Exact answers are measured as
``rag.exact_answers`` says; a refused or unreadable reply has none. Each figure is 0 to 1.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from rag.classification_measures import Estimate, classification
from rag.exact_answers import EXACT_MEASURES, exact_measures
from rag.exam_arms import ARMS, LETTERS, Arm
from rag.exam_items import FreeJudgement, Item
from rag.statistics import PairedTest, difference, holm, mcnemar, wilson

FREE_MEASURES = (
    "supported_sentences",
    "citation_recall",
    "citation_precision",
    "completeness",
    "contradicted",
    "overlap",
)
WRITTEN_MEASURES = (*FREE_MEASURES, *EXACT_MEASURES)
SHARES = frozenset({"strict_accuracy", "lenient_accuracy"})
"""Those that are right or wrong of each question."""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """One arm on one part of the set. ``questions`` counts the questions, ``scored`` those with a stated answer, over
    which ``accuracy`` is; None where there is none. ``macro_f1`` is for yes/no questions. ``free`` are the measures of
    free and of exact answers, as far as there is anything to measure. ``abstention`` is the share of free questions
    that are not answered, ``abstained_rightly`` the share of them on which answering or not fits whether a document
    that holds the answer was shown. ``positions`` counts the replies by the letter that was chosen, as it was shown.
    ``seconds`` is the median of a reply, the tokens are means. ``counts`` says over how many questions each figure
    is."""

    arm: Arm
    questions: int
    scored: int
    without_answer: int
    refused: int
    cut: int
    accuracy: Estimate | None
    macro_f1: Estimate | None
    free: Mapping[str, Estimate]
    abstention: Estimate | None
    abstained_rightly: Estimate | None
    counts: Mapping[str, int]
    positions: Mapping[str, int]
    seconds: float | None
    prompt_tokens: float | None
    completion_tokens: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far ``arm`` is ahead of ``against`` in a measure, on the ``questions`` that both have. ``test`` is McNemar's,
    for accuracy; ``p_holm`` its p after the correction over all tests of the run."""

    subset: str
    measure: str
    arm: Arm
    against: Arm
    questions: int
    difference: Estimate
    test: PairedTest | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class SubsetFigures:
    """``name`` is empty for the whole set."""

    name: str
    arms: tuple[ArmFigures, ...]


@dataclass(frozen=True, slots=True)
class RunFigures:
    """The whole set first, then each subset where there are several."""

    subsets: tuple[SubsetFigures, ...]
    comparisons: tuple[Comparison, ...]

    @property
    def whole(self) -> SubsetFigures:
        return self.subsets[0]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question came to in one arm, over all its trials; ``right`` is None without a stated answer."""

    trials: tuple[Item, ...]
    chosen: str | None
    right: bool | None

    @property
    def item(self) -> Item:
        return self.trials[0]


def run_figures(items: Sequence[Item]) -> RunFigures:
    """There must be an item."""
    names = list(dict.fromkeys(item.subset for item in items))
    parts = {"": items}
    if len(names) > 1:
        parts |= {name: [item for item in items if item.subset == name] for name in names if name}
    subsets = []
    comparisons: list[Comparison] = []
    for name, part in parts.items():
        by_arm = outcomes(part)
        subsets.append(SubsetFigures(name, tuple(_arm_figures(arm, found) for arm, found in by_arm.items())))
        comparisons += _comparisons(name, by_arm)
    return RunFigures(tuple(subsets), tuple(_corrected(comparisons)))


def outcomes(items: Iterable[Item]) -> dict[Arm, dict[str, Outcome]]:
    """By arm, by question."""
    trials: dict[Arm, dict[str, list[Item]]] = {}
    for item in items:
        trials.setdefault(item.arm, {}).setdefault(item.id, []).append(item)
    ordered = sorted(trials, key=ARMS.index)
    return {arm: {name: _outcome(found) for name, found in trials[arm].items()} for arm in ordered}


def measures_of(judgement: FreeJudgement) -> dict[str, float]:
    """Of one answer, as far as they apply."""
    values: dict[str, float] = {}
    sentences = judgement.sentences
    if sentences:
        held = [one.is_held for one in sentences if one.is_held is not None]
        if held:
            values["supported_sentences"] = fmean(held)
        precise = [fits for one in sentences for fits in one.precise]
        values["citation_recall"] = fmean(one.verdict == "supported" for one in sentences)
        values["citation_precision"] = fmean(precise) if precise else 0.0
    if judgement.must_have:
        values["completeness"] = fmean(one.verdict == "supported" for one in judgement.must_have)
        values["contradicted"] = fmean(one.verdict == "contradicted" for one in judgement.must_have)
    if judgement.overlap is not None:
        values["overlap"] = judgement.overlap
    return values


def _outcome(found: Sequence[Item]) -> Outcome:
    said = Counter(item.chosen for item in found if item.chosen is not None)
    chosen = said.most_common(1)[0][0] if said else None  # of equal counts the first that was met
    gold = found[0].gold
    return Outcome(tuple(found), chosen, None if gold is None else chosen == gold)


def _arm_figures(arm: Arm, found: Mapping[str, Outcome]) -> ArmFigures:
    items = [item for outcome in found.values() for item in outcome.trials]
    choices = [outcome for outcome in found.values() if outcome.item.options]
    exact = [outcome.item for outcome in found.values() if outcome.item.kind in ("factoid", "list")]
    free = {name: _values(found, name, arm) for name in WRITTEN_MEASURES}
    right = [outcome.right for outcome in choices if outcome.right is not None]
    asked = [item for item in items if item.is_asked and not item.error]
    abstained = [item for item in items if item.judgement is not None]
    rightly = [item for item in abstained if item.evidence_shown is not None]
    return ArmFigures(
        arm=arm,
        questions=len(found),
        scored=len(right) + sum(bool(item.exact_answers) for item in exact),
        without_answer=len(choices) - len(right) + sum(not item.exact_answers for item in exact),
        refused=sum(bool(item.error) for item in items),
        cut=sum(item.finish_reason == "length" for item in items),
        accuracy=wilson(sum(right), len(right)) if right else None,
        macro_f1=_macro_f1(choices),
        free={name: one for name, values in free.items() if (one := _estimate(name, values.values()))},
        abstention=_share(_abstains(item) for item in abstained),
        abstained_rightly=_share(_abstains(item) != item.evidence_shown for item in rightly),
        counts={
            "accuracy": len(right),
            "macro_f1": len(right),
            **{name: len(values) for name, values in free.items()},
            "abstention": len(abstained),
            "abstained_rightly": len(rightly),
        },
        positions=_positions(items),
        seconds=median(item.seconds for item in asked) if asked else None,
        prompt_tokens=_mean_tokens(asked, "prompt_tokens"),
        completion_tokens=_mean_tokens(asked, "completion_tokens"),
    )


def _abstains(item: Item) -> bool:
    return item.judgement is not None and item.judgement.abstained


def written_measures(item: Item) -> dict[str, float]:
    """Of one free or exact answer, as far as they apply."""
    if item.kind == "factoid" or item.kind == "list":
        return exact_measures(item.kind, item.answers, item.exact_answers) if item.exact_answers else {}
    return measures_of(item.judgement) if item.judgement is not None else {}


def _values(found: Mapping[str, Outcome], measure: str, arm: Arm) -> dict[str, float]:
    """By question. What is not shown passages cannot cite."""
    if arm == "ungrounded" and measure.startswith("citation"):
        return {}
    values = {}
    for name, outcome in found.items():
        of_answer = written_measures(outcome.item)
        if measure in of_answer:
            values[name] = of_answer[measure]
    return values


def _comparisons(subset: str, by_arm: Mapping[Arm, Mapping[str, Outcome]]) -> list[Comparison]:
    """Each arm against the first, which is without evidence where that was run."""
    found = []
    against = next(iter(by_arm))
    for arm in list(by_arm)[1:]:
        one, other = _right(by_arm[arm]), _right(by_arm[against])
        if shared := [name for name in one if name in other]:
            first, second = [one[name] for name in shared], [other[name] for name in shared]
            gap, test = difference(first, second), mcnemar(first, second)
            found.append(Comparison(subset, "accuracy", arm, against, len(shared), gap, test))
        for measure in WRITTEN_MEASURES:
            values, others = _values(by_arm[arm], measure, arm), _values(by_arm[against], measure, against)
            if shared := [name for name in values if name in others]:
                gap = difference([values[name] for name in shared], [others[name] for name in shared])
                found.append(Comparison(subset, measure, arm, against, len(shared), gap))
    return found


def _right(found: Mapping[str, Outcome]) -> dict[str, bool]:
    return {name: outcome.right for name, outcome in found.items() if outcome.right is not None}


def _corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    tests = {str(number): one.test.p for number, one in enumerate(comparisons) if one.test is not None}
    adjusted = holm(tests)
    return [replace(one, p_holm=adjusted.get(str(number))) for number, one in enumerate(comparisons)]


def _macro_f1(choices: Sequence[Outcome]) -> Estimate | None:
    scored = [outcome for outcome in choices if outcome.item.gold is not None]
    if not scored or any(outcome.item.kind != "yes_no" for outcome in scored):
        return None
    words = list(dict.fromkeys(word for outcome in scored for word in outcome.item.options))
    gold = [outcome.item.gold or "" for outcome in scored]
    given = [outcome.chosen or "none" for outcome in scored]
    classes = [*words, *(["none"] if "none" in given else [])]
    return classification(gold, given, [outcome.item.id for outcome in scored], classes).macro_f1


def _positions(items: Iterable[Item]) -> dict[str, int]:
    asked = [item for item in items if item.order]
    most = max((len(item.order) for item in asked), default=0)
    counts = Counter(item.reply.strip() for item in asked if len(item.reply.strip()) == 1)
    return {letter: counts[letter] for letter in LETTERS[:most]}


def _share(values: Iterable[bool]) -> Estimate | None:
    found = list(values)
    return wilson(sum(found), len(found)) if found else None


def _estimate(measure: str, values: Iterable[float]) -> Estimate | None:
    found = list(values)
    if found and measure in SHARES:
        return wilson(round(sum(found)), len(found))
    return difference(found, [0.0] * len(found)) if found else None


def _mean_tokens(items: Sequence[Item], name: str) -> float | None:
    counts = [item.usage[name] for item in items if name in item.usage]
    return fmean(counts) if counts else None
