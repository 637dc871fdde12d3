"""Where nothing is answered, what a reader is told: what was looked for, what no passage has, what came nearest."""

from collections.abc import Sequence

from rag.checking.reading import read
from rag.checking.synonyms import meaning_of
from rag.extraction import Quote
from rag.languages import language_of
from rag.notices import notice
from rag.types import Abstention, Hit, Language, Nearest

MOST_MISSING = 6
MOST_NEAREST = 3
LONGEST_SHOWN = 300
"""Characters of a nearest sentence that the text of an answer shows."""
_ASKING = frozenset("ani do mani much pleas should tell 多少 什么 吗 如何 怎么 是否 能否 哪些".split())
"""Keys of words that ask."""
_SAID: dict[Language, tuple[str, str, str, str]] = {
    "en": ("Looked for: {}", "No passage mentions: {}", "Nearest, but no answer: “{}” ({})", ", "),
    "zh": ("检索的问题：{}", "没有段落提到：{}", "最接近但不能作答的内容：“{}”（{}）", "、"),
}


def abstention(searched: str, hits: Sequence[Hit], ranked: Sequence[Quote]) -> Abstention:
    """``ranked`` are the sentences that came closest, best first; one of each document is shown."""
    nearest: dict[str, Nearest] = {}
    for quote in ranked:
        passage = quote.hit.passage
        if passage.document_id not in nearest and len(nearest) < MOST_NEAREST:
            nearest[passage.document_id] = Nearest(
                passage.passage_id,
                passage.document_id,
                passage.edition_id,
                passage.title,
                passage.published,
                quote.text,
            )
    return Abstention(searched, missing(searched, hits), tuple(nearest.values()))


def told(what: Abstention, language: Language) -> str:
    """The text of an answer that is none, a line for each thing."""
    looked_for, not_mentioned, nearest, comma = _SAID[language]
    lines = [notice("abstained", language), looked_for.format(what.looked_for)]
    if what.missing:
        lines.append(not_mentioned.format(comma.join(what.missing)))
    for one in what.nearest:
        source = ", ".join(part for part in (one.title, one.published) if part)
        lines.append(nearest.format(_shortened(" ".join(one.sentence.split())), source))
    return "\n".join(lines)


def missing(question: str, hits: Sequence[Hit]) -> tuple[str, ...]:
    """The words of the question that no passage has, under no name that is known for them in either language, as they
    were asked. A word that is in no dictionary is left out where passages in the other language were found: they may
    call it otherwise."""
    if not hits:
        return ()
    held: set[str] = set()
    for hit in hits:
        held.update(read(f"{hit.passage.title}\n{hit.passage.section or ''}\n{hit.passage.text}").keys)
    in_one_language = all(language_of(hit.passage.text) == language_of(question) for hit in hits)
    absent = [
        token.text
        for token in read(question).tokens
        if token.key not in held
        and token.key not in _ASKING
        and not token.negates
        and (in_one_language or meaning_of(token.text) is not None)
    ]
    return tuple(dict.fromkeys(absent))[:MOST_MISSING]


def _shortened(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SHOWN else sentence[:LONGEST_SHOWN].rstrip() + "…"
