"""Identifiers of people are taken out of what is asked before anything is done with it: what is searched for, put to a
model, stored and logged has words such as ``[name]`` in their place, so that what is recorded is what ran.

This finds most of what identifies somebody by its form (see the README for how much), not all: it is a second net, no
reason to enter data of patients. Documents are not changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.identifiers import Identifier, identifiers
from rag.languages import language_of
from rag.personal_names import names
from rag.placeholders import PLACEHOLDER, Kind, placeholder
from rag.postal_addresses import addresses
from rag.settings import Settings
from rag.types import Ask, Query, Turn

_FIRST: tuple[Kind, ...] = ("email", "passport", "address", "born", "id", "record", "phone", "name")
"""Which kind is said of what is found as more than one of the same length."""
_ORDINARY = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_ORDINARY |= dict.fromkeys((0x3000, 0xA0, 0x2007, 0x2009, 0x202F), 0x20)
_ORDINARY |= dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2212), 0x2D)


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without identifiers, and which kinds were in it, each once, in the order of the text."""

    text: str
    kinds: tuple[Kind, ...] = ()


def masked(text: str) -> Masked:
    """``text`` with each identifier replaced by a word for its kind, in the text's language: ``[name]``, ``[姓名]``.
    Masking what was masked changes nothing."""
    ordinary = text.translate(_ORDINARY)  # a character for a character, so that places stay
    found = _apart([*identifiers(ordinary), *addresses(ordinary), *names(ordinary)], ordinary)
    language = language_of(text)
    said, at = "", 0
    for one in found:
        said += text[at : one.start] + placeholder(one.kind, language)
        at = one.end
    return Masked(said + text[at:], tuple(dict.fromkeys(one.kind for one in found)))


def masked_ask(ask: Ask, settings: Settings) -> tuple[Ask, tuple[Kind, ...]]:
    """What is asked without identifiers, the turns before it too, and which kinds were in the asker's own words; as it
    is where the settings say so."""
    if not settings.mask_identifiers:
        return ask, ()
    query, kinds = masked_query(ask.query, settings)
    questions = [masked(turn.question) for turn in ask.history]
    history = tuple(
        Turn(question.text, masked(turn.answer).text) for question, turn in zip(questions, ask.history, strict=True)
    )
    before = (kind for question in questions for kind in question.kinds)
    return replace(ask, query=query, history=history), tuple(dict.fromkeys((*kinds, *before)))


def masked_query(query: Query, settings: Settings) -> tuple[Query, tuple[Kind, ...]]:
    """The query without identifiers, and which kinds were in it; as it is where the settings say so."""
    if not settings.mask_identifiers:
        return query, ()
    found = masked(query.text)
    return replace(query, text=found.text), found.kinds


def _rank(one: Identifier) -> tuple[int, bool, int, int]:
    return one.start - one.end, not one.announced, _FIRST.index(one.kind), one.start


def _apart(found: Sequence[Identifier], text: str) -> list[Identifier]:
    """What was found without overlaps, in order: of several in one place the longest counts, of equal ones what a word
    announces."""
    kept: list[Identifier] = []
    placeholders = [match.span() for match in PLACEHOLDER.finditer(text)]
    best_first = sorted(found, key=_rank)
    for one in best_first:
        if any(one.start < end and start < one.end for start, end in placeholders):
            continue
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
