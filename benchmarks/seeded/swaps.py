"""Names swapped in a sentence: another drug, another disease, other people."""

import random
import re
from collections.abc import Iterator, Sequence

from seeded.changes import Change
from seeded.figures import put
from seeded.lexicon import PEOPLE_EN, PEOPLE_ZH
from seeded.names import Names
from seeded.passages import Sentence

_NAMES_OF_PEOPLE = {"en": PEOPLE_EN, "zh": PEOPLE_ZH}
_BODILY = re.compile(
    r"pregnan|menopaus|breast|ovar|uter|vagin|cervi|menstr|gyn|birth|lactat|deliver|labou?r|matern|mother|prostat|test[ei]|undescended|peni|"
    r"erect|sperm|semen|妊娠|孕|绝经|月经|乳腺|卵巢|子宫|阴道|宫颈|分娩|产|前列腺|睾丸|阴茎|精液|精子|胎|哺乳|带下|白带|经期|闭经|停经|流产|授乳|泌乳|溢乳",
    re.IGNORECASE,
)
_OF_SEX = {"women", "men", "females", "males", "girls", "boys", "男性", "女性", "妇女"}
_OF_AGE = {"children", "adults", "infants", "newborns", "neonates", "adolescents", "儿童", "小儿", "成人", "新生儿"}


def population_swapped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, lang = sentence.text, sentence.passage.lang
    taken: list[tuple[int, int]] = []
    for was, others in _NAMES_OF_PEOPLE[lang]:
        shape = rf"(?<![\w-]){was}(?![\w-]|'|’)" if lang == "en" else was
        for match in re.finditer(shape, text, re.IGNORECASE):
            start, end = match.span()
            if any(left < end and start < right for left, right in taken):
                continue
            taken.append((start, end))
            before, after = text[max(0, start - 16) : start], text[end : end + 24]
            if start and match[0][0].isupper() and not re.search(r"[:;.•(]\s?$", before):
                continue  # part of a name
            if was == "孕妇" and _BODILY.search(text.replace(was, "")):
                continue
            if (was in _OF_SEX and _BODILY.search(text)) or not _about_people(before, after, was, lang):
                continue
            for other in others:
                told = re.search(rf"(?<![\w-]){other.split()[-1]}\b" if lang == "en" else other, text, re.IGNORECASE)
                if told and other.split()[-1] != was.split()[-1]:
                    continue
                now = other.capitalize() if match[0][0].isupper() else other
                yield Change(put(text, start, end, now), match[0], now)


def _about_people(before: str, after: str, was: str, lang: str) -> bool:
    if lang == "zh":
        if re.match(r"[科型麻推保医期斑]|溶血|呼吸|肺炎|腹泻|黄疸|窒息|硬肿|秋季|疳", after) or re.search(
            r"[《“早]$|岁的?$", before
        ):
            return False
        return not re.match(r".{0,4}\d+\s*[~～-]?\s*\d*\s*(?:岁|个月)", after) or was not in _OF_AGE
    if was in ("children", "boys", "girls") and re.search(
        r"\bparent|\bpass(?:ed|es)?\b", before + after, re.IGNORECASE
    ):
        return False
    if re.search(
        r"(?:their|have|having|had|his|her|of the|my|your|our|whose|affected|all|couple'?s?|young|more|no)\s$",
        before,
        re.I,
    ):
        return False
    if re.match(
        r"\s(?:and|or|of)\b|\s?\(|\s*(?:aged|ages?|\d|over|under|from|between|less|older|younger"
        r"|who are)|,\s(?:and|or)?",
        after,
    ):
        return False
    return bool(
        re.search(
            r"(?:^|[(;:]\s?|\b(?:in|for|to|among|by|most|many|some|than|with|and|or|between|affects?)\s)$", before, re.I
        )
    )


def drug_swapped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    yield from _named_otherwise(sentence, names.drugs, names.drug_patterns, chance)


def disease_swapped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    yield from _named_otherwise(sentence, names.diseases, names.disease_patterns, chance)


def _named_otherwise(
    sentence: Sentence,
    pools: dict[str, dict[str, int]],
    patterns: dict[str, Sequence[re.Pattern[str]]],
    chance: random.Random,
) -> Iterator[Change]:
    """Another name of the same pool in a name's place, everywhere in the sentence: one that the passage names
    elsewhere, and one that it does not name."""
    text, lang = sentence.text, sentence.passage.lang
    for kind, shape in enumerate(patterns[lang]):
        pool = pools[f"{lang}{kind}"]
        here = {match[0].lower() for match in shape.finditer(text) if _names_it(text, match)}
        if not here:
            continue
        things = {name.lower(): thing for name, thing in pool.items()}
        named = {things[name] for name in here if name in things}
        whole = sentence.passage.text.lower()
        nearby = {match[0].lower() for match in shape.finditer(whole)}
        for was in sorted(here & things.keys()):
            others = [
                name for name in sorted(pool)
                if pool[name] not in named and name.lower() not in was and was not in name.lower()
            ]  # fmt: skip
            close = [name for name in others if name.lower() in nearby]
            away = [name for name in others if name.lower() not in whole]
            for now in [chance.choice(ones) for ones in (close, away) if ones]:
                changed = _renamed(text, shape, was, now)
                if was not in changed.lower():
                    yield Change(changed, was, now)


def _renamed(text: str, shape: re.Pattern[str], was: str, now: str) -> str:
    def other(match: re.Match[str]) -> str:
        if match[0].lower() != was:
            return match[0]
        return now[0].upper() + now[1:] if match[0][0].isupper() else now

    article = "an" if now[0].lower() in "aeiou" else "a"
    return re.sub(
        rf"\b([Aa])n?(?= {re.escape(now)}\b)",
        lambda match: match[1] + article[1:],
        shape.sub(other, text),
        flags=re.IGNORECASE,
    )


def _names_it(text: str, match: re.Match[str]) -> bool:
    """Whether a name of a disease is that, and not part of another: "respiratory depression", "stroke volume"."""
    return not re.search(
        r"(?:H\.|influenzae|Ha?emophilus|respiratory|marrow|myocardial|segment|ST|CNS|portal|pulmonary|intracranial|ocular|heat|major|postpartum)\s$",
        text[: match.start()],
    ) and not re.match(r"\s(?:volume|work)", text[match.end() :])
