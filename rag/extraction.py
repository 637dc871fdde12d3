"""Choosing the sentences that answer a question, as exact quotes from the passages that were found."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.analysis import terms
from rag.embedding import Embedder
from rag.languages import language_of
from rag.sentences import sentence_spans
from rag.types import Hit, Language

PASSAGES_READ = 6
SENTENCES_EMBEDDED = 8
MAX_SENTENCES = 4
COVERAGE_WEIGHT = 0.1
"""What a sentence gains that holds all terms of the question, on the scale of a cosine."""
MARGIN = 0.045
"""How far below the best sentence's score another may lie and still be quoted."""
SAME_WORDS = 0.6
"""Sentences that share at least this part of all their terms (Jaccard) say the same: one is enough."""

_CELLS = " | "
_MARKER = re.compile(r"(?:[-•*–]|\(?\d{1,2}[.)、]|[a-z]\))\s+")
_REFERENCES = re.compile(
    r"(?:^|> )(?:\d+[. ]*)?(?:references?|bibliography|further reading|参考文献|参考资料)\s*$", re.I
)
_BIBLIOGRAPHIC = re.compile(r"\bdoi\s*:|\b(?:19|20)\d\d;\s?\d+", re.I)
_LETTER = re.compile(r"[^\W\d_]")
_CONTENTLESS_BELOW = {"en": 12, "zh": 6}


@dataclass(frozen=True, slots=True)
class Quote:
    """``hit.passage.text[start:end]`` is a sentence; offsets are into the passage. ``cosine`` is its similarity to the
    question, ``coverage`` the part, 0 to 1, of the question's terms that it holds, ``score`` both together."""

    hit: Hit
    start: int
    end: int
    cosine: float
    coverage: float
    score: float

    @property
    def text(self) -> str:
        return self.hit.passage.text[self.start : self.end]


def ranked_sentences(question: str, hits: Sequence[Hit], embedder: Embedder) -> list[Quote]:
    """The sentences of the best passages, most fitting first."""
    asked = set(terms(question))
    candidates = [
        (_coverage(asked, hit.passage.text[start:end]), hit, start, end)
        for hit in hits[:PASSAGES_READ]
        for start, end in _quotable_spans(hit)
    ]
    candidates.sort(key=lambda candidate: -candidate[0])
    candidates = candidates[:SENTENCES_EMBEDDED]
    if not candidates:
        return []
    vectors = embedder.embed_passages([hit.passage.text[start:end] for _, hit, start, end in candidates])
    cosines = vectors @ embedder.embed_query(question)
    quotes = [
        Quote(hit, start, end, float(cosine), coverage, float(cosine) + COVERAGE_WEIGHT * coverage)
        for (coverage, hit, start, end), cosine in zip(candidates, cosines, strict=True)
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


def _quotable_spans(hit: Hit) -> list[tuple[int, int]]:
    """The sentences of a passage without list markers; no headings, questions, column names, reference lists or
    fragments."""
    passage = hit.passage
    if passage.section and _REFERENCES.search(passage.section):
        return []
    headings = {passage.title, *(passage.section or "").split(" > "), *_table_headers(passage.text)}
    spans = []
    for start, end in sentence_spans(passage.text):
        if marker := _MARKER.match(passage.text, start, end):
            start = marker.end()
        sentence = passage.text[start:end]
        if sentence in headings or sentence.endswith(("?", "？")) or _BIBLIOGRAPHIC.search(sentence):
            continue
        letters = len(_LETTER.findall(sentence))
        if letters >= _CONTENTLESS_BELOW[language_of(sentence)]:
            spans.append((start, end))
    return spans


def _table_headers(text: str) -> Iterator[str]:
    """The first rows of the tables in a passage: they name columns and say nothing by themselves."""
    lines = text.split("\n")
    for before, line, after in zip(["", *lines], lines, lines[1:], strict=False):
        if _CELLS in line and _CELLS in after and _CELLS not in before:
            yield line


def _coverage(asked: set[str], sentence: str) -> float:
    return len(asked & set(terms(sentence))) / len(asked) if asked else 0.0


def _shared(one: str, other: str) -> float:
    first, second = set(terms(one)), set(terms(other))
    return len(first & second) / max(1, len(first | second))
