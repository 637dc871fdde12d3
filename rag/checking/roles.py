"""What a number stands for in its sentence: the words around it, compared with those around another number.

Two numbers stand for the same where the same words lead up to them and follow them. Words far from the number, on the
other side of a comma or in another sentence say less; "of" and "the" say nothing; and other numbers count as some
number, so that a sentence in which one number was changed is still the same sentence; the same ones bind more.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.analysis import STOP_WORDS, stem
from rag.languages import HAN
from rag.quantities import normal, read
from rag.single_quantities import Quantity

_TOKEN = re.compile(rf"(?P<clause>[,;:，；：、。()（）]|\b(?:and|or|but)\b|[和或而])|[a-zα-ω]+|\d+|[{HAN}]")
_LISTED = re.compile(r"(?:\s?(?:[,、;/&]|\b(?:and|or)\b|[和或及与])\s?)+")
_RESPECTIVELY = re.compile(r"\brespective|分别|依次")
_LABELS_BEFORE = re.compile(
    r"\band [\w-]+(?: [\w-]+)? (?:was|were|is|are|of|been|be|had)(?: about| approximately)? ?$|"
    r"[和与及][^，。；]{1,8}[为是] ?$"
)
_CLAUSE = re.compile(r"[;:；：。(（]|\.\s")
_ITEM = re.compile(r",\s?(?:and\s)?|\band\b|[，、和与及]")
_LABELS_WITHIN = 80
_WORD_BEFORE = re.compile(r"\b([a-zα-ω]{1,8})[ -]$")
_NUMBER = "#"
_LONGEST_RUN = 8
_MOST_SHARED = 3.0
_MOST_OWN = 2.0
_FEWEST_WORDS = 2
_ROW = 2
_SAME_NUMBER = 1.0
_OTHER_NUMBER = 0.25


@dataclass(frozen=True, slots=True)
class QuantifiedSentence:
    """A sentence and its quantities.

    ``clauses`` are the clause of each of the ``words``, ``places`` where each quantity stands among them, ``around``
    the other words of its clause, ``own`` those of them that are in no other quantity's clause. ``lists`` are the list
    that each is part of: those in one list stand side by side, in an order that says nothing, else each has a list of
    its own. Where the order follows that of the things named before or after, ``labels`` are the words of the thing.
    ``names`` are what each may be as a name: BRCA 1 is BRCA1. ``said`` are all words and numbers.
    """

    text: str
    quantities: tuple[Quantity, ...]
    words: tuple[str, ...]
    clauses: tuple[int, ...]
    places: tuple[int, ...]
    around: tuple[frozenset[str], ...]
    own: tuple[frozenset[str], ...]
    labels: tuple[frozenset[str], ...]
    names: tuple[frozenset[str], ...]
    lists: tuple[int, ...]
    said: frozenset[str]

    def number_at(self, place: int) -> Quantity:
        """The quantity that stands at a place among the words."""
        return self.quantities[bisect_left(self.places, place)]


@lru_cache(maxsize=8192)
def quantified(sentence: str) -> QuantifiedSentence:
    text = normal(sentence)
    return _quantified(text, read(text))


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike the roles of two quantities are in their sentences: 0, nothing in common, to about 14. ``frame`` counts
    only the words that lead up to both and follow both, without a gap, ``role`` all that their clauses share too."""

    frame: float
    role: float


def likeness(one: QuantifiedSentence, at: int, other: QuantifiedSentence, place: int) -> Likeness:
    if one.labels[at] and other.labels[place]:
        named = 2.0 * min(_together(one.labels[at], other.labels[place]), _MOST_SHARED)
        return Likeness(named, named)
    here, there = one.places[at], other.places[place]
    frame = _run(one, here, other, there, -1) + _run(one, here, other, there, 1)
    own = min(_together(one.own[at], other.own[place]), _MOST_OWN)
    around = min(_together(one.around[at], other.around[place]), _MOST_SHARED)
    return Likeness(frame, frame + 1.5 * own + 0.5 * around)


def is_all_numbers(one: QuantifiedSentence) -> bool:
    """Whether a sentence has hardly any words: its numbers may stand in any order then."""
    return len(one.words) - len(one.places) < _FEWEST_WORDS


def within(one: QuantifiedSentence, other: QuantifiedSentence) -> Iterator[int]:
    """Where, counted in the quantities of ``other``, those of ``one`` stand if its words do one by one in ``other``;
    a row of hardly more than numbers must be all of it."""
    length = len(one.words)
    if is_all_numbers(one):
        if one.words == other.words and len(one.places) >= _ROW:
            yield 0
        return
    for start in range(len(other.words) - length + 1):
        if other.words[start : start + length] == one.words:
            yield bisect_left(other.places, start)


def _together(words: frozenset[str], others: frozenset[str]) -> float:
    return sum(_weight(word) for word in words & others)


def share(one: QuantifiedSentence, other: QuantifiedSentence) -> float:
    """The part, 0 to 1, of the words of ``one`` that ``other`` has."""
    return len(one.said & other.said) / len(one.said) if one.said else 0.0


def _run(one: QuantifiedSentence, here: int, other: QuantifiedSentence, there: int, step: int) -> float:
    """The weight of the words that two places have in common on one side, up to the first that differs; those of the
    next clause weigh half."""
    total, clause = 0.0, one.clauses[here]
    for _ in range(_LONGEST_RUN):
        here, there = here + step, there + step
        ends = not 0 <= here < len(one.words), not 0 <= there < len(other.words)
        if any(ends):
            return total + all(ends)
        if one.words[here] != other.words[there]:
            return total
        total += _alike(one, here, other, there) * (1.0 if one.clauses[here] == clause else 0.5)
    return total


def _alike(one: QuantifiedSentence, here: int, other: QuantifiedSentence, there: int) -> float:
    """The weight of a word that two sentences have in common; of a number, much where it is the same in both."""
    if one.words[here] != _NUMBER:
        return _weight(one.words[here])
    return _SAME_NUMBER if one.number_at(here).same(other.number_at(there)) else _OTHER_NUMBER


def _weight(word: str) -> float:
    return 1.0 if word.isascii() else 0.6


def _quantified(text: str, found: tuple[Quantity, ...]) -> QuantifiedSentence:
    folded = text.lower() if len(text.lower()) == len(text) else text
    words: list[str] = []
    clauses: list[int] = []
    places: list[int] = []
    clause = at = 0
    for end, quantity in [*((one.start, one) for one in found), (len(folded), None)]:
        for match in _TOKEN.finditer(folded, at, end):
            if match["clause"]:
                clause += 1
            elif match[0] not in STOP_WORDS:
                words.append(stem(match[0]))
                clauses.append(clause)
        if quantity is not None:
            places.append(len(words))
            words.append(_NUMBER)
            clauses.append(clause)
            at = quantity.end
    said = frozenset(words).union(one.value + one.unit for one in found) - {_NUMBER}
    spoken: dict[int, set[str]] = {}
    for place, one in zip(places, found, strict=True):
        if one.kind == "name":
            spoken.setdefault(clauses[place], set()).add(one.name)
    for word, number in zip(words, clauses, strict=True):
        if word != _NUMBER:
            spoken.setdefault(number, set()).add(word)
    around = tuple(frozenset(spoken.get(clauses[place], ())) for place in places)
    own = tuple(
        each.difference(
            *(other for other, place in zip(around, places, strict=True) if clauses[place] != clauses[here])
        )
        for each, here in zip(around, places, strict=True)
    )
    lists, labels = _lists(folded, found)
    names = tuple(_names(folded, one) for one in found)
    return QuantifiedSentence(
        text, found, tuple(words), tuple(clauses), tuple(places), around, own, labels, names, lists, said
    )


def _names(folded: str, one: Quantity) -> frozenset[str]:
    if one.kind == "name":
        return frozenset((one.name,))
    before = _WORD_BEFORE.search(folded, 0, one.start) if one.kind == "measure" and not one.unit else None
    return frozenset((before[1] + one.stated,)) if before else frozenset()


def _lists(folded: str, found: Sequence[Quantity]) -> tuple[tuple[int, ...], tuple[frozenset[str], ...]]:
    """For each quantity the number of its list, and its label where the order of the list is that of some names."""
    runs: list[list[int]] = []
    for at, one in enumerate(found):
        if at and _LISTED.fullmatch(folded, found[at - 1].end, one.start):
            runs[-1].append(at)
        else:
            runs.append([at])
    lists = list(range(len(found)))
    labels = [frozenset[str]()] * len(found)
    for run in runs:
        start, end = found[run[0]].start, found[run[-1]].end
        before = folded[max(0, start - _LABELS_WITHIN) : start]
        ordered = _RESPECTIVELY.search(folded, max(0, start - 8), end + _LABELS_WITHIN) or _LABELS_BEFORE.search(before)
        if len(run) > 1 and ordered:
            names = _labels(before, len(run), -1) or _labels(folded[end : end + _LABELS_WITHIN], len(run), 1)
            for at, name in zip(run, names, strict=False):
                labels[at] = name
        elif len(run) > 1:
            for at in run:
                lists[at] = run[0]
    return tuple(lists), tuple(labels)


def _labels(text: str, wanted: int, side: int) -> list[frozenset[str]]:
    """The words of the last, or the first, ``wanted`` things that a text lists; none where it does not list as many."""
    clauses = _CLAUSE.split(text)
    clause = clauses[-1] if side < 0 else clauses[0]
    items = [frozenset(_content(item)) for item in _ITEM.split(clause)]
    items = [item for item in items if item]
    items = items[-wanted:] if side < 0 else items[:wanted]
    if len(items) < wanted:
        return []
    common = items[0].intersection(*items[1:])
    return [item - common for item in items]


def _content(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        if not match["clause"] and match[0] not in STOP_WORDS and not match[0].isdigit():
            yield stem(match[0])
