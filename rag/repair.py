"""Another source for a sentence that the one cited for it does not support, among the passages that were shown."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.checking.alignment import align
from rag.checking.check import checked
from rag.checking.entailment import Entailment
from rag.checking.types import Checked, Evidence

PASSAGES_TRIED = 3
"""How many other passages a sentence is held against: those that hold most of its words."""
WORTH_TRYING = 0.5
"""The part of a sentence's words that a passage must hold to be one of them."""
RECITED_FROM = 0.8
"""P(supported) from which a passage takes the place of what was cited: the model did not name it, so it has to be
clearer than one that the model did."""
_NAMES_NOTHING = re.compile(
    r"\W*(?:it|its|they|their|he|she|this|these|those|such"
    r"|the (?:drug|dose|treatment|medication|disease|condition)s?)\b"
    r"|\W*(?:它|其|该|此|这|上述)",
    re.IGNORECASE,
)
"""Begins a sentence that does not say itself of what it speaks: another passage may speak of something else."""


@dataclass(frozen=True, slots=True)
class Rested:
    """A sentence's verdict and the passages it rests on, as places among those shown; ``checked.quotes`` count among
    these places."""

    checked: Checked
    places: tuple[int, ...]


def rested(
    claims: Sequence[tuple[str, tuple[int, ...]]], shown: Sequence[Evidence], entailment: Entailment
) -> list[Rested]:
    """Each claim, with the places of the passages it cites, judged against them; where they do not support it, against
    other passages shown, of which the one that supports it best takes their place, or stands beside them where they
    support it in part. A verdict that no other passage makes clearly ``supported`` stays as it is, and so does that of
    a sentence which leaves to others what it speaks of."""
    found = checked([(claim, [shown[place] for place in cited]) for claim, cited in claims], entailment)
    given = [Rested(one, cited) for one, (_, cited) in zip(found, claims, strict=True)]
    tried: list[tuple[int, tuple[int, ...]]] = []
    for number, (one, (claim, cited)) in enumerate(zip(found, claims, strict=True)):
        if one.verdict != "supported" and not _NAMES_NOTHING.match(claim):
            beside = cited if one.verdict == "partial" else ()
            tried += [(number, (*beside, place)) for place in _closest(claim, cited, shown)]
    again = checked([(claims[number][0], [shown[at] for at in places]) for number, places in tried], entailment)
    for (number, places), one in zip(tried, again, strict=True):
        before = given[number].checked
        better = before.verdict != "supported" or one.probability > before.probability
        if one.verdict == "supported" and one.probability >= RECITED_FROM and better:
            given[number] = Rested(one, places)
    return given


def _closest(claim: str, cited: Sequence[int], shown: Sequence[Evidence]) -> list[int]:
    """The places of the passages, other than those cited, that hold most of a claim, best first."""
    coverage = {place: align(claim, [one]).coverage for place, one in enumerate(shown) if place not in cited}
    worth = [place for place, share in coverage.items() if share >= WORTH_TRYING]
    return sorted(worth, key=lambda place: -coverage[place])[:PASSAGES_TRIED]
