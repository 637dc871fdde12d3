"""Abbreviations that a document defines itself, such as "chronic obstructive pulmonary disease (COPD)".

Found by the algorithm of Schwartz and Hearst ("A simple algorithm for identifying abbreviation definitions in
biomedical text", PSB 2003). A passage that uses one form is then found by the other.
"""

import logging
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

_SHORT = re.compile(r"[^\W_](?:[\w-]*[^\W_])?")


def definitions(text: str) -> dict[str, str]:
    """By short form, the long form that ``text`` gives for it; the one given most often where there are several."""
    pairs = _schwartz_hearst().extract_abbreviation_definition_pairs(doc_text=text, most_common_definition=True)
    return {short: long for short, long in pairs.items() if _SHORT.fullmatch(short)}


@cache
def _schwartz_hearst() -> Any:
    """The library's module, which sets up the logging of the whole process when it is imported: that is taken back."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    from abbreviations import schwartz_hearst

    root.setLevel(level)
    root.handlers[:] = handlers
    return schwartz_hearst


def other_forms(text: str, defined: Mapping[str, str]) -> list[str]:
    """The long forms of the short forms that ``text`` uses without saying what they mean, and the short forms of the
    long ones."""
    if not defined:
        return []
    used, lowered = set(_SHORT.findall(text)), text.lower()
    forms = []
    for short, long in defined.items():
        if (short in used) != (long.lower() in lowered):
            forms.append(long if short in used else short)
    return forms
