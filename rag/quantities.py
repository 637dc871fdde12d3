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
from bisect import bisect
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import Literal

from rag.analysis import simplified
from rag.comparators import AFTER, BEFORE, agree, read_after, read_before
from rag.numerals import CHINESE, NUMBER, ORDINALS, PART, TIMES, number, part
from rag.schedules import FREQUENCY, frequency
from rag.units import DENOMINATOR, HAN_TIME_UNIT, TIME_UNIT, UNIT, days, dimension

Kind = Literal["measure", "frequency", "date", "name", "ordinal", "comparison"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """``stated`` is ``normal(text)[start:end]``; what follows compares. ``values`` are in the base of ``unit``, two for
    a range, times a day for a frequency. ``unit`` is what is measured, empty where that is not said. ``comparator`` is
    empty or every sign that the words may stand for, as ">" and "≥" for 以上. ``name`` is that of a name or a grade, or
    a date as ``YYYY[-MM[-DD]]``. What is not ``firm`` may be no quantity at all: the two of 二甲双胍, the one of
    "one of them"."""

    stated: str
    start: int
    end: int
    kind: Kind
    values: tuple[Fraction, ...] = ()
    unit: str = ""
    comparator: str = ""
    name: str = ""
    firm: bool = True
    scale: Fraction = Fraction(1)

    @property
    def value(self) -> str:
        """All of the quantity but its unit, as a text that compares."""
        return self.name or self.comparator + "-".join(map(str, self.values))

    def same(self, other: "Quantity") -> bool:
        """Whether both are one quantity, however written."""
        return (self.values, self.unit, self.name) == (other.values, other.unit, other.name) and agree(
            self.comparator, other.comparator
        )


_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR = r"(?:1[89]|20)\d\d"
_DATE = (
    rf"(?P<y1>{_YEAR}|[一二][零〇一二三四五六七八九]{{3}})\s?年(?:\s?(?P<m1>\d{{1,2}})\s?月(?:\s?(?P<d1>\d{{1,2}})\s?日)?)?"
    rf"|(?<![\d.])(?P<y2>{_YEAR})(?P<sep>[-/.])(?P<m2>0[1-9]|1[0-2])(?:(?P=sep)(?P<d2>[0-3]\d))?(?![\d-])"
    rf"|\b(?:(?P<d3>[0-3]?\d)(?:st|nd|rd|th)?\s)?(?P<m3>{_MONTH})\s"
    rf"(?:(?P<d4>[0-3]?\d)(?:st|nd|rd|th)?,?\s)?(?:of\s)?(?P<y3>{_YEAR})\b"
)
_KINDS = {
    "stage": "stage stages phase phases 期",
    "grade": "grade grades 级",
    "type": "type types 型",
    "class": "class classes 类",
    "degree": "度",
    "factor": "factor factors",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}
_ROMAN = "(?:x{0,2}(?:ix|iv|v?i{0,3}))"
_GRADE = (
    rf"\b(?P<graded>stages?|phases?|grades?|types?|class(?:es)?|factors?)[\s-]?"
    rf"(?P<g1>\d{{1,2}}(?![\d.,]\d|\d|\s?%)|(?=[ivx]){_ROMAN}(?![a-z])|(?:one|two|three|four|five)\b)"
    rf"|(?<![\d.a-z])(?P<g2>\d{{1,2}}|(?=[ivx]){_ROMAN}|[一二三四五六七八九十])(?P<han>[期型级度类](?![间望待限刊第氏数别似]))"
)
_GLUED = r"[a-z]{5,}+\d+(?:\.\d+)?\s?(?:m?g|mcg|μg|ml|iu|units|%)(?![a-z])"
_NAME = rf"(?P<name>(?<![a-z0-9α-ω])(?!{_GLUED})[a-zα-ω][a-zα-ω-]{{0,11}}+\d[a-zα-ω0-9-]{{0,12}}(?:(?<=\d)\.\d+)?)"
_ORDINAL = (
    rf"\b(?P<ordinal>\d+(?=st\b|nd\b|rd\b|th\b)|{'|'.join(ORDINALS)})(?:st|nd|rd|th)?\b|"
    rf"第(?P<nth>{CHINESE}|\d+)(?P<nth_unit>{HAN_TIME_UNIT})?"
)
_MEASURED = rf"(?P<unit>{UNIT}(?:{DENOMINATOR}){{0,3}}|/\s?(?!{TIME_UNIT}){UNIT})"
_MEASURE = (
    rf"(?:(?P<part>{PART})|(?:(?<=°c)|(?<=[a-z]{{5}})(?!\.)|(?<![a-zα-ω\d])(?:(?<!\.)|(?=[^\x00-\x7f])))(?P<sign>(?<![^\s(=:,;<>≤≥~])(?<!\d\s)-(?=[\d.]))?(?P<number>{NUMBER}))"
    rf"(?P<odd>\sand\sa\shalf(?=\s{UNIT})|个?半(?=个?{UNIT})|[余多](?=个?\s?{UNIT}))?"
    rf"(?:(?(part)(?:\s(?:of\s)?(?:an?\s)?|-)?|[\s-]?){_MEASURED})?(?P<half>(?<=[年月时天周片])半(?![数夏年月天片个]))?"
)
_HALF = rf"半个?(?!月[板瓣神])(?P<halved>{UNIT})"
_STARTS = r"(?:(?<![a-zα-ω])(?=[a-zα-ω])|(?=[\d.°<>=≤≥+/-]|[^\x00-\x7fα-ω]))"
"""Where a quantity may begin: not inside a Latin word. It keeps the search quick."""
_ATOM = re.compile(
    _STARTS
    + "(?:"
    + "|".join(
        (
            rf"(?P<date>{_DATE})",
            FREQUENCY,
            _GRADE,
            _NAME,
            rf"(?P<before>{BEFORE})",
            rf"(?P<halves>{_HALF})",
            rf"\b(?P<times>{'|'.join(TIMES)})\b",
            rf"(?P<measure>{_MEASURE})",
            _ORDINAL,
            rf"(?P<after>{AFTER})",
        )
    )
    + ")"
)

_ROMAN_ALONE = re.compile(r"(?<![A-Za-z0-9-])(?=[IVX]{2})X{0,2}(?:IX|IV|V?I{0,3})(?![A-Za-z0-9])")
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
_DIGITS = re.compile(r"\d")
_GOES_ON = re.compile(r"-?[A-Za-zα-ω]")


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
    found: list[Quantity] = []
    for match in _ATOM.finditer(folded):
        found += _atoms(text, folded, match)
    found = _with_romans(text, found)
    found = _ranged(folded, found)
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


def _atoms(text: str, folded: str, match: re.Match[str]) -> list[Quantity]:
    start, end = match.span()
    stated = text[start:end]
    said = match.groupdict()
    if said["date"]:
        return [Quantity(stated, start, end, "date", name=_date(said))]
    if said["frequency"]:
        rates, firm = frequency(folded, start, end)
        return [Quantity(stated, start, end, "frequency", rates, "day", firm=firm)]
    if said["g1"] or said["g2"]:
        kind = _KIND_OF[said["graded"] or said["han"]]
        return [Quantity(stated, start, end, "name", name=f"{kind} {_grade(said['g1'] or said['g2'])}")]
    if said["name"]:
        return [Quantity(stated, start, end, "name", name=said["name"].replace("-", "").removesuffix("s"))]
    if said["before"] or said["after"]:
        reading = read_before(folded, start, end) if said["before"] else read_after(folded, start, end)
        return [Quantity(stated, start, end, "comparison", comparator=reading, firm=False)]
    if said["ordinal"] or said["nth"]:
        place = said["ordinal"] or said["nth"]
        value = Fraction(ORDINALS[place]) if place in ORDINALS else number(place)
        if said["nth_unit"]:
            return _measured(text, start, end, value, match.span("nth_unit"), True)
        return [Quantity(stated, start, end, "ordinal", (value,), firm=False)]
    if said["times"]:
        return [Quantity(stated, start, end, "measure", (Fraction(TIMES[said["times"]]),), "time(s)", firm=False)]
    if said["halved"]:
        return _measured(text, start, end, Fraction(1, 2), match.span("halved"), True)
    return _number(text, said, match)


def _number(text: str, said: dict[str, str | None], match: re.Match[str]) -> list[Quantity]:
    start, end = match.span()
    if said["part"]:
        value, unit = part(said["part"]), "part"
    else:
        value, unit = number(said["number"] or "") * (-1 if said["sign"] else 1), ""
    if (said["odd"] or "").strip().endswith(("half", "半")) or said["half"]:
        value += Fraction(1, 2)
    written = said["number"] or said["part"] or ""
    firm = (
        bool(_DIGITS.search(written)) or "分之" in written or bool(said["part"] and written not in {"half", "quarter"})
    )
    if not said["unit"]:
        firm = firm and not _GOES_ON.match(text, end)
        return [Quantity(text[start:end], start, end, "measure", (value,), unit, firm=firm)]
    if said["unit"] == "s" and re.fullmatch(_YEAR + "s", match[0]):
        return [Quantity(text[start:end], start, end, "measure", (value,))]
    return _measured(text, start, end, value, match.span("unit"), firm or written not in {"一", "one"})


_UNIT_PART = re.compile(rf"(?P<over>\d+(?:\.\d+)?)?\s?(?P<name>{UNIT}|分)", re.IGNORECASE)
_SEPARATOR = re.compile(r"(?:[\s/(·每]|\bper\b)+$")
_MINUTES = frozenset({"min", "mins", "minute", "minutes", "分钟", "分"})
_RATES = re.compile(rf"{TIME_UNIT}|{HAN_TIME_UNIT}", re.IGNORECASE)


def _measured(text: str, start: int, end: int, value: Fraction, unit: tuple[int, int], firm: bool) -> list[Quantity]:
    """A number and its unit; a time below the line, other than a minute or less, is how often."""
    dimensions: list[str] = []
    scale = Fraction(1)
    rate: list[Quantity] = []
    below = text[unit[0]] == "/"
    for match in _UNIT_PART.finditer(text, *unit):
        name = match["name"]
        measured, factor = dimension("分钟" if name == "分" else name)
        if below and _RATES.fullmatch(name):
            often = 1 / (days(name) * (Fraction(match["over"] or 1) or 1))
            rate.append(Quantity("", match.start(), match.end(), "frequency", (often,), "day", firm=False))
            continue
        if below:
            minutes = name.lower() in _MINUTES
            scale /= (Fraction(1) if minutes else factor) * (Fraction(match["over"] or 1) or 1)
            dimensions.append("/minute" if minutes else f"/{measured}")
        else:
            scale *= factor
            dimensions.append(measured)
        below = True
    if len(dimensions) > 1 and dimensions[0] == "time(s)":
        dimensions = dimensions[1:]
    if rate and dimensions == ["time(s)"]:
        return [replace(rate[0], stated=text[start:end], start=start, values=(value * rate[0].values[0],), firm=True)]
    if rate:
        end = start + len(_SEPARATOR.sub("", text[start : rate[0].start]))
    return [
        Quantity(
            text[start:end],
            start,
            end,
            "measure",
            (value * scale,),
            "".join(dimensions),
            firm=firm,
            scale=scale,
        ),
        *rate,
    ]


def _date(said: dict[str, str | None]) -> str:
    year = said["y1"] or said["y2"] or said["y3"] or ""
    month = said["m1"] or said["m2"] or (str(_MONTHS.index(said["m3"][:3]) + 1) if said["m3"] else None)
    day = said["d1"] or said["d2"] or said["d3"] or said["d4"]
    return "-".join(f"{int(number(one)):02}" for one in (year, month, day) if one)


def _grade(written: str) -> int:
    return _roman(written) if written[0] in "ivx" else int(number(written))


def _roman(written: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10}[letter] for letter in written.lower()]
    return sum(-one if one < following else one for one, following in zip(values, [*values[1:], 0], strict=True))


def _with_romans(text: str, found: list[Quantity]) -> list[Quantity]:
    free = [one.span() for one in _ROMAN_ALONE.finditer(text)]
    starts = [one.start for one in found]
    for start, end in free:
        at = bisect(starts, start)
        clear = (at == 0 or found[at - 1].end <= start) and (at == len(found) or found[at].start >= end)
        if clear:
            found = [
                *found[:at],
                Quantity(text[start:end], start, end, "name", name=f"roman {_roman(text[start:end])}"),
                *found[at:],
            ]
            starts = [one.start for one in found]
    return found


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
