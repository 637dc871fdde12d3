"""Follow-up questions, and questions in the other language: what is asked becomes what is searched for."""

import re
from collections.abc import Sequence
from dataclasses import replace

from rag.analysis import terms
from rag.errors import ModelFailed, Unavailable
from rag.injection import neutralised
from rag.languages import language_of
from rag.llm import LanguageModel
from rag.prompts import prompt
from rag.system import System
from rag.types import GREEDY, Query, Turn

TURNS_KEPT = 4
"""How many turns before a question count for it."""
ANSWER_SHOWN = 400
LONGEST_REWRITTEN = 400
KEPT_TERMS = 0.6
"""The part of a follow-up's terms that must be found again in what it was rewritten to."""
_REFERS_BACK = re.compile(
    r"^(?:and|or|but|what about|how about|what if|so|then)\b|^(?:\w+ )?(?:it|they|this|these|those|he|she)\b"
    r"|^(?:那|那么|还有|另外)|^如果.{0,7}$|它|他们|她们|这个|这种|该药|该病|上述|呢[？?]?$",
    re.IGNORECASE,
)
_NAMES_NOTHING = re.compile(r"\b(?:its?|they|them|their|this|these|those|he|she)\b", re.IGNORECASE)
_SHORT, _BRIEFLY = 1, 4
"""So few terms say too little by themselves; and so few with a pronoun."""
_BRIEF = replace(GREEDY, max_tokens=120)


async def standalone(question: str, history: Sequence[Turn], llm: LanguageModel | None) -> str:
    """The question with what it refers to put in: rewritten by the language model, and where there is none, or it
    loses what was asked, put behind the question before it."""
    if not history:
        return question
    if llm is not None:
        said = prompt("rewrite", language_of(question))
        turns = "\n".join(
            f"- {neutralised(turn.question)}\n  {neutralised(turn.answer[:ANSWER_SHOWN])}" for turn in history
        )
        try:
            reply = await llm.complete(said.messages(history=turns, question=neutralised(question)), _BRIEF)
        except (Unavailable, ModelFailed):
            reply = ""
        rewritten = next(iter(reply.strip().splitlines()), "").strip(" \"“”'")
        if _says_the_same(question, rewritten):
            return rewritten
    return _joined(question, history)


async def translated(query: Query, system: System) -> Query:
    """The query with its translation by the language model, where the settings ask for that and it answers."""
    if system.llm is None or system.settings.query_translation == "dictionary" or not query.text.strip():
        return query
    said = prompt("translate", "en" if language_of(query.text) == "zh" else "zh")
    try:
        reply = await system.llm.complete(said.messages(question=neutralised(query.text)), _BRIEF)
    except (Unavailable, ModelFailed):
        return query
    translation = next(iter(reply.strip().splitlines()), "").strip()
    is_one = (
        translation and language_of(translation) != language_of(query.text) and len(translation) <= LONGEST_REWRITTEN
    )
    return replace(query, translation=translation if is_one else None)


def _says_the_same(question: str, rewritten: str) -> bool:
    """Whether a rewritten question is one, and still has the terms and the language of what was asked."""
    if not rewritten or len(rewritten) > LONGEST_REWRITTEN or language_of(rewritten) != language_of(question):
        return False
    asked, kept = set(terms(question)), set(terms(rewritten))
    return len(asked & kept) >= KEPT_TERMS * len(asked)


def _joined(question: str, history: Sequence[Turn]) -> str:
    """The question behind the last one that can be understood by itself."""
    if not _refers_back(question):
        return question
    before = next((turn.question for turn in reversed(history) if not _refers_back(turn.question)), history[0].question)
    return f"{before.strip()} {question}"


def _refers_back(question: str) -> bool:
    length = len(terms(question))
    if length <= _SHORT or _REFERS_BACK.search(question.strip()):
        return True
    return length <= _BRIEFLY and bool(_NAMES_NOTHING.search(question))
