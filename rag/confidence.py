"""How far an answer can be relied on, as one number with its reasons.

    confidence = sigmoid(intercept + evidence * logit(P(evidence answers)))
                 * mean over the sentences in the text of P(what it cites supports it)
                 * 0.5 where sources disagree * 0.7 where a source no longer holds * 0.9 where all sources are old

The first factor is calibrated: a logistic regression on questions whose answering documents are known, where the
outcome is that what is quoted comes from one of them (``benchmarks/fit_confidence.py``). The second is the sentence
check's own calibrated probability, 1 for a quote. The last three are not fitted, since no collection of questions has
enough such answers: they order answers and are stated in the reasons. That an answer rests on a single document is
stated and does not lower the number: among questions with known answers such ones were no more often wrong.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from rag.composing import Composition
from rag.types import Conflict, Language, Passage, Sentence

DISAGREEING = 0.5
SUPERSEDED = 0.7
OLD = 0.9
OLD_AFTER_YEARS = 10
LEAST = 1e-4
"""Probabilities of evidence closer to 0 or 1 count as this close."""
_CLOSE, _FAIR = 0.8, 0.5
_SAID: dict[Language, dict[str, str]] = {
    "en": {
        "close": "The passages found fit the question closely.",
        "fair": "The passages found fit the question fairly well.",
        "loose": "The passages found fit the question only loosely.",
        "quoted": "Every sentence is an exact quote.",
        "supported": "Every sentence is supported by what it cites.",
        "doubtful": "{} of {} sentences are not fully supported by what they cite.",
        "withheld": "{} sentences were kept out because the sources do not support them.",
        "one": "It rests on a single document.",
        "several": "It rests on {} documents.",
        "conflict": "The sources disagree.",
        "superseded": "A source that is cited no longer holds.",
        "old": "The newest source is from {}.",
        "undated": "No source states a date.",
    },
    "zh": {
        "close": "检索到的段落与问题高度相符。",
        "fair": "检索到的段落与问题较为相符。",
        "loose": "检索到的段落与问题仅大致相关。",
        "quoted": "每一句都是原文摘录。",
        "supported": "每一句都得到所引原文支持。",
        "doubtful": "{1}句中有{0}句未得到所引原文的完全支持。",
        "withheld": "有{}句因出处不支持而未采用。",
        "one": "仅依据一篇文献。",
        "several": "依据{}篇文献。",
        "conflict": "各出处说法不一。",
        "superseded": "所引的一个出处已失效。",
        "old": "最新的出处发布于{}年。",
        "undated": "所有出处均未注明日期。",
    },
}


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of the first factor."""

    intercept: float
    evidence: float

    def probability(self, evidence: float) -> float:
        bounded = min(max(evidence, LEAST), 1 - LEAST)
        score = self.intercept + self.evidence * math.log(bounded / (1 - bounded))
        return 1 / (1 + math.exp(-score))


def weighed_up(
    evidence: float | None,
    composition: Composition,
    conflicts: Sequence[Conflict],
    language: Language,
    today: date,
) -> tuple[float | None, tuple[str, ...]]:
    """The confidence, 0 to 1, None where ``evidence`` is (no calibration applies), and the reasons in ``language``. Of
    an answer without sentences it is the probability that the evidence answers."""
    sentences = composition.sentences
    said, reasons = _SAID[language], []
    if evidence is not None:
        reasons.append(said["close" if evidence >= _CLOSE else "fair" if evidence >= _FAIR else "loose"])
    if not sentences:
        return evidence, tuple(reasons)
    cited = _cited(composition)
    documents = {passage.document_id for passage in cited}
    reasons += _about_sentences(composition, said)
    if documents:
        reasons.append(said["one"] if len(documents) == 1 else said["several"].format(len(documents)))
    discounts = {"conflict": DISAGREEING if conflicts else 1.0}
    discounts["superseded"] = SUPERSEDED if any(passage.superseded for passage in cited) else 1.0
    reasons += [said[name] for name, discount in discounts.items() if discount < 1]
    newest = max((int(passage.published[:4]) for passage in cited if passage.published), default=None)
    if newest is None:
        reasons.append(said["undated"])
    elif today.year - newest > OLD_AFTER_YEARS:
        discounts["old"] = OLD
        reasons.append(said["old"].format(newest))
    if evidence is None:
        return None, tuple(reasons)
    calibrated = packaged_calibration().probability(evidence)
    support = sum(_supported(sentence) for sentence in sentences) / len(sentences)
    return round(calibrated * support * math.prod(discounts.values()), 4), tuple(reasons)


def _cited(composition: Composition) -> list[Passage]:
    """The passages that the sentences in the text cite."""
    markers = {marker for sentence in composition.sentences for marker in sentence.citations}
    return [hit.passage for marker, (hit, _, _) in composition.spans if marker in markers]


def _about_sentences(composition: Composition, said: dict[str, str]) -> list[str]:
    sentences, withheld = composition.sentences, composition.count_withheld
    doubtful = sum(sentence.verdict != "supported" for sentence in sentences)
    if doubtful:
        found = [said["doubtful"].format(doubtful, len(sentences))]
    else:
        found = [said["quoted" if all(sentence.probability == 1.0 for sentence in sentences) else "supported"]]
    return found + ([said["withheld"].format(withheld)] if withheld else [])


def _supported(sentence: Sentence) -> float:
    return sentence.probability or 0.0


@cache
def packaged_calibration() -> Calibration:
    values = json.loads(Path(__file__).with_name("confidence.json").read_text(encoding="utf-8"))
    return Calibration(values["intercept"], values["evidence"])
