"""Two sentences held against each other word by word: which words both have, and what stands in place of what.

Keys are compared, so that synonyms and opposites pair; a word that moved pairs too.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from rag.checking.reading import Reading, Token, read, without_quantities
from rag.checking.synonyms import Meaning, meaning_of
from rag.languages import HAN

ALIKE = 0.6
"""The part of a sentence's words that another must have for what differs to be said in place of something."""
_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W_]")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_FEW = 2
_SAME = 0.05
_MOST_READ = 4


@dataclass(frozen=True, slots=True)
class Gap:
    """Words of both sentences, either possibly none, that stand between the same words and are not the same. ``text``
    and ``other_text`` are what is written there, function words included."""

    words: tuple[Token, ...]
    others: tuple[Token, ...]
    text: str
    other_text: str


@dataclass(frozen=True, slots=True)
class Pairing:
    """``pairs`` are positions of tokens with the same key in ``one`` and ``other``; ``moved`` those of them that are
    not in the same order. ``coverage`` is the part, 0 to 1, of the tokens of ``one`` that have a pair."""

    one: Reading
    other: Reading
    pairs: dict[int, int]
    moved: frozenset[int]
    gaps: tuple[Gap, ...]
    coverage: float

    @property
    def alike(self) -> bool:
        """Whether the sentences are the same but for some words."""
        if self.coverage >= ALIKE or (self.pairs and self._unpaired(_FEW)):
            return True
        if len(self.gaps) != 1:
            return False
        gap = self.gaps[0]
        return self.likeness >= 0.5 or len(gap.text) + len(gap.other_text) <= 0.5 * (
            len(self.one.text) + len(self.other.text)
        )

    @property
    def likeness(self) -> float:
        """Dice's coefficient of the words of both, 0 to 1."""
        both = len(self.one.tokens) + len(self.other.tokens)
        return 2 * len(self.pairs) / both if both else 0.0

    @property
    def close(self) -> bool:
        """Whether the sentences are the same but for very few words, or for those in one place."""
        if not self.alike:
            return False
        places = sum(1 for gap in self.gaps if gap.words)
        return places <= 1 or self._unpaired(max(_FEW, int(0.2 * len(self.one.tokens))), others=False)

    def _unpaired(self, most: int, *, others: bool = True) -> bool:
        """Whether at most ``most`` words of either sentence have no pair."""
        own = len(self.one.tokens) - len(self.pairs)
        return own <= most and (not others or len(self.other.tokens) - len(self.pairs) <= most)


def pairings(sentence: str, near: Sequence[str]) -> list[Pairing]:
    """The pairings of ``sentence`` with those of ``near`` that are about as much like it as the one that is most, that
    one first."""
    found = [paired(sentence, text) for text in near[:_MOST_READ]]
    found.sort(key=lambda pairing: (-pairing.coverage, -pairing.likeness))
    return [
        one for one in found if one.coverage >= found[0].coverage - _SAME and one.likeness >= found[0].likeness - _SAME
    ]


@lru_cache(maxsize=4096)
def paired(sentence: str, text: str) -> Pairing:
    one, other = read(sentence), read(text)
    matcher = SequenceMatcher(None, one.keys, other.keys, autojunk=False)
    pairs: dict[int, int] = {}
    open_gaps: list[tuple[int, int, int, int]] = []
    for operation, i, i_end, j, j_end in matcher.get_opcodes():
        if operation == "equal":
            pairs.update(zip(range(i, i_end), range(j, j_end), strict=True))
        else:
            open_gaps.append((i, i_end, j, j_end))
    moved = _moved(one, other, pairs)
    kept = [position for position, token in enumerate(one.tokens) if not token.negates]
    coverage = sum(position in pairs for position in kept) / len(kept) if kept else 0.0
    taken = set(pairs.values())
    gaps = tuple(
        Gap(
            tuple(one.tokens[k] for k in range(i, i_end) if k not in pairs),
            tuple(other.tokens[k] for k in range(j, j_end) if k not in taken),
            _between(one, i, i_end),
            _between(other, j, j_end),
        )
        for i, i_end, j, j_end in open_gaps
    )
    return Pairing(one, other, pairs, frozenset(moved), gaps, coverage)


def differing(one: str, other: str) -> tuple[str, str, str, str]:
    """What is left of two texts without what they share at the begin and at the end, and those two: words, or letters
    where they are Chinese, and no quantities."""
    pattern = _LETTER if _HAN.search(one + other) else _WORD
    own, source = (list(pattern.finditer(without_quantities(text))) for text in (one, other))
    start = end = 0
    most = min(len(own), len(source))
    while start < most and own[start][0].lower() == source[start][0].lower():
        start += 1
    while end < most - start and own[-1 - end][0].lower() == source[-1 - end][0].lower():
        end += 1
    left, right = own[start : len(own) - end], source[start : len(source) - end]
    before = one[: own[start - 1].end()] if start else ""
    after = one[own[len(own) - end].start() :] if end else ""
    return _written(one, left), _written(other, right), before, after


def differing_words(one: str, other: str) -> Iterator[tuple[Meaning, Meaning]]:
    """What the words mean by which two texts differ, where lists have both: what is left of them, or in Chinese that
    with the letter before or behind it, since a word may share one with what stands in its place."""
    own, source, before, after = differing(one, other)
    if own and source:
        for lead, tail in (("", ""), ("", after[:1]), (before[-1:], "")):
            first, second = meaning_of(lead + own + tail), meaning_of(lead + source + tail)
            if first and second:
                yield first, second


def _written(text: str, parts: list[re.Match[str]]) -> str:
    return text[parts[0].start() : parts[-1].end()] if parts else ""


def _moved(one: Reading, other: Reading, pairs: dict[int, int]) -> set[int]:
    """Pairs the tokens, negations apart, that both have at different places."""
    taken = set(pairs.values())
    free: dict[str, list[int]] = {}
    for position, token in enumerate(other.tokens):
        if position not in taken and not token.negates:
            free.setdefault(token.key, []).append(position)
    moved = set()
    for position, token in enumerate(one.tokens):
        if position not in pairs and (places := free.get(token.key)):
            pairs[position] = places.pop(0)
            moved.add(position)
    return moved


def _between(reading: Reading, first: int, last: int) -> str:
    """What is written from the end of the token before ``first`` to the begin of token ``last``."""
    start = reading.tokens[first - 1].end if first else 0
    end = reading.tokens[last].start if last < len(reading.tokens) else len(reading.text)
    return reading.text[start:end]
