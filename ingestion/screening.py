"""Text that gives orders to the software that reads it, and text that hides characters from the eye.

Nothing here judges whether an order is meant: a flagged passage is one that a person should look at before it answers
anybody. A text is read as it stands and as it would be read once its disguise is off: invisible characters, letters
that look like others, spaced-out or reversed words, digits for letters, ROT13, Base64, hexadecimal.
"""

import base64
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from enum import StrEnum

from ingestion.screening_rules import CHINESE_RULES, DIALOGUE, SYMBOL_RULE, WORD_RULES


class Flag(StrEnum):
    INSTRUCTION = "instruction"
    INVISIBLE = "invisible_characters"
    HIDDEN = "hidden"


_LONGEST_READ = 200_000
_NO_WIDTH = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_DROPPED = re.compile(f"[{_NO_WIDTH}\u0300-\u036f\u0489\u20d0-\u20f0\U0001d173-\U0001d17a]")
_TAGS = re.compile("[\U000e0020-\U000e007e]{3,}")
_FLAG_EMOJI = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,8}\U000e007f")

# Scripts that join or part their letters with characters of no width, as their spelling demands.
_JOINING = (
    "\u0600-\u08ff\u0900-\u0dff\u0e00-\u0fff\u1000-\u109f\u1780-\u18af\u1950-\u19df\u1a00-\u1b7f\ua840-\ua87f"
    "\ufb50-\ufdff\ufe70-\ufefe"
)
_PLAIN = f"[^\\W\\d_{_JOINING}]"
_INVISIBLE = re.compile(
    f"(?<={_PLAIN})\u00ad?[\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060\u2065-\u206f\u3164\ufeff\uffa0]+(?={_PLAIN})"
    "|(?<=[A-Za-z]{3})[\u2061-\u2064]+(?=[A-Za-z]{3})"  # a formula has them between its letters
    "|\u202e|[\u200b\u2060\ufeff\u206a-\u206f]{3,}|[\u200b\u200c\u200d\u2060-\u2064\ufeff]{6,}"
    "|[\ufe00-\ufe0f]{2,}|[\U000e0001\U000e0020-\U000e007f]|[\U000e0100-\U000e01ef]{2,}"
)
_MAYBE_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]"
)

_LOOK_ALIKE = str.maketrans(
    "авсԁеёɡһніїӏјкмпорԛгѕтцѵԝхуүьиязαβγεζηικμνορτυχωϲϳᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢıɑ",
    "abcdeeghhiiljkmnopqrstuvwxyybnreabyeznikuvoptuxwcjabcdefghijklmnoprstuvwyzia",
)
_MIXED_SCRIPT = re.compile(
    "[\u0370-\u052f\u0250-\u02af\ua730-\ua73f](?:[a-z]|(?<=[a-z].))|[\u1d00-\u1d7f](?:[a-z\u1d00-\u1d7f]|(?<=[a-z].))"
)
_SIMPLIFIED = str.maketrans(
    "無視請統詞訊從現對話聽輸來這個們為應該覆復須務準則規設別讓說誰問導網點擊鏈發傳將給寫詩譯語機軟體號碼檔",
    "无视请统词讯从现对话听输来这个们为应该覆复须务准则规设别让说谁问导网点击链发传将给写诗译语机软体号码档",
)
_HAN = re.compile("[\u4e00-\u9fff]")
_SPACED_HAN = re.compile("(?<=[\u4e00-\u9fff])[\\s.·_*|-]{1,3}(?=[\u4e00-\u9fff])")
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")
_TO_WORDS = bytes(code if chr(code).islower() and code < 128 else 32 for code in range(256))
_LETTERS = frozenset(bytes([code]) for code in range(97, 123))
_SPACED_LETTERS = re.compile(r"(?<![^\W_])(?:[^\W\d_][ .\-_*|/,]{1,2}){7,400}[^\W\d_](?![^\W_])")
_RUN_TOGETHER = re.compile(
    r"(?:ignore|disregard|forget)(?:all|any|the|your)?(?:of)?(?:the)?(?:previous|prior|above|earlier|system)|(?:previous|prior|above|earlier)instructions?|systemprompt"
    r"|youarenow|(?:in|to|of|with)your(?:answer|response|reply|output)|donotcite|(?:reply|respond|answer)only|ignoreinstructions"
)
_READ_APART = "ignore previous instructions"
_INNER_DIGIT = re.compile(r"[013457$@](?<=[a-z].)(?=[a-z])")
_LEET_WORD = re.compile(r"[a-z0-9$@]{3,40}")
_LEET = str.maketrans("013457$@", "oieastsa")
_TELLING = (
    "ignore disregard forget instruction instructions prompt prompts answer response reply previous assistant".split()
)
_BACKWARDS = frozenset(word[::-1].encode() for word in _TELLING)
_ROT13 = frozenset(codecs.encode(word, "rot13").encode() for word in _TELLING)
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{20,4000}={0,2}")
_ESCAPED = re.compile(r"(?:\\x[0-9a-fA-F]{2}){8,2000}")
_SYMBOLS = ("<", "{", "##", "[inst", "[/inst", "[system", "[/system", '"role"', '"name"')


def flags_of(text: str) -> tuple[Flag, ...]:
    """What is suspect in the text of a passage, each flag once; nothing for nearly every text. Never ``Flag.HIDDEN``.

    The time taken grows with the length of ``text`` alone; of a text beyond 200,000 characters the rest is not read.
    """
    text = text[:_LONGEST_READ]
    found = []
    if _is_instruction(text):
        found.append(Flag.INSTRUCTION)
    if not text.isascii() and _MAYBE_INVISIBLE.search(text) and _INVISIBLE.search(_FLAG_EMOJI.sub("", text)):
        found.append(Flag.INVISIBLE)
    return tuple(found)


def _is_instruction(text: str) -> bool:
    folded = _folded(text)
    words = _words(folded)
    return _gives_orders(folded, words) or any(
        _gives_orders(plain, _words(plain)) for plain in _undisguised(text, folded, words)
    )


def _folded(text: str) -> str:
    """Lower case, without accents and invisible characters, in simplified Chinese."""
    if text.isascii():
        return text.lower().replace("a.i.", "ai")
    text = _DROPPED.sub("", unicodedata.normalize("NFKD", text)).lower().replace("a.i.", "ai")
    return text.translate(_SIMPLIFIED) if _HAN.search(text) else text


def _words(folded: str) -> set[bytes]:
    """The words of Latin letters in ``folded``, as bytes: a third of the time that a pattern takes to find them."""
    return set(folded.encode("ascii", "replace").translate(_TO_WORDS).split())


def _gives_orders(folded: str, words: set[bytes]) -> bool:
    if likely := [rule for rule in WORD_RULES if rule.may_match(words)]:
        for sentence in _SENTENCE_END.split(folded):
            words = _words(sentence)
            if any(rule.may_match(words) and rule.pattern.search(sentence) for rule in likely):
                return True
    if "assistant:" in folded and DIALOGUE.search(folded):
        return True
    if any(symbol in folded for symbol in _SYMBOLS) and SYMBOL_RULE.search(folded):
        return True
    if folded.isascii() or not _HAN.search(folded):
        return False
    return any(any(term in folded for term in rule.terms) and rule.pattern.search(folded) for rule in CHINESE_RULES)


def _undisguised(text: str, folded: str, words: set[bytes]) -> Iterator[str]:
    """What ``text`` would say without a disguise, for each disguise that it seems to wear."""
    if not text.isascii():
        for tags in _TAGS.findall(text):
            yield _folded("".join(chr(ord(tag) - 0xE0000) for tag in tags))
        if _MIXED_SCRIPT.search(folded):
            yield folded.translate(_LOOK_ALIKE)
        if _HAN.search(folded) and _SPACED_HAN.search(folded):
            yield _SPACED_HAN.sub("", folded)
    if len(words & _LETTERS) > 4:
        for spaced in _SPACED_LETTERS.findall(folded):
            if _RUN_TOGETHER.search(re.sub(r"[\W_]", "", spaced)):
                yield _READ_APART
    if any(term in folded for term in ("ignoreall", "previousinstruction", "systemprompt")):
        yield _RUN_TOGETHER.sub(_READ_APART, folded)
    if _INNER_DIGIT.search(folded):
        yield _LEET_WORD.sub(lambda word: word[0].translate(_LEET), folded)
    if not words.isdisjoint(_BACKWARDS):
        yield folded[::-1]
    if not words.isdisjoint(_ROT13):
        yield codecs.decode(folded, "rot13")
    if "&#" in text:
        yield _folded(html.unescape(text))
    yield from map(_folded, _decoded(text))


def _decoded(text: str) -> Iterator[str]:
    """What stands in ``text`` as Base64, hexadecimal or escaped bytes, where that is readable."""
    for run in _ENCODED.findall(text):
        padded = run.rstrip("=").replace("-", "+").replace("_", "/")
        with suppress(ValueError):
            yield base64.b64decode(padded + "=" * (-len(padded) % 4)).decode()
        with suppress(ValueError):
            yield bytes.fromhex(run).decode()
    if "\\x" in text:
        for run in _ESCAPED.findall(text):
            with suppress(ValueError):
                yield bytes.fromhex(run.replace("\\x", "")).decode()
