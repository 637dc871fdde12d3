"""Identifiers of people are taken out of what is asked before anything is done with it: what is searched for, put to a
model, stored and logged has words such as ``[name]`` in their place, so that what is recorded is what ran.

This finds most of what identifies somebody by its form (see the README for how much), not all: it is a second net, no
reason to enter data of patients. Documents are not changed.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rag.identifiers import Identifier, Kind, identifiers
from rag.languages import language_of
from rag.personal_names import names
from rag.postal_addresses import addresses
from rag.types import Ask, Language, Query, Turn

_WORDS: dict[Language, dict[Kind, str]] = {
    "en": {
        "name": "name",
        "phone": "phone",
        "email": "email",
        "id": "ID number",
        "passport": "passport number",
        "record": "record number",
        "born": "date of birth",
        "address": "address",
    },
    "zh": {
        "name": "姓名",
        "phone": "电话",
        "email": "邮箱",
        "id": "证件号",
        "passport": "护照号",
        "record": "病历号",
        "born": "出生日期",
        "address": "住址",
    },
}
_PLACEHOLDER = re.compile(rf"\s?\[(?:{'|'.join(word for words in _WORDS.values() for word in words.values())})\]")
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
    words = _WORDS[language_of(text)]
    said, at = "", 0
    for one in found:
        said += f"{text[at : one.start]}[{words[one.kind]}]"
        at = one.end
    return Masked(said + text[at:], tuple(dict.fromkeys(one.kind for one in found)))


def masked_ask(ask: Ask) -> tuple[Ask, tuple[Kind, ...]]:
    """What is asked without identifiers, the turns before it too, and which kinds were masked in the question."""
    question = masked(ask.query.text)
    history = tuple(Turn(masked(turn.question).text, masked(turn.answer).text) for turn in ask.history)
    return replace(ask, query=replace(ask.query, text=question.text), history=history), question.kinds


def masked_query(query: Query) -> tuple[Query, tuple[Kind, ...]]:
    found = masked(query.text)
    return replace(query, text=found.text), found.kinds


def without_placeholders(text: str) -> str:
    """A masked text as it is searched for: the placeholders say nothing that a passage could match."""
    return _PLACEHOLDER.sub("", text).strip() or text


def kinds_told(kinds: Iterable[Kind], language: Language) -> str:
    """The kinds in words, for a reader."""
    return ("、" if language == "zh" else ", ").join(_WORDS[language][kind] for kind in kinds)


def _apart(found: Sequence[Identifier], text: str) -> list[Identifier]:
    """What was found without overlaps, in order: of several in one place the longest counts, with what others add."""
    kept: list[Identifier] = []
    placeholders = [match.span() for match in _PLACEHOLDER.finditer(text)]
    best_first = sorted(found, key=lambda one: (one.start - one.end, _FIRST.index(one.kind), one.start))
    for one in best_first:
        if any(one.start < end and start < one.end for start, end in placeholders):
            continue
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)
