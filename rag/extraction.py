"""Choosing the sentences that answer a question, as exact quotes from the passages that were found.

The sentences that hold most of the question, of each of the best passages at least one, are read together with the
question by a model that was trained to tell whether a text answers one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.analysis import terms
from rag.checking.alignment import Part, align
from rag.checking.types import Evidence
from rag.languages import language_of
from rag.types import Hit, Language, Passage

PASSAGES_READ = 6
SENTENCES_READ = 12
MAX_SENTENCES = 4
COVERAGE_WEIGHT = 1.0
"""What a sentence gains that holds all terms of the question, on the scale of log-odds."""
RANK_WEIGHT = 0.5
"""What a sentence loses for each passage that the search put before its own, on the same scale."""
MARGIN = 2.0
"""How far below the best sentence's score another may lie and still be quoted."""
SAME_WORDS = 0.6
"""Sentences that share at least this part of all their terms (Jaccard) say the same: one is enough."""
CONTEXT_CHARACTERS = {"en": 120, "zh": 40}

_CELLS = " | "
_MARKER = re.compile(r"(?:[-•*–]|\(?\d{1,2}[.)、]|[a-z]\))\s+")
_REFERENCES = re.compile(
    r"(?:^|> )(?:\d+[. ]*)?(?:references?|bibliography|further reading|参考文献|参考资料)[ \t]*[:：]?[ \t]*$",
    re.I | re.M,
)
_BIBLIOGRAPHIC = re.compile(r"\bdoi\s*:|\b(?:19|20)\d\d;\s?\d+", re.I)
_ENTRY = re.compile(rf"^[ \t]*(?:\[\d+\]|\d{{1,3}}[.)、])\s.*?(?:{_BIBLIOGRAPHIC.pattern}).*$", re.I | re.M)
"""A numbered line of a list of references, of which the end alone may look like one."""
_LETTER = re.compile(r"[^\W\d_]")
_CONTENTLESS_BELOW = {"en": 12, "zh": 6}
_NUMBERED = re.compile(r"[\W_]*(?:[^\W\d_]+[\W_]*)?\d{4,}[\W_]*")
"""A title that is but the number of its document says nothing."""
_CERTAIN = 1e-4


class Reader(Protocol):
    """Reads a question and a text together."""

    @property
    def fingerprint(self) -> str:
        """Changes with whatever changes what it says."""

    def answers(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        """(n,): for each ``(text, question)`` the probability that the text answers the question."""


@dataclass(frozen=True, slots=True)
class Quote:
    """``hit.passage.text[start:end]`` is a sentence; offsets are into the passage. ``answers`` is the reader's
    probability, 0 to 1, that it answers the question, ``coverage`` the part, 0 to 1, of the question's terms that it
    holds, ``score`` all together, as log-odds."""

    hit: Hit
    start: int
    end: int
    answers: float
    coverage: float
    score: float

    @property
    def text(self) -> str:
        return self.hit.passage.text[self.start : self.end]

    @property
    def log_odds(self) -> float:
        return log_odds(self.answers)


def ranked_sentences(question: str, hits: Sequence[Hit], reader: Reader) -> list[Quote]:
    """The sentences of the best passages, most fitting first."""
    candidates = _candidates(question, hits[:PASSAGES_READ])
    if not candidates:
        return []
    found = reader.answers([(_with_context(hit.passage, start, end), question) for hit, start, end, _ in candidates])
    quotes = [
        Quote(hit, start, end, float(answers), coverage, _score(float(answers), coverage, hit.rank))
        for (hit, start, end, coverage), answers in zip(candidates, found, strict=True)
    ]
    return sorted(quotes, key=lambda quote: -quote.score)


def choose(ranked: Sequence[Quote], language: Language) -> list[Quote]:
    """Up to MAX_SENTENCES of ``ranked``, close to the best and different from each other, in the order of their
    passages. Sentences in ``language`` are taken where there are any, else those in the other language."""
    own = [quote for quote in ranked if language_of(quote.text) == language]
    pool = own or list(ranked)
    chosen: list[Quote] = []
    for quote in pool:
        if len(chosen) == MAX_SENTENCES or quote.score < pool[0].score - MARGIN:
            break
        if all(_shared(quote.text, other.text) < SAME_WORDS for other in chosen):
            chosen.append(quote)
    return sorted(chosen, key=lambda quote: (quote.hit.rank, quote.start))


def log_odds(probability: float) -> float:
    bounded = min(max(probability, _CERTAIN), 1 - _CERTAIN)
    return float(np.log(bounded / (1 - bounded)))


def _score(answers: float, coverage: float, rank: int) -> float:
    return log_odds(answers) + COVERAGE_WEIGHT * coverage - RANK_WEIGHT * (rank - 1)


def _candidates(question: str, hits: Sequence[Hit]) -> list[tuple[Hit, int, int, float]]:
    """``(hit, start, end, coverage)`` of SENTENCES_READ sentences: the best of each passage, then the best of all."""
    aligned = align(question, [Evidence(hit.passage.text, _context(hit.passage)) for hit in hits])
    quotable = [_Quotable(hit) for hit in hits]
    best: dict[int, tuple[Hit, int, int, float]] = {}
    others = []
    for part in aligned.ranked:
        start = quotable[part.source].start_of(part)
        if start is None:
            continue
        candidate = (hits[part.source], start, part.end, part.coverage)
        if part.source in best:
            others.append(candidate)
        else:
            best[part.source] = candidate
    return [*best.values(), *others][:SENTENCES_READ]


class _Quotable:
    """Which sentences of a passage may be quoted: no headings, questions, column names, reference lists or
    fragments."""

    def __init__(self, hit: Hit) -> None:
        passage = hit.passage
        listed = _REFERENCES.search(passage.text)
        self._is_bibliography = bool(passage.section and _REFERENCES.search(passage.section))
        self._listed_from = listed.start() if listed else len(passage.text)
        self._entries = [range(*entry.span()) for entry in _ENTRY.finditer(passage.text)]
        self._headings = {passage.title, *(passage.section or "").split(" > "), *_table_headers(passage.text)}

    def start_of(self, part: Part) -> int | None:
        """Where a sentence begins behind its list marker; None where it may not be quoted."""
        marker = _MARKER.match(part.text)
        sentence = part.text[marker.end() :] if marker else part.text
        if self._is_bibliography or sentence in self._headings or sentence.endswith(("?", "？")):
            return None
        if _BIBLIOGRAPHIC.search(sentence) or part.start >= self._listed_from:
            return None
        if any(part.start in entry for entry in self._entries):
            return None
        if len(_LETTER.findall(sentence)) < _CONTENTLESS_BELOW[language_of(sentence)]:
            return None
        return part.end - len(sentence)


def _with_context(passage: Passage, start: int, end: int) -> str:
    """A sentence behind the beginning of its passage's title and headings."""
    context = _context(passage)
    opening = context[: CONTEXT_CHARACTERS[language_of(context)]]
    sentence = passage.text[start:end]
    return f"{opening}: {sentence}" if opening else sentence


def _context(passage: Passage) -> str:
    title = "" if _NUMBERED.fullmatch(passage.title) else passage.title
    return ", ".join(part for part in (title, passage.section) if part)


def _table_headers(text: str) -> Iterator[str]:
    """The first rows of the tables in a passage: they name columns and say nothing by themselves."""
    lines = text.split("\n")
    for before, line, after in zip(["", *lines], lines, lines[1:], strict=False):
        if _CELLS in line and _CELLS in after and _CELLS not in before:
            yield line


def _shared(one: str, other: str) -> float:
    first, second = set(terms(one)), set(terms(other))
    return len(first & second) / max(1, len(first | second))
