"""What the evidence changed: an answer from the library and one from a model's memory, held against each other.

Statements are the sentences of an answer, but for those that say nothing a source could support; a heading is read
together with the items below it. A statement *agrees* with the other answer where that supports it, by the sentence
check (``rag.checking``), and *disagrees* where it says otherwise; else it is only on its own side. This has a
direction: one answer may say all that the other says, and more. What the corpus says of a statement from memory is
what the passages found for the question say of it, by the same check.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rag import remarks
from rag.checking.alignment import QUOTED_FROM, align
from rag.checking.check import checked
from rag.checking.entailment import Entailment
from rag.checking.numbers import number_findings
from rag.checking.types import Checked, Evidence
from rag.quantities import quantities
from rag.single_quantities import Quantity
from rag.types import Answer, Hit, Issue, Sentence, Verdict

CorpusSays = Literal["supports", "contradicts", "does_not_mention"]
OtherSide = Literal["agrees", "disagrees", "absent"]


@dataclass(frozen=True, slots=True)
class Quoted:
    """``quote == text_of_edition[char_start:char_end]``."""

    passage_id: str
    document_id: str
    edition_id: str
    title: str
    quote: str
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class Found:
    """What the passages found say of a statement. ``verdict`` is finer than ``says``: ``partial`` is that they say it
    in part or in other words, which counts as not mentioned. ``probability`` is the calibrated one, 0 to 1, of
    support; ``quotes`` are the sentences that fit best."""

    says: CorpusSays
    verdict: Verdict
    probability: float
    issues: tuple[Issue, ...]
    quotes: tuple[Quoted, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """``index`` is that of its sentence. ``other_side`` is what the other answer makes of it, ``counterpart`` the
    index of the sentence there that speaks of the same, None where none does. ``corpus`` is None for a statement from
    the library, whose sentence has a verdict already."""

    index: int
    text: str
    other_side: OtherSide
    counterpart: int | None
    issues: tuple[Issue, ...]
    corpus: Found | None = None


@dataclass(frozen=True, slots=True)
class OtherNumbers:
    """Two sentences that speak of the same with other numbers, as each writes them."""

    grounded_index: int
    ungrounded_index: int
    grounded: tuple[str, ...]
    ungrounded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of both answers, in the wording of the first place; ``differ`` are those that stand for the same."""

    both: tuple[str, ...]
    only_grounded: tuple[str, ...]
    only_ungrounded: tuple[str, ...]
    differ: tuple[OtherNumbers, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The statements of both answers, in their order."""

    grounded: tuple[Statement, ...]
    ungrounded: tuple[Statement, ...]
    numbers: Numbers


_Stated = tuple[int, str]
"""The index of a sentence, and what it states."""
_OF_SOMETHING_ELSE = frozenset(("name", "population"))
"""Kinds of issues that by themselves mean no contradiction here: nobody cited the text for the statement, so that one
about other drugs or other people just does not mention it."""


def difference(grounded: Answer, ungrounded: Answer, entailment: Entailment) -> Difference:
    """Raises Unavailable where the entailment model cannot be loaded."""
    from_library, from_memory = list(stated(grounded.sentences)), list(stated(ungrounded.sentences))
    corpus = evidence_of(grounded.passages)
    pairs = [
        *((text, corpus) for _, text in from_memory),
        *((text, _as_evidence(from_library)) for _, text in from_memory),
        *((text, _as_evidence(from_memory)) for _, text in from_library),
    ]
    found = iter(checked(pairs, entailment))
    in_corpus = [_found(next(found), grounded.passages) for _ in from_memory]
    there = [_statement(one, from_library, next(found), says) for one, says in zip(from_memory, in_corpus, strict=True)]
    here = [_statement(one, from_memory, next(found)) for one in from_library]
    return Difference(tuple(here), tuple(there), _numbers(from_library, from_memory, there))


def stated(sentences: Iterable[Sentence]) -> Iterator[_Stated]:
    """What an answer states, by the index of the sentence."""
    heading = ""
    for sentence in sentences:
        if remarks.says_nothing(sentence.text):
            continue
        text = remarks.plain(sentence.text)
        if remarks.is_heading(sentence.text):
            heading = text
            continue
        heading = heading if remarks.is_item(sentence.text) else ""
        yield sentence.index, f"{heading} {text}".strip()


def evidence_of(hits: Iterable[Hit]) -> list[Evidence]:
    """The passages of hits, as the check takes them."""
    return [
        Evidence(hit.passage.text, "\n".join(filter(None, (hit.passage.title, hit.passage.section)))) for hit in hits
    ]


def _as_evidence(statements: Iterable[_Stated]) -> list[Evidence]:
    return [Evidence(text) for _, text in statements]


def _found(one: Checked, hits: Sequence[Hit]) -> Found:
    says: CorpusSays = "does_not_mention"
    if one.verdict == "supported":
        says = "supports"
    elif _says_otherwise(one):
        says = "contradicts"
    quotes = tuple(_quoted(hits[at], start, end) for at, start, end in one.quotes)
    return Found(says, one.verdict, one.probability, one.issues, quotes)


def _says_otherwise(one: Checked) -> bool:
    return one.verdict == "contradicted" and any(issue.kind not in _OF_SOMETHING_ELSE for issue in one.issues)


def _quoted(hit: Hit, start: int, end: int) -> Quoted:
    passage = hit.passage
    return Quoted(
        passage.passage_id,
        passage.document_id,
        passage.edition_id,
        passage.title,
        passage.text[start:end],
        passage.char_start + start,
        passage.char_start + end,
    )


def _statement(one: _Stated, others: Sequence[_Stated], held: Checked, corpus: Found | None = None) -> Statement:
    index, text = one
    other_side: OtherSide = "absent"
    if held.verdict == "supported":
        other_side = "agrees"
    elif _says_otherwise(held):
        other_side = "disagrees"
    issues = held.issues if other_side == "disagrees" else ()
    return Statement(index, text, other_side, _counterpart(text, others), issues, corpus)


def _counterpart(text: str, others: Sequence[_Stated]) -> int | None:
    ranked = align(text, _as_evidence(others)).ranked
    return others[ranked[0].source][0] if ranked and ranked[0].coverage >= QUOTED_FROM else None


def _numbers(from_library: Sequence[_Stated], from_memory: Sequence[_Stated], recalled: Sequence[Statement]) -> Numbers:
    here, there = _quantities(from_library), _quantities(from_memory)
    return Numbers(
        _wordings(one for one in here if _is_among(one, there)),
        _wordings(one for one in here if not _is_among(one, there)),
        _wordings(one for one in there if not _is_among(one, here)),
        tuple(_differing(dict(from_library), recalled)),
    )


def _differing(from_library: dict[int, str], recalled: Iterable[Statement]) -> Iterator[OtherNumbers]:
    """Numbers in each other's place, by the check of numbers, in sentences that speak of the same."""
    for statement in recalled:
        if statement.counterpart is None:
            continue
        said, other = statement.text, from_library[statement.counterpart]
        if any(finding.contradicts for finding in number_findings(said, [other], other)):
            ours, theirs = _firm(other), _firm(said)
            left = [one for one in ours if not _is_among(one, theirs)]
            right = [one for one in theirs if not _is_among(one, ours)]
            kinds = {_kind(one) for one in left} & {_kind(one) for one in right}
            yield OtherNumbers(
                statement.counterpart,
                statement.index,
                _wordings(one for one in left if _kind(one) in kinds or not kinds),
                _wordings(one for one in right if _kind(one) in kinds or not kinds),
            )


def _kind(one: Quantity) -> tuple[str, str]:
    return one.kind, one.unit


def _quantities(statements: Iterable[_Stated]) -> list[Quantity]:
    return [one for _, text in statements for one in _firm(text)]


def _firm(text: str) -> list[Quantity]:
    return [one for one in quantities(text) if one.firm and one.kind != "name"]


def _is_among(one: Quantity, others: Iterable[Quantity]) -> bool:
    return any(one.same(other) for other in others)


def _wordings(found: Iterable[Quantity]) -> tuple[str, ...]:
    """One wording of each, in order."""
    distinct: list[Quantity] = []
    for one in found:
        if not _is_among(one, distinct):
            distinct.append(one)
    return tuple(one.stated for one in distinct)
