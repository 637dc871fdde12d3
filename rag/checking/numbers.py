"""Whether the cited text states each number of a sentence, and of the same thing.

A number is looked for in the sentences that speak of what the sentence speaks of. There it must stand with the same
unit, on the same side of the same comparator, and in the same role: where another number stands in its place, the
source says otherwise, even if the number stands elsewhere. An order that says nothing may differ.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from rag.checking.roles import Likeness, QuantifiedSentence, is_all_numbers, likeness, quantified, share, within
from rag.checking.types import Finding
from rag.comparators import agree, opposite
from rag.languages import language_of
from rag.quantities import normal, quantities
from rag.single_quantities import Quantity
from rag.types import Issue, Language
from rag.units import WEAK

SAME_ROLE = 2.0
"""Likeness from which another number in the place of the sentence's contradicts it."""
CLEARLY = 1.25
"""By how much its likeness must exceed that of the best place of the sentence's own number."""
SURELY = 3.5
"""Frame from which a number in another unit contradicts what the source says elsewhere."""
SAME_NAME = 2.5
"""Frame from which a name such as IL-6 or grade 2 contradicts its sibling that the source has elsewhere."""
OTHER_UNIT = 2.0
"""Frame from which a number in another unit is in the place of one that the source nowhere says."""
ALIKE = 1.5
"""What the share of the sentence's words that a sentence of the source has adds to the likeness of their numbers."""
_DIGITS = re.compile(r"\d+")
_YEARS = range(1800, 2101)


@dataclass(frozen=True, slots=True)
class _Place:
    """A quantity of the source: the ``at``-th of a sentence; ``alike`` is how alike the sentences are."""

    of: QuantifiedSentence
    at: int
    alike: float

    @property
    def quantity(self) -> Quantity:
        return self.of.quantities[self.at]


@dataclass(frozen=True, slots=True)
class _Row:
    """Words of the source that are the sentence's, but for the quantities: its first is the ``start``-th there."""

    of: QuantifiedSentence
    start: int

    def amiss(self, said: QuantifiedSentence) -> list[int]:
        """The quantities of the sentence that are not those of the source."""
        return [at for at in range(len(said.quantities)) if not self._holds(said, at)]

    def place(self, at: int) -> _Place:
        return _Place(self.of, self.start + at, ALIKE)

    def _holds(self, said: QuantifiedSentence, at: int) -> bool:
        one, other = said.quantities[at], self.place(at).quantity
        if _states(said, at, self.place(at)) or (one.kind == other.kind == "name" and _family(one) != _family(other)):
            return True
        return any(
            _states(said, at, self.place(other)) and _is_reordered(said, at, self.place(other), self.place(at))
            for other in range(len(said.quantities))
        )


def number_findings(sentence: str, near: Sequence[str], whole: str) -> tuple[Finding, ...]:
    """What is wrong with the numbers of ``sentence``. ``near`` are the sentences of the cited text that speak of the
    same thing, best first; ``whole`` is all of it with its title and headings."""
    said = quantified(sentence)
    if not said.quantities:
        return ()
    sources = [quantified(one) for one in near]
    if any(_stands_in(said.text, source.text) for source in sources):
        return ()
    language = language_of(sentence)
    rows = [_Row(source, start) for source in sources for start in within(said, source)]
    if row := min(rows, key=lambda row: len(row.amiss(said)), default=None):
        amiss = row.amiss(said)
        if len(amiss) <= 1 or not is_all_numbers(said):
            return tuple(_otherwise(said.quantities[at], row.place(at).quantity, language) for at in amiss)
    places = [
        _Place(source, at, alike)
        for source in sources
        for alike in (ALIKE * share(said, source),)
        for at in range(len(source.quantities))
    ]
    roles = [[likeness(said, at, place.of, place.at) for place in places] for at in range(len(said.quantities))]
    found = [_finding(said, at, places, roles, whole, language) for at in range(len(said.quantities))]
    return tuple(one for one in found if one is not None)


def _stands_in(sentence: str, source: str) -> bool:
    """Whether the source has the sentence word for word."""
    text = sentence.strip().rstrip(".。;；")
    at = source.find(text)
    if at < 0 or not text:
        return False
    before, after = source[at - 1 : at], source[at + len(text) : at + len(text) + 2]
    return not (before.isalnum() or before in {".", "-"}) and not after[:1].isalnum() and not _goes_on(after)


def _goes_on(after: str) -> bool:
    return len(after) == 2 and after[0] in ".-," and after[1].isdigit()


def _finding(
    said: QuantifiedSentence,
    at: int,
    places: Sequence[_Place],
    roles: Sequence[Sequence[Likeness]],
    whole: str,
    language: Language,
) -> Finding | None:
    one, role = said.quantities[at], roles[at]
    stating = [number for number, place in enumerate(places) if _states(said, at, place)] or _ends(one, places)
    rivals = [
        number
        for number, place in enumerate(places)
        if number not in stating
        and _may_replace(one, place.quantity, role[number], bool(stating))
        and not _is_meant(number, at, said, places, roles)
    ]

    def fit(number: int) -> float:
        return role[number].role + places[number].alike

    rival = max(rivals, key=fit, default=None)
    if stating:
        best = max(stating, key=fit)
        if rival is None or fit(rival) < fit(best) + CLEARLY or _is_reordered(said, at, places[best], places[rival]):
            return None
    elif rival is None or (one.kind == "name" and role[rival].role < SAME_ROLE and _is_said(one, whole)):
        return _unsaid(one, whole, language) if one.firm and one.kind != "name" else None
    return _otherwise(one, places[rival].quantity, language)


def _may_replace(one: Quantity, other: Quantity, role: Likeness, stated: bool) -> bool:
    """Whether another quantity of the source may stand in the place of one, which is stated elsewhere or nowhere."""
    if one.kind == "comparison" or other.kind == "comparison":
        return opposite(one.comparator, other.comparator) and one.kind == other.kind and role.role >= SAME_ROLE
    if one.kind == "name" and other.kind == "name":
        return _family(one) == _family(other) and (not stated or role.frame >= SAME_NAME)
    alike = one.unit == other.unit and bool(_dates(one)) == bool(_dates(other)) and other.firm >= one.firm
    if one.kind == other.kind and alike:
        return role.role >= SAME_ROLE
    if {one.kind, other.kind} <= {"measure", "date"}:
        return role.frame >= (SURELY if stated else OTHER_UNIT)
    return False


def _family(one: Quantity) -> str:
    """What a name has in common with its siblings: IL-6 and IL-8, stage II and III."""
    kind, _, grade = one.name.partition(" ")
    return kind if grade else _DIGITS.sub("#", one.name)


def _states(said: QuantifiedSentence, at: int, place: _Place) -> bool:
    """Whether the source states the ``at``-th quantity of a sentence at a place, whatever it is there."""
    one, other = said.quantities[at], place.quantity
    if said.names[at] & place.of.names[place.at]:
        return True
    if one.comparator and other.comparator and not agree(one.comparator, other.comparator):
        return False
    if {one.kind, other.kind} == {"comparison"}:
        return True
    if one.kind == "name" or other.kind == "name":
        return _names_same(one, other)
    if (years := _dates(one)) and (held := _dates(other)):
        return (
            all(date.startswith(year) for year, date in zip(years, held, strict=True))
            if len(years) == len(held)
            else len(years) == 1 and years[0] in held
        )
    if one.kind != other.kind:
        return _is_place_in_order(one, other)
    holds = sorted(one.values) == sorted(other.values) if len(one.values) > 1 else one.values[0] in other.values
    return (holds or _is_rounded(one, other)) and _same_unit(place, one)


def _same_unit(place: _Place, one: Quantity) -> bool:
    other = place.quantity
    if one.unit == other.unit or not one.unit:
        return True
    return not other.unit and (
        one.unit in WEAK or one.unit[0] == "/" or any(each.unit == one.unit for each in place.of.quantities)
    )


def _is_rounded(one: Quantity, other: Quantity) -> bool:
    """Whether whole percentages stand for those of the source: 76% for 76.3%."""
    if not one.unit == other.unit == "part" or len(one.values) != len(other.values):
        return False
    hundredths = [(value * 100, held * 100) for value, held in zip(one.values, other.values, strict=True)]
    return all(value >= 10 and value == round(held) for value, held in hundredths)


def _is_place_in_order(one: Quantity, other: Quantity) -> bool:
    """Day 3 is the third day."""
    if {one.kind, other.kind} != {"ordinal", "measure"}:
        return False
    place, measure = (one, other) if one.kind == "ordinal" else (other, one)
    return place.values[0] * measure.scale in measure.values


def _dates(one: Quantity) -> tuple[str, ...]:
    """What may be meant as dates."""
    if one.kind == "date":
        return (one.name,)
    if one.kind == "measure" and not one.unit and all(value.denominator == 1 for value in one.values):
        return tuple(str(value) for value in one.values) if all(int(value) in _YEARS for value in one.values) else ()
    return ()


def _names_same(one: Quantity, other: Quantity) -> bool:
    if one.name == other.name:
        return True
    grade, wanted = (_grade_of(one), _grade_of(other))
    if grade is None or wanted is None:
        return False
    kinds = {one.name.partition(" ")[0] if one.kind == "name" else "", other.name.partition(" ")[0]}
    return grade == wanted and bool(kinds & {"", "roman"})


def _grade_of(one: Quantity) -> str | None:
    """The number of a grade, or a bare number, which may be one."""
    if one.kind == "name":
        return one.name.partition(" ")[2] or None
    return str(one.values[0]) if one.kind in {"measure", "ordinal"} and not one.unit and len(one.values) == 1 else None


def _ends(one: Quantity, places: Sequence[_Place]) -> list[int]:
    """Where a sentence of the source has the ends of a range one by one."""
    if len(one.values) != 2 or one.comparator:
        return []
    ends = [{number for number, place in enumerate(places) if _is_end(place, one, value)} for value in one.values]
    within = [{id(places[number].of) for number in numbers} for numbers in ends]
    return [number for number in sorted(ends[0] | ends[1]) if id(places[number].of) in within[0] & within[1]]


def _is_end(place: _Place, one: Quantity, value: Fraction) -> bool:
    return place.quantity.kind == one.kind and place.quantity.values == (value,) and _same_unit(place, one)


def _is_meant(
    number: int, at: int, said: QuantifiedSentence, places: Sequence[_Place], roles: Sequence[Sequence[Likeness]]
) -> bool:
    """Whether a place of the source is that of another number of the sentence."""
    return any(
        other != at and roles[other][number].role >= roles[at][number].role and _states(said, other, places[number])
        for other in range(len(said.quantities))
    )


def _is_reordered(said: QuantifiedSentence, at: int, own: _Place, rival: _Place) -> bool:
    """Whether both stand in one list of the source, and in one of the sentence, in another order."""
    if own.of is not rival.of or own.of.lists[own.at] != own.of.lists[rival.at]:
        return False
    return any(
        _states(said, other, rival) for other, its in enumerate(said.lists) if other != at and its == said.lists[at]
    )


def _is_said(one: Quantity, whole: str) -> bool:
    alone = _without_roles((one,), one.stated)
    text = _whole(whole)
    return any(_states(alone, 0, _Place(text, at, 0.0)) for at in range(len(text.quantities)))


@lru_cache(maxsize=512)
def _whole(text: str) -> QuantifiedSentence:
    return _without_roles(quantities(text), normal(text))


def _without_roles(found: tuple[Quantity, ...], text: str) -> QuantifiedSentence:
    """A sentence of whose roles nothing is known."""
    nothing = (frozenset[str](),) * len(found)
    return QuantifiedSentence(text, found, (), (), (), nothing, nothing, nothing, nothing, (), frozenset())


def _otherwise(one: Quantity, other: Quantity, language: Language) -> Finding:
    same = one.values == other.values and one.unit == other.unit and one.name == other.name
    contradicts = (
        not same or one.comparator == "=" or other.comparator == "=" or opposite(one.comparator, other.comparator)
    )
    message = (
        f"答案写的是“{one.stated}”，原文是“{other.stated}”"
        if language == "zh"
        else f"the answer says {one.stated}, the source says {other.stated}"
    )
    return Finding(Issue("number", one.stated, message), contradicts)


def _unsaid(one: Quantity, whole: str, language: Language) -> Finding:
    elsewhere = _is_said(one, whole)
    if language == "zh":
        message = (
            f"所引原文只在讲别的内容时提到“{one.stated}”" if elsewhere else f"所引原文中没有“{one.stated}”这个数值"
        )
    else:
        message = (
            f"the cited text says {one.stated} only where it speaks of something else"
            if elsewhere
            else f"the cited text does not say {one.stated}"
        )
    return Finding(Issue("number", one.stated, message), contradicts=False)
