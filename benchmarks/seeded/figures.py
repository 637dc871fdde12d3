"""The figures of a sentence that state a quantity, and how numbers are written.

A figure in a citation, a label ("Figure 2", "type 2"), a name ("COVID-19", "IL-6"), a power of ten or a list marker
is none. Written without the service's own reading of numbers, which it helps to examine.
"""

import random
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
DASH = r"[-–—~～]"
_FIGURE = re.compile(NUMBER)
_MASKED = re.compile(
    r"""
      \[[\d\s,;–\[\]-]+\]                                                             # [12, [13] 14]
    | (?<=[a-z][,.])\s\d{1,3}(?:\s?[,–-]\s?\d{1,3})*(?=\s[A-Za-z]{3}|\s?$)              # reports, 25, 26 implying
    | \b(?:19|20)\d\d\.$
    | [(（]\s*\d+(?:\s*[,;–-]\s*\d+)*\s*[)）]                                          # (1, 2)
    | [(（][^()（）]*(?:[A-Za-z][^()（）]*\b(?:1[89]|20)\d\d|\bet\ al|[P页]\s?\d|第.{1,2}版)[^()（）]*[)）]
    | \bet\ al\.?,?\s*\(?\d{4} | 《[^》]*》
    | \b(?:fig(?:ure)?s?|tables?|tab|sections?|chapters?|box|appendix|eq|steps?|parts?|volume|vol|nos?|number|types?
        |grades?|stages?|class(?:es)?|phases?|groups?|days?|weeks?|months?|levels?|articles?|exhibit|case|visit|version
        |cohort|lines?|subtypes?|serotypes?|genotypes?|chromosomes?|exons?|schedule|factors?
        |title|form|law|section|room|unit|ref|pp?|tier|category|categories|vitamin|omega|interleukin|codons?
        |positions?|residues?|complex|clade|lineage|rank|experiment|question|item|rule|PMID|bands?)
      \.?\s*(?:\(?\d[\d.]*[a-z]?\)?(?:\s*(?:,|and|&|or|to|-|–)\s*)?)+(?!\s*(?:%|mg|patients))
    | [×xX]\s*10\s?[-–−]?\d* | \b10\s[-–−]?\d\b | \b10\s*\^
    | 第\s*\d+(?:\s*[~～–-]\s*\d+)? | [图表]\s*\d+ | \d+\s*(?:型|号|级|相|区|版|条|款|股|世纪)
    | \d{4}\s*年\s*\d+\s*月(?:\s*\d+\s*日)? | \d+\s*月\s*\d+\s*日
    | \b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d{1,2}(?:,|\b)(?!\s*(?:%|mg))
    | \b\d{1,2}\s+(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b
    | \d+\s*[:：]\s*\d+ | \d+\s*/\s*\d+ | \d+(?:\s*-\s*\d+){2,} | \b\d+[-–]\d{3}[-–]\d{3,}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_BARRED_BEFORE = re.compile(r"[A-Za-z\d_./:#^*±√α-ωΑ-Ω+．〔]$|[A-Za-z)][-–−]$|(?:^|[\s(=<>])[-−–]$|[×=]\s*$")
_BARRED_AFTER = re.compile(
    r"[\d/:^．〕°′'’_*]|\.\d|\.(?=[\u4e00-\u9fff])|\s?[×x]\s|\s?[±]|-(?!\d|(?:year|month|week|day|hour|minute|fold|mg|ml|g|kg|cm|mm|point|item|bed)\b)"
    r"|(?:st|nd|rd|th)\b|[α-ω](?!g)|,\d"
)
_GLUED_UNIT = re.compile(
    r"(?:mg|g|kg|[μµu]g|mcg|ml|mL|l|L|dl|cm|mm|nm|[μµ]m|m|h|d|hr|hrs|min|s|IU|U|mmol|mmHg|kPa|cc|ng|pg|Gy)\b"
)
_LETTER = re.compile(r"[A-Za-z]")

WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen twenty"
).split()
HAN = "零一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Figure:
    """``text[start:end]`` of a sentence, and what it is worth."""

    start: int
    end: int
    text: str

    @property
    def value(self) -> Decimal:
        return Decimal(self.text.replace(",", ""))

    @property
    def whole(self) -> bool:
        return "." not in self.text

    @property
    def year(self) -> bool:
        return len(self.text) == 4 and self.text[:2] in ("18", "19", "20") and self.whole


@lru_cache(4096)
def figures(sentence: str) -> tuple[Figure, ...]:
    """The figures of a sentence that state a quantity, in order."""
    if not _FIGURE.search(sentence):
        return ()
    masked = [match.span() for match in _MASKED.finditer(sentence)]
    found: list[Figure] = []
    for match in _FIGURE.finditer(sentence):
        start, end = match.span()
        before, after = sentence[max(0, start - 3) : start], sentence[end:]
        if any(left < end and start < right for left, right in masked) or _BARRED_BEFORE.search(before):
            continue
        if _BARRED_AFTER.match(after) or (_LETTER.match(after) and not _GLUED_UNIT.match(after)):
            continue
        found.append(Figure(start, end, match[0]))
    return tuple(found)


def put(sentence: str, start: int, end: int, words: str) -> str:
    return sentence[:start] + words + sentence[end:]


def written(value: Decimal, like: str = "") -> str:
    """``value`` in plain digits, with thousands marked as in ``like``."""
    plain = f"{value.normalize():f}"
    return f"{int(plain):,}" if "," in like and "." not in plain else plain


def in_range(sentence: str, figure: Figure) -> int:
    """-1: the lower end of a range, 1: its upper end, 0: no range."""
    after = re.match(
        rf"\s*(?:%|[a-zμµ]+|年|岁|天|周|个月|小时)?\s*(?:{DASH}|to\b|至|到)\s*\d", sentence[figure.end :], re.IGNORECASE
    )
    if after:
        return -1
    before = re.search(
        rf"\d\s*(?:%|[a-zμµ]+|年|岁|天|周|个月|小时)?\s*(?:{DASH}|\bto|至|到)\s*$", sentence[: figure.start]
    )
    if before:
        return 1
    return -1 if re.search(r"\bbetween\s*$", sentence[: figure.start], re.IGNORECASE) else 0


_LEAST = re.compile(
    r"(?:\b(?:more than|at least|over|greater than|above|exceed(?:s|ed|ing)?|minimum of"
    r"|older than|higher than|beyond|than)"
    r"|[>≥＞]|大于|超过|高于|至少|不少于|不低于|不短于|多于|以上)\s*=?\s*$",
    re.IGNORECASE,
)
_MOST = re.compile(
    r"(?:\b(?:less than|up to|at most|under|below|fewer than|maximum of"
    r"|younger than|lower than|within|nearly|almost|no more"
    r" than|not exceed(?:ing)?)|[<≤＜]|小于|不超过|得过|低于|至多|最多|不足|少于|不高于)\s*=?\s*$",
    re.IGNORECASE,
)


def bound(sentence: str, figure: Figure) -> int:
    """1 where only a larger number is not implied ("more than 5", "5 or more"), -1 where only a smaller one is not."""
    before, after = sentence[max(0, figure.start - 24) : figure.start], sentence[figure.end : figure.end + 24]
    if re.match(r"\s*\S{0,8}\s?(?:以上|or (?:more|older|above|over)|and (?:older|above|over))", after):
        return 1
    if re.match(r"\s*\S{0,8}\s?(?:以下|以内|之内|or (?:less|fewer|younger|below|under)|and (?:younger|under))", after):
        return -1
    if _MOST.search(before):
        return -1
    return 1 if _LEAST.search(before) else 0


def another(
    figure: Figure, way: int, others: set[str], chance: random.Random, most: Decimal | None = None
) -> str | None:
    """Another number in the same style: larger for ``way`` 1, smaller for -1, either for 0; none of ``others``."""
    value, places = figure.value, len(figure.text.partition(".")[2])
    tries: list[Decimal] = []
    for _ in range(12):
        if figure.year:
            other = value + chance.choice([-9, -6, -5, -4, -3, -2, 2, 3, 4, 5, 6, 8])
        elif figure.whole and value <= 12:
            other = value + chance.choice([-4, -3, -2, -1, 1, 2, 3, 4])
        else:
            ratio = chance.choice(["0.4", "0.5", "0.6", "0.7", "0.8", "1.25", "1.4", "1.5", "1.75", "2", "2.5"])
            other = round(value * Decimal(ratio), places)
        tries.append(other)
    for other in tries:
        text = f"{other:.{places}f}" if places else written(other, figure.text)
        fits = other > value if way > 0 else other < value if way < 0 else other != value
        if fits and other > 1 - (places > 0) and text not in others and (most is None or other <= most):
            return text
    return None
