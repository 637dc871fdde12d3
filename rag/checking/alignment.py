"""Which sentences of the evidence speak of what a sentence speaks of.

A sentence's terms, or its concepts where the evidence is in the other language, are looked for in each sentence of the
evidence with its neighbours: what those hold of the sentence says how near they are.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.analysis import terms
from rag.checking.types import Evidence
from rag.checking.wrapping import unwrapped, unwrapped_spans
from rag.languages import language_of
from rag.translation import Concept, translate
from rag.types import Language

NEAR, NEAR_ALONE = 0.6, 0.3
"""Of the best coverage by a sentence with its neighbours, and by a sentence alone, the parts from which on one is
near."""
MOST_NEAR = 6
QUOTED_FROM = 0.25
"""The part of a sentence that a sentence of the evidence must hold to be quoted for it."""
_SPEAKS_TO_A_WRITER = re.compile(
    r"\b(?:in|into|to|of|from|provide) your (?:answer|response|reply|message)(?:'s)?\b(?! to\b)"
    r"|\b(?:modify|augment|enhance|render|convert) your (?:answer|response|reply|message)\b"
    r"|(?:你|您)的(?:回答|回复|答复|输出)",
    re.IGNORECASE,
)
"""What no sentence of a source says that is evidence: it is about the answer."""


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of the evidence: ``text`` is that of evidence ``source`` from ``start`` to ``end``, in one line.
    ``coverage`` is the part, 0 to 1, of the judged sentence's terms that it holds by itself, ``in_context`` with its
    neighbours and the title."""

    source: int
    start: int
    end: int
    text: str
    coverage: float
    in_context: float


@dataclass(frozen=True, slots=True)
class Alignment:
    """``ranked`` are the sentences of the evidence, those first that hold most of the judged sentence; ``near`` are the
    first of them that speak of the same; ``coverage`` is the part of the
    sentence's terms that all of the evidence holds; ``whole`` is all of the evidence with its context; ``quotes`` is
    the best sentence of each piece of evidence that holds enough."""

    ranked: tuple[Part, ...]
    near: tuple[Part, ...]
    coverage: float
    whole: str
    quotes: tuple[tuple[int, int, int], ...]

    @property
    def near_texts(self) -> tuple[str, ...]:
        return tuple(part.text for part in self.near)


@dataclass(frozen=True, slots=True)
class _Read:
    language: Language
    context: frozenset[str]
    spans: tuple[tuple[int, int], ...]
    texts: tuple[str, ...]
    terms: tuple[frozenset[str], ...]


Claim = tuple[tuple[frozenset[str], ...], ...]
"""For each concept its names, each by the terms that all have to be there."""


def align(sentence: str, evidence: Sequence[Evidence]) -> Alignment:
    """``sentence`` beside each of ``evidence``, in either language."""
    own = language_of(sentence)
    claims: dict[Language, Claim] = {}
    parts: list[Part] = []
    held: dict[Language, frozenset[str]] = {}
    quotes = []
    for number, one in enumerate(evidence):
        read = _read(one)
        if read.language not in claims:
            claims[read.language] = _claim(sentence, translated=read.language != own)
        claim = claims[read.language]
        held[read.language] = held.get(read.language, frozenset()).union(read.context, *read.terms)
        found = list(_parts(number, one, read, claim))
        parts += found
        best = max(found, key=lambda part: (part.coverage, part.start - part.end), default=None)
        if best is not None and best.coverage >= QUOTED_FROM:
            quotes.append((number, best.start, best.end))
    least = NEAR * max((part.in_context for part in parts), default=0.0)
    ranked = sorted(parts, key=lambda part: (-part.coverage, -part.in_context))
    alone = NEAR_ALONE * ranked[0].coverage if ranked else 0.0
    near = [part for part in ranked if part.in_context >= least and part.coverage >= alone]
    return Alignment(
        ranked=tuple(ranked),
        near=tuple(near[:MOST_NEAR]),
        coverage=max((_covered(claims[language], terms) for language, terms in held.items()), default=0.0),
        whole="\n".join(f"{one.context}\n{one.text}" for one in evidence),
        quotes=tuple(quotes),
    )


def _parts(number: int, one: Evidence, read: _Read, claim: Claim) -> list[Part]:
    found = []
    for at, (start, end) in enumerate(read.spans):
        around = read.context.union(*read.terms[max(0, at - 1) : at + 2])
        found.append(Part(number, start, end, read.texts[at], _covered(claim, read.terms[at]), _covered(claim, around)))
    return found


def _covered(claim: Claim, held: frozenset[str]) -> float:
    """The part of a claim, 0 to 1, that ``held`` says; 0 where it says nothing."""
    return sum(any(name <= held for name in names) for names in claim) / len(claim) if claim else 0.0


@lru_cache(maxsize=1024)
def _claim(sentence: str, translated: bool) -> Claim:
    if translated:
        names = [_names(concept) for concept in translate(sentence).concepts if not concept.word.isdigit()]
        return tuple(one for one in names if one)
    return tuple((frozenset((term,)),) for term in dict.fromkeys(terms(sentence)))


def _names(concept: Concept) -> tuple[frozenset[str], ...]:
    return tuple(found for name in concept.names if (found := frozenset(terms(name))))


@lru_cache(maxsize=1024)
def _read(evidence: Evidence) -> _Read:
    text = evidence.text
    spans = tuple(span for span in unwrapped_spans(text) if not _SPEAKS_TO_A_WRITER.search(text, *span))
    texts = tuple(unwrapped(text[start:end]) for start, end in spans)
    return _Read(
        language_of(text),
        frozenset(terms(evidence.context)),
        spans,
        texts,
        tuple(frozenset(terms(one)) for one in texts),
    )


EXCERPT_PARTS = 3
EXCERPT_CHARACTERS = {"en": 420, "zh": 160}
CONTEXT_CHARACTERS = {"en": 100, "zh": 30}


def excerpt(alignment: Alignment, evidence: Sequence[Evidence]) -> str:
    """What an entailment model reads of the evidence: the title of the best sentence's piece and the few sentences
    that hold most of the judged sentence, in their order; one is added as long as it holds a term that those before it
    lack or is as close as they are."""
    chosen: list[Part] = []
    left = None
    for part in alignment.ranked:
        language = language_of(part.text)
        left = EXCERPT_CHARACTERS[language] if left is None else left
        if chosen and (len(chosen) == EXCERPT_PARTS or len(part.text) > left):
            continue
        chosen.append(part)
        left -= len(part.text)
    if not chosen:
        return ""
    context = evidence[chosen[0].source].context.strip().replace("\n", ", ")
    opening = context[: CONTEXT_CHARACTERS[language_of(context)]]
    ordered = sorted(chosen, key=lambda part: (part.source, part.start))
    return " ".join(filter(None, [f"{opening}:" if opening else "", *(part.text for part in ordered)]))
