"""Retrieved text and questions are data: what in them could speak as somebody else is made inert, and an answer that
obeys an order from a document is told from one about medicine.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rag.injection_rules import RULES

_NO_WIDTH = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
_MAYBE_TOKEN = re.compile("[<[＜［‹〈〈❬❮❰⟨⟦˂【]")
_LOOK_ALIKE = str.maketrans(
    "‹〈〈❬❮❰⟨˂›〉〉❭❯❱⟩˃¦∣│┃ǀ❘⎸︱⟦⟧【】⁄∕▁",
    "<<<<<<<<>>>>>>>>||||||||[][]//_",
)
_INERT = {"<": "‹", ">": "›", "|": "¦", "[": "⟦", "]": "⟧"}
_TOKEN = re.compile(
    r"""
      <\s?\|\s?[^<>|\n]{1,60}\s?\|\s?>                                      # <|user|>, <|im_start|>, <｜User｜>
    | <\|\s?(?:im_|start|end|eot|eom|user|assistant|system|observation)\w*  # an open one
    | <</?\s?sys\s?>>
    | </?\s?(?:s|sop|eop|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|unused\d{1,3}|begin_of_\w{1,20}|end_of_\w{1,20}
          |system|user|assistant|human|observation|instructions?|prompt|think|tool_\w{1,20})\s?>
    | <\s{0,9}/?\s{0,9}passages?(?![a-z])[^<>\n]{0,200}>?  # the edges of our passages
    | \[\s?/?\s?(?:inst|gmask|smask|system_prompt|available_tools|tool_calls|tool_results|tool_content)\s?\]
    | (?-i:\[MASK\])
    """,
    re.VERBOSE | re.IGNORECASE,
)


def neutralised(text: str) -> str:
    """``text`` in which no control token of a chat template, and no mark of a passage's edge, is one any more: its
    brackets and bars are replaced by others that look like them. Everything else stays as it is."""
    if not _MAYBE_TOKEN.search(text):
        return text
    folded, places = _folded(text)
    pieces, at = [], 0
    for token in _TOKEN.finditer(folded):
        start, end = places[token.start()], places[token.end() - 1] + 1
        pieces += [text[at:start], *(_INERT.get(folded[i], text[places[i]]) for i in range(*token.span()))]
        at = end
    return "".join([*pieces, text[at:]]) if pieces else text


def _folded(text: str) -> tuple[str, Sequence[int]]:
    """``text`` without characters of no width and with plain brackets, bars and letters for those that look like them,
    and where each of its characters stands."""
    if text.isascii():
        return text, range(len(text))
    places = [place for place, character in enumerate(text) if not _NO_WIDTH.match(character)]
    return "".join(_plain(text[place]) for place in places), places


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    normal = unicodedata.normalize("NFKC", character).translate(_LOOK_ALIKE)
    return normal if len(normal) == 1 else character


LONGEST_SHARED_WORDS = 6
LONGEST_SHARED_HAN = 11
"""How long a run of words, or of Chinese characters, an answer may share with a prompt."""
_READ = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff]+")


def obeyed(sentence: str, secrets: Sequence[str]) -> str | None:
    """Why ``sentence`` of an answer does what a document ordered rather than answer a question, None where it does
    not: "it repeats its instructions", which are ``secrets``, or one of the reasons of the rules. An answer to
    another question, asked by a document, is none of these: it is unsupported."""
    if neutralised(sentence) != sentence:
        return "it speaks in control tokens"
    plain = _NO_WIDTH.sub("", unicodedata.normalize("NFKC", sentence)).replace("’", "'")
    if _shares_a_run(plain, tuple(secrets)):
        return "it repeats its instructions"
    return next((reason for reason, rule in RULES if rule.search(plain)), None)


def _shares_a_run(text: str, secrets: tuple[str, ...]) -> bool:
    known = _runs_of_prompts(secrets)
    return any(run in known for run in _runs(text))


@lru_cache(maxsize=64)
def _runs_of_prompts(secrets: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    return frozenset(run for secret in secrets for run in _runs(unicodedata.normalize("NFKC", secret)))


def _runs(text: str) -> list[tuple[str, ...]]:
    """Every run of words, or of Chinese characters, that is one longer than may be shared."""
    units = _READ.findall(text.lower())
    found = []
    for length, is_han in ((LONGEST_SHARED_WORDS + 1, False), (LONGEST_SHARED_HAN + 1, True)):
        for start in range(len(units) - length + 1):
            run = tuple(units[start : start + length])
            if (sum(unit[0] >= "\u3400" for unit in run) > length // 2) is is_han:
                found.append(run)
    return found
