"""The numbers of a medical text with their units, written in one way so that they compare.

``500mg``, ``５００ mg``, ``500 毫克`` and ``0.5 g`` are one quantity; so are ``1,000`` and ``1000``, ``5 µg`` and
``5 mcg``, ``two weeks`` and ``2 weeks``. The unit of ``5-10 mg`` belongs to both numbers. A name such as ``HbA1c``,
``B12`` or ``COVID-19`` is a quantity too, whose whole is its value.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

_MEASURES: dict[str, tuple[str, str]] = {
    "mg": ("mg", "1"),
    "g": ("mg", "1000"),
    "kg": ("mg", "1000000"),
    "ug": ("mg", "0.001"),
    "ng": ("mg", "0.000001"),
    "ml": ("ml", "1"),
    "l": ("ml", "1000"),
    "dl": ("ml", "100"),
    "ul": ("ml", "0.001"),
    "mmol": ("mmol", "1"),
    "umol": ("mmol", "0.001"),
    "nmol": ("mmol", "0.000001"),
}
_NAMES: dict[str, str] = {
    name: unit
    for unit, names in {
        "mg": "mg mgs milligram milligrams 毫克",
        "g": "g gm gram grams 克",
        "kg": "kg kgs kilogram kilograms 千克 公斤",
        "ug": "ug µg μg mcg microgram micrograms 微克",
        "ng": "ng nanogram nanograms 纳克",
        "ml": "ml mls cc millilitre millilitres milliliter milliliters 毫升",
        "l": "l litre litres liter liters 升",
        "dl": "dl 分升",
        "ul": "ul µl μl 微升",
        "mmol": "mmol 毫摩尔",
        "umol": "umol µmol μmol 微摩尔",
        "nmol": "nmol 纳摩尔",
        "mol": "mol 摩尔",
        "meq": "meq",
        "unit": "iu u unit units 单位 国际单位",
        "%": "% percent 个百分点",
        "c": "°c ℃ 摄氏度",
        "mmhg": "mmhg 毫米汞柱",
        "kpa": "kpa",
        "cm": "cm 厘米",
        "mm": "mm 毫米",
        "m2": "m2 m^2 平方米",
        "second": "s sec secs second seconds 秒 秒钟",
        "minute": "min mins minute minutes 分钟",
        "hour": "h hr hrs hour hours hourly 小时",
        "day": "d day days daily 天 日",
        "week": "wk wks week weeks weekly 周 星期",
        "month": "month months monthly 个月 月",
        "year": "y yr yrs year years yearly annum 年 岁 周岁",
        "time": "time times 次",
        "fold": "fold 倍",
        "dose": "dose doses 剂",
        "tablet": "tablet tablets 片",
        "capsule": "capsule capsules 粒",
        "drop": "drop drops 滴",
        "puff": "puff puffs 喷 揿",
        "beat": "bpm",
        "kcal": "kcal 千卡",
    }.items()
    for name in names.split()
}
_WORDS = {
    word: str(value)
    for value, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)
}


def _either(names: list[str]) -> str:
    longest_first = sorted(names, key=len, reverse=True)
    return "|".join(
        re.escape(name) + (r"(?![a-z])" if name[-1].isascii() and name[-1].isalpha() else "") for name in longest_first
    )


_UNIT = f"(?:{_either(list(_NAMES))})"
_UNITS = rf"{_UNIT}(?:\s?(?:/|per\s|每)\s?{_UNIT}){{0,3}}"
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_QUANTITY = re.compile(
    rf"(?P<name>(?<![a-z0-9])(?=[a-z0-9-]*[a-z])[a-z][a-z-]{{0,11}}\d[a-z0-9-]{{0,12}})"
    rf"|(?<![a-z\d.])(?P<number>{_NUMBER})(?P<power>\^\d+)?(?:[\s-]?(?P<unit>{_UNITS}))?"
    rf"|\b(?P<word>{'|'.join(_WORDS)})[\s-](?P<counted>{_UNITS})"
)
_BETWEEN = re.compile(r"\s?(?:[-–—~−/,、至到]|to|and|or|或|和)\s?(?:(?:and|or|to)\s)?|\s?,\s?(?:and|or)\s")
_LISTED = re.compile(r"^\s*(?:[-*•]\s+)?(?:[(（]?\d{1,2}[.)、）](?=\D))?\s*")
_RAISED = re.compile(r"(?<=[\d)])([⁰¹²³⁴⁵⁶⁷⁸⁹]+)")


@dataclass(frozen=True, slots=True)
class Quantity:
    """``stated`` is as the text has it; ``value`` and ``unit`` compare. ``unit`` is empty where there is none."""

    stated: str
    value: str
    unit: str


def quantities(text: str) -> tuple[Quantity, ...]:
    """The quantities of ``text``, in order. The number of a list item is none."""
    text = _RAISED.sub(r"^\1", _LISTED.sub("", text, count=1))
    text = unicodedata.normalize("NFKC", text)
    folded = text.lower() if len(text.lower()) == len(text) else text
    found: list[Quantity] = []
    edges: list[tuple[int, int]] = []
    for match in _QUANTITY.finditer(folded):
        stated = text[match.start() : match.end()]
        if name := match["name"]:
            found.append(Quantity(stated, name.replace("-", "").removesuffix("s"), "name"))
        else:
            number = _WORDS.get(match["word"] or "") or match["number"]
            found.append(_quantity(stated, number, match["power"] or "", match["unit"] or match["counted"] or ""))
        edges.append(match.span())
    for place in range(len(found) - 2, -1, -1):
        one, following = found[place], found[place + 1]
        between = folded[edges[place][1] : edges[place + 1][0]]
        if not one.unit and following.unit not in {"", "name"} and _BETWEEN.fullmatch(between):
            unit = following.stated.lower().lstrip("0123456789.,-^ ")
            found[place] = _quantity(f"{one.stated} {unit}", one.stated, "", unit)
    return tuple(found)


def _quantity(stated: str, number: str, power: str, unit: str) -> Quantity:
    parts = [_NAMES[part] for part in re.findall(_UNIT, unit)]
    first, factor = _MEASURES.get(parts[0], (parts[0], "1")) if parts else ("", "1")
    try:
        value = Decimal(number.replace(",", "")) * Decimal(factor)
        plain = format(value.normalize(), "f")[:60]
    except InvalidOperation:
        plain = number[:60]
    return Quantity(stated, plain + power, "/".join([first, *parts[1:]]))
