"""Bytes to text, for files that do not say in which encoding they are.

The order is from certain to likely: a byte order mark, UTF-16 given away by its NULs, strict UTF-8, UTF-16 without
NULs, then GB18030, Big5 and cp1252. Those three overlap, so the choice between them rests on how many of the decoded
characters are in everyday use: the GB 2312 and Big5 standards both list everyday characters first and rare ones
after. Only where that does not decide is charset-normalizer asked.
"""

import codecs
import re
from collections.abc import Callable
from functools import lru_cache

from rag.errors import UnreadableFile

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_CHARACTERS = 20_000
_CLEARLY_CHINESE = 0.7
_CLEARLY_NOT_CHINESE = 0.3
_PLAUSIBLE_UTF16 = 0.9
_MIN_UTF16_BYTES = 20
_SAVE_AS_UTF8 = "open it in a text editor and save it as UTF-8"

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f]")
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufeff]")


def decode(data: bytes) -> str:
    """The text of ``data``: newlines are ``\\n``; no byte order mark and no control character but ``\\n`` and ``\\t``.

    Raises UnreadableFile where ``data`` is no text; its message starts with "is", for the caller to put a name before.
    """
    text = _decoded(data)
    controls = len(_CONTROLS.findall(text))
    if controls * 12 > len(text):
        raise UnreadableFile(
            f"is not text: {controls * 100 // len(text)}% of it is control characters; "
            "it may be damaged, or in a program's own format"
        )
    return _UNWANTED.sub("", _LINE_ENDS.sub("\n", text))


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise UnreadableFile(
                    f"starts as {encoding.upper()} text, but byte {error.start + len(mark)} is broken; {_SAVE_AS_UTF8}"
                ) from error
    if b"\0" in data[:_SAMPLE_CHARACTERS] and (text := _utf16(data)) is not None:
        return text
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_damaged_utf8(data, error)
    if len(data) >= _MIN_UTF16_BYTES and (text := _utf16(data)) is not None:
        return text
    return _legacy(data)


def _refuse_damaged_utf8(data: bytes, error: UnicodeDecodeError) -> None:
    """A byte that is lost may be the digit of a dose, so text that is UTF-8 but for a few bytes is not guessed at."""
    text = data.decode("utf-8", errors="replace")
    broken = text.count("\ufffd")
    sound = sum(character > "\x7f" for character in text) - broken
    if sound > 20 * broken:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"is UTF-8 text with {broken} broken bytes, the first in line {line}; repair and save it again"
        )


def _utf16(data: bytes) -> str | None:
    """``data`` as UTF-16 without a byte order mark, if that gives text that someone may have written."""
    best, best_share = None, _PLAUSIBLE_UTF16
    for encoding in ("utf-16-le", "utf-16-be"):
        text = _strictly(data, encoding)
        if text and (share := _share(text[:_SAMPLE_CHARACTERS], _is_ordinary)) >= best_share:
            best, best_share = text, share
    return best


def _legacy(data: bytes) -> str:
    simplified = _strictly(data, "gb18030")
    traditional = _strictly(data, "big5")
    western = _strictly(data, "cp1252")
    likely_simplified = _share(_wide(simplified), _is_everyday_simplified)
    likely_traditional = _share(_wide(traditional), _is_everyday_traditional)
    if simplified is not None and likely_simplified >= max(likely_traditional, _CLEARLY_CHINESE):
        return simplified
    if traditional is not None and likely_traditional >= _CLEARLY_CHINESE:
        return traditional
    if (
        western is not None
        and len(_wide(western)) <= len(western) / 2
        and max(likely_simplified, likely_traditional) <= _CLEARLY_NOT_CHINESE
    ):
        return western
    return _as_charset_normalizer_says(data)


def _as_charset_normalizer_says(data: bytes) -> str:
    from charset_normalizer import from_bytes

    match = from_bytes(data, cp_isolation=["gb18030", "big5", "cp1252"]).best()
    if match is None or (match.encoding == "cp1252" and len(_wide(str(match))) > len(str(match)) / 2):
        raise UnreadableFile(
            f"is not text in UTF-8, UTF-16, GB18030, Big5 or Windows-1252; if it is text, {_SAVE_AS_UTF8}"
        )
    return str(match)


def _strictly(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _wide(text: str | None) -> str:
    return "".join(character for character in (text or "") if character > "\x7f")[:_SAMPLE_CHARACTERS]


def _share(text: str, is_expected: Callable[[str], bool]) -> float:
    return sum(map(is_expected, text)) / len(text) if text else 0.0


@lru_cache(maxsize=20_000)
def _is_everyday_simplified(character: str) -> bool:
    """In the symbols or in level 1 of GB 2312: its 3,755 most frequent characters."""
    encoded = _encoded(character, "gb18030")
    return len(encoded) == 2 and 0xA1 <= encoded[0] <= 0xD7 and encoded[1] >= 0xA1


@lru_cache(maxsize=20_000)
def _is_everyday_traditional(character: str) -> bool:
    """In the symbols or in level 1 of Big5: its 5,401 most frequent characters."""
    encoded = _encoded(character, "big5")
    return len(encoded) == 2 and 0xA1 <= encoded[0] <= 0xC6


@lru_cache(maxsize=20_000)
def _is_ordinary(character: str) -> bool:
    return (
        "\x20" <= character <= "\u024f"
        or character in "\t\r\n"
        or _is_everyday_simplified(character)
        or _is_everyday_traditional(character)
    )


def _encoded(character: str, encoding: str) -> bytes:
    try:
        return character.encode(encoding)
    except UnicodeEncodeError:
        return b""
