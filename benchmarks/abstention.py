"""Whether the service knows what it cannot answer, and whether what it quotes comes from documents that answer.

    python benchmarks/abstention.py DATA [--questions 150] [--together] [--out DIR]

DATA is a folder with ``bioasq``. Each question is asked once of the whole collection and once of the collection
without all snippets of its gold articles, or, with --together, of the gold articles of all the questions asked: other
questions' articles often answer it too. Only questions are taken that the packaged reader was not trained on (a third;
0 takes all of those). Prints how well the probability tells the two apart, what is answered where a tenth of the
answerable is refused and at the packaged threshold, how far the probability can be believed, and how many of the
sentences quoted come from a gold article and stand so in the corpus. With --out the
figures and the reliability diagram are written as report.html too. The library is made under RAG_HOME/evaluation and
used again.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from api.report import render
from benchmarks.question_sets import BIOASQ, Case, Library, library, questions
from rag.classification_measures import Estimate
from rag.reliability import ReliabilityBin, expected_calibration_error, reliability
from rag.settings import read_settings
from rag.sufficiency import judge, packaged_calibration

REFUSED = 0.1
RESAMPLES = 1_000
SEED = 20
Numbers = NDArray[np.float64]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=150, help="how many questions, 0 for all that may be asked")
    parser.add_argument("--together", action="store_true", help="remove the gold articles of all questions at once")
    parser.add_argument("--out", type=Path, help="a folder for report.html")
    arguments = parser.parse_args()
    asked = questions(arguments.data, BIOASQ, arguments.questions)
    every = frozenset[str]().union(*(question.gold for question in asked))
    with library(arguments.data, "bioasq", read_settings()) as opened:
        cases = []
        for question in asked:
            without = every if arguments.together else question.gold
            cases.append(opened.ask(BIOASQ.name, question, "present"))
            cases.append(opened.ask(BIOASQ.name, question, "removed", without))
        found = _found(cases, opened, arguments.together)
        _print(found)
        _print_quotes([case for case in cases if case.answerable and _is_answered(case, opened)])
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write_report(found, arguments.out / "report.html")


@dataclass(frozen=True, slots=True)
class Found:
    """How well answering or not fits what can be answered. ``auroc`` is None, ``bins`` are empty and ``leaked`` and
    ``ece`` 0 where no calibration fits the models. ``leaked`` is what is answered of the others where ``REFUSED`` of
    the answerable are refused, below ``bar``; ``answered`` and ``answered_wrongly`` are what is at the packaged
    ``threshold``."""

    questions: int
    is_together: bool
    threshold: float
    answered: float
    answered_wrongly: float
    auroc: Estimate | None = None
    bar: float = 0.0
    leaked: float = 0.0
    ece: float = 0.0
    bins: tuple[ReliabilityBin, ...] = ()


def write_report(found: Found, path: Path) -> None:
    page = render("abstention.html", f"Answering or not on {BIOASQ.name}", found=found, name=BIOASQ.name)
    path.write_text(page, encoding="utf-8")


def _found(cases: Sequence[Case], opened: Library, is_together: bool) -> Found:
    judged = [judge(case.evidence, opened.embedder, opened.reader.fingerprint) for case in cases]
    answerable = np.array([case.answerable for case in cases])
    answered = np.array([one.sufficient for one in judged])
    threshold = packaged_calibration().threshold
    plain = Found(
        int(answerable.sum()),
        is_together,
        threshold,
        float(answered[answerable].mean()),
        float(answered[~answerable].mean()),
    )
    confidences = [one.confidence for one in judged if one.confidence is not None]
    return plain if len(confidences) < len(judged) else with_probability(plain, confidences, answerable)


def with_probability(plain: Found, confidences: Sequence[float], answerable: NDArray[np.bool_]) -> Found:
    """``confidences`` of questions with and without their articles in turn, ``answerable`` which is which."""
    probability = np.array(confidences)
    bar = float(np.quantile(probability[answerable], REFUSED))
    bins = reliability(probability.tolist(), answerable.tolist())
    return replace(
        plain,
        auroc=Estimate(
            float(roc_auc_score(answerable, probability)), *_interval(probability[answerable], probability[~answerable])
        ),
        bar=bar,
        leaked=float((probability[~answerable] >= bar).mean()),
        ece=expected_calibration_error(bins),
        bins=bins,
    )


def _is_answered(case: Case, opened: Library) -> bool:
    return judge(case.evidence, opened.embedder, opened.reader.fingerprint).sufficient


def _print(found: Found) -> None:
    print(f"{found.questions} questions, asked with and without their gold articles")
    if found.auroc is None:
        print("no calibration fits these models: run benchmarks/fit_sufficiency.py")
    else:
        auroc = found.auroc
        print(f"AUROC {auroc.value:.3f} (95 % interval {auroc.low:.3f} to {auroc.high:.3f})")
        print(
            f"where {REFUSED:.0%} of the answerable are refused (below {found.bar:.3f}), "
            f"{found.leaked:.3f} of the others are answered"
        )
        print(f"expected calibration error {found.ece:.3f}")
        print("  stated  came true  of")
        for one in found.bins:
            print(f"  {one.stated:6.2f}  {one.came_true:9.2f}  {one.count}")
    print(
        f"at the packaged threshold of {found.threshold}: {found.answered:.3f} of the answerable and "
        f"{found.answered_wrongly:.3f} of the unanswerable are answered"
    )


def _interval(present: Numbers, removed: Numbers) -> tuple[float, float]:
    """Of the area, drawing questions anew; ``present[n]`` and ``removed[n]`` are of the same question."""
    chance = np.random.default_rng(SEED)
    labels = [True] * len(present) + [False] * len(removed)
    drawn = (chance.integers(len(present), size=len(present)) for _ in range(RESAMPLES))
    areas = [roc_auc_score(labels, np.concatenate([present[rows], removed[rows]])) for rows in drawn]
    return float(np.quantile(areas, 0.025)), float(np.quantile(areas, 0.975))


def _print_quotes(answered: Sequence[Case]) -> None:
    quotes = sum(case.quotes for case in answered)
    if not quotes:
        print("nothing was quoted")
        return
    print(
        f"{quotes} sentences quoted in {len(answered)} answers, "
        f"{sum(case.from_gold for case in answered) / quotes:.3f} of them from a gold article, "
        f"{sum(case.exact for case in answered) / quotes:.3f} exact"
    )


if __name__ == "__main__":
    main()
