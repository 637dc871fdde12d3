"""Numbers and the like that identify a person: telephone, e-mail, identity card, passport, record number, date of
birth. Names are found in ``rag.personal_names``, places to live in ``rag.postal_addresses``.

A number alone is taken for an identifier where its form says so (a telephone number as it is written, a check digit
that fits), else only behind a word that announces it ("MRN", "住院号"): doses, laboratory values, PMIDs and dates stay.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from stdnum.cn import ric
from stdnum.gb import nhs
from stdnum.us import ssn

from rag.languages import HAN
from rag.placeholders import Kind


@dataclass(frozen=True, slots=True)
class Identifier:
    """``text[start:end]`` identifies somebody. Where a word before it says of which kind it is, it is ``announced``."""

    start: int
    end: int
    kind: Kind
    announced: bool = False


_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}(?![A-Za-z0-9])", re.ASCII)

_MRZ = re.compile(
    r"(?<![A-Z0-9<])(?:[PVIAC][A-Z0-9<][A-Z<]{3}[A-Z0-9<]{25,39})(?:\s{1,3}[A-Z0-9<]{30,44}){0,2}|"
    r"(?<![A-Z0-9<])[A-Z0-9<]{9}\d[A-Z<]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{2,16}"
)
"""The machine-readable lines of a passport or card (ICAO 9303), both or all three, or the second alone."""

_RESIDENT_ID = re.compile(
    r"(?<![\dA-Za-z])(\d{6}[ -]?(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[ -]?\d{3}[\dXx])(?![\dA-Za-z])"
)
_SSN = re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])", re.ASCII)
_NHS = re.compile(r"(?<![\w.-])\d{3}([ -]?)\d{3}\1\d{4}(?![\w-])", re.ASCII)
_NI_NUMBER = re.compile(
    r"(?<![A-Za-z0-9])[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?![A-Za-z0-9])"
)
_CHINESE_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[EGDSP]\d{8}|E[A-HJ-NP-Z]\d{7})(?![A-Za-z0-9])")

_PHONES = tuple(
    re.compile(rf"(?<![\w.+/-]){form}(?:\s?(?:x|ext\.?|extension|转)\s?\d{{1,6}})?(?![\d/]|-\d|\.\d)", re.ASCII)
    for form in (
        r"(?:\+|00)[1-9](?:[ ().-]{0,3}\d){7,14}",  # with the country's number
        r"(?:1[-. ])?(?:\([2-9]\d{2}\)[ -]?\d{3}[-. ]?\d{4}|[2-9]\d{2}-\d{3}-\d{4}|[2-9]\d{2}\.\d{3}\.\d{4})",
        r"(?:\(0\d{2,4}\)[ -]?\d{3,4}[ -]?\d{3,4}|0\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}|07\d{3} ?\d{3} ?\d{3})",
        r"(?:86[ -]?)?1[3-9]\d([ -]?)\d{4}\1\d{4}",
        r"\(?0(?:10|2\d|[3-9]\d{2})\)?[ -]\d{7,8}",
        r"[48]00-\d{3}-\d{4}",
    )
)
_BARE_NUMBER = re.compile(r"(?<![\w.,/+-])\d{10,11}(?![\w/-]|[.,]\d)", re.ASCII)

_VALUE = r"(?P<value>(?=(?:[^\d\n]{0,4}\d){5})[A-Z]{0,4}[-/]?\d(?:[-/ ]?[A-Z0-9]){3,23})(?![A-Z0-9])"
_IS = r"(?:\s|号码|编号|码|号|是|为|number|no\b\.?|nr\b\.?|num\b\.?|id\b|is|was|of|[:#=.(（])*"


def _announced(words: str, value: str = _VALUE) -> re.Pattern[str]:
    return re.compile(rf"(?:{words}){_IS}{value}", re.IGNORECASE | re.ASCII)


_RECORD = _announced(
    r"\b(?:mrn|medical\s+record|hospital|chart|patient|record|case|file|encounter|admission|account|accession|registration"
    r"|visit|unit|specimen)s?\s*(?:number|no\.|no\b|nr\b|num\b|id\b|identifier|\#)|\bmrn\b|\b(?:health|medicare|medicaid)\s+(?:card|number)"
    r"|住院|病历|病案|门诊|就诊卡?|诊疗卡?|登记|挂号|医保卡?|社保卡?|医疗卡|健康卡|档案|患者(?:编|ID|id)|病人(?:编|ID|id)|检查|标本|条码|床头卡"
)
_IDENTITY = _announced(
    r"\bssn\b|\bsocial\s+security(?:\s+card)?|\bnational\s+(?:insurance|id(?:entity)?)|\bnhs\b|\b(?:identity|id)\s+card|\bid\b"
    r"|\bni\s+number|\binsurance\s+(?:id|number|no)|\bpolicy\s+(?:id|number|no)|\bmember\s+id|\bdriv(?:er'?s|ing)\s+licen[cs]e"
    r"|身份证件?|证件|身分證|身份證"
)
_PASSPORT = _announced(r"\bpassport|护照|護照|通行证")
_PHONE = _announced(
    r"\b(?:tele)?phone|\btel\b|\bmobile|\bcell(?:phone)?\b|\bcontact|\b(?:call|text|ring|reach|phone|dial|fax|whatsapp)"
    r"(?:\s+\w+){0,4}?\s+(?:at|on|to)\b|\b(?:ring|call|dial|fax|whatsapp)\b|\b(?:my|her|his|their|our|the)\s+number"
    r"|电话|手机|联系方式|联系|微信(?:同号)?|热线|传真|致电|回电|拨打?|打|短信|电話|手機|座机|QQ",
    r"(?P<value>\+?\(?\d(?:[ ().-]{0,2}\d){6,14}(?:\s?(?:x|ext\.?)\s?\d{1,6})?)(?!\d)",
)

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = (
    rf"(?P<value>\d{{4}}\s?[/.年-]\s?\d{{1,2}}\s?[/.月-]\s?\d{{1,2}}\s?[日号]?"
    rf"|\d{{1,2}}\s?[/.-]\s?\d{{1,2}}\s?[/.-]\s?(?:\d{{4}}|\d{{2}})(?!\d)"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?[ -]*(?:of )?{_MONTH}(?:[ ,-]*\d{{2,4}}(?!\d))?"
    rf"|{_MONTH} ?\d{{1,2}}(?:st|nd|rd|th)?\b(?:[ ,]+\d{{4}})?"
    rf"|{_MONTH},? \d{{4}}|\d{{2,4}}年\d{{1,2}}月(?:\d{{1,2}}[日号]?)?|\d{{1,2}}月\d{{1,2}}[日号]"
    rf"|(?:19|20)\d{{6}}(?!\d))"
)
_BORN = re.compile(
    r"(?:\b(?:d\.?o\.?b\b\.?|date\s+of\s+birth|birth\s?date|birthday|born|b\.(?=\s*\d))(?:\s|is|was|on|in|the|[:=(,-])*"
    rf"|(?:出生日期|出生年月日?|出生时间|出生于|生于|生日|出生|诞生于)(?:\s|是|为|在|[:(])*){_DAY}",
    re.IGNORECASE | re.ASCII,
)
_BORN_AFTER = re.compile(rf"{_DAY}\s?(?:出生|诞生|生(?![存活化理长成效命产物素育殖病熟气地药机]))", re.IGNORECASE)


def identifiers(text: str) -> Iterator[Identifier]:
    """What identifies somebody in a text of ordinary (not full-width) digits and letters; some may overlap."""
    for pattern, kind in _BY_FORM:
        for match in pattern.finditer(text):
            yield Identifier(*match.span(), kind)
    for pattern, kind in _BEHIND_A_WORD:
        for match in pattern.finditer(text):
            yield Identifier(*match.span("value"), kind, announced=True)
    for match in _SSN.finditer(text):
        if ssn.is_valid(match[0]):
            yield Identifier(*match.span(), "id")
    for match in _NHS.finditer(text):
        if nhs.is_valid(match[0]):
            yield Identifier(*match.span(), "id")
    for match in _RESIDENT_ID.finditer(text):
        # one with a slip in it still tells its owner's birthday and home: a check digit that fits only makes it certain
        if ric.is_valid(match[1]) or _is_no_product(text, match.start()):
            yield Identifier(*match.span(1), "id")
    for match in _BARE_NUMBER.finditer(text):
        if _is_a_telephone(match[0]):
            yield Identifier(*match.span(), "phone")


_BY_FORM: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (_EMAIL, "email"),
    (_MRZ, "passport"),
    (_CHINESE_PASSPORT, "passport"),
    (_NI_NUMBER, "id"),
    *((pattern, "phone") for pattern in _PHONES),
    (re.compile(rf"(?<![{HAN}])[幺一二三四五六七八九零〇]{{11}}(?![{HAN}])"), "phone"),
)
_BEHIND_A_WORD: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (_RECORD, "record"),
    (_IDENTITY, "id"),
    (_PASSPORT, "passport"),
    (_PHONE, "phone"),
    (_BORN, "born"),
    (_BORN_AFTER, "born"),
)


def _is_no_product(text: str, at: int) -> bool:
    """Whether the words before a number do not say that it numbers a thing, such as a trial or an order."""
    return not re.search(r"(?:登记号|批号|订单|注册号|ChiCTR|NCT|ISRCTN)[^，。]{0,6}$", text[:at])


def _is_a_telephone(digits: str) -> bool:
    """Whether bare digits are a number that was given out in the United States or Great Britain."""
    import phonenumbers

    region = "GB" if digits.startswith("0") else "US"
    if len(digits) == 11 and region == "US":
        return False
    return phonenumbers.is_valid_number(phonenumbers.parse(digits, region))
