"""The numbers of a medical text with what they count, written in one way so that they compare.

``500mg``, ``５００ mg``, ``500 毫克`` and ``0.5 g`` are one quantity; so are ``1,000`` and ``1000``, ``5 µg`` and
``5 mcg``, ``two weeks``, ``14 days`` and ``两周``, ``half``, ``50%`` and ``一半``, ``at least 18 years``, ``≥18岁`` and
``aged 18 or older``. The two ends of ``5-10 mg`` are one quantity. How often something is done is a quantity of its
own: ``twice daily``, ``bid``, ``every 12 hours`` and ``每日两次``; ``10 mg/day`` is 10 mg and daily. A name such as
``HbA1c``, ``B12`` or ``COVID-19`` is a quantity too, and so is a grade such as ``stage III`` or ``2型``: its whole is
its value.
"""

import re
import unicodedata
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

from rag.analysis import simplified
from rag.single_quantities import Quantity, singles
from rag.units import UNIT, dimension

_BETWEEN = re.compile(
    r"\s?(?:[-~/,、至到或和±]|\+/?-|\b(?:to|and|or)\b)\s?(?:\b(?:and|or|to)\b\s?)?|\s?,\s?\b(?:and|or)\b\s"
)
_ALTERNATIVE = re.compile(r"\s?(?:,|\b(?:or|and)\b|[、或和])\s?(?:\b(?:or|and)\b\s?)?")
_RANGE = re.compile(r"\s?(?:-|~|至|到|\b(?:to|through)\b)\s?")
_BETWEEN_AND = re.compile(r"\s?(?:and|与|和)\s?")
_BETWEEN_BEFORE = re.compile(r"(?:\bbetween\s(?:the ages of\s)?|介于|在)$")
_BEFORE_NUMBER = re.compile(
    r"(?:[\s-]|\b(?:a|an|the|of|to|is|was|about|approximately|age|aged|ages|only|total|daily|or)\b|[:：为约是或]|其中)*"
)
_AFTER_NUMBER = re.compile(r"\s?(?:\b(?:of age|in age|old|years|weeks|months)\b\s?|[(（]|的|龄)?")
_UNIT_BEFORE = re.compile(
    r"(?:\b(?P<age>ages?|aged)|\b(?P<unit>days?|weeks?|months?|hours?)|(?P<han>年龄))(?:\s?(?:of|from|was|is|为|在|:|：))?\s?$"
)
_UNIT_AFTER = re.compile(rf"\s(?P<unit>{UNIT})(?!\s?[/·])", re.IGNORECASE)
_COMPARED = frozenset({"measure", "frequency"})
_AFTER_STARTS = ("or", "and", "+", "及", "或", "和", "以", "之")
_LISTED = re.compile(r"^\s*(?:[-*•]\s+)?(?:[(（]?\d{1,2}[.)、）](?=\D))?\s*")
_RAISED = re.compile(r"(?<=[\d)])([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_VULGAR = re.compile("(?<=\\d)\\s?(?=[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])")
_CIRCLED = re.compile("[①-⒛➀-➓❶-❿]")
_SPACES = re.compile(r"[ \t\u2009\u202f]+|(?<![\d\n])\n(?!\n)|\n(?![\d\n])")
"""White space that is one space; the line break between two numbers keeps them apart."""
_SAME = str.maketrans("−–—‐‑﹣～∼〜⁄⋅•⩾≧⩽≦µ\u3000", "------~~~/··≥≥≤≤μ ")
_REFERENCE = re.compile(r"\[\s?\d{1,3}(?:\s?[-,]\s?\d{1,3})*\s?\]")


def normal(text: str) -> str:
    """``text`` in the letters that its quantities are read in: ordinary digits, simplified Chinese, one kind of dash;
    without the numbers of list items."""
    text = _CIRCLED.sub(";", _LISTED.sub("", text, count=1))
    text = _VULGAR.sub(" ", _RAISED.sub(r"^\1", text))
    text = simplified(unicodedata.normalize("NFKC", text).translate(_SAME))
    return re.sub(r"\b(\d+)·(?=\d)", r"\1.", _SPACES.sub(" ", text))


def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of ``text``, in order."""
    return read(normal(text))


def read(text: str) -> tuple[Quantity, ...]:
    """The quantities of a ``normal`` text, in order and without overlaps."""
    folded = text.lower() if len(text.lower()) == len(text) else text
    found = _ranged(folded, singles(text, folded))
    found = _sharing_units(folded, found)
    found = _compared(text, folded, found)
    references = [span for one in _REFERENCE.finditer(text) if (span := one.span())]
    return tuple(
        replace(one, firm=False) if any(start <= one.start < end for start, end in references) else one for one in found
    )


@lru_cache(maxsize=16_384)
def told(text: str) -> tuple[Quantity, ...]:
    """Where ``text`` says how much, how often or when: its firm numbers with their units and comparators, its
    frequencies and its dates, in order. ``text`` is in ordinary width (NFKC) with single spaces, and ``start`` and
    ``end`` are offsets into it. Who compares words leaves these out: they compare as quantities."""
    return tuple(
        one
        for one in read(text.translate(_SAME))
        if one.kind in {"frequency", "date"} or (one.kind == "measure" and one.firm)
    )


def _ranged(folded: str, found: list[Quantity]) -> list[Quantity]:
    """Two numbers that are the ends of one range are one quantity."""
    joined: list[Quantity] = []
    for one in found:
        before = joined[-1] if joined else None
        if before is not None and _is_range(folded, before, one):
            scale = one.scale if not before.unit else Fraction(1)
            start = before.start
            if between := _BETWEEN_BEFORE.search(folded, max(0, start - 24), start):
                start = between.start() if between[0] != "在" else start
            joined[-1] = replace(one, stated="", start=start, values=(before.values[0] * scale, one.values[0]),
                                 firm=before.firm or one.firm)  # fmt: skip
        else:
            joined.append(one)
    return joined


def _is_range(folded: str, one: Quantity, other: Quantity) -> bool:
    if not (one.kind == other.kind == "measure" and len(one.values) == len(other.values) == 1):
        return False
    if one.unit and one.unit != other.unit:
        return False
    between = folded[one.end : other.start]
    if _RANGE.fullmatch(between):
        return True
    return bool(_BETWEEN_AND.fullmatch(between) and _BETWEEN_BEFORE.search(folded, max(0, one.start - 24), one.start))


def _sharing_units(folded: str, found: list[Quantity]) -> list[Quantity]:
    """The unit of ``10, 20 or 40 mg`` belongs to all three."""
    for at in range(len(found) - 2, -1, -1):
        one, following = found[at], found[at + 1]
        shared = one.kind == following.kind == "measure" and following.unit and not one.unit
        if shared and _BETWEEN.fullmatch(folded, one.end, following.start):
            values = tuple(value * following.scale for value in one.values)
            found[at] = replace(one, values=values, unit=following.unit, scale=following.scale)
    return found


def _compared(text: str, folded: str, found: list[Quantity]) -> list[Quantity]:
    """Comparators joined with the number before or after."""
    joined: list[Quantity] = []
    for one in _sharing_ages(folded, found):
        before = joined[-1] if joined else None
        if before is not None and before.kind == "comparison" and one.kind in _COMPARED:
            if not one.comparator and _BEFORE_NUMBER.fullmatch(folded, before.end, one.start):
                joined.pop()
                one = replace(one, stated="", start=before.start, comparator=before.comparator)
        elif before is not None and one.kind == "comparison" and before.kind in _COMPARED:
            after = folded[one.start : one.end].strip().startswith(_AFTER_STARTS) and not before.comparator
            if after and _AFTER_NUMBER.fullmatch(folded, before.end, one.start):
                joined[-1] = _with_unit_after(text, replace(before, stated="", end=one.end, comparator=one.comparator))
                continue
        joined.append(one)
    aged = (_aged(folded, one) if one.comparator else one for one in joined)
    return [one if one.stated else replace(one, stated=text[one.start : one.end]) for one in aged]


def _with_unit_after(text: str, one: Quantity) -> Quantity:
    """``5 or more days``: a quantity whose unit stands behind its comparator."""
    unit = _UNIT_AFTER.match(text, one.end) if one.kind == "measure" and not one.unit else None
    if unit is None:
        return one
    measured, scale = dimension(unit["unit"])
    return replace(one, end=unit.end(), values=tuple(value * scale for value in one.values), unit=measured, scale=scale)


def _sharing_ages(folded: str, found: list[Quantity]) -> list[Quantity]:
    """The quantities with what "aged 13 or 14" says of both."""
    shared: list[Quantity] = []
    for one in found:
        before = shared[-1] if shared else None
        aged = _aged(folded, one)
        if aged is one and before is not None and before.unit and one.kind == "measure" and not one.unit:
            plain = folded[before.start : before.end].replace(",", "").isdigit()
            if plain and _ALTERNATIVE.fullmatch(folded, before.end, one.start):
                values = tuple(value * before.scale for value in one.values)
                aged = replace(one, values=values, unit=before.unit, scale=before.scale)
        shared.append(aged)
    return shared


def _aged(folded: str, one: Quantity) -> Quantity:
    """A number without a unit that follows "aged" or "day" with that unit."""
    if one.kind != "measure" or one.unit:
        return one
    said = _UNIT_BEFORE.search(folded, max(0, one.start - 16), one.start)
    if said is None:
        return one
    unit, scale = dimension(said["unit"] or "years")
    return replace(one, values=tuple(value * scale for value in one.values), unit=unit, scale=scale)
