"""How often something is done, English and Chinese, as times a day.

``twice daily``, ``2 times per day``, ``bid``, ``every 12 hours``, ``q12h``, ``每日两次`` and ``每12小时一次`` are 2;
``weekly`` is 1/7 and ``every other day``, ``隔日`` 1/2. A month counts as a twelfth of 365 days.
"""

import re
from fractions import Fraction

from rag.numerals import CHINESE, DIGITS, ENGLISH, TIMES, number
from rag.units import HAN_TIME_UNIT, TIME_UNIT, days

_LATIN: dict[str, int | Fraction] = {
    "qd": 1, "od": 1, "bid": 2, "bd": 2, "tid": 3, "tds": 3, "qid": 4, "qds": 4, "qhs": 1, "qn": 1, "nocte": 1,
    "qod": Fraction(1, 2), "qw": Fraction(1, 7), "biw": Fraction(2, 7), "tiw": Fraction(3, 7),
}  # fmt: skip
_ADVERBS = {
    "hourly": "hour", "daily": "day", "nightly": "day", "weekly": "week", "fortnightly": "fortnight",
    "monthly": "month", "yearly": "year", "annually": "year",
}  # fmt: skip
_ADVERB = "(?:hourly|hrly|daily|nightly|weekly|fortnightly|monthly|yearly|annually)"
_N = rf"(?:{DIGITS}|\b{ENGLISH}|{CHINESE})"
_RANGE = rf"(?P<n>{_N})(?:\s?(?:-|~|\bto\b|\bor\b|至|到|或)\s?(?P<n2>{_N}))?"
_GIVEN = (
    "(?:口服|静脉注射|静脉滴注|肌内注射|肌注|皮下注射|注射|静滴|滴注|给药|给予|"
    "外用|含服|服用|服|用|各|共|复查|检查|换药)?"
)
_FORMS: dict[str, tuple[str, ...]] = {
    "latin": (
        r"\b(?:qd|od|bid|bd|tid|tds|qid|qds|qhs|qn|nocte|qod|qw|biw|tiw)\b",
        r"\b(?:q\.d|o\.d|b\.i\.d|b\.d|t\.i\.d|t\.d\.s|q\.i\.d|q\.o\.d)\b\.?",
    ),
    "interval": (
        r"\bq\s?(?P<n>\d{1,2})(?:\s?-\s?(?P<n2>\d{1,2}))?\s?(?P<u>h|hrs?|hours?|d|days?|w|wk|weeks?|m)(?:rly|ly)?\b",
        rf"\b(?:every|each)\s{_RANGE}[\s-]?(?P<u>{TIME_UNIT})",
        rf"\b(?P<n>{DIGITS}|{ENGLISH})(?:\s?(?:-|~|\bto\b|\bor\b)\s?(?P<n2>{DIGITS}|{ENGLISH}))?[\s-]?(?P<u>hourly|hrly|weekly|monthly|yearly)\b",
        rf"每隔?{_RANGE}\s?(?P<u>{HAN_TIME_UNIT}|h|d)(?:\s?{_GIVEN}\s?(?:1|一)次)?",
        rf"(?:1|一)次\s?/\s?{_RANGE}\s?(?P<u>{HAN_TIME_UNIT}|h|d)",
        rf"\bevery (?P<other>other|alternate|second|third) (?P<u>{TIME_UNIT})",
        r"\b(?:on )?alternate (?P<u>days|weeks)\b",
        rf"隔(?:1|一)?(?P<u>日|天|周|月)(?P<other>(?:\s?{_GIVEN}\s?(?:1|一)次)?)",
    ),
    "count": (
        rf"\b(?P<n>once|twice|thrice)(?:[\s-](?:or|to)\s(?P<n2>twice|thrice|{_N}\stimes))?[\s-]?"
        rf"(?:(?:an?|per|each|every|in\san?|/)\s?)?(?P<u>{TIME_UNIT}|{_ADVERB}\b)",
        rf"(?<![\d.]){_RANGE}[\s-]?times?[\s-]?(?:(?:an?|per|each|every|in\san?|/)\s?)?(?P<u>{TIME_UNIT}|{_ADVERB}\b)",
        rf"(?:每|一|1|(?<=[，,；;。、])|(?<=\s)|(?<=g)|(?<=片)|(?<=粒))(?P<u>{HAN_TIME_UNIT})\s?{_GIVEN}\s?{_RANGE}\s?次",
        rf"{_RANGE}\s?次\s?[/每]\s?(?P<u>{HAN_TIME_UNIT}|d|day|h|w)(?![a-z])",
    ),
    "bare": (
        rf"\b(?P<u>{_ADVERB})\b",
        rf"\b(?:per|each|every|an?)\s(?P<u>{TIME_UNIT})",
        rf"/\s?(?P<u>{TIME_UNIT}|{HAN_TIME_UNIT})",
        rf"每(?P<u>{HAN_TIME_UNIT})",
    ),
}


def _unnamed(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


_READ = [(form, re.compile(pattern)) for form, patterns in _FORMS.items() for pattern in patterns]
FREQUENCY = rf"(?P<frequency>{'|'.join(_unnamed(pattern) for patterns in _FORMS.values() for pattern in patterns)})"


def frequency(text: str, start: int, end: int) -> tuple[tuple[Fraction, ...], bool]:
    """The times a day of what ``FREQUENCY`` matches at ``text[start:end]``, in lower case, two for a range; and whether
    the words can only mean how often, which "daily" alone does not."""
    form, match = next((form, match) for form, pattern in _READ if (match := pattern.fullmatch(text, start, end)))
    said = match.groupdict()
    if form == "latin":
        abbreviation = match[0].replace(".", "")
        return (Fraction(_LATIN[abbreviation]),), abbreviation not in {"od", "bd"}
    unit = said["u"] or ""
    unit = _ADVERBS.get(unit) or {"hrly": "hour", "w": "week", "m": "month"}.get(unit, unit)
    length = days(unit)
    counted = tuple(_number(one) for name in ("n", "n2") if (one := said.get(name)))
    if form == "count":
        return tuple(one / length for one in counted), True
    if form == "bare":
        return (1 / length,), False
    if not counted:
        counted = (Fraction(3 if said.get("other") == "third" else 2),)
    return tuple(1 / ((one or 1) * length) for one in counted), True


def _number(words: str) -> Fraction:
    word = words.removesuffix(" times")
    return Fraction(TIMES[word]) if word in TIMES else number(word)
