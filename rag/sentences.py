"""Where sentences begin and end, in English and Chinese medical prose.

Rules, not a model: an offset must be exact and the same on every machine. Libraries that were tried split after
"Dr." or inside "every 6 h", or are too slow for a library of guidelines. A line break always ends a sentence, since
the text of an edition has one paragraph, list item or table row a line.
"""

import re

ELLIPSIS = "…"
_OPENING = 80
_END = re.compile(
    r"""
      (?P<han> [。！？!?…]*[。！？](?:[。！？!?…])* | ……(?=[^，。、；：）」』”’…]) )    # Chinese ends
      (?P<han_close> [”’」』）》】"')\]]* )
    | (?P<latin> [.!?]+ ) (?P<latin_close> ["'”’)\]]* (?:\[\d+(?:[-,–]\s?\d+)*\])? ) (?=\s|$)
    | (?P<line> \n+ )
    """,
    re.VERBOSE,
)
_MAY_END = re.compile("[.!?。！？…\\n]")
_ABBREVIATIONS = frozenset(
    """
    al approx art ca cf ch chap cm co corp dept dr ed eds eg e.g eq esp est et etc ex fig figs fr gen gov hr hrs i.e ie
    i.m i.v inc incl inj jr lit ltd max min mr mrs ms mt no nos op p.o pat ph.d pharm pp prof pt pts q.d b.i.d t.i.d
    q.i.d ref refs resp rev s.c sec sect sp spp sr st subsp suppl tab temp univ var viz vol vols vs wk wt yr yrs
    jan feb mar apr jun jul aug sep sept oct nov dec
    """.split()
)
_WORD_BREAK = re.compile(r"[\s(\[“\"/]")
_STARTERS = frozenset(
    """
    a after all although an and as at avoid because both but check do each for from give however if in it its most no
    not of on only other our patients some start stop such test that the then there these they this those to treat use
    we when where which while with
    """.split()
)
_NEXT = re.compile(r"\s+(\S[\w'’]*)")


def sentence_spans(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """The sentences of ``text[start:end]`` as offsets into ``text``, in order, without surrounding white space.

    Together they cover everything but white space. A list marker ("- ", "1. ") at the start of a line stays with its
    sentence.
    """
    end = len(text) if end is None else end
    spans: list[tuple[int, int]] = []
    begin = at = start
    while found := _MAY_END.search(text, at, end):
        match = _END.match(text, found.start(), end)
        at = match.end() if match else found.end()
        if match and (not match["latin"] or _ends_latin_sentence(text, begin, match, end)):
            _append(spans, text, begin, at)
            begin = at
    _append(spans, text, begin, end)
    return spans


def split_sentences(text: str) -> list[str]:
    """The sentences of ``text`` as strings."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends_latin_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    if match["latin"] != "." or match["latin_close"]:
        return True
    following = _NEXT.match(text, match.end(), end)
    if following is None:
        return True
    if following[1][0].islower():
        return False
    sentence = text[begin : match.start()].lstrip()
    word = _WORD_BREAK.split(sentence[-40:])[-1]
    if word == sentence and _is_list_marker(word):
        return False
    if word.lower() in _ABBREVIATIONS:
        return False
    if len(word) == 1 and word.isalpha() and word.isupper():
        # "E. coli" and "J. Smith" go on; "hepatitis C. It" and "vitamin D. Then" end.
        return following[1].lower() in _STARTERS
    return True


def _is_list_marker(word: str) -> bool:
    return (word.isdigit() and len(word) <= 2) or (len(word) == 1 and word.isalpha())


def opening(text: str) -> str:
    """The first sentence of ``text``; of a long one its first words, with an ellipsis."""
    first = next(iter(split_sentences(text)), "")
    if len(first) <= _OPENING:
        return first
    kept = first[:_OPENING]
    return (kept[: kept.rindex(" ")] if " " in kept[_OPENING // 2 :] else kept).rstrip() + ELLIPSIS
