"""Fits the score that decides whether the passages found can answer a question (``rag/sufficiency.json``).

    python benchmarks/fit_sufficiency.py DATA --questions 150 --passages 900

DATA is a folder of test collections in the product's own file formats: ``bioasq``, ``covidqa``, ``cmexam_zh``,
``xlingeval`` (questions with judgements) and ``nigeria_stg``, ``csl_zh``, ``kqa``. A question asked of a collection in
which a judged passage is among the ten best counts as answerable; the same question asked of a collection made for
something else, as not. A few of the latter are answerable after all: the figures are a lower bound.

Everything runs through the product: ingestion, search, sentence ranking. Prints the area under the ROC curve, also
with each set of questions left out of the fit in turn, and what the chosen threshold gives away and lets through.
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
from sklearn.metrics import roc_auc_score

from ingestion.pipeline import discover, ingest
from rag.extraction import ranked_sentences
from rag.retrieval import search
from rag.settings import read_settings
from rag.sufficiency import weigh
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Query

OUT = Path(__file__).parent.parent / "rag" / "sufficiency.json"
SEED = 20
ANSWERED = 0.9
"""The part of answerable questions that the threshold lets through."""


@dataclass(frozen=True)
class QuestionSet:
    """Questions, the collection that answers them, and one that does not."""

    name: str
    questions: str
    answering: str
    foreign: str


SETS = (
    QuestionSet("bioasq", "bioasq/queries.jsonl.gz", "bioasq", "nigeria_stg"),
    QuestionSet("covidqa", "covidqa/qa.jsonl", "covidqa", "bioasq"),
    QuestionSet("cmexam_zh", "cmexam_zh/qa.jsonl.gz", "cmexam_zh", "csl_zh"),
    QuestionSet("xlingeval_en", "xlingeval/queries_en.jsonl", "xlingeval", "covidqa"),
    QuestionSet("xlingeval_zh", "xlingeval/queries_zh.jsonl", "xlingeval", "covidqa"),
)
UNANSWERED = (("kqa", "kqa/qa.jsonl", "covidqa"), ("cmexam_at_en", "cmexam_zh/qa.jsonl.gz", "covidqa"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--questions", type=int, default=150, help="questions of each set")
    parser.add_argument("--passages", type=int, default=900, help="passages of each collection")
    parser.add_argument("--measured", type=Path, help="keep what was measured in this file, or fit from it again")
    arguments = parser.parse_args()
    settings = read_settings()
    if arguments.measured and arguments.measured.exists():
        known = json.loads(arguments.measured.read_text(encoding="utf-8"))
        _fit([(name, tuple(values), label) for name, values, label in known["rows"]], known["embedder"])
        return
    with tempfile.TemporaryDirectory() as home:
        (Path(home) / "models").symlink_to((settings.home / "models").absolute())
        with open_system(settings.model_copy(update={"home": Path(home)})) as system:
            rows = _measure(arguments.data, arguments.questions, arguments.passages, system)
            embedder = system.embedder.fingerprint
    if arguments.measured:
        arguments.measured.write_text(json.dumps({"embedder": embedder, "rows": rows}), encoding="utf-8")
    _fit(rows, embedder)


def _measure(data: Path, count: int, passages: int, system: System) -> list[tuple[str, tuple[float, ...], bool]]:
    """``(set, features, answerable)`` of every question."""
    chance = random.Random(SEED)
    judged = {s.name: _judged(data, s, count, chance) for s in SETS}
    for collection in sorted({c for s in SETS for c in (s.answering, s.foreign)}):
        needed = {
            document for s in SETS if s.answering == collection for _, gold in judged[s.name] for document in gold
        }
        _load(data, collection, needed, passages, chance, system)
    rows = []
    for one in SETS:
        for text, gold in judged[one.name]:
            features, found = _features(text, one.answering, system)
            if found & gold:
                rows.append((one.name, features, True))
            rows.append((one.name, _features(text, one.foreign, system)[0], False))
    for name, path, collection in UNANSWERED:
        for question in chance.sample(_lines(data / path), count):
            rows.append((name, _features(_text(question), collection, system)[0], False))
    return rows


def _judged(data: Path, one: QuestionSet, count: int, chance: random.Random) -> list[tuple[str, set[str]]]:
    gold: dict[str, set[str]] = {}
    for line in (data / one.answering / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        question, document, grade = line.split("\t")
        if float(grade) > 0:
            gold.setdefault(question, set()).add(document)
    known = [
        (_text(question), gold[question["id"]]) for question in _lines(data / one.questions) if question["id"] in gold
    ]
    return chance.sample(known, min(count, len(known)))


def _load(data: Path, name: str, needed: set[str], passages: int, chance: random.Random, system: System) -> None:
    corpus = _lines(next((data / name).glob("corpus.jsonl*")))
    kept = [document for document in corpus if document["id"] in needed]
    others = [document for document in corpus if document["id"] not in needed]
    kept += chance.sample(others, min(len(others), max(0, passages - len(kept))))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.jsonl"
        fields = ("id", "title", "text", "lang")
        lines = (json.dumps({key: d[key] for key in fields if d.get(key)}, ensure_ascii=False) for d in kept)
        file.write_text("\n".join(lines), encoding="utf-8")
        print(name, ingest(discover([file]), name, system)[0].documents, "documents", flush=True)


def _features(question: str, collection: str, system: System) -> tuple[tuple[float, ...], set[str]]:
    hits = search(Query(question, (collection,)), LOCAL_ADMIN, system).hits
    evidence = weigh(question, hits, ranked_sentences(question, hits, system.embedder))
    found = {hit.passage.external_id for hit in hits if hit.passage.external_id}
    return (evidence.features if evidence else (0.0,) * 6), found


def _fit(rows: list[tuple[str, tuple[float, ...], bool]], embedder: str) -> None:
    names = np.array([name for name, _, _ in rows])
    features = np.array([values for _, values, _ in rows])
    answerable = np.array([label for _, _, label in rows])
    model = LogisticRegression(C=100, max_iter=5000, class_weight="balanced")
    for one in SETS:
        out = names == one.name
        model.fit(features[~out], answerable[~out])
        area = roc_auc_score(answerable[out], model.decision_function(features[out]))
        print(f"{one.name:<14} left out: AUC {area:.3f} of {out.sum()} questions, {answerable[out].sum()} answerable")
    model.fit(features, answerable)
    probability = model.predict_proba(features)[:, 1]
    threshold = float(np.quantile(probability[answerable], 1 - ANSWERED))
    print(f"all: AUC {roc_auc_score(answerable, probability):.3f}, threshold {threshold:.3f}")
    for name in dict.fromkeys(names):
        own, foreign = (probability[(names == name) & (answerable == label)] for label in (True, False))
        answered = f"{(own >= threshold).mean():.2f} of {len(own)} answerable answered, " if len(own) else ""
        print(f"{name:<14} {answered}{(foreign < threshold).mean():.2f} of {len(foreign)} others abstained from")
    fitted = {
        "embedder": embedder,
        "intercept": round(float(model.intercept_[0]), 4),
        "weights": [round(float(weight), 4) for weight in model.coef_[0]],
        "threshold": round(threshold, 4),
    }
    OUT.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    print(fitted)


def _lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _text(question: dict[str, str]) -> str:
    return question.get("text") or question["question"]


if __name__ == "__main__":
    main()
