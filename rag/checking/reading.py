"""A sentence as the words that carry its meaning, in order, each with a key that its synonyms share.

Function words are left out; a name of several words is one token; a word that stands for a negation and another, such
as "ineffective" or 无效, is two. A number with its unit, or a frequency, is one token and no word, whose key is that of
the same quantity in other words.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from rag import bilingual
from rag.analysis import simplified, stem, words
from rag.checking.synonyms import (
    LONGEST,
    NEGATION,
    Kind,
    Meaning,
    folded,
    harmless,
    is_function_word,
    kind_of,
    known_phrases,
    meaning_of,
    negations,
    stem_key,
)
from rag.languages import HAN, language_of
from rag.quantities import told
from rag.translation import names_of_mixed_letters

_RUN = re.compile(
    r"(?P<quantity>\x00)|(?P<name>\x02)"
    rf"|(?P<han>[{HAN}]+)"
    rf"|(?P<latin>[^\W\d_{HAN}](?:[^\W_{HAN}]|[-'’/+](?=[^\W_{HAN}])|(?<![^\W_][^\W_])\.(?=[^\W_{HAN}]))*"
    r"|\d+(?:[.,]\d+)*[a-z]*)"
    r"|(?P<break>[,;:.!?()\[\]，；：。！？（）、…\n])",
    re.IGNORECASE,
)
_REPLY = re.compile(r"^(?:no|yes)[.,;:!] ", re.IGNORECASE)
_PREFIX = re.compile(r"(?:non|un)-(?=[a-z]{2})|(?:non|un)(?=[a-z]{4})")
_LATIN_NAME = re.compile(r"(?=.*[A-Z].*[A-Z0-9])[A-Za-z0-9-]{2,}")
_NUMBER = re.compile(r"\d[\d.,]*[a-z]*", re.IGNORECASE)
_SPACES = re.compile(r"[\s\0-\2]+")
GAP, PADDING, NAMED = "\0", "\1", "\2"
"""The first letter and the others of what stands for a quantity, and the first of what stands for a name of Han and
other letters, which no ``normal`` text has: no word or phrase goes across them."""
_ADVERB = re.compile(r"[a-z]{3,}ly")
_CONTRAST = frozenset("but whereas although while though however 但 但是 然而 而 虽然 却".split())


@dataclass(frozen=True, slots=True)
class Token:
    """``start`` and ``end`` are offsets into the reading's text. ``clause`` counts the clauses before it. ``unknown``
    is that no word list has it."""

    text: str
    start: int
    end: int
    key: str
    sign: int
    kind: Kind
    clause: int
    unknown: bool = False

    @property
    def negates(self) -> bool:
        return self.key == NEGATION

    @property
    def measured(self) -> str:
        """What a number is a number of, in no language; empty for a word."""
        return self.key.split(GAP)[1] if self.key.startswith(GAP) else ""

    @property
    def listed(self) -> bool:
        """Whether the groups or the glossary have it."""
        return self.key.startswith(("=", "+"))

    @property
    def adverb(self) -> bool:
        """Whether a negation before it reaches to the word behind it."""
        return self.key in _DEGREES or bool(_ADVERB.fullmatch(self.text))


_DEGREES = frozenset({"=significant", "=easy", "=frequent"})


@dataclass(frozen=True, slots=True)
class Reading:
    text: str
    tokens: tuple[Token, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(token.key for token in self.tokens)


def normal(text: str) -> str:
    """``text`` in ordinary width, simplified characters and single spaces."""
    return _SPACES.sub(" ", simplified(unicodedata.normalize("NFKC", text))).strip()


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """``normal``, without case, spaces and punctuation: what two writings of one sentence share."""
    return "".join(filter(str.isalnum, normal(text).casefold()))


@lru_cache(maxsize=8192)
def read(sentence: str) -> Reading:
    """What ``sentence`` says, as tokens."""
    stated = _REPLY.sub("", normal(sentence))
    text = without_quantities(stated)
    names = _mixed_names(text)
    for name in names:
        text = text[: name.start()] + NAMED + PADDING * (len(name[0]) - 1) + text[name.end() :]
    quantities, named = iter(told(stated)), iter(names)
    found: list[Token] = []
    pending: list[re.Match[str]] = []
    clause = 0
    for match in _RUN.finditer(text):
        if match["quantity"]:
            found += _latin(text, pending, clause)
            pending.clear()
            one = next(quantities)
            key = f"{GAP}{one.unit or one.kind}{GAP}{one.value}"
            found.append(Token(stated[one.start : one.end], one.start, one.end, key, 0, "", clause))
            continue
        if match["name"]:
            found += _latin(text, pending, clause)
            pending.clear()
            name = next(named)
            if known := meaning_of(name[0]):
                found += _tokens(name[0], name.start(), name.end(), known, clause)
            continue
        if match["latin"]:
            pending.append(match)
            if match[0].lower() in _CONTRAST:
                clause += 1
            continue
        found += _latin(text, pending, clause)
        pending = []
        if match["han"]:
            for token in _han(text, match.start(), match.end(), clause):
                clause = token.clause
                if token.key:
                    found.append(token)
        else:
            clause += 1
    found += _latin(text, pending, clause)
    return Reading(stated, tuple(found))


def _mixed_names(text: str) -> list[re.Match[str]]:
    """The glossary's names in a Chinese text that are not of Han characters alone, such as 2型糖尿病."""
    if language_of(text) != "zh":
        return []
    return [name for name in names_of_mixed_letters().finditer(text) if meaning_of(name[0])]


def without_quantities(text: str) -> str:
    """``text``, which is ``normal``, with a mark in place of each quantity; offsets stay the same."""
    for one in told(text):
        text = text[: one.start] + GAP + PADDING * (one.end - one.start - 1) + text[one.end :]
    return text


def _latin(text: str, run: list[re.Match[str]], clause: int) -> Iterator[Token]:
    place = 0
    while place < len(run):
        for length in range(min(LONGEST, len(run) - place), 0, -1):
            start, end = run[place].start(), run[place + length - 1].end()
            stated = text[start:end]
            if length > 1 and ("\n" in stated or folded(run[place][0]) not in _beginnings()):
                continue
            if length == 1 and (is_function_word(stated) or _numbering(text, stated, end)):
                break
            known = meaning_of(stated)
            if known and (known.key == NEGATION or length > 1 or not _single_letter(known, stated)):
                yield from _tokens(stated, start, end, known, clause)
                break
            if (key := folded(stated)) in _harmless_phrases():
                yield Token(stated, start, end, key, 0, "", clause)
                break
        else:
            length = 1
            yield from _other(run[place][0], run[place].start(), run[place].end(), clause)
        place += length


def _numbering(text: str, stated: str, end: int) -> bool:
    """Whether a word is the "No." before a number, or a "No" that answers a question."""
    return stated.lower() == "no" and bool(re.match(rf"[.,;:!]| ?[\d{GAP}]", text[end : end + 2]))


def _single_letter(known: Meaning, stated: str) -> bool:
    """Whether a known word is a single letter, which names nothing by itself."""
    return len(stated) == 1 and known.kind != ""


def _tokens(stated: str, start: int, end: int, known: Meaning, clause: int) -> Iterator[Token]:
    if known.negated:
        yield Token(stated, start, start, NEGATION, 0, "", clause)
    yield Token(stated, start, end, known.key, known.sign, known.kind, clause)


def _other(word: str, start: int, end: int, clause: int) -> Iterator[Token]:
    """A Latin word that neither the groups nor the glossary have."""
    if word.lower().endswith("n't") or word.lower().endswith("n’t"):
        yield Token(word, start, end, NEGATION, 0, "", clause)
        return
    prefix = _PREFIX.match(word.lower())
    if prefix and (rest := word[prefix.end() :]) and _is_negated(word, rest):
        known = meaning_of(rest)
        yield Token(word, start, start, NEGATION, 0, "", clause)
        yield Token(word, start, end, known.key if known else stem_key(rest), known.sign if known else 0, "", clause)
        return
    parts = word.split("-")
    if len(parts) > 1 and not _LATIN_NAME.fullmatch(word) and all(len(part) > 2 for part in parts):
        for part in parts:
            at = start + word.index(part)
            known = meaning_of(part)
            if known:
                yield from _tokens(part, at, at + len(part), known, clause)
            elif not is_function_word(part):
                yield from _single(part, at, clause)
        return
    yield from _single(word, start, clause)


def _is_negated(word: str, rest: str) -> bool:
    return word[: -len(rest)].endswith("-") or (_is_ordinary(rest) and not _is_ordinary(word))


def _single(word: str, start: int, clause: int) -> Iterator[Token]:
    kind = kind_of(word)
    named = bool(_LATIN_NAME.fullmatch(word)) or not _is_ordinary(word)
    yield Token(word, start, start + len(word), stem_key(word), 0, kind, clause, unknown=named and word[0].isalpha())


def _is_ordinary(word: str) -> bool:
    return stem(word.lower()) in bilingual.english_vocabulary() or bool(_NUMBER.fullmatch(word))


@cache
def _beginnings() -> frozenset[str]:
    """The first words of the phrases that are looked up."""
    phrases = (phrase for phrase in (*known_phrases(), *_harmless_phrases()) if " " in phrase)
    return frozenset(phrase.split(" ")[0] for phrase in phrases)


@cache
def _harmless_phrases() -> frozenset[str]:
    return frozenset(folded(phrase) for phrase in harmless() if phrase.isascii())


@cache
def _negating_han() -> re.Pattern[str]:
    """Words that hold a negation's letters without negating, or else the negations, the longest first."""

    def either(texts: frozenset[str]) -> str:
        return "|".join(re.escape(text) for text in sorted(texts, key=len, reverse=True))

    cues = frozenset(text for text in negations() if not text.isascii())
    letters = re.compile("[不未无非没勿]|缺乏|缺少|否认|切莫")
    kept = frozenset(text for text in harmless() if not text.isascii() and letters.search(text))
    return re.compile(f"(?P<kept>{either(kept)})|(?P<cue>{either(cues)})")


def _han(text: str, start: int, end: int, clause: int) -> Iterator[Token]:
    at = start
    for match in _negating_han().finditer(text, start, end):
        for token in _words(text, at, match.start(), clause):
            clause = token.clause
            yield token
        if match["cue"]:
            yield Token(match[0], match.start(), match.end(), NEGATION, 0, "", clause)
            at = match.end()
        elif known := meaning_of(match[0]):
            yield from _tokens(match[0], match.start(), match.end(), known, clause)
            at = match.end()
        else:
            at = match.start()
            yield from _words(text, at, match.end(), clause)
            at = match.end()
    yield from _words(text, at, end, clause)


def _words(text: str, start: int, end: int, clause: int) -> Iterator[Token]:
    """The tokens of a run of Han characters without negations. A contrast begins a clause: its token has no key."""
    if start >= end:
        return
    cut = words(text[start:end])
    edges = [start]
    for word in cut:
        edges.append(edges[-1] + len(word))
    place = 0
    while place < len(cut):
        for length in range(min(3, len(cut) - place), 0, -1):
            first, last = edges[place], edges[place + length]
            stated = text[first:last]
            if length > 1 and len(stated) > 8:
                continue
            if length == 1 and stated in _CONTRAST:
                clause += 1
                yield Token(stated, first, last, "", 0, "", clause)
                break
            if length == 1 and is_function_word(stated):
                break
            if known := meaning_of(stated):
                yield from _tokens(stated, first, last, known, clause)
                break
        else:
            length = 1
            first, last = edges[place], edges[place + 1]
            word = cut[place]
            kind, unknown = _unlisted(word)
            yield Token(word, first, last, word, 0, kind, clause, unknown)
        place += length


@lru_cache(maxsize=50_000)
def _unlisted(word: str) -> tuple[Kind, bool]:
    """What a Chinese word that neither the groups nor the glossary have seems to name, and whether no dictionary has
    it either."""
    if len(word) == 1:
        return kind_of(word), False
    kind: Kind = kind_of(word) or ("substance" if bilingual.names_species(word) else "")
    return kind, not bilingual.english_of(word)
