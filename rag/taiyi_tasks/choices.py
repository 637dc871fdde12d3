"""What a model chose: ``B``, ``The answer is (B) Green.``, ``答案：B``, the words of an option, yes, no or maybe."""

import re

from rag.exam_questions import ExamQuestion
from rag.taiyi_tasks.types import Fact
from rag.taiyi_tasks.wording import canonical, plain

_CUE = r"(?:answer|option|choice|答案|选项|选择|应选|故选|选)\s*(?:is|was|为|是)?\s*:?\s*"
_OPENED = r"[\[(\"'*]*"
_CLOSED = r"(?![A-Za-z0-9'’])"
_BETWEEN = r"\s*(?:,|、|/|和|and\b|\s)?\s*"
_WORD = re.compile(r"\b(yes|no|maybe)\b|(不确定|可能|不是|是|否)", re.IGNORECASE)
_CHINESE = {"是": "yes", "否": "no", "不是": "no", "不确定": "maybe", "可能": "maybe"}


def chosen(question: ExamQuestion, reply: str) -> frozenset[Fact]:
    """The option that was chosen, or all letters together where several may be right; nothing where it cannot be
    told."""
    said = plain(reply).strip()
    choice = (
        _word(question, said) if question.kind == "yes_no" else _letters(question, said) or _by_words(question, said)
    )
    return frozenset({(choice,)}) if choice else frozenset()


def _word(question: ExamQuestion, said: str) -> str | None:
    """Behind a word such as answer, else the first."""
    cue = re.search(_CUE + r"\W*", said, re.IGNORECASE)
    found = (cue and _WORD.match(said, cue.end())) or _WORD.search(said)
    if found is None:
        return None
    word = _CHINESE.get(found[0]) or found[0].casefold()
    return word if word in question.options else None


def _letters(question: ExamQuestion, said: str) -> str | None:
    """Behind a word such as answer, the last time there is one, else at the beginning where what follows shows that
    the letter is no word."""
    letter = f"[{''.join(question.options)}]"
    several = rf"({letter}(?:{_BETWEEN}{letter})*)" if question.several else f"({letter})"
    behind = re.findall(rf"(?i:{_CUE}){_OPENED}{several}{_CLOSED}", said)
    leading = re.match(rf"{_OPENED}{several}{_CLOSED}\s*(?:[.,;:、。)\]\"'*\n]|$)", said)
    found = behind[-1] if behind else leading[1] if leading else ""
    return "".join(sorted({one for one in found if one in question.options})) or None


def _by_words(question: ExamQuestion, said: str) -> str | None:
    """The one option whose words the reply has; of two of which one holds the other, the longer."""
    whole = canonical(said)
    held = {letter: canonical(text) for letter, text in question.options.items()}
    named = {
        letter: text
        for letter, text in held.items()
        if re.search(rf"(?<![a-z0-9]){re.escape(text)}(?![a-z0-9])", whole)
    }
    longest = [
        letter for letter, text in named.items() if not any(text != other and text in other for other in named.values())
    ]
    return longest[0] if len(longest) == 1 else None
