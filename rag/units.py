"""Units of measure, English and Chinese: what they measure and how they convert.

Only what is the same for every substance converts: 1 g is 1000 mg and 1 g/L is 100 mg/dL, but mg/dL and mmol/L stay
apart, as do weeks and months. The time in a rate such as mg/kg/day is no part of the unit: it is said as "daily" too.
"""

import re
from fractions import Fraction

_UNITS: dict[str, tuple[str, str]] = {
    "mg milligram milligrams milligramme milligrammes 毫克": ("mass", "1"),
    "g gm gms gram grams gramme grammes 克": ("mass", "1000"),
    "kg kgs kilo kilos kilogram kilograms 千克 公斤": ("mass", "1000000"),
    "ug μg mcg microgram micrograms 微克": ("mass", "1/1000"),
    "ng nanogram nanograms 纳克": ("mass", "1/1000000"),
    "pg picogram picograms 皮克": ("mass", "1/1000000000"),
    "ml mls cc millilitre millilitres milliliter milliliters 毫升": ("volume", "1"),
    "l litre litres liter liters 升": ("volume", "1000"),
    "dl 分升": ("volume", "100"),
    "ul μl microliter microliters microlitre microlitres 微升": ("volume", "1/1000"),
    "mol 摩尔": ("amount", "1000"),
    "mmol mmols millimole millimoles 毫摩尔": ("amount", "1"),
    "umol μmol micromole micromoles 微摩尔": ("amount", "1/1000"),
    "nmol nanomole nanomoles 纳摩尔": ("amount", "1/1000000"),
    "pmol picomole picomoles": ("amount", "1/1000000000"),
    "mm millimetre millimetres millimeter millimeters 毫米": ("length", "1"),
    "cm centimetre centimetres centimeter centimeters 厘米 公分": ("length", "10"),
    "m metre metres meter meters 米": ("length", "1000"),
    "km kilometre kilometres kilometer kilometers 公里 千米": ("length", "1000000"),
    "um μm micron microns micrometer micrometers 微米": ("length", "1/1000"),
    "nm nanometer nanometers 纳米": ("length", "1/1000000"),
    "inch inches 英寸": ("inch", "1"),
    "ft foot feet 英尺": ("inch", "12"),
    "lb lbs pound pounds 磅": ("pound", "1"),
    "oz ounce ounces 盎司": ("ounce", "1"),
    "m2 m^2 平方米": ("area", "10000"),
    "cm2 cm^2 平方厘米": ("area", "1"),
    "ms msec millisecond milliseconds 毫秒": ("time", "1/1000"),
    "s sec secs second seconds 秒 秒钟": ("time", "1"),
    "min mins minute minutes 分钟": ("time", "60"),
    "h hr hrs hour hours 小时 个小时 钟头": ("time", "3600"),
    "d day days 天 日": ("time", "86400"),
    "wk wks week weeks 周 星期 个星期 个周": ("time", "604800"),
    "fortnight fortnights": ("time", "1209600"),
    "mo mos month months 个月 月 月龄": ("month", "1"),
    "y yr yrs year years year-old years-old 年 岁 周岁": ("month", "12"),
    "decade decades": ("month", "120"),
    "% percent per\\scent pct 个百分点 百分点": ("part", "1/100"),
    "‰ permille": ("part", "1/1000"),
    "iu iu's u unit units 单位 国际单位 个单位": ("unit", "1"),
    "miu": ("unit", "1/1000"),
    "mu": ("unit", "1000000"),
    "meq": ("equivalent", "1"),
    "eq": ("equivalent", "1000"),
    "mosm mosmol": ("osmole", "1"),
    "mmhg mm\\shg 毫米汞柱": ("mmhg", "1"),
    "kpa 千帕": ("pascal", "1000"),
    "mpa 兆帕": ("pascal", "1000000"),
    "pa": ("pascal", "1"),
    "cmh2o cm\\sh2o 厘米水柱": ("cmh2o", "1"),
    "°c ℃ 摄氏度 degrees\\scelsius deg\\sc degrees\\sc degree\\sc": ("celsius", "1"),
    "°f ℉ 华氏度 degrees\\sfahrenheit": ("fahrenheit", "1"),
    "° degree degrees": ("degree", "1"),
    "bpm": ("/minute", "1"),
    "rpm": ("/minute", "1"),
    "kcal kcals kilocalorie kilocalories 千卡 大卡": ("calorie", "1000"),
    "cal calorie calories 卡路里": ("calorie", "1"),
    "kj": ("joule", "1000"),
    "j joule joules": ("joule", "1"),
    "gy": ("gray", "1"),
    "cgy": ("gray", "1/100"),
    "msv": ("sievert", "1"),
    "hz": ("hertz", "1"),
    "khz": ("hertz", "1000"),
    "mhz": ("hertz", "1000000"),
    "mv": ("volt", "1/1000"),
    "v": ("volt", "1"),
    "kv": ("volt", "1000"),
    "w": ("watt", "1"),
    "kw": ("watt", "1000"),
    "db": ("decibel", "1"),
    "da": ("dalton", "1"),
    "kda": ("dalton", "1000"),
    "bp": ("base", "1"),
    "kb": ("base", "1000"),
    "cfu": ("cfu", "1"),
    "am pm o'clock": ("clock", "1"),
    "time times 次": ("time(s)", "1"),
    "beat beats breath breaths": ("time(s)", "1"),
    "fold 倍": ("fold", "1"),
    "dose doses 剂 剂次": ("dose", "1"),
    "tab tabs tablet tablets pill pills 片": ("tablet", "1"),
    "cap caps capsule capsules 粒": ("capsule", "1"),
    "drop drops 滴": ("drop", "1"),
    "puff puffs 喷 揿": ("puff", "1"),
    "teaspoon teaspoons tsp": ("teaspoon", "1"),
    "cup cups 杯": ("cup", "1"),
}
_BY_NAME = {
    name.replace("\\s", " "): (measured, Fraction(factor))
    for names, (measured, factor) in _UNITS.items()
    for name in names.split()
}
_BY_CASE = {
    "M": ("concentration", Fraction(1000)),
    "mM": ("concentration", Fraction(1)),
    "μM": ("concentration", Fraction(1, 1000)),
    "uM": ("concentration", Fraction(1, 1000)),
    "nM": ("concentration", Fraction(1, 10**6)),
    "pM": ("concentration", Fraction(1, 10**9)),
}
"""Units that only their case tells from others, such as mM from mm."""
SECONDS = {"time": Fraction(1), "month": Fraction(86400 * 365, 12)}
"""For durations, how long the base of each dimension lasts: for how often something is done."""
WEAK = frozenset({"time(s)", "dose", "tablet", "capsule", "fold", "drop", "puff", "degree"})
"""What is counted rather than measured: such a unit is often left unsaid."""
PERSONS = frozenset({"month", "time"})


def _pattern(name: str) -> str:
    return re.escape(name).replace(r"\ ", r"\s") + (r"(?![a-z])" if name[-1].isascii() and name[-1].isalpha() else "")


_LONGEST_FIRST = sorted(_BY_NAME, key=len, reverse=True)
UNIT = f"(?:{'|'.join(map(_pattern, _LONGEST_FIRST))})"
TIME_UNIT = "(?:hours?|hrs?|h|days?|d|weeks?|wks?|months?|years?|yrs?|y|annum|nights?|mornings?|evenings?)(?![a-z])"
HAN_TIME_UNIT = "(?:小时|个小时|天|日|周|星期|个星期|个月|月|年|晚|晨|早)"
DENOMINATOR = (
    rf"\s?(?:/\s?\(?\s?|\bper\s|每(?!{HAN_TIME_UNIT})|·\s?(?=(?:kg|d|h|min|l|ml|m2)\b))(?:\d+(?:\.\d+)?\s?(?!m?g\b|mcg\b|μg\b|毫?克))?"
    rf"(?:{UNIT}|分(?!之))(?:\^?-[1-3])?\)?"
)


def dimension(name: str) -> tuple[str, Fraction]:
    """What the unit ``name``, in its own case, measures, and the factor from it to the dimension's base."""
    if name in _BY_CASE:
        return _BY_CASE[name]
    return _BY_NAME[re.sub(r"\s+", " ", name.lower())]


def days(unit: str) -> Fraction:
    """How many days a unit of time lasts, in whatever language; a month is a twelfth of 365 days."""
    plain = unit.lower()
    if plain in {"annum", "晚", "晨", "早"} or plain.startswith(("night", "morning", "evening")):
        return Fraction(365 if plain == "annum" else 1)
    measured, factor = dimension(plain)
    return factor * SECONDS[measured] / 86400
