"""Errors of polarity seeded into a sentence: a negation lost or put in, a direction turned round."""

import random
import re
from collections.abc import Iterator

from seeded.changes import Change
from seeded.figures import put
from seeded.names import Names
from seeded.passages import Sentence

_BE = "is|are|was|were|should|must|can|could|will|would|has|have|had|do|does|did|shall"
_NOT = re.compile(rf"\b(?P<verb>{_BE})(?: not|n['’]t)\b|\b(?P<can>can)not\b", re.IGNORECASE)
_NOT_EXEMPT = re.compile(
    r"\s(?:only|just|merely|simply|necessarily|all|every|everyone|yet|until|least|so\b|as\b|even|ask|the same|mean"
    r"|more than|less than|exceed|always be|have been)|\s\w+\s(?:until|unless|either)",
    re.IGNORECASE,
)
_LEFT_AFTER_NOT = re.compile(
    r"\b(?:but|any|anyone|anything|either|yet|nor|neither|until|at all|rather|instead|unless|ever)\b", re.I
)
_DROPPED_EN: tuple[tuple[str, str], ...] = (
    (
        r"\bno (?=(?:statistically |clinically )?significant (?:\w+ )?(?:difference|correlation|association|effect"
        r"|change|relationship|interaction|improvement)s?\b)",
        "a ",
    ),
    (
        r"\b(?<=[a-z] )no (?=(?:evidence|known cure|known treatment|specific treatment|clear evidence)\b)",
        "established ",
    ),
    (r"\b(?<=[a-z] )no (?=(?:cure|vaccine|relationship|correlation|specific test|proven treatment|benefit)\b)", "a "),
    (r"\b(?<=[a-z] )no (?=(?:association|effect|effective (?:treatment|therapy|vaccine)|approved treatment)\b)", "an "),
    (r"\bwithout (?!(?:or|the (?:help|use)|which|being|it|them|any|a doctor)\b|\w+ing\b)", "with "),
    (r"\bcontraindicated\b", "indicated"),
    (r"\bineffective\b", "effective"),
    (r"\bunlikely\b", "likely"),
    (
        r"\b[Dd]o not (?=(?:give|use|administer|take|apply|start|stop|attempt|delay|perform"
        r"|induce|exceed|allow|inject|drink)\b)",
        "",
    ),
    (r"\bnever (?=(?:be|been|give|use)\b)", "always "),
    (r"\babsence of\b", "presence of"),
    (r"\bunaffected by\b", "affected by"),
    (r"\bavoid(?:ed)? (?=in (?:patients|pregnan|children|renal|hepatic))", "used "),
    (r"\bshould be avoided\b", "should be used"),
)
_DROPPED_ZH: tuple[tuple[str, str], ...] = (
    ("不应(?!期)", "应"),
    ("不宜", "宜"),
    ("不能(?!不|除外|完全|自)", "能"),
    ("不可(?!逆|复|避免|少|忽|或|分|缺|不)", "可"),
    ("不会", "会"),
    ("并不是|并非|不是(?!.*而是)", "是"),
    ("不属于", "属于"),
    ("不具有|不具备", "具有"),
    ("不需要?", "需要"),
    ("不影响", "影响"),
    ("不引起", "引起"),
    ("不易", "易"),
    ("不得(?!不|以|已)", "可以"),
    ("不推荐", "推荐"),
    ("不适用于|不适于", "适用于"),
    ("不包括", "包括"),
    ("无(?=明显|显著|统计学|特异|压痛|发热|自觉|临床意义)", "有"),
    ("无需|无须", "需要"),
    ("未见(?!于)", "可见"),
    ("未发现", "发现"),
    ("没有(?=明显|显著|先兆|特异|意义|差异|症状|影响|关系|作用|必要|发热|疼痛|固定|统计)", "有"),
    ("(?:禁忌)(?=[证症])", "适应"),
    ("禁用|禁止使用", "可用"),
    ("慎用(?!药)", "首选使用"),
    ("无效", "有效"),
)
_EXEMPT_ZH_BEFORE = re.compile("[否非无未而若如则并有]$|是否$|能$|而$|如果$|凡$|即使$|要$|只$")
_NEGATIVE_EN = re.compile(
    r"\b(?:no|not|never|without|neither|nor|none|unless|cannot|un\w+|in(?:effective|sufficient|appropriate)|lack\w*|absen\w+|few"
    r"|little|rarely|hardly|avoid\w*|prevent\w*|contraindicated|only|less|fail\w*|however|but|although|though|whether|if"
    r"|some|many|most|several|may|might|could|sometimes|either|any|once)\b|n['’]t\b",
    re.IGNORECASE,
)
_NEGATED_EN = re.compile(
    r"\b(?P<verb>is|are|was|were|should|must|can|will)\b(?= (?!(?:also|both|either|one|usually|often|mainly"
    r"|primarily|typically"
    r"|generally|commonly|most|the most|the only|still|now|probably|slightly|quite|somewhat"
    r"|more likely|thought|believed|estimated|about|approximately"
    r"|known as|called|named|defined|classified|to\b|then|thus|therefore|always|likely|too|so|being"
    r"|an? \w+ (?:of|for) (?:the|about))"
    r"\b|\d|,)[a-z])"
)
_SUBORDINATE = re.compile(
    r"\b(?:that|which|who|whom|whose|when|because|while|where|since|after|before|how|what|why|there|as|these|other|each|all|every)\b",
    re.IGNORECASE,
)
_VERBS_EN = {
    "reduces": "reduce",
    "improves": "improve",
    "prevents": "prevent",
    "inhibits": "inhibit",
    "induces": "induce",
    "requires": "require",
    "includes": "include",
    "contains": "contain",
    "affects": "affect",
    "produces": "produce",
    "causes": "cause",
    "reduced": "reduce",
    "improved": "improve",
    "inhibited": "inhibit",
    "induced": "induce",
    "showed": "show",
    "demonstrated": "demonstrate",
    "suggests": "suggest",
    "suggest": "suggest",
    "indicate": "indicate",
    "indicates": "indicate",
    "confirmed": "confirm",
    "revealed": "reveal",
    "provides": "provide",
    "increases": "increase",
}
_ORDERS_EN = re.compile(
    r"^(?:Give|Administer|Use|Take|Apply|Start|Perform|Inject|Encourage|Monitor|Continue|Refer|Repeat|Offer)\b(?! of)"
)
_NEGATIVE_ZH = re.compile("[不无未没非否勿禁忌避免]|缺乏|少见|罕见|阴性|但|如果|只|仅|除|有些|有的|部分|某些|少数")
_ADDED_ZH: tuple[tuple[str, str], ...] = (
    (
        r"(?<![反适效相供对响感诱顺呼])应(?=首先|立即|及时|给予|进行|采用|选择|选用|在|做|行|作|予|使用|加强|停|尽|当|该|首选|常规)",
        "不应",
    ),
    (r"可以(?!及)", "不可以"),
    (r"(?<![许认])可(?=引起|导致|出现|发生|抑制|促进|使|增加|降低|减少|产生|见于)", "不会"),
    (r"(?<![许认])可(?=用于|作为|通过|用来|有效)", "不能"),
    (
        r"(?<![但于可总还就或而尤特别其即若凡均都只正也便算要又这不更，])是(?=[\u4e00-\u9fff]{2})(?!因|由|指|否|在)",
        "不是",
    ),
    (
        r"(?<![可功性不只机万职技])能(?=够?(?:抑制|促进|增强|降低|减少|引起|使|产生|与|提高|防止|治疗|阻断|清|补|活|缓解|改善|对抗))",
        "不能",
    ),
    (r"(?<![适不时事便])宜(?=选|用|采|行|食|在|先|早)", "不宜"),
    (r"(?<![只均都也又])属于", "不属于"),
    (r"(?<![只均都也又])属(?=于)?(?=足|手|阴|阳|督|任)", "不属"),
    (r"(?<![均都也还])具有", "不具有"),
    (r"适用于", "不适用于"),
    (r"(?<![可能会常易已所不])(引起|导致)(?=[\u4e00-\u9fff])(?!的)", r"不会\1"),
    (r"推荐(?=使用|用|采|应|进行|首)", "不推荐"),
    (r"(?<![只均都也可被作应合使适服运利常要试])用于(?=治疗|[\u4e00-\u9fff])", "不用于"),
    (r"(?<![机社协学体])会(?=出现|引起|导致|影响|使|增加|发生|产生)", "不会"),
    (r"(?<![只])(?:需要|需)(?=进行|在|及时|立即|给予|使用)", "不需要"),
    (r"包括(?=[\u4e00-\u9fff])", "不包括"),
)


def _turns(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(turn.split(">")) for turn in text.split())


_DIRECTIONS_EN = _turns(
    """
    increased>decreased increases>decreases increase>decrease decreased>increased decreases>increases decrease>increase
    reduced>increased reduces>increases reduce>increase reducing>increasing reduction>increase higher>lower lower>higher
    elevated>reduced elevation>reduction raises>lowers lowers>raises improved>worsened improves>worsens improve>worsen
    improvement>worsening worsens>improves upregulated>downregulated downregulated>upregulated stimulates>inhibits
    inhibits>stimulates inhibited>stimulated positively>negatively better>worse worse>better faster>slower earlier>later
    highest>lowest lowest>highest enhances>weakens enhanced>weakened
    """
)
_DIRECTIONS_ZH = _turns(
    """
    升高>降低 降低>升高 增高>降低 增加>减少 减少>增加 增强>减弱 减弱>增强 上升>下降 下降>上升 促进>抑制 抑制>促进
    延长>缩短 缩短>延长 加快>减慢 减慢>加快 扩张>收缩 收缩>扩张 增大>缩小 缩小>增大 提高>降低 加重>减轻 减轻>加重
    改善>恶化 增多>减少 正相关>负相关 负相关>正相关 激活>抑制 高于>低于 低于>高于 最高>最低 亢进>减退 减退>亢进
    """
)
_PLACES = re.compile(
    r"\s(?:limbs?|extremit|respiratory|back|abdom|abdominal|lip|leg|legs|urinary|tract|jaw|airway|education|part|than|body|right|left"
    r"|esoph|oesoph|gastro|intestin|gi\b|eyelid|quadrant|segment|lobe|end|order"
    r"|level (?:of )?education|number of (?:studies|people)"
    r"|doses? and|understand|and (?:lower|higher|decreas|increas)|or (?:lower|higher|decreas|increas))",
    re.IGNORECASE,
)


def negation_dropped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if sentence.passage.lang == "zh":
        taken: list[tuple[int, int]] = []
        for was, now in _DROPPED_ZH:
            for match in re.finditer(was, text):
                start, end = match.span()
                if any(left < end and start < right for left, right in taken):
                    continue
                taken.append((start, end))
                if not _EXEMPT_ZH_BEFORE.search(text[max(0, start - 2) : start]):
                    yield Change(put(text, start, end, now), match[0] + text[end : end + 4], now + text[end : end + 4])
        return
    for match in _NOT.finditer(text):
        before, after = text[: match.start()], text[match.end() :]
        if (
            _NOT_EXEMPT.match(after)
            or _LEFT_AFTER_NOT.search(after)
            or re.search(r"\b(?:whether|if|or|why)\b[^,]*$", before, re.I)
        ):
            continue
        yield Change(put(text, *match.span(), match["verb"] or match["can"]), match[0], match["verb"] or match["can"])
    for was, now in _DROPPED_EN:
        for match in re.finditer(was, text, re.IGNORECASE):
            if re.search(r"\b(?:or|if|and|not|with or)\s$", text[: match.start()]):
                continue
            start, end = match.span()
            changed = put(text, start, end, now)
            if (
                now == "a "
                and re.match(r"(?:\w+ )*?\w+s\b(?<!is)", text[end:].split(" in ")[0])
                and "differences" in text[end : end + 60]
            ):
                changed = put(text, start, end, "")
            yield Change(changed[:1].upper() + changed[1:], match[0], now)


def negation_added(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text = sentence.text
    if sentence.passage.lang == "zh":
        if _NEGATIVE_ZH.search(text):
            return
        for was, now in _ADDED_ZH:
            for match in re.finditer(was, text):
                put_in = match.expand(now)
                yield Change(put(text, *match.span(), put_in), match[0], put_in)
        return
    if _NEGATIVE_EN.search(text):
        return
    order = _ORDERS_EN.match(text)
    if order:
        yield Change("Do not " + text[:1].lower() + text[1:], order[0], f"Do not {order[0].lower()}")
        return
    verb = re.search(r"\b(?:is|are|was|were|should|must|can|will|has|have|had|do|does|did)\b", text)
    negated = _NEGATED_EN.search(text)
    if verb and negated and verb.start() == negated.start() and _main(text[: negated.start()]):
        now = "cannot" if negated["verb"] == "can" else f"{negated['verb']} not"
        yield Change(put(text, *negated.span("verb"), now), negated["verb"], now)
    for match in re.finditer(rf"\b(?:{'|'.join(_VERBS_EN)})\b", text):
        before = text[: match.start()]
        if (verb and verb.start() < match.start()) or not _main(before) or not re.search(r"[a-zA-Z)]\s$", before):
            continue
        if (
            re.search(r"\b(?:the|a|an|of|with|and|or|by|to|in|for|on|significantly|\w+ly)\s$", before)
            or before.count(" ") > 14
        ):
            continue
        if match[0].endswith("ed") and re.match(
            r"\s(?:by|in|from|to|with|and|\w+(?:tion|ing|ity)s?\b.*\b(?:showed|was|were|is|are)\b)", text[match.end() :]
        ):
            continue
        helper = "did" if match[0].endswith("ed") else "does" if match[0].endswith("s") else "do"
        now = f"{helper} not {_VERBS_EN[match[0]]}"
        yield Change(put(text, *match.span(), now), match[0], now)
        return


def _main(before: str) -> bool:
    """Whether a verb behind these words is that of the main clause, and its subject no list of clauses."""
    return (
        bool(before)
        and not _SUBORDINATE.search(before)
        and before.count(",") != 1
        and not re.search(r"\bto \w+\b.*\band\b", before)
    )


def direction_flipped(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    text, lang = sentence.text, sentence.passage.lang
    for was, now in _DIRECTIONS_EN if lang == "en" else _DIRECTIONS_ZH:
        for match in re.finditer(rf"(?<![\w-]){was}(?![\w-])" if lang == "en" else was, text, re.IGNORECASE):
            before, after = text[max(0, match.start() - 14) : match.start()], text[match.end() :]
            if lang == "en" and (
                _PLACES.match(after)
                or (re.search(r"\b(?:or|and|no|not|the|neither|nor)\s$", before, re.I) and was in ("lower", "higher"))
            ):
                continue
            if lang == "en" and re.search(r"\b(?:or|and|not|no)\s$", before, re.I):
                continue
            if lang == "zh" and (
                re.search("[或和、不未无及与]$", before) or re.match("[或和、及与压期术]|剂|性", after)
            ):
                continue
            put_in = now.capitalize() if match[0][0].isupper() else now
            yield Change(_article(put(text, *match.span(), put_in), match.start(), put_in), match[0], put_in)


def _article(text: str, at: int, word: str) -> str:
    article = "an" if word[0].lower() in "aeiou" else "a"
    return re.sub(r"\b([Aa])n?\s$", lambda m: m[1] + article[1:] + " ", text[:at]) + text[at:]
