"""Which of the passages that a search found are copies of each other.

A copy says the same sentences. What may differ in a sentence is what never changes its sense: case, width, quotation
marks, brackets and commas, spacing, and English words such as "the" and "is"; beside the sentences, headings, list
marks and the labels of an abstract. One other word that differs makes another statement, since it may be a dose, a
unit, a comparator, a negation, or the name of a drug or disease. A likeness by shared word triples would not do:
medical texts that share four fifths of them and are no copies mostly differ in just such a word.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from rag.analysis import terms
from rag.languages import HAN
from rag.types import Passage

SAME_PART = 0.8
"""The part of a passage, by length, that another one has to say to be a copy of it, if it says nothing else."""
PASSAGES_KEPT = 4096
"""Of so many passages, those found last, the sentences are kept: some kilobytes each, for about a fifth of the time
that a search takes beside its embedding where passages are found again."""

_EXPONENT = re.compile("(?<=[0-9])(?=[⁰¹²³⁴-⁹⁺⁻])")
_BEYOND_LATIN = re.compile("[\u3400-\U0003134f]")
_BESIDE_HAN = re.compile(rf"(?<=[{HAN}])\s+|\s+(?=[{HAN}])")
_DASHES = "‐‑‒–—−"
_SPACES = ",;:()[]{}\"'\t"
_ASCII_SPACES = str.maketrans(dict.fromkeys(_SPACES, " "))
_WIDE_SPACES = re.compile(f"[{re.escape(_SPACES)}“”‘’«»、《》「」『』【】…]+")
_ENDS = {"\n": ". ", "。": ". ", "!": ". ", "?": " ?. "}
_LIST_MARKS = frozenset("-*•·o")
_WORDS = "an the is are was were be been being this that these those of".split()
_SAYING_NOTHING = frozenset(_WORDS) | {word.capitalize() for word in _WORDS}
_LABELS = frozenset(
    """
    abstract aim aims background conclusion conclusions findings interpretation introduction method methods objective
    objectives purpose result results 背景 目的 方法 结果 结论
    """.split()
)


@dataclass(frozen=True, slots=True)
class Copy:
    """``whole`` is that it says everything that the passage says of which it is a copy, not only most of it."""

    passage: Passage
    whole: bool


@dataclass(frozen=True, slots=True)
class Copies:
    """A passage and, best first, the copies of it among those ranked below."""

    best: Passage
    others: list[Copy] = field(default_factory=list)


def collapsed(ranked: Iterable[Passage], question: str) -> list[Copies]:
    """``ranked`` in its order, each passage with its copies, which are left out where they stood.

    Nothing is lost: every sentence of a copy stands in the passage that is kept. Not copies, whatever they say, are
    passages of different editions of one document, passages of which one no longer holds, and passages whose titles
    or headings differ in a term of the question that their text lacks: "5 mg once daily" below the names of two drugs
    that were asked about.
    """
    asked: set[str] | None = None
    groups: list[Copies] = []
    saying: dict[str, list[tuple[Copies, frozenset[str]]]] = {}
    for passage in ranked:
        said = sentences(passage)
        longest = max(said, key=len, default="")
        for group, kept in saying.get(longest, ()):
            if said <= kept and _length(said) >= SAME_PART * _length(kept) and _comparable(group.best, passage):
                asked = set(terms(question)) if asked is None else asked
                if not _told_apart(group.best, passage, asked):
                    group.others.append(Copy(passage, said == kept))
                    break
        else:
            groups.append(Copies(passage))
            for sentence in said:
                saying.setdefault(sentence, []).append((groups[-1], said))
    return groups


def sentences(passage: Passage) -> frozenset[str]:
    """What a passage says below its headings, sentence by sentence, without what may differ between copies."""
    return _sentences(_without_headings(passage))


@lru_cache(maxsize=PASSAGES_KEPT)
def _sentences(text: str) -> frozenset[str]:
    text += "\n"
    wide = not text.isascii()
    if wide:
        if not unicodedata.is_normalized("NFKC", text):
            text = unicodedata.normalize("NFKC", _EXPONENT.sub("^", text))
        text = _WIDE_SPACES.sub(" ", text)
        for dash in _DASHES:
            text = text.replace(dash, "-")
    else:
        text = text.translate(_ASCII_SPACES)
    for end, stop in _ENDS.items():
        text = text.replace(end, stop)
    if wide and _BEYOND_LATIN.search(text):
        text = _BESIDE_HAN.sub("", text)
    return frozenset(filter(None, map(_plain, text.split(". "))))


def _plain(sentence: str) -> str:
    words = [word for word in sentence.split() if word not in _SAYING_NOTHING]
    if words and words[0] in _LIST_MARKS:
        del words[0]
    if words and words[0].casefold() in _LABELS:
        del words[0]
    return " ".join(words).strip(" .").casefold()


def _without_headings(passage: Passage) -> str:
    """A passage's text from where its title and headings end: the first passage of a section begins with them."""
    headings = {passage.title, *(passage.section or "").split(" > ")}
    text = passage.text
    while True:
        line, found, rest = text.partition("\n")
        if not found or line.strip() not in headings:
            return text
        text = rest.lstrip("\n")


def _length(said: frozenset[str]) -> int:
    return sum(map(len, said))


def _comparable(one: Passage, other: Passage) -> bool:
    two_editions = one.document_id == other.document_id and one.edition_id != other.edition_id
    return not two_editions and one.superseded == other.superseded


def _told_apart(one: Passage, other: Passage, asked: set[str]) -> bool:
    differing = (_place(one) ^ _place(other)) & asked
    return bool(differing) and bool(differing - set(terms(one.text)))


def _place(passage: Passage) -> set[str]:
    return set(terms(f"{passage.title}\n{passage.section or ''}"))
