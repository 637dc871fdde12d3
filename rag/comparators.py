"""Words and signs that say on which side of a number something lies, English and Chinese.

A reading is every sign that the words may stand for: 18岁以上 may be meant as > or as ≥, and what is given "over 30
minutes" may last as long as that or longer.
"""

import re

_MORE = "more|greater|higher|larger|longer|older|later|heavier|bigger"
_LESS = "less|fewer|lower|lesser|smaller|shorter|younger|earlier|lighter"
_BEFORE = {
    "≥": (
        rf"\b(?:at least|(?:not|no) (?:{_LESS}) than|(?:a )?minimum of|(?:{_MORE}) than or equal(?: to)?|"
        rf"(?:equal to or|equal or) (?:{_MORE})(?: than)?|not below)\b|[≥⩾≧]|>\s?=|(?:\bnot?\s?|不)<|"
        "至少|最少|最低|起码|(?:[不勿]|(?<!除)非)(?:得|能|应|宜|可)?[少低小短]于|[大高多]于或?等于"
    ),
    "≤": (
        rf"\b(?:at (?:the )?most|(?:not|no) (?:{_MORE}) than|not (?:to )?exceed(?:ing)?|up to|(?:a )?maximum of|"
        rf"(?:{_LESS}) than or equal(?: to)?|(?:equal to or|equal or) (?:{_LESS})(?: than)?|not above)\b|"
        r"[≤⩽≦]|<\s?=|(?:\bnot?\s?|不)>|"
        "至多|最多|最高|[不勿未莫](?:得|能|应|宜|可|要)?(?:超过?|多于|大于|高于|长于)|[小低少]于或?等于"
    ),
    "<≤": r"\b(?:in less than|within)\b",
    ">=": r"\bover\b(?! an? (?!(?:hundred|thousand|million|dozen|week|month|year|decade)\b))",
    ">": (
        rf"\b(?:(?:{_MORE}) than|above|exceed(?:s|ed|ing)?|in excess of|beyond)\b|[>＞]|"
        "大于|超过|高于|多于|长于|逾|超出"
    ),
    "<": rf"\b(?:(?:{_LESS}) than|under|below)\b|[<＜]|小于|低于|少于|短于|不足|不到|不满|未满|未达",
    "=": r"=|\bequals?(?: to)?\b|等于",
}
_AFTER = {
    "≥": (
        rf"\s?\b(?:or|and) (?:{_MORE}|above|over|up|upwards?|beyond)\b(?! than| to\b| ?\d)|(?<=[\da-z])\+(?![\d-])|"
        "[及或和](?:其)?以上|或更[多高大长]"
    ),
    "≤": rf"\s?\b(?:or|and) (?:{_LESS}|below|under)\b(?! than| to\b| ?\d)|[及或和](?:其)?以下|或更[少低小短]",
    ">≥": "以上|之上",
    "<≤": "以下|之下|以内|之内",
}
BEFORE = "|".join(_BEFORE.values())
AFTER = "|".join(_AFTER.values())
_BEFORE_READ = {reading: re.compile(pattern) for reading, pattern in _BEFORE.items()}
_AFTER_READ = {reading: re.compile(pattern) for reading, pattern in _AFTER.items()}


def read_before(text: str, start: int, end: int) -> str:
    """The reading of what ``BEFORE`` matches at ``text[start:end]``, in lower case."""
    return next(reading for reading, pattern in _BEFORE_READ.items() if pattern.fullmatch(text, start, end))


def read_after(text: str, start: int, end: int) -> str:
    """The reading of what ``AFTER`` matches at ``text[start:end]``, in lower case."""
    return next(reading for reading, pattern in _AFTER_READ.items() if pattern.fullmatch(text, start, end))


def agree(one: str, other: str) -> bool:
    """Whether two readings may mean the same; no comparator, or "=", is one exact value."""
    return bool(set(one or "=") & set(other or "="))


def opposite(one: str, other: str) -> bool:
    """Whether one reading points up and the other down."""
    up, down = set("≥>"), set("≤<")
    return bool((set(one) & up and set(other) & down) or (set(one) & down and set(other) & up))
