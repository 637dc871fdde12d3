"""How often and how long: another frequency as an error, the same frequency or duration in other words as no error."""

import random
import re
from collections.abc import Iterator

from seeded.changes import Change
from seeded.figures import DASH, put
from seeded.names import Names
from seeded.passages import Sentence

_FREQUENCIES_EN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"once (?:daily|a day|per day|every day|each day)", ("twice daily", "three times daily")),
    (r"twice (?:daily|a day|per day|every day|each day)", ("once daily", "three times daily")),
    (r"(?:three|3) times (?:daily|a day|per day|each day)", ("twice daily", "once daily")),
    (r"(?:four|4) times (?:daily|a day|per day|each day)", ("twice daily", "three times daily")),
    (r"once (?:a week|weekly|per week|every week)", ("once a day", "twice a week")),
    (r"twice (?:a week|weekly|per week)", ("once a week", "twice a day")),
    (r"(?:three|3) times (?:a week|weekly|per week)", ("three times a day", "once a week")),
    (r"once (?:a month|monthly|per month)", ("once a week", "twice a month")),
    (r"once (?:a year|yearly|per year)", ("once a month", "twice a year")),
    (r"(?:bid|b\.i\.d\.?|BID)", ("tid", "once daily")),
    (r"(?:tid|t\.i\.d\.?|TID)", ("bid", "qid")),
    (r"every 4 hours", ("every 8 hours", "every 12 hours")),
    (r"every 6 hours", ("every 12 hours", "every 8 hours")),
    (r"every 8 hours", ("every 6 hours", "every 12 hours")),
    (r"every 12 hours", ("every 6 hours", "every 24 hours")),
    (r"every 24 hours", ("every 12 hours",)),
    (r"6[- ]hourly", ("12-hourly", "8-hourly")),
    (r"8[- ]hourly", ("12-hourly", "6-hourly")),
    (r"12[- ]hourly", ("8-hourly", "6-hourly")),
    (r"every (?:other|second) day", ("every day", "every other week")),
    (r"every (?:two|2) weeks", ("every two days", "every four weeks")),
    (r"every (?:three|3) months", ("every three weeks", "every six months")),
    (r"every (?:six|6) months", ("every six weeks", "every two months")),
    (r"every day", ("every week",)),
    (r"every week", ("every day",)),
    (
        r"(?:(?<=[gLlUs] )|(?<=ly )|(?<=ly, ))daily(?! (?:life|living|activit|basis|routine|intake|value))",
        ("weekly", "twice daily"),
    ),
    (r"(?:(?<=[gLlUs] )|(?<=ly ))weekly", ("daily", "monthly")),
    (r"per day", ("per week",)),
    (r"per week", ("per day",)),
)
_HAN_COUNT = "[一二两三四五六1-6]"
_FREQUENCIES_ZH = re.compile(
    rf"(?P<per>每日|每天|一日|每周|每月|1日|日)(?P<n>{_HAN_COUNT})(?P<unit>次)|(?P<n2>{_HAN_COUNT})(?P<unit2>次/(?:日|天|d|周)|次[／/]日)"
    rf"|每(?P<hours>\d{{1,2}})(?P<unit3>小时|h)|(?P<cycle>每[天日周月年晚])(?![一二三四五六日天两\d末])"
)


def frequency_changed(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if sentence.passage.lang == "en":
        taken: list[tuple[int, int]] = []
        for was, others in _FREQUENCIES_EN:
            for match in re.finditer(rf"(?<![\w-])(?:{was})(?![\w-])", text):
                start, end = match.span()
                if any(left < end and start < right for left, right in taken):
                    continue
                taken.append((start, end))
                if re.search(r"(?:\b(?:or|to|than|least|most)|[-–]|\d)\s?$", text[:start]):
                    continue
                if match[0] in ("bid", "tid", "BID", "TID") and not re.search(r"\d", text[:start]):
                    continue  # a bid, not a frequency
                for now in others:
                    if now not in text:
                        yield Change(put(text, start, end, now), match[0], now)
        return
    for match in _FREQUENCIES_ZH.finditer(text):
        if match["n"] or match["n2"]:
            group = "n" if match["n"] else "n2"
            if re.search(r"[~～至-]$", text[: match.start(group)]) or (
                match.start(group) and text[match.start(group) - 1].isdigit()
            ):
                continue
            was = match[group]
            pool = "1234" if was.isdigit() else "一两三四"
            for other in pool:
                if other != was and {other, was} != {"二", "两"}:
                    start, end = match.span(group)
                    yield Change(put(text, start, end, other), match[0], match[0].replace(was, other))
        elif match["hours"]:
            for other in ("6", "8", "12", "24"):
                if other != match["hours"]:
                    start, end = match.span("hours")
                    yield Change(put(text, start, end, other), match[0], f"每{other}{match['unit3']}")
        else:
            for other in {"天": "周", "日": "周", "周": "日", "月": "周", "年": "月", "晚": "周"}[match["cycle"][1]]:
                yield Change(put(text, *match.span("cycle"), "每" + other), match["cycle"], "每" + other)


_WORDED_EN: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"(?:bid|b\.i\.d\.?|BID)", ("twice daily", "two times a day")),
    (r"(?:tid|t\.i\.d\.?|TID)", ("three times daily", "three times a day")),
    (r"twice (?:daily|a day|per day)", ("two times a day", "bid", "twice daily", "twice a day", "2 times a day")),
    (r"(?:three|3) times (?:daily|a day|per day)", ("tid", "three times daily", "thrice daily", "3 times a day")),
    (r"(?:four|4) times (?:daily|a day|per day)", ("qid", "4 times a day", "four times daily")),
    (r"once (?:daily|a day|per day)", ("once a day", "once daily", "once every day")),
    (r"once (?:weekly|a week|per week)", ("once weekly", "once a week", "once every week")),
    (r"twice (?:weekly|a week|per week)", ("twice weekly", "two times a week", "twice a week")),
    (r"(?:three|3) times (?:weekly|a week|per week)", ("three times weekly", "3 times per week")),
    (r"every 12 hours", ("12-hourly", "q12h", "every twelve hours")),
    (r"every 8 hours", ("8-hourly", "q8h", "every eight hours")),
    (r"every 6 hours", ("6-hourly", "q6h", "every six hours")),
    (r"every 4 hours", ("4-hourly", "q4h", "every four hours")),
    (r"6[- ]hourly", ("every 6 hours", "q6h")),
    (r"8[- ]hourly", ("every 8 hours", "q8h")),
    (r"12[- ]hourly", ("every 12 hours", "q12h")),
    (r"every (?:other|second) day", ("on alternate days",)),
    (r"(?<=g )daily(?= for|[.;,]|$)", ("every day", "per day", "a day")),
    (r"(?:(?<=\d g )|(?<=\d mg ))per day", ("daily", "a day")),
    (r"every day", ("daily", "each day")),
)  # fmt: skip
_COUNTS_ZH = {"1": "一", "2": "两", "3": "三", "4": "四", "一": "1", "二": "2", "两": "2", "三": "3", "四": "4"}
_TIMES_ZH = re.compile(r"(?P<per>每日|每天|一日|1日)(?P<n>[一二两三四1-4])次(?!/)")
_SLASHED_ZH = re.compile(r"(?<![\d~～])(?P<n>[1-4一二两三四])次/(?:日|天|d)")
_HOURS_ZH = re.compile(r"每(?:隔)?(?P<n>\d{1,2})(?P<unit>小时|h)(?P<times>[一1]次)?")
_LATIN_TIMES = {"1": "qd", "2": "bid", "3": "tid", "4": "qid"}


def frequency_worded(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if sentence.passage.lang == "en":
        for was, others in _WORDED_EN:
            for match in re.finditer(rf"(?<![\w-]){was}(?![\w-])", text):
                if re.search(r"(?:\b(?:or|to|than)|[-–\d])\s?$", text[: match.start()]) or re.match(
                    r"\s(?:or|to)\b", text[match.end() :]
                ):
                    continue
                if match[0] in ("every day",) and not re.search(r"\d|take|dose", text):
                    continue
                if match[0].lower() in ("bid", "tid") and not re.search(r"\d", text[: match.start()]):
                    continue
                for now in others:
                    if now.lower() != match[0].lower():
                        yield Change(put(text, *match.span(), now), match[0], now)
        return
    for match in _TIMES_ZH.finditer(text):
        digit = match["n"] if match["n"].isdigit() else _COUNTS_ZH[match["n"]]
        for now in (
            f"每天{digit}次",
            f"一日{_COUNTS_ZH[digit]}次",
            f"每日{_COUNTS_ZH[digit]}次",
            f"{digit}次/日",
            _LATIN_TIMES[digit],
        ):
            given = re.search(r"\d\s?(?:mg|g|ml|mL|μg|片|粒|丸|毫克|克)[，, ]?$", text[: match.start()])
            if now != match[0] and (given or now not in _LATIN_TIMES.values()):
                yield Change(put(text, *match.span(), now), match[0], now)
    for match in _SLASHED_ZH.finditer(text):
        digit = match["n"] if match["n"].isdigit() else _COUNTS_ZH[match["n"]]
        for now in (f"每日{digit}次", f"每天{_COUNTS_ZH[digit]}次"):
            yield Change(put(text, *match.span(), now), match[0], now)
    for match in _HOURS_ZH.finditer(text):
        now = f"每{match['n']}{'h' if match['unit'] == '小时' else '小时'}{match['times'] or ''}"
        yield Change(put(text, *match.span(), now), match[0], now)
    for match in re.finditer(r"每日(?![一二两三四1-4])|每天(?![一二两三四1-4])", text):
        now = "每天" if match[0] == "每日" else "每日"
        yield Change(put(text, *match.span(), now), match[0], now)


_DURATIONS_EN = {
    tuple(of.split()): tuple(same.split("|"))
    for of, _, same in (
        row.strip().partition("=")
        for row in """
    2 week=14 days; two week=14 days; 1 week=7 days|seven days; one week=7 days; 3 week=21 days; three week=21 days;
    4 week=28 days; 12 month=one year|1 year; 6 month=half a year; six month=half a year; 24 month=two years|2 years;
    18 month=1.5 years; 36 month=3 years; 1 year=12 months; one year=12 months; 2 year=24 months; two year=24 months;
    7 day=one week|1 week; 14 day=two weeks|2 weeks; 21 day=three weeks; 28 day=4 weeks; 48 hour=two days|2 days;
    72 hour=three days|3 days; 24 hour=1 day; 2 day=48 hours; 3 day=72 hours; 60 minute=1 hour|one hour;
    30 minute=half an hour; 90 minute=1.5 hours; 120 minute=2 hours; 1 hour=60 minutes; 2 hour=120 minutes;
    one hour=60 minutes
    """.split(";")
    )
}
_DURATION_EN = re.compile(
    r"(?<![\w.,/–-])(?P<n>\d+|one|two|three|six)(?P<gap>[\s-])(?P<unit>minute|hour|day|week|month|year)(?P<s>s?)(?![\w’']|-(?!old\b)\w)"
)
_DURATIONS_ZH: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"[6六]个月", ("半年",)),
    (r"半年", ("6个月", "六个月")),
    (r"12个月|十二个月", ("1年", "一年")),
    (r"(?:1|一)年(?!级|生|四|龄|中|月|\d|来)", ("12个月",)),
    (r"(?:2|两|二)年(?!级|生|龄|月|\d)", ("24个月",)),
    (r"(?:2|两|二)(?:周|个星期)(?!岁|围|末|龄|年)", ("14天", "14日", "两个星期")),
    (r"(?:1|一)(?:周|个星期)(?!岁|围|末|龄|年|次|\d)", ("7天", "七天")),
    (r"(?:3|三)(?:周|个星期)(?!岁|围|末|龄|年)", ("21天",)),
    (r"(?:4周|[4四]个星期)(?!岁|围|末|龄|年)", ("28天",)),
    (r"24(?:小时|h)", ("1天", "一天")),
    (r"48(?:小时|h)", ("2天", "两天")),
    (r"72(?:小时|h)", ("3天", "三天")),
    (r"30(?:分钟|min)", ("半小时", "半个小时")),
    (r"半小时", ("30分钟",)),
    (r"60(?:分钟|min)", ("1小时",)),
    (r"(?:1|一)(?:小时)", ("60分钟",)),
    (r"7天", ("1周", "一周")),
    (r"14天", ("2周", "两周")),
    (r"18个月", ("1年半", "一年半")),
    (r"1年半|一年半", ("18个月",)),
)


def duration_worded(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if sentence.passage.lang == "en":
        for match in _DURATION_EN.finditer(text):
            if (
                not _alone(text, match)
                or (match["gap"] == "-" and match["s"])
                or re.match(r"\s+(?:\d|and (?:\d|a half))", text[match.end() :])
            ):
                continue
            for now in _DURATIONS_EN.get((match["n"].lower(), match["unit"]), ()):
                put_in = now
                if match["gap"] == "-":
                    put_in = re.sub(r"^(\S+) (\w+?)s?$", r"\1-\2", now)
                    if " " in put_in or "half" in now:
                        continue
                elif match["n"] not in ("1", "one") and not match["s"]:
                    continue
                yield Change(put(text, *match.span(), put_in), match[0], put_in)
        return
    for was, others in _DURATIONS_ZH:
        for match in re.finditer(
            rf"(?<![\d.、~～–\-至到第一二三四五六七八九十百约每近/:：月])(?:{was})(?!\s*[~～–至-]|\s*[/、或和]\s*\d|[前]?半|内?每|[\d零])",
            text,
        ):
            for now in others:
                yield Change(put(text, *match.span(), now), match[0], now)


def _alone(text: str, match: re.Match[str]) -> bool:
    """Whether a quantity belongs to no range, list or ordinal, so that its words can be changed by themselves."""
    before, after = text[: match.start()], text[match.end() :]
    return not re.search(
        rf"(?:{DASH}|[,/]|\b(?:and|or|to|every|week|month|day|year|last|next|per|each|of|the|these"
        rf"|than one|another|in))\s*$",
        before,
        re.I,
    ) and not re.match(rf"\s*(?:{DASH}|/|,?\s(?:and|or|to)\b|,\s\d|\sago|\sold\b|-old|\safter\s\d|\speriod)", after)
