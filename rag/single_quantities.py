"""The quantities of a medical text one by one: each number, date, frequency, grade and name that stands in it, with the
unit written at it. What neighbours mean together (a range, a shared unit, a comparator) is put together in
``rag.quantities``.
"""

import re
from bisect import bisect
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

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
_DIGITS = re.compile(r"\d")
_GOES_ON = re.compile(r"-?[A-Za-zα-ω]")


def singles(text: str, folded: str) -> list[Quantity]:
    """Those of a text that ``rag.quantities.normal`` gave, in order and without overlaps; ``folded`` is the text
    without case, as long as it."""
    found: list[Quantity] = []
    for match in _ATOM.finditer(folded):
        found += _atoms(text, folded, match)
    return _with_romans(text, found)


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
