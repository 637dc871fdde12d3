"""Whether the passages that a sentence cites say what it says: a provisional judgement by numbers and words.

It knows nothing of negation or of who does what to whom. What it is strict about is numbers: a sentence is not
``supported`` where one of its quantities stands in no cited passage.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.analysis import terms, words
from rag.citing import CitedSentence
from rag.languages import HAN, language_of
from rag.quantities import Quantity, quantities
from rag.sentences import sentence_spans
from rag.translation import Concept, translate
from rag.types import Hit, Issue, Language, Verdict

SUPPORTED_FROM = {"same": 0.65, "other": 0.5}
"""The part of a sentence's terms, or of its concepts where the passages are in the other language, that supports it."""
SHORT = 6
"""Terms or concepts below which a sentence must be held nearly whole: one word may be all that it says."""
SUPPORTED_IF_SHORT = {"same": 0.8, "other": 0.5}
PARTIAL_FROM = {"same": 0.4, "other": 0.25}
QUOTED_FROM = 0.25
"""The part of the sentence's terms that a passage must hold in one of its own sentences to be quoted for it."""
NEAR = 0.6
"""Of the best coverage by sentences next to each other, the part from which on their numbers count."""
_MOST_NAMED = 4
_SPEAKS_TO_A_WRITER = re.compile(
    r"\b(?:in|into|to|of|from|provide) your (?:answer|response|reply|message)(?:'s)?\b(?! to\b)"
    r"|\b(?:modify|augment|enhance|render|convert) your (?:answer|response|reply|message)\b"
    r"|(?:你|您)的(?:回答|回复|答复|输出)",
    re.IGNORECASE,
)
"""What no sentence of a source says that is evidence: it is about the answer."""
_OWN_NAME = re.compile(
    r"\b(?:according to )?(?:passage|source|document|reference)s?\s+\d{1,2}\b|(?:来源|文献|资料)\s*\d{1,2}",
    re.IGNORECASE,
)
_SPOKEN = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:[-'’][^\W_{HAN}]+)*")


@dataclass(frozen=True, slots=True)
class Support:
    """``quotes`` are ``(marker, start, end)``: of each passage that holds some of the sentence, the sentence that fits
    best, as offsets into ``passage.text``."""

    verdict: Verdict
    issues: tuple[Issue, ...]
    quotes: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """A sentence of a passage."""

    start: int
    end: int
    terms: frozenset[str]
    quantities: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A passage. ``context`` are the terms of its title and headings, ``terms`` those and all of its text's."""

    language: Language
    context: frozenset[str]
    terms: frozenset[str]
    parts: tuple[_Part, ...]


@dataclass(frozen=True, slots=True)
class _Claim:
    """What a sentence says: its terms, or its concepts in another language's terms; each is held where all the terms
    of one of its names are."""

    names: tuple[tuple[frozenset[str], ...], ...]
    quantities: tuple[Quantity, ...]

    def covered(self, held: frozenset[str]) -> float:
        """The part of it, 0 to 1, that ``held`` says; 1 where it says nothing."""
        if not self.names:
            return 1.0
        return sum(any(name <= held for name in names) for names in self.names) / len(self.names)


def judged(sentence: CitedSentence, shown: Sequence[Hit], question: str) -> Support:
    """``sentence`` against the passages it cites, of which marker n is ``shown[n - 1]``."""
    cited = [(marker, shown[marker - 1]) for marker in sentence.citations if 1 <= marker <= len(shown)]
    if not cited:
        return Support("uncited", (), ())
    language = language_of(sentence.text)
    text = _OWN_NAME.sub(" ", sentence.text)
    evidence = [(marker, _evidence(_context(hit), hit.passage.text)) for marker, hit in cited]
    claims = {of: _claim(text, translated=of != language) for of in {one.language for _, one in evidence}}
    held = {of: frozenset[str]().union(*(one.terms for _, one in evidence if one.language == of)) for of in claims}
    verdicts = {of: _by_words(claims[of], held[of], translated=of != language) for of in claims}
    best = max(claims, key=lambda of: _ORDER.index(verdicts[of]))
    stated = frozenset[tuple[str, str]]().union(*(_quantities_near(claims[one.language], one) for _, one in evidence))
    missing = [one for one in claims[best].quantities if not _stands(one, stated)]
    issues = [_number_issue(one, language) for one in missing]
    if verdicts[best] != "supported":
        issues.append(_words_issue(text, held.get(language), language))
    quotes = [(marker, *span) for marker, one in evidence if (span := _quote(claims[one.language], one))]
    verdict = _with_numbers(verdicts[best], missing, question) if missing else verdicts[best]
    return Support(verdict, tuple(issues), tuple(quotes))


def _with_numbers(by_words: Verdict, missing: Sequence[Quantity], question: str) -> Verdict:
    """The verdict where quantities are missing: not much better where they are the question's own."""
    asked = frozenset((one.value, one.unit) for one in quantities(question))
    return "partial" if by_words != "unsupported" and all(_stands(one, asked) for one in missing) else "unsupported"


_ORDER: tuple[Verdict, ...] = ("unsupported", "partial", "supported")


def _by_words(claim: _Claim, held: frozenset[str], translated: bool) -> Verdict:
    if translated and not claim.names:
        return "partial"
    kind = "other" if translated else "same"
    covered = claim.covered(held)
    if covered >= (SUPPORTED_FROM[kind] if len(claim.names) >= SHORT else SUPPORTED_IF_SHORT[kind]):
        return "supported"
    return "partial" if covered >= PARTIAL_FROM[kind] else "unsupported"


def _claim(text: str, translated: bool) -> _Claim:
    if translated:
        names = tuple(_names(concept) for concept in translate(text).concepts if not concept.word.isdigit())
    else:
        names = tuple((frozenset((term,)),) for term in _content(text))
    return _Claim(tuple(one for one in names if one), quantities(text))


def _names(concept: Concept) -> tuple[frozenset[str], ...]:
    return tuple(found for name in concept.names if (found := frozenset(terms(name))))


def _content(text: str) -> frozenset[str]:
    """The terms of ``text`` that are no numbers: those are compared with their units."""
    return frozenset(term for term in terms(text) if not term[0].isdigit())


def _context(hit: Hit) -> str:
    """What a reader knows of a passage besides its text: what it is about."""
    return f"{hit.passage.title}\n{hit.passage.section or ''}"


@lru_cache(maxsize=512)
def _evidence(context: str, text: str) -> _Evidence:
    parts = tuple(
        _Part(start, end, _content(text[start:end]), _pairs(text[start:end]))
        for start, end in sentence_spans(text)
        if not _SPEAKS_TO_A_WRITER.search(text, start, end)
    )
    about = _content(context)
    return _Evidence(language_of(text), about, about.union(*(part.terms for part in parts)), parts)


def _pairs(text: str) -> frozenset[tuple[str, str]]:
    return frozenset((one.value, one.unit) for one in quantities(text))


def _stands(stated: Quantity, held: frozenset[tuple[str, str]]) -> bool:
    """Whether a quantity stands among those ``held``: one without a unit with any unit."""
    if (stated.value, stated.unit) in held:
        return True
    return not stated.unit and any(value == stated.value and unit != "name" for value, unit in held)


def _quantities_near(claim: _Claim, evidence: _Evidence) -> frozenset[tuple[str, str]]:
    """The quantities of those sentences of a passage that, with their neighbours, speak of what the claim speaks of: a
    number that stands with something else is not the claim's."""
    parts = evidence.parts
    covered = [
        claim.covered(frozenset[str]().union(*(part.terms for part in parts[max(0, at - 1) : at + 2])))
        for at in range(len(parts))
    ]
    least = NEAR * max(covered, default=0.0)
    return frozenset[tuple[str, str]]().union(
        *(part.quantities for part, share in zip(parts, covered, strict=True) if share >= least)
    )


def _quote(claim: _Claim, evidence: _Evidence) -> tuple[int, int] | None:
    """The sentence of a passage that holds most of the claim, of equals the shortest."""
    best = None
    for part in evidence.parts:
        words_held = claim.covered(part.terms) if claim.names else 0.0
        numbers = [_stands(one, part.quantities) for one in claim.quantities]
        score = words_held + (0.5 * sum(numbers) / len(numbers) if numbers else 0.0)
        if score >= QUOTED_FROM and (best is None or (score, part.start - part.end) > best[0]):
            best = (score, part.start - part.end), (part.start, part.end)
    return best[1] if best else None


def _number_issue(missing: Quantity, language: Language) -> Issue:
    message = (
        f"答案写的是“{missing.stated}”，所引原文中没有这个数值"
        if language == "zh"
        else f"the answer says {missing.stated}; the cited text does not"
    )
    return Issue("number", missing.stated, message)


def _words_issue(text: str, held: frozenset[str] | None, language: Language) -> Issue:
    """Names words of ``text`` that are not among those ``held`` by passages of its language, where there are any."""
    spoken = [
        word
        for run in _SPOKEN.findall(text)
        for word in (words(run) if re.match(f"[{HAN}]", run) else [run])
        if held is not None and (named := _content(word)) and not named & held
    ]
    missing = list(dict.fromkeys(spoken))[:_MOST_NAMED]
    value = ("、" if language == "zh" else ", ").join(missing)
    if language == "zh":
        message = f"所引原文中没有提到：{value}" if value else "所引原文只支持这句话的一部分或不支持"
    else:
        message = (
            f"the cited text does not mention: {value}" if value else "the cited text says this in part or not at all"
        )
    return Issue("wording", value, message)
