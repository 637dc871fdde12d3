"""Errors seeded into a sentence: each function gives the sentences that say something else than the given one.

A change is an error only where it changes what is claimed: "more than 300" is not lowered, since it implies 200, and a
drug is not swapped for its own synonym.
"""

import random
import re
from collections.abc import Iterator
from decimal import Decimal

from seeded.changes import Change
from seeded.figures import HAN, WORDS, Figure, another, bound, figures, in_range, put, written
from seeded.names import Names
from seeded.passages import Sentence

_MASS = (
    r"(?:mg|mcg|[μµu]g|ng|kg|g|ml|mL|L|l|dl|IU|U|units?|mmol|mEq|milligrams?|micrograms?|grams?|millilit(?:er|re)s?|mCi|Gy"
    r"|毫克|微克|克|毫升|单位|万单位|万U|升)"
)
_DOSE = re.compile(rf"\s?-?{_MASS}(?![A-Za-z])(?:/[A-Za-z0-9·.]+)*")


def dose_x10(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    for one in figures(text):
        if (
            not _DOSE.match(text, one.end)
            or one.value > 50_000
            or in_range(text, one)
            or re.match(r"\s?[×x]\s?g\b", text[one.end :])
        ):
            continue
        way = bound(text, one)
        for factor in (Decimal(10), Decimal("0.1")):
            if way and (way > 0) != (factor > 1):
                continue
            unit = _DOSE.match(text, one.end)[0].strip()  # type: ignore[index]
            now = written(one.value * factor, one.text)
            yield Change(put(text, one.start, one.end, now), f"{one.text} {unit}", f"{now} {unit}")


_UNITS_EN: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mg/kg/day", ("mg/kg/week", "g/kg/day", "mg/day")),
    ("mg/kg", ("g/kg", "mg")),
    ("mg/dL", ("mmol/L", "g/dL")),
    ("mg/dl", ("mmol/l", "g/dl")),
    ("g/dL", ("mg/dL",)),
    ("g/dl", ("mg/dl",)),
    ("mmol/L", ("mg/dL", "µmol/L")),
    ("mmol/l", ("mg/dl", "µmol/l")),
    ("mg/day", ("g/day", "mg/week")),
    ("mg/mL", ("µg/mL",)),
    ("mg/ml", ("µg/ml",)),
    ("mmHg", ("kPa",)),
    ("mm Hg", ("kPa",)),
    ("mg", ("g", "µg", "mL")),
    ("mcg", ("mg", "g")),
    ("μg", ("mg", "g")),
    ("µg", ("mg", "g")),
    ("g", ("mg", "kg")),
    ("kg", ("g", "lb")),
    ("mL", ("L", "mg")),
    ("ml", ("l", "mg")),
    ("L", ("mL",)),
    ("IU", ("mg", "µg")),
    ("units", ("mg", "mL")),
    ("cm", ("mm", "m")),
    ("mm", ("cm", "µm")),
    ("minutes", ("hours", "seconds")),
    ("min", ("h",)),
    ("hours", ("minutes", "days")),
    ("days", ("weeks", "hours", "months")),
    ("weeks", ("days", "months")),
    ("months", ("weeks", "years")),
    ("years", ("months", "weeks")),
    ("day", ("week",)),
    ("week", ("month", "day")),
    ("month", ("week", "year")),
    ("year", ("month",)),
    ("hour", ("minute", "day")),
)
_UNITS_ZH: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("mg/kg", ("g/kg", "mg")),
    ("mmol/L", ("μmol/L", "mg/L")),
    ("μmol/L", ("mmol/L",)),
    ("g/L", ("mg/L",)),
    ("mg/L", ("g/L",)),
    ("mmHg", ("kPa",)),
    ("kPa", ("mmHg",)),
    ("mg", ("g", "μg", "ml")),
    ("μg", ("mg",)),
    ("kg", ("g",)),
    ("ml", ("L", "mg")),
    ("mL", ("L", "mg")),
    ("g", ("mg", "kg")),
    ("L", ("ml",)),
    ("cm", ("mm", "m")),
    ("mm", ("cm",)),
    ("毫克", ("克", "微克")),
    ("毫升", ("升",)),
    ("克", ("毫克",)),
    ("小时", ("天", "分钟")),
    ("分钟", ("小时", "秒")),
    ("个月", ("年", "周")),
    ("天", ("周", "个月")),
    ("周", ("天", "个月")),
    ("岁", ("个月",)),
    ("年", ("个月", "周")),
    ("日", ("周",)),
)
_UNIT_PATTERNS = {
    "en": (
        re.compile(
            rf"[\s-]?({'|'.join(re.escape(u) for u, _ in _UNITS_EN)})(?![A-Za-z/°²³])(?!\s?(?:per|/)|²|³|2\b|3\b)"
        )
    ),
    "zh": (re.compile(rf"\s?({'|'.join(re.escape(u) for u, _ in _UNITS_ZH)})(?![A-Za-z/°²³级龄代轻\d])(?!·)")),
}
_UNIT_SWAPS = {"en": dict(_UNITS_EN), "zh": dict(_UNITS_ZH)}


def unit_swapped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, lang = sentence.text, sentence.passage.lang
    for one in figures(text):
        unit = _UNIT_PATTERNS[lang].match(text, one.end)
        if not unit or (one.year and unit[1] in ("年", "g")) or in_range(text, one) < 0:
            continue
        if unit[1] == "日" and re.search(r"月\s*$", text[: one.start]):
            continue
        way = bound(text, one)
        for other in _UNIT_SWAPS[lang][unit[1]]:
            size = _SIZES.get(unit[1]), _SIZES.get(other)
            if way and (None in size or (size[1] > size[0]) != (way > 0)):  # type: ignore[operator]
                continue
            start, end = unit.span(1)
            yield Change(put(text, start, end, other), f"{one.text} {unit[1]}", f"{one.text} {other}")


_SIZES = {
    **dict.fromkeys(("mg", "毫克"), 1e-3),
    **dict.fromkeys(("mcg", "μg", "µg", "微克"), 1e-6),
    **dict.fromkeys(("g", "克"), 1.0),
    "kg": 1e3,
    **dict.fromkeys(("mL", "ml", "毫升"), 1e-3),
    **dict.fromkeys(("L", "l", "升"), 1.0),
    "mm": 1e-3,
    "cm": 1e-2,
    "m": 1.0,
    **dict.fromkeys(("minutes", "minute", "min", "分钟"), 60.0),
    **dict.fromkeys(("hours", "hour", "h", "小时"), 3600.0),
    **dict.fromkeys(("days", "day", "天", "日"), 86400.0),
    **dict.fromkeys(("weeks", "week", "周"), 6e5),
    **dict.fromkeys(("months", "month", "个月"), 2.6e6),
    **dict.fromkeys(("years", "year", "年", "岁"), 3.1e7),
}
_COUNTED_EN = re.compile(
    rf"(?<![\w-])({'|'.join(WORDS[2:])})(?=\s(?!(?:of|or|and|to|hundred|thousand|million|billion|thirds|quarters|halves)\b)[a-z])"
    r"(?!\s(?:more|other|different|main|point)?\s?(?:times)\b)",
    re.IGNORECASE,
)
_COUNTED_ZH = re.compile(
    r"(?<![一二三四五六七八九十百千第两几数多双\d分单])(?!四周|八角)([两二三四五六七八九])(?=(?:个|种|例|年|天|周|日|岁|小时|分钟|类|项|倍|组|对|条|大类)(?![之分制子]))"
)
_NO_PERCENT = re.compile(r"\s*(?:%|％|percent)")


def number_changed(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    found = figures(text)
    every = {one.text for one in found}
    for one in found:
        if (
            one.value == 0
            or len(one.text) > 7
            or (one.value == 1 and one.whole and not _NO_PERCENT.match(text, one.end))
        ):
            continue
        side = in_range(text, one)
        most = Decimal(100) if _NO_PERCENT.match(text, one.end) else None
        now = another(one, side or bound(text, one), every, chance, most)
        if now:
            yield Change(put(text, one.start, one.end, now), *_around(text, one, now))
    if sentence.passage.lang == "en":
        for match in _COUNTED_EN.finditer(text):
            if match[0].lower() == "ten" or re.search(
                r"\b(?:one|these|those|last|first|all|or|to|-)\s?$", text[: match.start()]
            ):
                continue
            value = WORDS.index(match[0].lower())
            way = bound(text, Figure(match.start(), match.end(), str(value)))
            values = [n for n in range(2, 13) if n != value and way * (n - value) >= 0 and abs(n - value) <= 4]
            now = WORDS[chance.choice(values)] if values else ""
            if now and now not in text.lower():
                now = now.capitalize() if match[0][0].isupper() else now
                yield Change(put(text, *match.span(), now), match[0], now)
        return
    for match in _COUNTED_ZH.finditer(text):
        was = "二" if match[0] == "两" else match[0]
        value = HAN.index(was)
        values = [n for n in range(2, 10) if n != value and HAN[n] not in text]
        if values:
            now = HAN[chance.choice(values)]
            unit = text[match.end()]
            now = "两" if now == "二" else now
            yield Change(put(text, *match.span(), now), match[0] + unit, now + unit)


def _around(text: str, one: Figure, now: str) -> tuple[str, str]:
    tail = re.match(r"\s?[^\s,.;，。；、（(]{0,8}", text[one.end :])[0]  # type: ignore[index]
    return one.text + tail, now + tail


_COMPARATORS_EN = (
    ("less than or equal to", "greater than or equal to"),
    ("greater than or equal to", "less than or equal to"),
    ("no more than", "no less than"),
    ("no less than", "no more than"),
    ("not more than", "not less than"),
    ("not less than", "not more than"),
    ("more than", "less than"),
    ("less than", "more than"),
    ("fewer than", "more than"),
    ("greater than", "less than"),
    ("higher than", "lower than"),
    ("lower than", "higher than"),
    ("older than", "younger than"),
    ("younger than", "older than"),
    ("longer than", "shorter than"),
    ("shorter than", "longer than"),
    ("larger than", "smaller than"),
    ("smaller than", "larger than"),
    ("at least", "at most"),
    ("at most", "at least"),
    ("up to", "at least"),
    ("over", "under"),
    ("under", "over"),
    ("above", "below"),
    ("below", "above"),
    ("or more", "or less"),
    ("or less", "or more"),
    ("or older", "or younger"),
    ("and older", "and younger"),
    ("or greater", "or less"),
    ("or higher", "or lower"),
    ("exceeds", "is below"),
)
_COMPARATORS_ZH = (
    ("不超过", "不少于"),
    ("不少于", "不超过"),
    ("不低于", "不高于"),
    ("不高于", "不低于"),
    ("不大于", "不小于"),
    ("不小于", "不大于"),
    ("大于等于", "小于等于"),
    ("小于等于", "大于等于"),
    ("大于", "小于"),
    ("小于", "大于"),
    ("高于", "低于"),
    ("低于", "高于"),
    ("超过", "不足"),
    ("少于", "多于"),
    ("多于", "少于"),
    ("至少", "至多"),
    ("最多", "至少"),
    ("不足", "超过"),
    ("以上", "以下"),
    ("以下", "以上"),
    ("以内", "以上"),
)
_SYMBOLS = {"<": ">", ">": "<", "≤": "≥", "≥": "≤", "＜": "＞", "＞": "＜", "⩽": "⩾", "⩾": "⩽"}
_NUMERIC_ONLY = ("at least", "at most", "up to", "over", "under", "above", "below", "exceeds")


def comparator_flipped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, lang = sentence.text, sentence.passage.lang
    for match in re.finditer(r"(?<![-=<>])([<>≤≥＜＞⩽⩾])(?=\s?=?\s?\d)", text):
        yield Change(put(text, *match.span(), _SYMBOLS[match[0]]), match[0], _SYMBOLS[match[0]])
    taken: list[tuple[int, int]] = []
    for was, now in _COMPARATORS_EN if lang == "en" else _COMPARATORS_ZH:
        for match in re.finditer(rf"\b{was}\b" if lang == "en" else was, text, re.IGNORECASE):
            start, end = match.span()
            if any(left < end and start < right for left, right in taken):
                continue
            taken.append((start, end))
            if _compares(text, start, end, was, lang):
                put_in = now.capitalize() if match[0][0].isupper() else now
                yield Change(put(text, start, end, put_in), match[0], put_in)


def _compares(text: str, start: int, end: int, was: str, lang: str) -> bool:
    before, after = text[max(0, start - 14) : start], text[end : end + 14]
    counted = re.match(
        r"\s*(?:about|approximately|the age of|age|约)?\s*"
        rf"(?:\d|(?:{'|'.join(WORDS[1:])}|half)\b|[一二三四五六七八九十两半])",
        after,
    )
    if lang == "en":
        if was == "over" and re.match(r"\s*\S+(?:\s?[-–]\s?\d+)?\s?(?:second|minute|hour|day|week|month|h|min)", after):
            return False  # "over 3 weeks" may mean during them
        if re.search(r"\b(?:no|not|more or|rather|little|much|over and|other)\s$", before, re.IGNORECASE):
            return False
        if was.startswith(("or ", "and ")):
            return bool(re.search(r"(?:\d|years|months|%|kg|mg|weeks|days|hours)[\w%]*\s?(?:of age )?$", before))
        return bool(counted) or (was not in _NUMERIC_ONLY and was != "more than" and was != "less than")
    if was in ("以上", "以下", "以内"):
        return bool(re.search(r"[\d%％岁年月周天次例个mglLh]$|小时$", before)) and not re.match(r"[述各所]", after)
    if was in ("超过", "不足", "至少", "最多"):
        return bool(counted) and not re.search(r"不$", before)
    return not re.search(r"[不]$", before)
