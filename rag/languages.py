"""Which language a text is in, English or Chinese, told by its letters."""

import re

from rag.types import Language

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
"""Ranges of Han characters, for use inside a regular expression's brackets."""

_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile(r"[^\W\d_]")


def language_of(text: str) -> Language:
    """``zh`` where at least a fifth of the letters are Han, else ``en``.

    A fifth, because Chinese medical text is full of Latin names and one Han character carries about as much as a
    Latin word.
    """
    letters = len(_LETTER.findall(text))
    return "zh" if letters and len(_HAN.findall(text)) / letters >= 0.2 else "en"
