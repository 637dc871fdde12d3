"""Sentences of evidence whose lines were broken to fit a page, as in the text of a scanned guideline.

A line break ends a sentence for ``rag.sentences``, since most are those of paragraphs, list items and table rows. Here
a line is joined with the one after it where the first cannot be whole and the second cannot begin anything: what is
joined by mistake would let a number of one table row stand for another's.
"""

import re

from rag.languages import HAN
from rag.sentences import sentence_spans

_LONG = 40
_LONG_HAN = 16
_NEARLY_FULL = 0.75
_BREAK = re.compile(r"[^\S\n]*\n[^\S\n]*")
_ENDED = re.compile(r"[.!?:;。！？：；…|]$")
_OPEN = re.compile(
    r"(?:[,(（，、/+<>≤≥=~-]|\b(?:a|an|and|or|the|of|to|in|at|on|by|for|with|from|than|least|most|every|over|under|about|"
    r"up|per|between|after|before|until|within|is|are|was|were|be|not|if|as|that|which|maximum|minimum))$",
    re.IGNORECASE,
)
_ENDS_IN_NUMBER = re.compile(r"\d$")
_GOES_ON = re.compile(r"[a-zα-ωµμ°%(](?![.)]\s)")
_COUNTS = re.compile(r"[<>≤≥]?\s?\d[\d.,/-]*\s?(?:%|[a-z°µμ])(?![.)])")
_BEGINS_WITH_NUMBER = re.compile(r"[<>≤≥]?\s?\d")
_HAN_LETTER = re.compile(rf"[{HAN}]")
_HAN_GOES_ON = re.compile(rf"[{HAN}\d，、）)](?![.．、)）])")
_HAN_OPENS = re.compile(r"[，、（(]$")
_BETWEEN_HAN = re.compile(rf"(?<=[{HAN}，、])\s*\n\s*(?=[{HAN}])")
_BREAKS = re.compile(r"\s*\n\s*")


def unwrapped_spans(text: str) -> list[tuple[int, int]]:
    """The sentences of ``text`` as offsets like those of ``sentence_spans``, but over line breaks inside a sentence."""
    spans = sentence_spans(text)
    if "\n" not in text:
        return spans
    full = max(len(line.strip()) for line in text.split("\n"))
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        if joined and _goes_on(text, joined[-1], (start, end), full):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def unwrapped(text: str) -> str:
    """``text`` in one line."""
    return _BREAKS.sub(" ", _BETWEEN_HAN.sub("", text))


def _goes_on(text: str, one: tuple[int, int], following: tuple[int, int], full: int) -> bool:
    """Whether the sentence at ``following`` is the rest of that at ``one``; ``full`` is the length of a full line."""
    if not _BREAK.fullmatch(text, one[1], following[0]):
        return False
    line = text[text.rfind("\n", 0, one[1]) + 1 : one[1]].strip()
    if _ENDED.search(line):
        return False
    if _HAN_LETTER.search(line):
        is_full = len(line) >= max(_LONG_HAN, _NEARLY_FULL * full)
        return bool(_HAN_GOES_ON.match(text, following[0]) and (is_full or _HAN_OPENS.search(line)))
    is_full = len(line) >= max(_LONG, _NEARLY_FULL * full)
    if _GOES_ON.match(text, following[0]):
        return is_full or bool(_OPEN.search(line) or _ENDS_IN_NUMBER.search(line))
    if not _COUNTS.match(text, following[0]):
        return False
    return bool(_OPEN.search(line)) or (is_full and not _BEGINS_WITH_NUMBER.match(line))
