"""The report of ``evaluate claims``."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api.claims_evaluation import LABELS, CheckedPair, ClaimsEvaluation, Label, metrics_json, verdicts
from api.report import excerpt, render

WORST = 5
"""How many mistakes of one kind are shown."""
_VERDICTS = ("supported", "partial", "unsupported", "uncited", "contradicted")


@dataclass(frozen=True, slots=True)
class _Mistake:
    """``quote`` is the sentence of the article that the check found to fit best, ``wanted`` are those that people
    marked; ``sureness`` is the probability of support where that was the verdict, else its complement."""

    item: CheckedPair
    quote: str
    wanted: tuple[str, ...]
    sureness: float


@dataclass(frozen=True, slots=True)
class _Mistakes:
    """Those of the pairs judged ``gold`` that were taken for ``given``, the surest first; ``count`` is all of them."""

    gold: Label
    given: Label
    count: int
    shown: tuple[_Mistake, ...]


def write_claims_report(evaluation: ClaimsEvaluation, path: Path) -> None:
    page = render(
        "claims.html",
        f"Support check on {evaluation.judged.claims_file.name}",
        evaluation=evaluation,
        judged=evaluation.judged,
        figures=evaluation.figures,
        metrics=metrics_json(evaluation),
        labels=LABELS,
        verdicts=_VERDICTS,
        verdict_counts=verdicts(evaluation),
        mistakes=list(_mistakes(evaluation)),
    )
    path.write_text(page, encoding="utf-8")


def _mistakes(evaluation: ClaimsEvaluation) -> Iterator[_Mistakes]:
    """The worst kinds first: what would be shown as supported, above all where the source says the opposite."""
    for given in LABELS:
        for gold in ("CONTRADICT", "NEI", "SUPPORT"):
            found = [item for item in evaluation.items if (item.pair.gold, item.given) == (gold, given)]
            if found and gold != given:
                surest = sorted(map(_mistake, found), key=lambda one: -one.sureness)
                yield _Mistakes(gold, given, len(found), tuple(surest[:WORST]))


def _mistake(item: CheckedPair) -> _Mistake:
    article, probability = item.pair.article, item.checked.probability
    rationale = item.pair.claim.rationales.get(article.id)
    numbers = rationale.sentences if rationale else ()
    return _Mistake(
        item,
        next((excerpt(article.text[start:end]) for _, start, end in item.checked.quotes), ""),
        tuple(excerpt(article.sentences[number]) for number in numbers if 0 <= number < len(article.sentences)),
        probability if item.given == "SUPPORT" else 1 - probability,
    )
