"""Fits the fusion of the sentence check: how exact findings and the entailment model together become probabilities.

    python benchmarks/fit_check.py DATA SCORES.json SEEDED.jsonl TRAINED.jsonl

``SCORES.json`` is what ``train_entailment.py folds`` wrote: what each SciFact claim is given by a model that has not
seen its cited document. ``SEEDED.jsonl`` is what ``seeded_errors.py --split dev --write`` wrote; of it are left out the
passages of ``TRAINED.jsonl``, which the model was trained on. Prints how the fusion
does on claims that neither model nor fusion has seen, and writes rag/checking/fusion.json.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import classification_report
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.entailment_pairs import CONTRADICT, NEITHER, SEED, SUPPORT, lines, translated_pairs
from rag.checking.alignment import align, excerpt
from rag.checking.check import findings_in, signs_of, verdict_of
from rag.checking.entailment import PackagedReader
from rag.checking.fusion import Signs
from rag.checking.types import Evidence
from rag.settings import read_settings

OUT = Path(__file__).parent.parent / "rag" / "checking" / "fusion.json"
FOLDS = 5
BINS = 10
STRENGTH = 0.3
_NAMES = ("support", "contradict", "neither")
_CLASSES = {"supported": SUPPORT, "contradicted": CONTRADICT}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("scores", type=Path)
    parser.add_argument("seeded", type=Path)
    parser.add_argument("trained", type=Path)
    arguments = parser.parse_args()
    reader = PackagedReader(read_settings())
    claims, signs, labels, documents = _claims(arguments.data, arguments.scores)
    crossing, crossing_labels = _crossing(arguments.data, reader)
    seeded, seeded_labels = _seeded(arguments.seeded, arguments.trained, reader)
    own = seeded_labels == SUPPORT
    seeded, seeded_labels = np.vstack([seeded, crossing]), np.concatenate([seeded_labels, crossing_labels])
    probabilities = np.zeros((len(claims), 3))
    for train, test in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(claims, labels, documents):
        model = _fitted(claims[train], labels[train], seeded, seeded_labels)
        probabilities[test] = model.predict_proba(claims[test])
    print("SciFact, unseen by model and fusion")
    verdicts = [verdict_of(tuple(row), one) for row, one in zip(probabilities.tolist(), signs, strict=True)]
    said = np.array([_CLASSES.get(verdict, NEITHER) for verdict in verdicts])
    print(classification_report(labels, said, target_names=_NAMES, digits=3))
    error = calibration_error(probabilities[:, SUPPORT], labels == SUPPORT)
    print(f"expected calibration error of P(supported), {BINS} bins of equal width: {error:.3f}")
    model = _fitted(claims, labels, seeded, seeded_labels)
    supported = model.predict_proba(seeded[: len(own)])[:, SUPPORT]
    print(f"seeded, fitted on: {np.mean(supported[~own] < 0.5):.3f} caught, {np.mean(supported[own] < 0.5):.3f} alarms")
    crossed = model.predict_proba(crossing).argmax(axis=1)
    print("across languages, fitted on")
    print(classification_report(crossing_labels, crossed, target_names=_NAMES, digits=3))
    fitted = {
        "fingerprint": reader.fingerprint,
        "weights": np.round(model.coef_, 4).tolist(),
        "intercepts": np.round(model.intercept_, 4).tolist(),
        "error": round(error, 4),
    }
    OUT.write_text(json.dumps(fitted, indent=1) + "\n", encoding="utf-8")


def calibration_error(probability: Any, outcome: Any) -> float:
    """Expected calibration error (Naeini et al., AAAI 2015) in bins of equal width."""
    bins = np.minimum((probability * BINS).astype(int), BINS - 1)
    return float(
        sum(
            abs(probability[bins == one].mean() - outcome[bins == one].mean()) * np.mean(bins == one)
            for one in np.unique(bins)
        )
    )


def _fitted(claims: Any, labels: Any, seeded: Any, seeded_labels: Any) -> LogisticRegression:
    weights = np.concatenate([np.ones(len(labels)), np.full(len(seeded), len(labels) / len(seeded))])
    model = LogisticRegression(C=STRENGTH, max_iter=5000)
    return model.fit(np.vstack([claims, seeded]), np.concatenate([labels, seeded_labels]), weights)


def _claims(data: Path, scores: Path) -> tuple[Any, list[Signs], Any, list[str]]:
    """Features, signs, labels and cited documents of SciFact's claims."""
    corpus = {one["id"]: one for one in lines(data / "scifact/corpus.jsonl.gz")}
    kept = json.loads(scores.read_text(encoding="utf-8"))
    cited = [(claim, document) for claim in lines(data / "scifact/claims.jsonl") for document in claim["cited_doc_ids"]]
    signs = []
    for (claim, document), logits in zip(cited, kept["logits"], strict=True):
        evidence = [Evidence(corpus[document]["text"], corpus[document]["title"])]
        odds = np.exp(np.array(logits[:3]) - max(logits[:3]))
        signs.append(_signs(claim["text"], evidence, (odds / odds.sum()).tolist()))
    return (
        np.array([one.features for one in signs]),
        signs,
        np.array(kept["labels"]),
        [document for _, document in cited],
    )


def _crossing(data: Path, reader: PackagedReader) -> tuple[Any, Any]:
    """Features and labels of sentences beside texts in the other language."""
    pairs = translated_pairs(data, held_out=True)
    judged = reader.judge([(pair.text, pair.said) for _, pair in pairs]).tolist()
    features = [
        _signs(pair.said, [Evidence(text)], given).features for (text, pair), given in zip(pairs, judged, strict=True)
    ]
    return np.array(features), np.array([pair.label for _, pair in pairs])


def _seeded(path: Path, trained: Path, reader: PackagedReader) -> tuple[Any, Any]:
    seen = {pair["evidence"] for pair in lines(trained)}
    pairs = [pair for pair in lines(path) if pair["evidence"] not in seen]
    evidence = [[Evidence(pair["evidence"])] for pair in pairs]
    texts = [
        (excerpt(align(pair["sentence"], one), one), pair["sentence"])
        for pair, one in zip(pairs, evidence, strict=True)
    ]
    judged = reader.judge(texts).tolist()
    features = [
        _signs(pair["sentence"], one, given).features for pair, one, given in zip(pairs, evidence, judged, strict=True)
    ]
    return np.array(features), np.array([CONTRADICT if pair["altered"] else SUPPORT for pair in pairs])


def _signs(sentence: str, evidence: Sequence[Evidence], entailment: Sequence[float]) -> Signs:
    alignment = align(sentence, evidence)
    supports, contradicts, neither = entailment
    return signs_of(sentence, evidence, alignment, findings_in(sentence, alignment), (supports, contradicts, neither))


if __name__ == "__main__":
    assert (SUPPORT, CONTRADICT, NEITHER) == (0, 1, 2)
    main()
