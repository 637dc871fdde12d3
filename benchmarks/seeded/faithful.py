"""Rewordings of a sentence that say the same as it: each function gives sentences that must raise no alarm."""

import random
import re
from collections.abc import Iterator
from decimal import Decimal

from seeded.changes import Change
from seeded.figures import DASH, HAN, NUMBER, WORDS, figures, in_range, put, written
from seeded.names import Names
from seeded.passages import Sentence
from seeded.synonyms import SYNONYMS

_CONVERSIONS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    # unit, least and most of its values that are converted, factor and other unit
    "mg": (("10", "5000", "0.001", "g"), ("0.01", "0.9", "1000", "µg")),
    "g": (("0.05", "9.9", "1000", "mg"), ("1000", "9000", "0.001", "kg")),
    "µg": (("10", "5000", "0.001", "mg"),),
    "μg": (("10", "5000", "0.001", "mg"),),
    "mcg": (("10", "5000", "0.001", "mg"),),
    "ml": (("100", "9000", "0.001", "L"),),
    "mL": (("100", "9000", "0.001", "L"),),
    "L": (("0.1", "9", "1000", "mL"),),
    "kg": (("0.1", "9", "1000", "g"),),
    "cm": (("0.1", "99", "10", "mm"), ("100", "250", "0.01", "m")),
    "mm": (("1", "500", "0.1", "cm"),),
    "milligrams": (("10", "5000", "0.001", "grams"),),
    "grams": (("0.05", "9.9", "1000", "milligrams"),),
    "毫克": (("10", "5000", "0.001", "克"),),
    "克": (("0.05", "9.9", "1000", "毫克"),),
    "毫升": (("100", "9000", "0.001", "升"),),
}
_PLAIN_UNIT = re.compile(
    rf"\s?({'|'.join(sorted(_CONVERSIONS, key=len, reverse=True))})"
    r"(?![A-Za-z/²³^_·-])(?!\s?(?:per\b|/|²|³|[23]\b|Hg|of body|H2O))"
)


def unit_converted(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    for one in figures(text):
        unit = _PLAIN_UNIT.match(text, one.end)
        if not unit or in_range(text, one) or re.search(rf"(?:\d|{DASH}|[×xX±/])\s*$", text[: one.start]):
            continue
        if re.match(rf"\s*(?:{DASH}|[×xX±/]|and|or|to\b|[,、和或]\s?\d|tablet|vial|in\s?\d)", text[unit.end() :]):
            continue
        if re.search(r"\d[^,;，。]{0,8}(?:,|and|or|to|、|和|或)\s*$", text[: one.start]) or (
            unit[1] == "g" and one.value > 1000 and not one.whole
        ):
            continue
        if re.match(r"\s*[(（]\s?(?:SD|IQR|range|\d)|\s±", text[unit.end() :]) or len(re.sub(r"\D", "", one.text)) > 4:
            continue
        for least, most, factor, other in _CONVERSIONS[unit[1]]:
            if Decimal(least) <= one.value <= Decimal(most):
                now = written(one.value * Decimal(factor))
                gap = "" if unit[0] == unit[1] else unit[0][0]
                changed = f"{now}{gap}{other}"
                yield Change(put(text, one.start, unit.end(), changed), text[one.start : unit.end()], changed)


_LIST_OF_NUMBERS = re.compile(
    rf"(?<![\d.,–-])(?<![\d)]\s)(?P<first>{NUMBER})(?P<rest>(?:,\s(?:{NUMBER}))*)(?P<last>,?\s(?:and|or)\s|\s?[和或及]\s?)(?P<end>{NUMBER})"
    r"(?=\s?[-–]?(?:mg|g|μg|µg|mL|ml|days|weeks|months|years|hours|minutes|天|周|个月|年|岁|h|min|kg|cm|mm|%)\b"
    r"|\s?[%天周个年岁]| [a-z])(?![\d,.]*\d)"
    r"|(?<![\d.])(?P<han>\d+(?:\.\d+)?(?:、\d+(?:\.\d+)?)+)(?=\s?[a-zA-Zμ%％天周个年岁小])"
)
_IN_STEP = re.compile(
    r"respective|\bvs\b|versus|compared|ratio|分别|依次|顺序|对应|比较|相比|之比|期间|first|second|then|followed|from|between|increas|decreas",
    re.IGNORECASE,
)


def numbers_reordered(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if _IN_STEP.search(text):
        return
    found = list(_LIST_OF_NUMBERS.finditer(text))
    free = {one.start for one in figures(text)}
    for match in found:
        if (
            match.start() not in free
            or len(found) > 1
            or re.search(r"(?:between|from|to|of|\d in|介于)\s$", text[: match.start()])
        ):
            continue
        members = (
            match["han"].split("、")
            if match["han"]
            else [match["first"], *re.findall(NUMBER, match["rest"] or ""), match["end"]]
        )
        if len(set(members)) < len(members) or any(len(m) == 4 and m[:2] in ("19", "20") for m in members):
            continue
        pair = len(members) == 2 and not match["han"] and match["last"].strip(" ,") in ("and", "和", "及")
        if pair and len(re.findall(r"\band\b|[和及与、]", text)) > 1:
            continue  # two lists may go in step
        turned = members[::-1]
        now = "、".join(turned) if match["han"] else ", ".join(turned[:-1]) + match["last"] + turned[-1]
        yield Change(put(text, *match.span(), now), match[0], now)


_WORD_LIST = re.compile(r"(?P<head>[a-z]{4,}), (?P<middle>[a-z]{4,}(?:, [a-z]{4,}){2,})(?=, (?:and|or) )")
_HAN_LIST = re.compile(
    r"(?P<head>[\u4e00-\u9fff]{2,})、(?P<middle>[\u4e00-\u9fff]{2,7}(?:、[\u4e00-\u9fff]{2,7})+)(?=、)"
)


def items_reordered(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    """The middle of a list in another order: its first and last item may share words with what stands around."""
    text = sentence.text
    if _IN_STEP.search(text) or re.search("顺序|首先|然后|逐渐|先后|步|《|→|穴|主治|order|stages?|steps?", text):
        return
    english = sentence.passage.lang == "en"
    for match in (_WORD_LIST if english else _HAN_LIST).finditer(text):
        mark = ", " if english else "、"
        items = match["middle"].split(mark)
        turned = mark.join(items[::-1])
        if turned != match["middle"] and not any(re.search("[的和及与或等]", item) for item in items):
            yield Change(put(text, *match.span("middle"), turned), match["middle"], turned)


_LEADING = re.compile(
    r"^(?P<lead>(?:If|When|Although|Because|During|In|For|After|Before|Unless|Among)"
    r" [^,()]{8,90}), (?P<main>[^,;:]{15,})\.$"
)


def clauses_reordered(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    match = _LEADING.match(sentence.text)
    if not match or re.match(
        r"(?:In|For|During|After|Before|Among) (?:this|these|those|such|most of these|addition|fact"
        r"|general|contrast|conclusion|summary|other|our|some|brief|particular|turn)",
        match["lead"],
    ):
        return
    main = match["main"]
    if re.match(
        r"(?:and|but|or|then|however|not|he|she|it|they|this|that|these|such|ask|is|are|was|were|do|does)\b",
        main,
        re.IGNORECASE,
    ):
        return
    if re.search(
        r"\b(?:which|who|where|when|because|although|if|than|to \w+|and|or|but|due|with)\b", main
    ) or main.split()[0].endswith("ing"):
        return
    lead = match["lead"][0].lower() + match["lead"][1:]
    yield Change(f"{main[0].upper()}{main[1:]} {lead}.", match["lead"], lead)


_NOUN = (
    r"(?=\s(?!(?:mg|g|kg|ml|mL|L|l|cm|mm|IU|U|and|or|to|of|times|in|for|at|with|is|was|were|are|by|h|x|per|vs"
    r"|mcg|mmol)\b)[a-z]{3,})"
)
_DIGIT_EN = re.compile(rf"(?<![\w.,/%$)–-])(?<![–-]\s)([2-9]|1[0-2]){_NOUN}")
_LEADS = re.compile(
    r"(?:[,;:(]|\b(?:in|of|for|with|after|at|and|the|to|by|were|was|is|are|had|has|have|every|within|over|than|about|least|first|last"
    r"|into|from|received|only|between|these|those|all|other|approximately|took|lasts?"
    r"|up to|under|per|next|past|another|includes?))\s$"
)
_WORD_EN = re.compile(rf"(?<![\w-])({'|'.join(WORDS[2:])}){_NOUN}", re.IGNORECASE)
_DIGIT_ZH = re.compile(
    r"(?<![A-Za-z\d.、~～–\-至第/])([1-9])(?=(?:个(?!月大)|种|例|天|周|小时|次(?!之)|项|倍|岁|年(?!级)|组)(?![~～–/]))"
)
_WORD_ZH = re.compile(
    r"(?<![一二三四五六七八九十百千第两几数多双\d分单其、～~至])(?!四周)([两二三四五六七八九])(?=(?:个|种|例|年|天|周|岁|小时|类|项|倍|组)(?![之分子制]))"
)


def numerals_worded(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if sentence.passage.lang == "en":
        free = {one.start for one in figures(text)}
        for match in _DIGIT_EN.finditer(text):
            after = re.match(r"\s*(?:(?:,|and|or|to|–|-)\s*\d)", text[match.end() :])
            led = not text[: match.start()].rstrip() or _LEADS.search(text[: match.start()])
            before = not led or re.search(
                rf"(?:\d\s*(?:,|and|or|to|{DASH})|[<>≥≤=]|%|type|stage|grade|group|no\.)\s*$",
                text[: match.start()],
                re.I,
            )
            if match.start() in free and not after and not before:
                now = WORDS[int(match[0])]
                now = now.capitalize() if match.start() == 0 else now
                yield Change(put(text, *match.span(), now), match[0], now)
        for match in _WORD_EN.finditer(text):
            if match.start() and not re.search(
                r"\b(?:one|or|and|to|-|\w+ty|hundred|thousand|these|those|the|first|last|other|all)\s$",
                text[: match.start()],
                re.I,
            ):
                now = str(WORDS.index(match[0].lower()))
                yield Change(put(text, *match.span(), now), match[0], now)
        for match in re.finditer(r"(?<![\d.,])\d{1,3},\d{3}(?![\d,]|\.\d)", text):
            yield Change(put(text, *match.span(), match[0].replace(",", "")), match[0], match[0].replace(",", ""))
        return
    for match in _DIGIT_ZH.finditer(text):
        now = "两" if match[0] == "2" else HAN[int(match[0])]
        yield Change(put(text, *match.span(), now), match[0] + text[match.end()], now + text[match.end()])
    for match in _WORD_ZH.finditer(text):
        now = "2" if match[0] == "两" else str(HAN.index(match[0]))
        yield Change(put(text, *match.span(), now), match[0] + text[match.end()], now + text[match.end()])
    for one in figures(text):
        if chance.random() > 0.2:
            continue
        now = one.text.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
        yield Change(put(text, one.start, one.end, now), one.text, now)


_RANGE = re.compile(
    rf"(?<![A-Za-z\d_.,/:+±-])(?<!\d\s)({NUMBER})(?P<unit>\s?(?:%|mg|g|ml|mL|kg|cm|mm|岁|天|周|年))?\s?({DASH})\s?({NUMBER})(?![\d:/–~～×-]|\.\d|,\d|-[a-z])"
)
_RANGE_WORDED = re.compile(
    rf"(?<!from )(?<!between )(?<![\w.,/–-])({NUMBER}) to ({NUMBER})"
    r"(?=\s?(?:%|mg|g|mL|ml|kg|days|weeks|months|years|hours|minutes|percent))"
)


def range_worded(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, english = sentence.text, sentence.passage.lang == "en"
    free = {one.start for one in figures(text)}
    for match in _RANGE.finditer(text):
        low, high = (Decimal(match[n].replace(",", "")) for n in (1, 4))
        if match.start() not in free or low >= high or (len(match[1]) == 4 and len(match[4]) < 4):
            continue
        unit = match["unit"] or ""
        head, tail = f"{match[1]}{unit}", match[4]
        forms = [f"{head} to {tail}"] if english else [f"{head}至{tail}", f"{head}到{tail}"]
        if (
            english
            and match.start()
            and not re.search(
                r"(?:for|within|aged|ages?|about|of|than|approximately|every|over|in|,|from|between|at|[<>≤≥:=(])\s*$",
                text[: match.start()],
                re.I,
            )
        ):
            forms.append(f"from {head} to {tail}")
        for now in forms:
            yield Change(put(text, *match.span(), now), match[0], now)
    if english:
        for match in _RANGE_WORDED.finditer(text):
            if Decimal(match[1].replace(",", "")) < Decimal(match[2].replace(",", "")) and not re.search(
                r"\b(?:from|between|to|increas\w*|decreas\w*|reduc\w*|\w+ed)\b[^,;]{0,30}$", text[: match.start()], re.I
            ):
                yield Change(put(text, *match.span(), f"{match[1]}-{match[2]}"), match[0], f"{match[1]}-{match[2]}")


_SYMBOLS_EN = {
    "≥": ("at least ", "greater than or equal to "),
    ">": ("more than ", "greater than "),
    "<": ("less than ", "below "),
    "≤": ("at most ", "no more than "),
}
_SYMBOLS_ZH = {
    "≥": ("大于或等于", "不低于", "不小于"),
    ">": ("大于", "超过"),
    "<": ("小于", "低于"),
    "≤": ("小于或等于", "不超过", "不大于"),
}
_WORDED_EN = {
    "more than": ">",
    "greater than": ">",
    "at least": "≥",
    "less than": "<",
    "fewer than": "<",
    "no more than": "≤",
    "at most": "≤",
    "above": ">",
    "below": "<",
}
_REWORDED_EN = {
    "more than": ("over",),
    "at least": ("no less than",),
    "less than": ("under",),
    "no more than": ("at most",),
}
_WORDED_ZH = {
    "大于": ("＞", ">", "超过"),
    "超过": ("＞", "大于"),
    "小于": ("＜", "<"),
    "低于": ("＜", "小于"),
    "高于": ("＞",),
    "不低于": ("≥",),
    "不超过": ("≤",),
    "至少": ("不少于",),
    "不少于": ("至少",),
}


def comparator_worded(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, english = sentence.text, sentence.passage.lang == "en"
    symbols = _SYMBOLS_EN if english else _SYMBOLS_ZH
    for match in re.finditer(r"(?<![-=<>≥≤])(\s?)([<>≤≥＜＞])\s?(?=\d)(?!\d+\s?[-'′<>≤≥＜＞])", text):
        sign = match[2].translate({0xFF1C: "<", 0xFF1E: ">"})
        if re.search(r"[<>≤≥＜＞=]\s?[\w ]{0,4}$", text[: match.start()]):
            continue
        for words in symbols[sign]:
            gap = " " if english and match.start() and not text[: match.start()].endswith((" ", "(")) else ""
            yield Change(put(text, *match.span(), gap + words), match[0], words)
    for was in sorted(_WORDED_EN if english else _WORDED_ZH, key=len, reverse=True):
        shape = rf"(?<!or )(?<!no )(?<!not )\b{was} (?=\d)" if english else rf"(?<![不或更]){was}(?=\d)"
        for match in re.finditer(shape, text):
            forms = (
                (_WORDED_EN[was], *(f"{word} " for word in _REWORDED_EN.get(was, ()))) if english else _WORDED_ZH[was]
            )
            for now in forms:
                if not english and now in "＞>＜<≥≤" and re.search(r"[得能可应会常均度]$", text[: match.start()]):
                    continue
                yield Change(put(text, *match.span(), now), match[0], now)


def synonym(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, lang = sentence.text, sentence.passage.lang
    for shape, now in SYNONYMS[lang]:
        for match in shape.finditer(text):
            put_in = match.expand(now)
            put_in = put_in[0].upper() + put_in[1:] if match[0][0].isupper() and lang == "en" else put_in
            if put_in.lower() != match[0].lower() and put_in.lower() not in text.lower():
                yield Change(put(text, *match.span(), put_in), match[0], put_in)
