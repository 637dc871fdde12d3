"""Whether the drugs, diseases and other names of a sentence are those of its source.

A name that stands where a sentence in almost the same words has another one is a swap, wherever else the source may
name it. Elsewhere a name need only be somewhere in the source, its title or its headings: a text that says "the drug"
is about the one it has named.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

from rag.abbreviations import definitions
from rag.checking.pairing import Gap, Pairing, differing, differing_words, pairings
from rag.checking.reading import Token, normal, plain, read
from rag.checking.synonyms import kind_of, meaning_of
from rag.checking.types import Finding
from rag.languages import HAN, language_of
from rag.types import Issue

RIVAL_FROM = 0.5
"""The part of a sentence's words that another must have for a name of the same kind there to be in its place."""
_DERIVED = 6
"""Letters that two unlisted words must share at the begin to be forms of one."""
_MOST_WORDS = 5
_FEW = 2
_HAN = re.compile(f"[{HAN}]")
_LETTERS = re.compile(r"[^\W\d_]+")
_CLASS = re.compile(
    r"(?:drugs?|medicines?|medications?|agents?|therap(?:y|ies)|treatments?|diseases?|disorders?|conditions?|infections?|pain"
    r"|cancers?|tumou?rs?|syndromes?|inflammation|antibiotics?|vaccines?|药|药物|药剂|抗生素|本品|病|病症|疾病|感染|炎症|肿瘤|综合征|症|疫苗)",
    re.IGNORECASE,
)
"""Names of whole classes, by which a text may call one of them."""
_THIS = re.compile(r"\b(?:the|this|these|those)\s+$|[该此本这其]$", re.IGNORECASE)
_TYPING_ERROR = 0.85


def name_findings(sentence: str, near: Sequence[str], whole: str) -> tuple[Finding, ...]:
    """Names that stand in ``sentence`` in place of others, or that the source does not mention."""
    if any(plain(sentence) == plain(text) for text in near):
        return ()
    fewest: list[tuple[Token, Token | None]] | None = None
    for pairing in pairings(sentence, near):
        found = list(_findings(pairing, whole))
        if fewest is None or len(found) < len(fewest):
            fewest = found
        if not found:
            break
    if fewest is None:
        fewest = [(token, None) for token in read(sentence).tokens if _is_missed(token, whole)]
    return tuple(_finding(sentence, own, rival) for own, rival in fewest)


def _findings(pairing: Pairing, whole: str) -> Iterator[tuple[Token, Token | None]]:
    """The names of a sentence that the source lacks there, each with the one that it has in its place."""
    swapped: list[str] = []
    if pairing.alike:
        for gap in (*pairing.gaps, _whole_gap(pairing)):
            for own, rival in _swaps(gap, whole, close=pairing.close):
                if not any(own.text in text for text in swapped):
                    swapped.append(own.text)
                    yield own, rival
    there = {token.key for token in pairing.other.tokens}
    for position, token in enumerate(pairing.one.tokens):
        if position in pairing.pairs or token.key in there or any(text in token.text for text in swapped):
            continue
        if _is_missed(token, whole):
            yield token, _rival(pairing, token) if pairing.coverage >= RIVAL_FROM else None


def _whole_gap(pairing: Pairing) -> Gap:
    """What is left of both sentences without what they begin and end with."""
    own, source, _, _ = differing(pairing.one.text, pairing.other.text)
    return Gap(read(own).tokens, read(source).tokens, own, source)


def _swaps(gap: Gap, whole: str, *, close: bool) -> Iterator[tuple[Token, Token]]:
    """Names that stand in the place of others. Much that differs is another wording, not another name; where the
    sentences are not close, only drugs are taken for drugs and diseases for diseases."""
    if not gap.words or len(gap.words) > _MOST_WORDS or len(gap.others) > _MOST_WORDS:
        return
    if any(first == second for first, second in differing_words(gap.text, gap.other_text)):
        return
    if close and (pair := _single_names(gap)):
        own_names, rivals = [pair[0]], [pair[1]]
    elif close:
        own_names, rivals = list(filter(_named, gap.words)), list(filter(_named, gap.others))
        if max(len(gap.words), len(gap.others)) > _FEW:
            own_names, rivals = list(filter(_is_drug_or_disease, own_names)), list(filter(_is_drug_or_disease, rivals))
    else:
        own_names = [token for token in gap.words if _is_missed(token, whole)]
        rivals = list(filter(_is_drug_or_disease, gap.others))
    for own in own_names:
        of_a_kind = [rival for rival in rivals if _of_a_kind(own, rival)]
        if not of_a_kind or any(_same(own, rival, whole) for rival in rivals):
            continue
        if any(_stands_for(rival, gap) for rival in rivals) and _is_mentioned(own, whole):
            continue
        yield own, of_a_kind[0]


def _single_names(gap: Gap) -> tuple[Token, Token] | None:
    """The two names by which the texts of a gap differ, where they differ by nothing else. What a segmenter leaves in
    pieces where the other side has a name is a name too."""
    own, rival = (_as_one(text) for text in differing(gap.text, gap.other_text)[:2])
    if own is None or rival is None or not (_named(own) or _named(rival)):
        return None
    if own.unknown and rival.unknown and not (own.kind or rival.kind):
        return (own, rival) if _named(gap.words[0]) else None
    if not (own.unknown or own.kind) or not (rival.unknown or rival.kind):
        return None
    if {own.kind, rival.kind} == {"substance", "term"} and " " in own.text + rival.text:
        return None
    kind = own.kind if own.kind == rival.kind else ""
    return replace(own, kind=kind), replace(rival, kind=kind or rival.kind)


def _as_one(text: str) -> Token | None:
    """A text that is one token, or Chinese in pieces of which some are no words, as one."""
    tokens = read(text).tokens
    if len(tokens) == 1:
        return tokens[0]
    pieces = bool(tokens) and "".join(token.text for token in tokens) == normal(text)
    if not pieces or not _HAN.search(text) or not any(token.unknown or len(token.text) == 1 for token in tokens):
        return None
    name = normal(text)
    return Token(name, 0, len(name), name, 0, kind_of(name), 0, unknown=True)


def _stands_for(rival: Token, gap: Gap) -> bool:
    """Whether a name only refers to something named before: "the infection", 该药."""
    before = gap.other_text.partition(rival.text)[0]
    return bool(_CLASS.fullmatch(rival.text)) or (rival.kind != "substance" and _THIS.search(before) is not None)


def _named(token: Token) -> bool:
    """Whether a token is a name, or a Latin word that no dictionary has and that is therefore likely to be one."""
    return bool(token.kind) or (token.unknown and token.text.isascii())


def _is_drug_or_disease(token: Token) -> bool:
    return token.kind in {"substance", "disease"}


def _of_a_kind(one: Token, other: Token) -> bool:
    kinds = {one.kind, other.kind}
    return len(kinds) == 1 or "" in kinds


def _same(one: Token, other: Token, whole: str) -> bool:
    """Whether two names that no list has as one are so all the same: one holds the other, both are forms of one word,
    or one is the abbreviation of the other."""
    first, second = one.text.lower(), other.text.lower()
    if one.key == other.key or _holds(first, second) or _holds(second, first):
        return True
    if one.unknown and other.unknown and first.isascii() and second.isascii() and not (one.kind or other.kind):
        shared = next((k for k, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
        if shared is None or (shared >= _DERIVED and shared >= 0.6 * max(len(first), len(second))):
            return True
    if not (one.listed and other.listed) and SequenceMatcher(None, first, second).ratio() >= _TYPING_ERROR:
        return True
    if _abbreviates(first, second) or _abbreviates(second, first):
        return True
    defined = _definitions(whole)
    return defined.get(first) == second or defined.get(second) == first


def _holds(long: str, short: str) -> bool:
    """Whether a name is another one with more words, none of which turns it around: non-Hodgkin lymphoma is another."""
    if not long.isascii():
        return short in long
    words = set(_LETTERS.findall(long))
    return words >= set(_LETTERS.findall(short)) and "non" not in words


def _abbreviates(short: str, long: str) -> bool:
    initials = "".join(word[0] for word in _LETTERS.findall(long))
    return len(short) > 1 and len(initials) > 1 and short.rstrip("s") == initials


def _is_missed(token: Token, whole: str) -> bool:
    """Whether a token is the name of a drug or disease that the source mentions nowhere."""
    return _is_drug_or_disease(token) and not _CLASS.fullmatch(token.text) and not _is_mentioned(token, whole)


def _is_mentioned(token: Token, whole: str) -> bool:
    """Whether the source has a name somewhere, in any form."""
    mentioned = _mentioned(whole)
    stated = token.text.lower()
    if token.key in mentioned.keys or stated in mentioned.text:
        return True
    words = [word for word in _LETTERS.findall(stated) if len(word) > 2]
    if stated.isascii() and words and all(_stands(word, mentioned.text) for word in words):
        return True
    if len(words) == 1 and (alike := get_close_matches(stated, mentioned.words, 1, _TYPING_ERROR)):
        return meaning_of(alike[0]) is None
    long = _definitions(whole).get(stated)
    return (long is not None and long in mentioned.text) or any(_abbreviates(word, stated) for word in mentioned.words)


def _stands(word: str, text: str) -> bool:
    """Whether a text has a word that begins like this one, as "hepatic" begins like "hepatitis"."""
    begin = word[: max(4, int(0.6 * len(word)))]
    return re.search(rf"(?<![a-z]){re.escape(begin)}", text) is not None


class _Mentioned:
    __slots__ = ("keys", "text", "words")

    def __init__(self, whole: str) -> None:
        reading = read(whole)
        self.text = reading.text.lower()
        self.keys = frozenset(token.key for token in reading.tokens)
        self.words = frozenset(_LETTERS.findall(self.text))


@lru_cache(maxsize=512)
def _mentioned(whole: str) -> _Mentioned:
    return _Mentioned(whole)


@lru_cache(maxsize=512)
def _definitions(whole: str) -> dict[str, str]:
    return {short.lower(): long.lower() for short, long in definitions(whole).items()}


def _rival(pairing: Pairing, own: Token) -> Token | None:
    """A name of the same kind that the closest sentence of the source has and the judged one lacks."""
    taken = set(pairing.pairs.values())
    for place, token in enumerate(pairing.other.tokens):
        if place not in taken and token.kind == own.kind and token.key not in pairing.one.keys:
            return token
    return None


def _finding(sentence: str, own: Token, rival: Token | None) -> Finding:
    chinese = language_of(sentence) == "zh"
    if rival is None:
        message = f"原文没有提到“{own.text}”" if chinese else f"the source does not mention “{own.text}”"
    elif chinese:
        message = f"答案写“{own.text}”，原文写“{rival.text}”"
    else:
        message = f"answer says “{own.text}”, source says “{rival.text}”"
    return Finding(Issue("name", own.text, message), contradicts=rival is not None)
