"""Whether a sentence says the opposite of its source: negations, recommendations, directions.

What tells is a difference between words that are otherwise the same: a negation that one of them has before a word
that both have, opposites in the same place, another grade of recommendation. A sentence that says the opposite in
quite other words is not found here.
"""

import re
from collections.abc import Iterator, Sequence

from rag.checking.pairing import Pairing, differing, differing_words, pairings
from rag.checking.reading import Token, plain
from rag.checking.types import Finding
from rag.languages import language_of
from rag.types import Issue

_REACH = 3
"""Words between a negation and the word it negates."""
_FEW = 2
_NEGATING = re.compile("[不未无非没勿]+|(?:not|no|never|without)")
_CARRYING = re.compile(r"[有是能可会应需得为并]|\b(?:do|does|did|with|an?|the|any) ?\b")
"""What stands with a negation and adds nothing to it."""
_OR = re.compile(r"\b(?:or|nor|and/or)\b|[或、]")
_USE = "=use"
_RECOMMEND = "=recommend"
_CAUTION = "=caution"


def polarity_findings(sentence: str, near: Sequence[str], whole: str) -> tuple[Finding, ...]:
    """What ``sentence`` says the opposite of, held against those of ``near`` that are most alike; nothing where one of
    them agrees."""
    said = plain(sentence)
    if not said or any(said == plain(text) for text in near):
        return ()
    fewest: tuple[Finding, ...] | None = None
    for pairing in pairings(sentence, near):
        found = tuple(_findings(pairing))
        if not found:
            return ()
        if fewest is None or len(found) < len(fewest):
            fewest = found
    return fewest or ()


def _findings(pairing: Pairing) -> Iterator[Finding]:
    seen: set[str] = set()
    own_cues, source_cues = _lone_negations(pairing)
    for own, source in (
        *_negations(pairing, own_cues, source_cues),
        *_opposites(pairing),
        *_grades(pairing),
        *_letters(pairing, own_cues, source_cues),
    ):
        if own not in seen:
            seen.add(own)
            yield Finding(Issue("polarity", own, _message(pairing.one.text, own, source)), contradicts=True)


def _message(sentence: str, own: str, source: str) -> str:
    if language_of(sentence) == "zh":
        return f"答案写“{own}”，原文写“{source}”"
    return f"answer says “{own}”, source says “{source}”"


def _lone_negations(pairing: Pairing) -> tuple[dict[int, int | None], dict[int, int | None]]:
    """The negations of either side that the other has not, each with the word it negates if both sides have that."""
    one, other = pairing.one.tokens, pairing.other.tokens
    back = {place: position for position, place in pairing.pairs.items()}
    own = {
        k: _negated(one, k, pairing.pairs) for k, token in enumerate(one) if token.negates and k not in pairing.pairs
    }
    theirs = {k: _negated(other, k, back) for k, token in enumerate(other) if token.negates and k not in back}
    for k, anchor in list(own.items()):
        match = next((t for t in theirs if _meet(pairing, k, anchor, t, theirs[t])), None)
        if match is not None:
            del own[k], theirs[match]
    return (
        {k: at for k, at in own.items() if at is None or not _reached(other, pairing.other.text, pairing.pairs[at])},
        {k: at for k, at in theirs.items() if at is None or not _reached(one, pairing.one.text, back[at])},
    )


def _negations(
    pairing: Pairing, own_cues: dict[int, int | None], source_cues: dict[int, int | None]
) -> Iterator[tuple[str, str]]:
    """Negations that one side has before a word of both and the other lacks, each as what both sides write there."""
    one, other = pairing.one.tokens, pairing.other.tokens
    back = {place: position for position, place in pairing.pairs.items()}
    for k, anchor in own_cues.items():
        if anchor is not None and _telling(pairing, anchor, pairing.pairs[anchor], one[k], own=True):
            yield _span(pairing.one.text, one, k, anchor), other[pairing.pairs[anchor]].text
    for k, anchor in source_cues.items():
        if anchor is not None and _telling(pairing, back[anchor], anchor, other[k], own=False):
            yield one[back[anchor]].text, _span(pairing.other.text, other, k, anchor)


def _negated(tokens: Sequence[Token], cue: int, pairs: dict[int, int]) -> int | None:
    """The word that the negation at ``cue`` negates, if the other sentence has it: the next one that is no adverb, or
    else an adverb before it; at the end of a clause the word before the negation."""
    adverb = None
    k = cue + 1
    while k < len(tokens) and tokens[k].clause == tokens[cue].clause and k <= cue + _REACH:
        if not tokens[k].adverb:
            return k if k in pairs else adverb
        adverb = k if k in pairs else adverb
        k += 1
    if k > cue + 1:
        return adverb
    return cue - 1 if cue and cue - 1 in pairs and tokens[cue - 1].clause == tokens[cue].clause else None


def _meet(pairing: Pairing, own: int, own_at: int | None, their: int, their_at: int | None) -> bool:
    """Whether two negations are one that moved, or stand in the same gap."""
    if own_at is not None and their_at is not None and (pairing.pairs[own_at] == their_at or pairing.moved):
        return True
    one, other = pairing.one.tokens[own], pairing.other.tokens[their]
    return any(one in gap.words and other in gap.others for gap in pairing.gaps)


def _telling(pairing: Pairing, position: int, place: int, cue: Token, *, own: bool) -> bool:
    """Whether a negation of a pair of words makes the sentences differ: they are alike around it, and neither is the
    opposite of the other, nor does something else in the gap do what the negation does."""
    one, other = pairing.one.tokens[position], pairing.other.tokens[place]
    if one.sign != other.sign:
        return False
    if not _same_surroundings(pairing, position, place):
        return False
    if not pairing.close and max(pairing.one.keys.count(one.key), pairing.other.keys.count(other.key)) > 1:
        return False
    for gap in pairing.gaps:
        if cue in (gap.words if own else gap.others):
            rest = gap.others if own else gap.words
            if len(rest) > _FEW or any(token.sign < 0 for token in rest):
                return False
            others = [token for token in (gap.words if own else gap.others) if not token.negates]
            if len(others) > _FEW:
                return False
    return True


def _reached(tokens: Sequence[Token], text: str, at: int) -> bool:
    """Whether an earlier negation reaches as far as a word: "do not take more or increase the dose"."""
    for k in range(at - 1, max(-1, at - 2 * _REACH), -1):
        if tokens[k].clause != tokens[at].clause:
            return False
        if tokens[k].negates:
            return _OR.search(text[tokens[k].end : tokens[at].start]) is not None
    return False


def _same_surroundings(pairing: Pairing, position: int, place: int) -> bool:
    if pairing.alike:
        return True
    one, other = pairing.one.tokens, pairing.other.tokens
    clause = {k for k, token in enumerate(one) if token.clause == one[position].clause and not token.negates}
    there = {k for k, token in enumerate(other) if token.clause == other[place].clause and not token.negates}
    both = sum(1 for k in clause if pairing.pairs.get(k) in there)
    return both >= 3 and both >= 0.6 * len(clause)


def _opposites(pairing: Pairing) -> Iterator[tuple[str, str]]:
    """Opposites in the same place."""
    one, other = pairing.one.tokens, pairing.other.tokens
    for position, place in pairing.pairs.items():
        own, source = one[position], other[place]
        if own.sign == source.sign:
            continue
        if position in pairing.moved and not _one_of_its_kind(pairing, own.key):
            continue
        if not _same_surroundings(pairing, position, place) or not _same_neighbour(pairing, position, place):
            continue
        if _negation_before(one, position) != _negation_before(other, place):
            continue
        yield own.text, source.text


def _same_neighbour(pairing: Pairing, position: int, place: int) -> bool:
    """Whether the words before or behind a pair are a pair too, or little else differs, and no other such word is
    about."""
    if pairing.close:
        return True
    key, sign = pairing.one.tokens[position].key, pairing.one.tokens[position].sign
    if any(token.key == key and token.sign == sign for token in pairing.other.tokens):
        return False
    return any(pairing.pairs.get(position + step) == place + step for step in (-1, 1))


def _one_of_its_kind(pairing: Pairing, key: str) -> bool:
    return pairing.alike and pairing.one.keys.count(key) == pairing.other.keys.count(key) == 1


def _negation_before(tokens: Sequence[Token], position: int) -> bool:
    clause = tokens[position].clause
    return any(tokens[k].negates and tokens[k].clause == clause for k in range(max(0, position - 2), position))


def _grades(pairing: Pairing) -> Iterator[tuple[str, str]]:
    """Another grade of recommendation in the same place: contraindicated, with caution, recommended, simply used."""
    if not pairing.alike:
        return
    for gap in pairing.gaps:
        if max(len(gap.words), len(gap.others)) > 2 * _FEW:
            continue
        own, source = _grade(gap.words), _grade(gap.others)
        if own and source and own[0] != source[0] and not {own[0], source[0]} <= {"yes", "use"}:
            yield own[1], source[1]


def _letters(
    pairing: Pairing, own_cues: dict[int, int | None], source_cues: dict[int, int | None]
) -> Iterator[tuple[str, str]]:
    """Chinese words in the same place that differ by a negation's letter alone, such as 不足 and 足, or are made with
    opposites, such as 促进剂 and 抑制剂."""
    if not pairing.alike:
        return
    lone = {pairing.one.tokens[k] for k in own_cues}
    lone_there = {pairing.other.tokens[k] for k in source_cues}
    for gap in pairing.gaps:
        added = bool(gap.words) and not gap.others and all(token in lone for token in gap.words)
        dropped = bool(gap.others) and not gap.words and all(token in lone_there for token in gap.others)
        if added or dropped or _are_opposites(gap.text, gap.other_text):
            yield _or_nothing(pairing, gap.text), _or_nothing(pairing, gap.other_text)
    if _are_opposites(pairing.one.text, pairing.other.text):
        own, source, _, _ = differing(pairing.one.text, pairing.other.text)
        yield _or_nothing(pairing, own), _or_nothing(pairing, source)


def _are_opposites(one: str, other: str) -> bool:
    return _differ_by_negation(one, other) or _made_with_opposites(one, other)


def _differ_by_negation(one: str, other: str) -> bool:
    """Whether two texts are the same but for a negation in one of them."""
    own, source = (_CARRYING.sub("", part.lower()).strip() for part in differing(one, other)[:2])
    return bool(own) != bool(source) and bool(_NEGATING.fullmatch(own or source))


def _made_with_opposites(one: str, other: str) -> bool:
    """Whether two texts are the same but for a word and its opposite, such as 急性炎症 and 慢性炎症."""
    return any(
        first.key == second.key and first.sign * second.sign < 0 for first, second in differing_words(one, other)
    )


def _or_nothing(pairing: Pairing, text: str) -> str:
    return text.strip() or ("无此词" if language_of(pairing.one.text) == "zh" else "no such word")


def _grade(tokens: Sequence[Token]) -> tuple[str, str] | None:
    """``no``, ``caution``, ``yes`` or ``use``, and the words that say it."""
    negated = any(token.negates for token in tokens)
    for token in tokens:
        if token.key == _CAUTION:
            return "caution", token.text
        if token.key == _RECOMMEND:
            return ("no" if (token.sign < 0) != negated else "yes"), token.text
    for token in tokens:
        if token.key == _USE:
            return ("no" if negated else "use"), token.text
    return None


def _span(text: str, tokens: Sequence[Token], cue: int, anchor: int) -> str:
    """The words from a negation to what it negates, as written."""
    start = min(tokens[cue].start, tokens[anchor].start)
    return text[start : max(tokens[cue].end, tokens[anchor].end)]
