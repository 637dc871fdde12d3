"""Where somebody lives, as English and Chinese addresses are written: a house number, its street, and what follows."""

import re
from collections.abc import Iterator

from rag.identifiers import Identifier
from rag.languages import HAN

_STREETS = """
    alley annex arcade ave avenue bayou beach bend blvd bluff bluffs boulevard bottom branch bridge brook brooks burg
    burgs bypass camp canyon cape causeway centers chase circle circles cliff cliffs close club common commons corner
    corners course court courts cove coves creek crescent crest crossing crossroad crossroads curve dale dam divide dr
    drive drives estate estates expressway extension extensions fall falls ferry field fields flat flats ford fords
    forest forge forges fork forks fort freeway garden gardens gateway glen glens green greens grove groves harbor
    harbors haven heights highway hill hills hollow inlet island islands isle junction junctions key keys knoll knolls
    lake lakes land landing lane ln locks lodge loop mall manor manors meadow meadows mews mill mills mission motorway
    mount mountain mountains neck orchard oval overpass park parks parkway parkways pass passage path pike pine pines
    place plain plains plaza point points port ports prairie radial ramp ranch rapid rapids rd rest ridge ridges river
    road roads route row shoal shoals shore shores skyway spring springs spur spurs square squares st station
    stravenue stream street streets summit terrace throughway trace track trafficway trail tunnel turnpike underpass
    union unions valley valleys via viaduct view views village villages ville vista walk walks wall way ways well
    wells
""".split()
"""The last words of street names (United States Postal Service, Publication 28, appendix C1) and British ones."""
_COMMON = """
    avenue ave blvd boulevard close court crescent dr drive gardens highway
    lane ln parkway place rd road square st street terrace way
""".split()

_NUMBER = r"(?:(?:Flat|Apt\.?|Apartment|Unit|Suite|Studio|Room)\s+\w{1,5},?\s+)?\d{1,5}[A-Za-z]?,?"
_PART = r"[A-Z][A-Za-z'’.-]*"
_ROOM = r"(?:,?\s+(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|\#)\.?\s*\w{1,6})?"
_UK_CODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_US_CODE = r"(?:[A-Z]{2}|[A-Z][a-z]+(?: [A-Z][a-z]+)?),? \d{5}(?:-\d{4})?"
_TOWN = rf"(?:,?\s+{_PART}(?:[ -]{_PART}){{0,3}})"
_TAIL = rf"(?:{_TOWN}?,?\s+(?:{_UK_CODE}|{_US_CODE}))"
_KNOWN_STREET = "|".join(_STREETS)
_ENGLISH = (
    re.compile(
        rf"(?<![\w./-])(?P<value>{_NUMBER}\s+(?:{_PART}\s+){{1,3}}(?:(?i:{'|'.join(_COMMON)})\b\.?){_ROOM}{_TAIL}?)"
    ),
    re.compile(rf"(?<![\w./-])(?P<value>{_NUMBER}\s+(?:{_PART}\s+){{0,3}}{_PART}{_ROOM}{_TAIL})(?![A-Za-z0-9])"),
    re.compile(
        r"\b(?i:lives?(?:\s+(?:at|on|in))|living\s+at|resid(?:es?|ing)\s+at|(?:home\s+|postal\s+|mailing\s+)?address(?:\s+is)?|moved\s+to"
        r"|(?:post|mail|send|ship|deliver)(?:\s+\w+){1,5}\s+to|(?:we|i)\s+(?:are|am)\s+at|house\s+is\s+at|home\s+is|discharged\s+to)[:\s]*"
        rf"(?P<value>{_NUMBER}\s+(?:{_PART}\s+){{1,3}}(?:{_KNOWN_STREET.title()})\b{_ROOM}{_TAIL}?)"
    ),
    re.compile(rf"\b(?i:post\s?code|zip(?:\s?code)?)(?:\s+is)?[:\s]*(?P<value>{_UK_CODE}|\d{{5}}(?:-\d{{4}})?)\b"),
    re.compile(r"\b(?P<value>(?i:P\.?\s?O\.?\s+Box)\s+\d{1,6})\b"),
)

_PROVINCE = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    "|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_LIVES = (
    r"(?:家住|现住址?|居住[于在]|住[在于]|住址|家庭住址|家庭地址|地址"
    r"|通讯地址|寄[到往至]|送[到往至]|户籍(?:地址)?|户口所在地|籍贯)(?:\s|是|为|在|[:(])*"
)
_WAY = "路|街|大街|大道|道|巷|弄|胡同|里|村|镇|乡|屯|庄|小区|花园|花苑|家园|公寓|新村|社区|苑|园|广场|大厦|公馆"
_HOUSE = (
    r"(?:[甲乙丙东西南北中]?\s?\d{1,5}\s?(?:-\s?\d{1,5}\s?)?(?:号院?楼?|弄|巷|栋|幢|座|单元|室"
    r"|楼|层|户|队|组)\s?(?:[A-Za-z]座)?)+(?:\d{2,4}室?)?"
)
_CHINESE = (
    re.compile(
        rf"(?P<value>(?:{_PROVINCE})(?:省|市|自治区|壮族自治区|回族自治区|维吾尔自治区|特别行政区)?[{HAN}\d]{{0,24}}?(?:{_WAY}|区|县|市)[{HAN}]{{0,8}}?{_HOUSE})"
    ),
    re.compile(rf"{_LIVES}(?P<value>[{HAN}A-Za-z\d]{{2,30}}?{_HOUSE})"),
    re.compile(rf"{_LIVES}(?P<value>[{HAN}]{{2,16}}?[省市区县州][{HAN}]{{1,12}}?(?:{_WAY})(?![{HAN}]))"),
    re.compile(rf"(?P<value>(?:[{HAN}]{{2,4}}?[市区县州])+[{HAN}]{{1,8}}?(?:{_WAY})[{HAN}]{{0,6}}?{_HOUSE})"),
    re.compile(rf"(?P<value>[{HAN}]{{2,5}}(?:路|街|大道|巷|胡同|小区|花园|新村|家园)\d{{1,5}}号(?:{_HOUSE})?)"),
)
_BEGINS = re.compile(rf"[^省市区县路街]{{0,6}}?(?={_PROVINCE})|{_LIVES}")


def addresses(text: str) -> Iterator[Identifier]:
    """The postal addresses in a text of ordinary (not full-width) digits and letters; some may overlap."""
    for pattern in _ENGLISH:
        for match in pattern.finditer(text):
            yield Identifier(*match.span("value"), "address")
    for pattern in _CHINESE:
        for match in pattern.finditer(text):
            yield Identifier(match.start("value") + _words_before(match["value"]), match.end("value"), "address")


def _words_before(found: str) -> int:
    """How many characters of what was found say only that somebody lives there: no space parts them from it."""
    begins = _BEGINS.match(found)
    return begins.end() if begins else 0
