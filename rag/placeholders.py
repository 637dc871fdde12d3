"""The words that stand in a text where an identifier of a person was."""

import re
from collections.abc import Iterable
from typing import Literal

from rag.types import Language

Kind = Literal["name", "phone", "email", "id", "passport", "record", "born", "address"]

_WORDS: dict[Language, dict[Kind, str]] = {
    "en": {
        "name": "name",
        "phone": "phone",
        "email": "email",
        "id": "ID number",
        "passport": "passport number",
        "record": "record number",
        "born": "date of birth",
        "address": "address",
    },
    "zh": {
        "name": "姓名",
        "phone": "电话",
        "email": "邮箱",
        "id": "证件号",
        "passport": "护照号",
        "record": "病历号",
        "born": "出生日期",
        "address": "住址",
    },
}
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(word for words in _WORDS.values() for word in words.values())})\]")
_WITH_SPACE = re.compile(rf"\s?{PLACEHOLDER.pattern}")


def placeholder(kind: Kind, language: Language) -> str:
    """What is put in place of an identifier: ``[name]``, ``[姓名]``."""
    return f"[{_WORDS[language][kind]}]"


def in_words(kinds: Iterable[Kind], language: Language) -> str:
    """The kinds, for a reader."""
    return ("、" if language == "zh" else ", ").join(_WORDS[language][kind] for kind in kinds)


def without_placeholders(text: str) -> str:
    """A masked text as passages are held against it: a placeholder says nothing that one could match. A text of nothing
    else stays as it is."""
    return _WITH_SPACE.sub("", text).strip() or text if "[" in text else text
