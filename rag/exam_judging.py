"""Free answers, judged sentence by sentence by the check of sentences (``rag.checking``).

What ALCE (Gao et al., "Enabling large language models to generate text with citations", EMNLP 2023) asks of an
entailment model is asked of the check: a sentence is supported by passages where the verdict on it is ``supported``.
A citation is precise where its sentence is supported by all that it cites, and the passage supports it by itself or the
others do not without it.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import remarks
from rag.analysis import terms
from rag.checking.check import checked
from rag.checking.entailment import Entailment
from rag.checking.types import Checked, Evidence
from rag.citing import CitedSentence, CitedSentences
from rag.differences import evidence_of
from rag.exam_items import FreeJudgement, JudgedSentence, JudgedStatement
from rag.types import Hit

Pair = tuple[str, Sequence[Evidence]]


@dataclass(frozen=True, slots=True)
class FreeAnswer:
    """An answer to be judged. ``passages`` are those shown; ``evidence`` is all that is known for the question, the
    same in every arm; ``abstained`` is that the product would not have answered."""

    text: str
    passages: tuple[Hit, ...]
    evidence: tuple[Hit, ...]
    must_have: tuple[str, ...]
    references: tuple[str, ...]
    abstained: bool = False


def judged(answers: Sequence[FreeAnswer], entailment: Entailment) -> list[FreeJudgement]:
    """All sentences are read in one batch. Raises Unavailable where the entailment model cannot be loaded."""
    stated = [[] if one.abstained else list(stating(one.text, len(one.passages))) for one in answers]
    pairs = [pair for one, sentences in zip(answers, stated, strict=True) for pair in _pairs(one, sentences)]
    found = iter(checked(pairs, entailment))
    return [_judgement(one, sentences, found) for one, sentences in zip(answers, stated, strict=True)]


def stating(text: str, shown: int) -> Iterator[CitedSentence]:
    """The sentences of a reply that state something a source could support: no heading, no courtesy, and nothing about
    what the passages lack."""
    reader = CitedSentences(shown)
    for sentence in (*reader.feed(text), *reader.end()):
        said = sentence.text
        if not (remarks.says_nothing(said) or remarks.is_about_the_sources(said) or remarks.is_heading(said)):
            yield sentence


def overlap(answer: str, reference: str) -> float:
    """F1, 0 to 1, of the terms of both, each counted as often as it stands there (Rajpurkar et al., "SQuAD", EMNLP
    2016, with stems and segmented Chinese for words)."""
    one, other = Counter(terms(answer)), Counter(terms(reference))
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def _pairs(answer: FreeAnswer, sentences: Sequence[CitedSentence]) -> Iterator[Pair]:
    """What is checked, in the order in which ``_judgement`` reads it."""
    shown, evidence = evidence_of(answer.passages), evidence_of(answer.evidence)
    for sentence in sentences:
        cited = [shown[number - 1] for number in _cited(sentence, answer)]
        yield sentence.text, cited
        yield sentence.text, evidence
        if len(cited) > 1:
            for place, one in enumerate(cited):
                yield sentence.text, [one]
                yield sentence.text, [*cited[:place], *cited[place + 1 :]]
    whole = [Evidence("\n".join(sentence.text for sentence in sentences))] if sentences else []
    for statement in answer.must_have:
        yield statement, whole


def _judgement(answer: FreeAnswer, sentences: Sequence[CitedSentence], found: Iterator[Checked]) -> FreeJudgement:
    judged_sentences = tuple(_sentence(answer, sentence, found) for sentence in sentences)
    must_have = tuple(JudgedStatement(statement, next(found).verdict) for statement in answer.must_have)
    said = " ".join(sentence.text for sentence in sentences)
    closest = max((overlap(said, reference) for reference in answer.references), default=None)
    return FreeJudgement(not sentences, judged_sentences, must_have, closest)


def _sentence(answer: FreeAnswer, sentence: CitedSentence, found: Iterator[Checked]) -> JudgedSentence:
    cited = _cited(sentence, answer)
    together, at_all = next(found), next(found)
    supported = together.verdict == "supported"
    precise = [supported] * len(cited)
    if len(cited) > 1:
        for place in range(len(cited)):
            alone, without = next(found), next(found)
            precise[place] = supported and (alone.verdict == "supported" or without.verdict != "supported")
    return JudgedSentence(
        sentence.text,
        cited,
        together.verdict,
        together.probability,
        together.issues,
        tuple(precise),
        at_all.verdict == "supported" if answer.evidence else None,
    )


def _cited(sentence: CitedSentence, answer: FreeAnswer) -> tuple[int, ...]:
    return tuple(number for number in sentence.citations if 1 <= number <= len(answer.passages))
