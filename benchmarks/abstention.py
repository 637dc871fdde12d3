"""Whether the service knows what it cannot answer, and whether what it quotes comes from documents that answer.

    python benchmarks/abstention.py DATA [--questions 150] [--together]

DATA is a folder with ``bioasq``. Each question is asked once of the whole collection and once of the collection
without all snippets of its gold articles, or, with --together, of the gold articles of all the questions asked: other
questions' articles often answer it too. Only questions are taken that the packaged reader was not trained on (a third;
0 takes all of those). Prints how well the probability tells the two apart, what is answered where a tenth of the
answerable is refused and at the packaged threshold, how far the probability can be believed, and how many of the
sentences quoted come from a gold article and stand so in the corpus. The library is made under RAG_HOME/evaluation and
used again.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.question_sets import BIOASQ, Case, Library, library, questions
from rag.reliability import expected_calibration_error, reliability
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
    arguments = parser.parse_args()
    asked = questions(arguments.data, BIOASQ, arguments.questions)
    every = frozenset[str]().union(*(question.gold for question in asked))
    with library(arguments.data, "bioasq", read_settings()) as opened:
        cases = []
        for question in asked:
            without = every if arguments.together else question.gold
            cases.append(opened.ask(BIOASQ.name, question, "present"))
            cases.append(opened.ask(BIOASQ.name, question, "removed", without))
        _report(cases, opened)


def _report(cases: Sequence[Case], opened: Library) -> None:
    judged = [judge(case.evidence, opened.embedder, opened.reader.fingerprint) for case in cases]
    answerable = np.array([case.answerable for case in cases])
    print(f"{answerable.sum()} questions, asked with and without their gold articles")
    if any(one.confidence is None for one in judged):
        print("no calibration fits these models: run benchmarks/fit_sufficiency.py")
    else:
        _print_probability(np.array([one.confidence for one in judged]), answerable)
    answered = np.array([one.sufficient for one in judged])
    print(
        f"at the packaged threshold of {packaged_calibration().threshold}: {answered[answerable].mean():.3f} of the "
        f"answerable and {answered[~answerable].mean():.3f} of the unanswerable are answered"
    )
    _print_quotes([case for case, is_answered in zip(cases, answered, strict=True) if case.answerable and is_answered])


def _print_probability(probability: Numbers, answerable: NDArray[np.bool_]) -> None:
    threshold = float(np.quantile(probability[answerable], REFUSED))
    leaked = (probability[~answerable] >= threshold).mean()
    low, high = _interval(probability[answerable], probability[~answerable])
    print(f"AUROC {roc_auc_score(answerable, probability):.3f} (95 % interval {low:.3f} to {high:.3f})")
    print(
        f"where {REFUSED:.0%} of the answerable are refused (below {threshold:.3f}), "
        f"{leaked:.3f} of the others are answered"
    )
    bins = reliability(probability.tolist(), answerable.tolist())
    print(f"expected calibration error {expected_calibration_error(bins):.3f}")
    print("  stated  came true  of")
    for one in bins:
        print(f"  {one.stated:6.2f}  {one.came_true:9.2f}  {one.count}")


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
