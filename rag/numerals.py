"""Numbers in words, English and Chinese, and how they are recognised inside a text.

``twenty-five``, ``two hundred``, ``a dozen``, ``1.5 million``, ``三十``, ``两万``, ``二〇一九`` and ``1.5万`` are
numbers; so are ``half``, ``two thirds``, ``三分之一``, ``三成`` and ``百分之十``, which are parts of a whole.
"""

import re
from fractions import Fraction

_ONES = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
_TENS = dict(zip("twenty thirty forty fifty sixty seventy eighty ninety".split(), range(20, 100, 10), strict=True))
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9}
_PARTS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10,
}  # fmt: skip
ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10,
}  # fmt: skip
TIMES = {"once": 1, "twice": 2, "thrice": 3}
_HAN_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_HAN_PLACES = {"十": 10, "百": 100, "千": 1000}
_HAN_SCALES = {"万": 10**4, "亿": 10**8}
_LONGEST = 40

DIGITS = r"(?:[1-9]\d{0,2}(?:,\d{3})+(?!\d)(?:\.\d+)?|[1-9]\d{0,2}(?: \d{3})+(?![\d.])|\d+(?:\.\d+)?|\.\d+)"
_ONE = "|".join(sorted(_ONES, key=len, reverse=True))
_TEN = "|".join(_TENS)
ENGLISH = (
    rf"(?:(?:(?:{_TEN})(?:[\s-](?:{_ONE}))?|(?:{_ONE}))(?:\shundred(?:\s(?:and\s)?(?:(?:{_TEN})(?:[\s-](?:{_ONE}))?"
    rf"|(?:{_ONE})))?)?(?:\s(?:thousand|million|billion))?|(?:a\s|half\sa\s)?dozen|a\s(?:hundred|thousand|million))\b"
)
CHINESE = "[零〇一二两三四五六七八九十百千万亿]+"
SCALE = (
    r"(?:\s?[×x*]\s?10(?:\s?[\^~*]\s?)?-?\d{0,2}|\^-?\d{1,2}|\s?(?:hundred|thousand|million|billion)\b|\s?[百千万亿]+)"
)
NUMBER = rf"(?:{DIGITS}{SCALE}?|\b{ENGLISH}|{CHINESE})"
_COUNT = r"(?:one|two|three|four|five|six|seven|eight|nine|an?|\d)"
PART = (
    rf"(?:(?<![\d/.])(?:\d+\s)?[1-9]/(?:[2-9]|10)(?![\d/.])|\b(?:{_COUNT}[\s-])?(?:half|halves)\b|"
    rf"\b{_COUNT}[\s-](?:third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|tenth)s?\b|"
    rf"{CHINESE}分之{CHINESE}|\d+分之\d+|百分之{DIGITS}|千分之{DIGITS}|[一二两三四五六七八九]成(?![年人功为立分份员都熟长本就形交])"
    rf"|一半|半数)"
)
_PART_WORDS = re.compile(rf"(?:({_COUNT})[\s-])?([a-z]+)")


def number(words: str) -> Fraction:
    """The value of what ``NUMBER`` matches, in lower case."""
    text = words.strip()
    if digits := re.match(DIGITS, text):
        plain = digits[0].replace(",", "").replace(" ", "")[:_LONGEST]
        value, scale = Fraction("0" + plain if plain.startswith(".") else plain), text[digits.end() :].strip()
        return value ** _power(scale) if scale.startswith("^") and value else value * _scale(scale)
    return Fraction(_chinese(text)) if not text.isascii() else _english(text)


def part(words: str) -> Fraction:
    """The value, mostly below 1, of what ``PART`` matches, in lower case."""
    if "/" in words:
        *ones, fraction = words.split()
        return sum(map(Fraction, ones), Fraction(fraction))
    if words in {"一半", "半数"}:
        return Fraction(1, 2)
    if words.endswith("成"):
        return Fraction(_chinese(words[:-1]), 10)
    if "分之" in words:
        whole, _, counted = words.partition("分之")
        below = _chinese(whole) if not whole[0].isdigit() else int(whole[:_LONGEST])
        return number(counted) / (below or 1)
    match = _PART_WORDS.fullmatch(words)
    if match is None:
        return Fraction(1, 2)
    count = Fraction(int(match[1])) if match[1] and match[1].isdigit() else Fraction(_ONES.get(match[1] or "", 1))
    return count / _PARTS[match[2] if match[2] in _PARTS else match[2].removesuffix("s")]


def _power(text: str) -> int:
    """The exponent at the end of ``text``, within what a number of medicine can have; 1 where there is none."""
    found = re.search(r"-?\d+$", text)
    return max(-_LONGEST, min(_LONGEST, int(found[0]))) if found else 1


def _scale(text: str) -> Fraction:
    if not text or text[0] == "^":
        return Fraction(1)
    if text[0] in "×x*":
        return Fraction(10) ** _power(re.sub(r"^[×x*]\s?10", "", text))
    if text in _SCALES:
        return Fraction(_SCALES[text])
    value = 1
    for letter in text[:4]:
        value *= _HAN_PLACES.get(letter) or _HAN_SCALES[letter]
    return Fraction(value)


def _english(text: str) -> Fraction:
    total = group = 0
    for word in re.split(r"[\s-]+", text):
        if word in _ONES:
            group += _ONES[word]
        elif word in _TENS:
            group += _TENS[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            total += (group or 1) * _SCALES[word]
            group = 0
        elif word == "dozen":
            group = 6 if text.startswith("half") else 12
    return Fraction(total + group)


def _chinese(text: str) -> int:
    if all(letter in _HAN_DIGITS for letter in text):
        return int("".join(str(_HAN_DIGITS[letter]) for letter in text[:_LONGEST]))
    total = section = digit = 0
    for letter in text:
        if letter in _HAN_DIGITS:
            digit = _HAN_DIGITS[letter]
        elif letter in _HAN_PLACES:
            section += (digit or 1) * _HAN_PLACES[letter]
            digit = 0
        else:
            total = (total + section + digit or 1) * _HAN_SCALES[letter]
            section = digit = 0
    return total + section + digit
