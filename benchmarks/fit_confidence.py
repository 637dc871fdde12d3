"""Fits the first factor of an answer's confidence (``rag/confidence.json``), and says how well it is calibrated.

    python benchmarks/fit_confidence.py DATA --questions 200 --others 600

DATA/bioasq is a test collection in the product's own file formats. A library is made of the articles that answer some
of its questions, and of others. Those questions are asked, and as many that nothing in it answers; what was answered by
quotes counts, each quoted sentence with whether it comes from an article judged to answer. The regression is fitted on
all; the calibration errors it prints are those of folds, grouped by question, that it had not seen.
"""

import argparse
import gzip
import json
import random
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from ingestion.pipeline import discover, ingest
from rag.answering import answer
from rag.confidence import LEAST
from rag.reliability import expected_calibration_error, reliability_by_count
from rag.settings import read_settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Ask, Query

OUT = Path(__file__).parent.parent / "rag" / "confidence.json"
SEED = 7
FOLDS = 5


@dataclass(frozen=True)
class Case:
    """A quoted sentence: its answer's number, the probability that the evidence answers, and whether the sentence comes
    from an article that answers."""

    answer: int
    evidence: float
    is_right: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=200, help="of each kind, answerable and not")
    parser.add_argument("--others", type=int, default=600, help="passages that answer none of them")
    arguments = parser.parse_args()
    settings = read_settings()
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "models").symlink_to((settings.home / "models").absolute())
        with open_system(settings.model_copy(update={"home": Path(home)})) as system:
            cases = _cases(arguments.data / "bioasq", arguments.questions, arguments.others, system)
    _fit(cases)


def _cases(folder: Path, questions: int, others: int, system: System) -> list[Case]:
    random_ = random.Random(SEED)
    articles: dict[str, set[str]] = {}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        question, passage, grade = line.split("\t")
        if grade.isdigit() and int(grade):
            articles.setdefault(question, set()).add(_article(passage))
    asked = [one for one in _lines(folder / "queries.jsonl.gz") if one["id"] in articles]
    random_.shuffle(asked)
    answerable, unanswerable = asked[:questions], asked[questions : 2 * questions]
    loaded = set().union(*(articles[one["id"]] for one in answerable))
    missing = set().union(*(articles[one["id"]] for one in unanswerable)) - loaded
    rest = [one for one in _lines(folder / "corpus.jsonl.gz") if _article(one["id"]) not in missing]
    random_.shuffle(rest)
    kept = [one for one in rest if _article(one["id"]) in loaded]
    kept += [one for one in rest if _article(one["id"]) not in loaded][:others]
    corpus = system.home / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps(one) for one in kept), encoding="utf-8")
    ingest(discover([corpus]), "default", system)
    cases: list[Case] = []
    for number, one in enumerate(answerable + unanswerable):
        given = answer(Ask(Query(one["text"]), mode="extractive"), LOCAL_ADMIN, system)
        if given.status == "answered":
            cited = {citation.marker: _article(citation.external_id or "") for citation in given.citations}
            sources = [cited[marker] for sentence in given.sentences for marker in sentence.citations]
            assert given.evidence is not None
            cases += [Case(number, given.evidence, source in articles[one["id"]]) for source in sources]
    return cases


def _article(passage_id: str) -> str:
    """The article of a snippet, whose id begins with it."""
    return passage_id.partition("_")[0]


def _fit(cases: list[Case]) -> None:
    features = np.array([[_logit(case.evidence)] for case in cases])
    outcomes = np.array([case.is_right for case in cases])
    answers = [case.answer for case in cases]
    unseen = np.empty(len(cases))
    for learnt, held_out in GroupKFold(FOLDS).split(features, outcomes, answers):
        model = LogisticRegression().fit(features[learnt], outcomes[learnt])
        unseen[held_out] = model.predict_proba(features[held_out])[:, 1]
    print(f"{len(set(answers))} answers, {outcomes.mean():.3f} of their quotes from an article that answers")
    for name, probabilities in (("evidence alone", [case.evidence for case in cases]), ("fitted", unseen.tolist())):
        print(f"{name}: expected calibration error {_error(probabilities, outcomes.tolist()):.3f}")
    model = LogisticRegression().fit(features, outcomes)
    values = {
        "intercept": round(float(model.intercept_[0]), 4),
        "evidence": round(float(model.coef_[0][0]), 4),
        "error": round(_error(unseen.tolist(), outcomes.tolist()), 4),
    }
    OUT.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _error(probabilities: list[float], outcomes: list[bool]) -> float:
    return expected_calibration_error(reliability_by_count(probabilities, outcomes))


def _logit(probability: float) -> float:
    bounded = min(max(probability, LEAST), 1 - LEAST)
    return float(np.log(bounded / (1 - bounded)))


def _lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
