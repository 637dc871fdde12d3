"""Fits the score that decides whether the passages found can answer the question (``rag/sufficiency.json``).

    python benchmarks/fit_sufficiency.py DATA [--questions 150] [--passages 900] [--measured FILE]

DATA is a folder of test collections in the product's own file formats: ``bioasq``, ``covidqa``, ``cmexam_zh``,
``xlingeval`` (questions with judgements) and ``nigeria_stg``, ``csl_zh``, ``kqa``. A question asked of a collection
with all of its gold articles counts as answerable; asked of the same without them, or of one made for something else,
as not. Some of the latter are answerable after all: the figures are a lower bound.

Run it after a change of the embedder (RAG_EMBEDDER names it) or of the packaged reader; the libraries that it makes
under RAG_HOME/evaluation are used again. Prints how well weights that were fitted without a question tell its cases
apart, fits them on all, and writes them.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.preprocessing import StandardScaler

from benchmarks.question_sets import BIOASQ, SETS, Case, Question, library, questions
from rag.reliability import expected_calibration_error, reliability
from rag.settings import Settings, read_settings
from rag.sufficiency import Evidence

OUT = Path(__file__).parent.parent / "rag" / "sufficiency.json"
FOLDS = 5
ANSWERED = 0.94
"""The part of the answerable questions for which a gold document was found that the threshold lets through."""
BIOASQ_SHARE = 6.0
"""How many other sets BioASQ counts for."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """All cases, and the models that gave them."""

    embedder: str
    reader: str
    cases: Sequence[Case]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=150, help="questions of each set; of BioASQ all are taken")
    parser.add_argument("--passages", type=int, default=900, help="documents of each corpus; of BioASQ all are taken")
    parser.add_argument("--measured", type=Path, help="keep what was measured in this file, or fit from it again")
    arguments = parser.parse_args()
    if arguments.measured and arguments.measured.exists():
        measured = _kept(arguments.measured)
    else:
        measured = _measure(arguments.data, arguments.questions, arguments.passages, read_settings())
        if arguments.measured:
            arguments.measured.write_text(json.dumps(asdict(measured)), encoding="utf-8")
    _fit(measured)


def _measure(data: Path, count: int, most: int, settings: Settings) -> Measured:
    asked = {one: questions(data, one, 0 if one is BIOASQ else count) for one in SETS}
    cases: list[Case] = []
    with ExitStack() as opened:
        libraries = {}
        for name in dict.fromkeys(name for one in SETS for name in (one.answering, one.foreign) if name):
            needed = _needed(asked[one] for one in SETS if one.answering == name)
            size = 0 if name == BIOASQ.answering else most
            libraries[name] = opened.enter_context(library(data, name, settings, needed, size))
        for one, every in asked.items():
            for question in every:
                if one.answering:
                    cases.append(libraries[one.answering].ask(one.name, question, "present"))
                    cases.append(libraries[one.answering].ask(one.name, question, "removed", question.gold))
            cases += [libraries[one.foreign].ask(one.name, question, "foreign") for question in every[:count]]
            print(one.name, len(every), "questions", flush=True)
        some = libraries[SETS[0].foreign]
        return Measured(some.embedder, some.reader.fingerprint, cases)


def _needed(every: Iterable[Sequence[Question]]) -> frozenset[str]:
    return frozenset[str]().union(*(question.gold for asked in every for question in asked))


def _kept(path: Path) -> Measured:
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    cases = [Case(**one | {"evidence": one["evidence"] and Evidence(**one["evidence"])}) for one in kept["cases"]]
    return Measured(kept["embedder"], kept["reader"], cases)


def _fit(measured: Measured) -> None:
    cases = [case for case in measured.cases if case.evidence is not None]
    names = list(cases[0].evidence.features) if cases[0].evidence else []
    features = np.array([list(case.evidence.features.values()) for case in cases if case.evidence])
    answerable = np.array([case.answerable for case in cases])
    weights = _weights(cases)
    probability = _unseen(features, answerable, weights, [case.question for case in cases])
    found = answerable & np.array([case.found for case in cases])
    threshold = _weighted_quantile(probability[found], weights[found], 1 - ANSWERED)
    _print_separation(cases, probability, threshold)
    intercept, coefficients = _fitted(features, answerable, weights)
    fitted = {
        "embedder": measured.embedder,
        "reader": measured.reader,
        "intercept": round(intercept, 4),
        "weights": dict(zip(names, (round(float(one), 4) for one in coefficients), strict=True)),
        "threshold": round(threshold, 4),
    }
    OUT.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(fitted, indent=2))


def _weights(cases: Sequence[Case]) -> Numbers:
    """Of each set the answerable cases together count as much as the others together."""
    counts = Counter((case.set, case.answerable) for case in cases)
    share = {one.name: BIOASQ_SHARE if one is BIOASQ else 1.0 for one in SETS}
    return np.array([share[case.set] / counts[case.set, case.answerable] for case in cases]) * len(cases) / len(counts)


def _unseen(features: Numbers, answerable: NDArray[np.bool_], weights: Numbers, asked: Sequence[str]) -> Numbers:
    """The probability of each case, by weights fitted on other questions."""
    probability = np.zeros(len(features))
    for train, test in GroupKFold(FOLDS).split(features, answerable, asked):
        intercept, coefficients = _fitted(features[train], answerable[train], weights[train])
        probability[test] = 1 / (1 + np.exp(-(intercept + features[test] @ coefficients)))
    return probability


def _fitted(features: Numbers, answerable: NDArray[np.bool_], weights: Numbers) -> tuple[float, Numbers]:
    """Intercept and weights for features as they are; they were fitted on standardised ones."""
    scale = StandardScaler().fit(features, sample_weight=weights)
    model = LogisticRegression(max_iter=5000).fit(scale.transform(features), answerable, sample_weight=weights)
    coefficients = model.coef_[0] / scale.scale_
    return float(model.intercept_[0] - coefficients @ scale.mean_), coefficients


def _weighted_quantile(values: Numbers, weights: Numbers, part: float) -> float:
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) / weights.sum()
    return float(values[order][np.searchsorted(reached, part)])


def _print_separation(cases: Sequence[Case], probability: Numbers, threshold: float) -> None:
    print(f"by weights fitted on other questions, threshold {threshold:.3f}:")
    print(f"{'set':<14}{'AUROC removed':>14}{'foreign':>9}   answered: answerable, removed, foreign")
    for name in dict.fromkeys(case.set for case in cases):
        by_arm = {
            arm: probability[[case.set == name and case.arm == arm for case in cases]]
            for arm in ("present", "removed", "foreign")
        }
        areas = [_area(by_arm["present"], by_arm[arm]) for arm in ("removed", "foreign")]
        answered = [f"{(values >= threshold).mean():.2f} of {len(values)}" for values in by_arm.values() if len(values)]
        print(f"{name:<14}{areas[0]:>14}{areas[1]:>9}   {', '.join(answered)}")
    own = np.array([case.set == BIOASQ.name and case.arm != "foreign" for case in cases])
    bins = reliability(probability[own].tolist(), np.array([case.answerable for case in cases])[own].tolist())
    print(f"BioASQ, present against removed: expected calibration error {expected_calibration_error(bins):.3f}")


def _area(answerable: Numbers, others: Numbers) -> str:
    if not len(answerable) or not len(others):
        return "-"
    labels = [True] * len(answerable) + [False] * len(others)
    return f"{roc_auc_score(labels, np.concatenate([answerable, others])):.3f}"


if __name__ == "__main__":
    main()
