"""What the lexical index sees of a text: terms, the same for passages and for questions.

Text is NFKC-normalised (full-width digits and letters become ordinary ones) and lower-cased. A Latin word is one
term; a compound such as ``il-6``, ``mg/kg`` or ``covid-19`` is one term as a whole and one for each of its parts.
A run of Han characters gives its overlapping bigrams, a single Han character itself. The commonest English function
words give nothing.
"""

import re
import unicodedata

from rag.languages import HAN

_TOKEN = re.compile(rf"(?P<han>[{HAN}]+)|(?P<latin>[^\W_{HAN}]+(?:[-./'’·+][^\W_{HAN}]+)*)")
_PARTS = re.compile(r"[-/'’·+]|(?<=\D)\.|\.(?=\D)")
_STOP_WORDS = frozenset(
    """
    a an and are as at be been but by can could did do does for from had has have how if in into is it its may more most
    of on or s should so such t than that the their them then there these they this to was were what where which while
    who why will with would
    """.split()
)


def terms(text: str) -> list[str]:
    """The terms of ``text``, in order, with repetitions. None contains white space."""
    found: list[str] = []
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text).lower()):
        if run := match["han"]:
            found += [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run]
        else:
            word = match["latin"]
            parts = [part for part in _PARTS.split(word) if part]
            if len(parts) > 1:
                found.append(word)
            found += [part for part in parts if part not in _STOP_WORDS]
    return found
