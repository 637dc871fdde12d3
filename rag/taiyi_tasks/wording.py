"""The canonical wording in which what was said is held against what people marked."""

import re
import unicodedata

_ENDS = " \t\n.,;:、。\"'`*“”‘’「」"
_SPACE = re.compile(r"\s+")


def plain(text: str) -> str:
    """With the ordinary forms of letters and punctuation: full-width ones become half-width."""
    return unicodedata.normalize("NFKC", text)


def canonical(text: str) -> str:
    """Without case, without quotes and punctuation at the ends, with single spaces."""
    return _SPACE.sub(" ", plain(text)).casefold().strip(_ENDS)
