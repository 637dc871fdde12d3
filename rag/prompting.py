"""The prompt for a grounded answer: as many of the passages found as the model has room for, numbered and delimited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag.context import Context, contexts
from rag.errors import InvalidRequest
from rag.flags import INSTRUCTION
from rag.injection import neutralised
from rag.languages import HAN
from rag.llm import LanguageModel
from rag.prompts import labels, prompt
from rag.system import System
from rag.types import Caller, Hit, Language

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

CONTEXT_CHARACTERS = {"en": 12_000, "zh": 5_000}
"""What is shown at most, in characters: about 3,500 tokens either way."""


@dataclass(frozen=True, slots=True)
class GroundedPrompt:
    """``shown[n - 1]`` is what the model sees as passage ``n``: a hit whose text is all that it sees of it."""

    messages: tuple["BaseMessage", ...]
    shown: tuple[Hit, ...]
    version: str


async def grounded_prompt(
    question: str,
    language: Language,
    found: Sequence[Context],
    llm: LanguageModel,
    answer_tokens: int,
) -> GroundedPrompt:
    """The prompt with as many of the contexts, best first and each whole, as leave room for the answer.

    Raises InvalidRequest where not even the first has room, and what the language model raises.
    """
    said = prompt("grounded", language)
    room = (await llm.served()).context_tokens - answer_tokens
    kept = list(found)
    while True:
        passages = "\n\n".join(passage_block(n, context, language) for n, context in enumerate(kept, start=1))
        messages = said.messages(passages=passages, question=neutralised(question))
        length = await llm.count_tokens(messages)
        if length <= room:
            return GroundedPrompt(tuple(messages), tuple(_as_hit(context) for context in kept), said.version)
        if len(kept) <= 1:
            raise InvalidRequest(
                f"Question and best passage take {length} tokens and the language model has room for {room}: "
                "ask more briefly, or start it with a longer --max-model-len"
            )
        kept = kept[: max(1, min(len(kept) - 1, len(kept) * room // length))]


def contexts_of(hits: Sequence[Hit], caller: Caller, system: System) -> tuple[Context, ...]:
    """What of the hits, and of what stands around them, a model is shown at most."""
    text = "".join(hit.passage.text for hit in hits)
    han = len(re.findall(f"[{HAN}]", text)) / max(1, len(text))
    budget = round(han * CONTEXT_CHARACTERS["zh"] + (1 - han) * CONTEXT_CHARACTERS["en"])
    with system.database.reading() as session:
        return contexts(session, caller, hits, budget, system.settings.excluded_flags)


def _as_hit(context: Context) -> Hit:
    passage = replace(context.hit.passage, text=context.text, char_start=context.char_start, char_end=context.char_end)
    return replace(context.hit, passage=passage)


def passage_block(number: int, context: Context, language: Language) -> str:
    """A passage as the model sees it. Nothing that comes from a document can end it or speak from outside it."""
    named, passage = labels(language), context.hit.passage
    stated = {
        "title": passage.title,
        "publisher": passage.publisher,
        "edition": passage.edition,
        "published": passage.published,
        "section": passage.section,
        "page": passage.page,
    }
    lines = [f"{named[name]}: {_one_line(str(value))}" for name, value in stated.items() if value]
    lines += [f"({named['superseded']})"] if passage.superseded else []
    lines += [f"{named['table']}: {neutralised(head.text)}" for head in context.head]
    lines += [f"({named['quoted_instruction']})"] if INSTRUCTION in passage.flags else []
    return "\n".join([f'<passage n="{number}">', *lines, "", neutralised(context.text), "</passage>"])


def _one_line(text: str) -> str:
    return neutralised(" ".join(text.split()))
