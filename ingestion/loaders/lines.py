"""One logical line out of text that is broken over several, and what loaders have to tell about a line."""

import re
import unicodedata
from functools import lru_cache

import langcodes

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
_SPACES = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n[ \n]*")

_PUNCTUATION = "\u3001-\u3003\u3008-\u3011\u3014-\u301f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
_WIDE = "\u2e80-\u2fff\u3001-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_QUOTES = "“”‘’"
_BREAK_IN_CHINESE = re.compile(
    f"(?<=[{_PUNCTUATION}])\n|\n(?=[{_PUNCTUATION}])|(?<=[{_WIDE}])\n(?=[{_WIDE}{_QUOTES}])|(?<=[{_QUOTES}])\n(?=[{_WIDE}])"
    f"|(?<=[{_WIDE}])\n(?=[<>≤≥=±])"
)

_RAISED = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_WHOLE_NUMBER = re.compile(r"[+\-−–]?\d+")

_FINAL_PUNCTUATION = ".!?;:,。！？；：，、…"
_NUMBERED = re.compile(r"(?P<number>\d{1,3}(?:\.\d{1,3}){0,5})[.．]?\s+(?=[^\W\d_])")
_CHINESE_NUMERAL = "[一二三四五六七八九十百]"
_CHINESE_HEADINGS = (
    (re.compile(rf"第(?:{_CHINESE_NUMERAL}+|\d+)[章篇部编]|{_CHINESE_NUMERAL}+、|附[录件]"), 1),
    (re.compile(rf"第(?:{_CHINESE_NUMERAL}+|\d+)节|[（(]{_CHINESE_NUMERAL}+[）)]"), 2),
    (re.compile(r"\d{1,3}(?:[.．]\d{1,3}){1,5}\s*(?=[\u4e00-\u9fff])"), 0),
)
_BULLET = re.compile(r"(?:[•●▪■◆‣⁃∙·○◦\uf0b7\uf0a7*]|[-–—](?=\s))\s*(?=\S)")
_LIST_NUMBER = re.compile(r"(?:\(?\d{1,3}[.)）]|（\d{1,3}）)(?=\s|[\u4e00-\u9fff])\s*|\d{1,3}、|[①-⑳]\s*")

_NO_PERSON = frozenset(
    ("", "python-docx", "user", "admin", "administrator", "author", "microsoft office user", "微软用户", "用户")
)
_UNTITLED = re.compile(
    r"(?i)microsoft (word|powerpoint|excel)\b|untitled|no ?title|unknown|document\d*$|文档\s*\d*$|幻灯片|title$|none$"
    r"|[^/\\]*\.(docx?|pdf|tex|dvi|indd|qxd|rtf|txt|pptx?|xlsx?|jpe?g|png|tiff?|ps|eps|fm|wpd|html?)$|[A-Za-z]:\\|file:|/\w+/"
)


def one_line(text: str) -> str:
    """``text`` in Unicode NFC without control characters, each run of white space one space, none at either end.

    A line break between Chinese characters, beside Chinese punctuation or before a comparison leaves no space.
    """
    text = unicodedata.normalize("NFC", text)
    unbroken = text.replace("\n", " ") if text.isascii() else text
    if unbroken.isprintable():  # most text, and then a space is the only white space in it
        return " ".join(unbroken.split())
    text = _LINE_ENDS.sub("\n", text)
    text = _BREAKS.sub("\n", _SPACES.sub(" ", _CONTROLS.sub("", text))).strip()
    return _BREAK_IN_CHINESE.sub("", text).replace("\n", " ")


def raised(text: str, before: str) -> str:
    """``text`` set as a superscript after ``before``: in 10 to the power of 5 the 5 becomes ``⁵``, lest it read 105.

    What is no whole number, or stands after anything but a digit, stays as it is.
    """
    return text.translate(_RAISED) if before[-1:].isdecimal() and _WHOLE_NUMBER.fullmatch(text) else text


def ends_a_sentence(line: str) -> bool:
    """Whether ``line`` ends in punctuation that no heading ends in."""
    return line.rstrip("\"'”’)）]」』 ")[-1:] in tuple(_FINAL_PUNCTUATION)


def display_width(line: str) -> int:
    """Columns that ``line`` takes in a fixed-width font, where a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


def numbered_heading_level(line: str) -> int:
    """The level that the number before a heading gives it ("1.2 Diagnosis" is 2, "一、概述" is 1), 0 without one.

    Also 0 where the line is too long for a heading or ends as a sentence does.
    """
    if display_width(line) > 80 or ends_a_sentence(line):
        return 0
    for pattern, level in _CHINESE_HEADINGS:
        if match := pattern.match(line):
            return level or len(re.findall(r"\d+", match[0]))
    if match := _NUMBERED.match(line):
        return match["number"].count(".") + 1
    return 0


def list_marker(line: str) -> tuple[str, str] | None:
    """The marker and the rest of a line that is a list item, else None. Every bullet is given as ``- ``."""
    if match := _BULLET.match(line):
        return "- ", line[match.end() :]
    if (match := _LIST_NUMBER.match(line)) and match.end() < len(line):
        return f"{match[0].strip()} ", line[match.end() :]
    return None


@lru_cache(maxsize=1024)
def language_code(stated: str | None) -> str | None:
    """The ISO 639-1 code of a stated language: "zh-CN", "zh_Hans", "chi" and "CHI" are all ``zh``; None if unknown."""
    try:
        language = langcodes.Language.get(langcodes.standardize_tag((stated or "").strip(), macro=True))
    except ValueError:
        return None
    code = language.language or ""
    return code if len(code) == 2 and language.is_valid() else None


def person_names(stated: str | None) -> tuple[str, ...]:
    """The authors, parted at ``;``, in a file's properties, without those that a program filled in."""
    names = map(one_line, re.split("[;；]", stated or ""))
    return tuple(name for name in names if name.lower() not in _NO_PERSON)


def sane_title(stated: str | None) -> str | None:
    """A title from a file's properties, None where a program filled it in ("Microsoft Word - x.doc", a file name)."""
    title = one_line(stated or "")
    return title if len(title) >= 3 and any(map(str.isalpha, title)) and not _UNTITLED.match(title) else None
