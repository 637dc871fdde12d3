"""What becomes of the sentences of a language model: each is judged against what it cites, given another source where
that one does not hold but another passage does, and kept in the text or withheld from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rag import remarks
from rag.checking.entailment import Entailment
from rag.checking.types import Evidence
from rag.citing import CitedSentence
from rag.composing import Said
from rag.injection import obeyed
from rag.notices import mark, notice
from rag.repair import Rested, rested
from rag.types import Hit, Issue, Language

_OWN_NAME = re.compile(
    r"\b(?:according to )?(?:passage|source|document|reference)s?\s+\d{1,2}\b|(?:来源|文献|资料|段落)\s*\d{1,2}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """A sentence as it is shown, and whether it stands in the text."""

    said: Said
    is_kept: bool


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence to be judged: ``text`` is what it says together with the heading it stands below."""

    sentence: CitedSentence
    text: str
    heading: CitedSentence | None


@dataclass(slots=True)
class Judging:
    """Judges the sentences of one answer, batch by batch in their order.

    A heading is judged together with each line below it, since it changes what they say, and shown before the first
    of them that is kept. ``secrets`` are the prompts; a sentence that repeats them, or follows another's orders, is
    withheld whatever its verdict.
    """

    shown: Sequence[Hit]
    entailment: Entailment
    language: Language
    unsupported: Literal["withhold", "mark"] = "withhold"
    secrets: Sequence[str] = ()
    _heading: CitedSentence | None = None
    _is_first_below: bool = False
    _headings_shown: list[CitedSentence] = field(default_factory=list)
    _evidence: tuple[Evidence, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._evidence = tuple(
            Evidence(hit.passage.text, "\n".join(filter(None, (hit.passage.title, hit.passage.section))))
            for hit in self.shown
        )

    def rulings(self, batch: Sequence[CitedSentence], ended: bool = False) -> list[Ruling]:
        """What becomes of the sentences, in order; a heading is none, but part of those below it. ``ended`` is that no
        more follow: a heading with nothing below it is a sentence like others."""
        claims: list[_Claim | CitedSentence] = []
        for sentence in batch:
            if remarks.says_nothing(sentence.text) or remarks.is_about_the_sources(sentence.text):
                claims.append(sentence)
            elif remarks.is_heading(sentence.text) and not sentence.citations:
                self._begin(sentence)
            else:
                claims.append(self._claim(sentence))
        if ended and self._heading is not None and self._is_first_below:
            claims.append(_Claim(self._heading, self._heading.text, None))
        return self._judged(claims)

    def _judged(self, claims: Sequence[_Claim | CitedSentence]) -> list[Ruling]:
        to_check = [claim for claim in claims if isinstance(claim, _Claim)]
        found = iter(
            rested([(one.text, self._cited(one.sentence)) for one in to_check], self._evidence, self.entailment)
        )
        return [
            self._ruling(claim, next(found)) if isinstance(claim, _Claim) else self._remark(claim) for claim in claims
        ]

    def _begin(self, heading: CitedSentence) -> None:
        if self._heading is not None and self._is_first_below:
            text = f"{self._heading.text}{heading.lead or ' '}{heading.text}"
            heading = CitedSentence(text, (), self._heading.lead)
        self._heading, self._is_first_below = heading, True

    def _claim(self, sentence: CitedSentence) -> _Claim:
        if "\n\n" in sentence.lead and not self._is_first_below and not remarks.is_item(sentence.text):
            self._heading = None
        self._is_first_below = False
        heading, text = self._heading, _OWN_NAME.sub(" ", sentence.text)
        if heading is not None:
            text = f"{remarks.plain(heading.text)} {remarks.plain(text)}"
        return _Claim(sentence, text, heading)

    def _cited(self, sentence: CitedSentence) -> tuple[int, ...]:
        return tuple(marker - 1 for marker in sentence.citations if 1 <= marker <= len(self.shown))

    def _ruling(self, claim: _Claim, found: Rested) -> Ruling:
        checked, cited = found.checked, self._cited(claim.sentence)
        issues = checked.issues
        if found.places != cited:
            message = notice("recited" if cited else "source_found", self.language)
            issues = (*issues, Issue("recited", claim.sentence.text, message))
        order = _order(_under(claim.heading, claim.sentence.text), self.secrets, self.language)
        issues = (*issues, order) if order else issues
        is_kept = order is None and (self.unsupported == "mark" or checked.verdict == "supported")
        said = Said(
            text=claim.sentence.text,
            spans=tuple((self.shown[found.places[at]], start, end) for at, start, end in checked.quotes),
            verdict=checked.verdict,
            issues=issues,
            probability=round(checked.probability, 4),
            lead=claim.sentence.lead,
            mark=mark(checked.verdict, self.language) if is_kept else "",
        )
        return Ruling(self._below_its_heading(said, claim.heading, is_kept), is_kept)

    def _below_its_heading(self, said: Said, heading: CitedSentence | None, is_kept: bool) -> Said:
        """The sentence behind its heading, unless that stands in the text already."""
        if heading is None or any(heading is one for one in self._headings_shown):
            return said
        if is_kept:
            self._headings_shown.append(heading)
        return replace(said, text=_under(heading, said.text, said.lead), lead=heading.lead)

    def _remark(self, sentence: CitedSentence) -> Ruling:
        order = _order(sentence.text, self.secrets, self.language)
        issue = order or Issue("remark", sentence.text, notice("remark", self.language))
        return Ruling(Said(sentence.text, (), "uncited", (issue,), None, sentence.lead), is_kept=False)


def unsourced(sentence: CitedSentence, language: Language, secrets: Sequence[str]) -> Ruling:
    """A sentence of an answer from memory, of which nothing but whose orders it follows can be judged."""
    order = _order(sentence.text, secrets, language)
    issues = (order,) if order else ()
    return Ruling(Said(sentence.text, (), "uncited", issues, None, sentence.lead), is_kept=order is None)


def _order(text: str, secrets: Sequence[str], language: Language) -> Issue | None:
    """What is wrong with a sentence that does what a document ordered."""
    reason = obeyed(text, secrets)
    return Issue("instruction", text, f"{notice('instruction', language)} ({reason})") if reason else None


def _under(heading: CitedSentence | None, text: str, lead: str = "\n") -> str:
    return text if heading is None else f"{heading.text}{lead or ' '}{text}"
