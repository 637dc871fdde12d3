"""Names of people, where a text says that they are: behind a title, behind "patient" or "my name is", before 先生 or
医生.

A name that medicine has taken over stays: Wilson and Crohn without a title, "Dr. Ranson criteria", 何杰金氏病, 墨菲征.
In Chinese, where no space ends a name, jieba's tagger says where it does.
"""

import re
from collections.abc import Iterator
from functools import cache

from rag import glossary
from rag.analysis import is_word, simplified, tagged
from rag.identifiers import Identifier
from rag.languages import HAN

_UPPER = "A-ZÀ-ÖØ-ÞĆČĎĐĘĚĞĢİŁĽŃŇŌŐŘŚŞŠŤŪŮŰŹŻŽ"
_LOWER = "a-zß-öø-ÿćčďđęěğģıłľńňōőřśşšťūůűźżž"
_WORD = (
    rf"(?:(?:Mc|Mac|O['’]|D['’]|De|Di|La|Le|Van|Al-|El-)?[{_UPPER}][{_LOWER}]+(?:[-'’](?!s\b)[{_UPPER}]?[{_LOWER}]+)*)"
)
_INITIAL = rf"(?:[{_UPPER}]\.(?:[ -]?[{_UPPER}]\.)*|[{_UPPER}](?= [{_UPPER}][{_LOWER}]))"
_PARTICLE = r"(?:van|von|de|der|den|da|dos|di|du|del|la|le|bin|ibn|al|el|ter)"
_NAME = rf"(?:(?:{_INITIAL}|{_WORD}) ?(?:(?<=[ .])(?:{_PARTICLE} ){{0,2}}(?:{_INITIAL}|{_WORD}) ?){{0,3}})(?<! )"
_FULL = rf"(?:{_WORD}(?: (?:{_PARTICLE} ){{0,2}}(?:{_INITIAL}|{_WORD})){{1,3}})"
_CAPITALS = rf"(?:[{_UPPER}]{{2,}}(?:[ -][{_UPPER}]{{2,}}){{0,2}})"
_TITLE = r"(?:Mr|Mrs|Ms|Mx|Miss|Master|Mister|Dr|Doctor|Prof|Professor|Nurse|Madam|Sir|Herr|Frau|Señora?)"
_RELATIVE = (
    "son|daughter|husband|wife|mother|father|mom|mum|dad|brother|sister|uncle|aunt|grandmother|grandfather|grandma|grandpa"
    "|grandson|granddaughter|nephew|niece|cousin|partner|boyfriend|girlfriend|fiance|fiancee|friend|neighbou?r|baby|child|boss"
)
_PERSON = (
    "(?:patient|man|woman|boy|girl|lady|gentleman|colleague|infant|toddler|teenager|resident|client|person"
    f"|{_RELATIVE})"
)

_TITLED = re.compile(
    rf"\b(?P<title>{_TITLE})(?:\.\s?|\s)(?:and (?:Mr|Mrs|Ms)\.?\s)?(?P<value>{_NAME})(?P<after>.{{0,40}})", re.DOTALL
)
_TITLED_IN_CAPITALS = re.compile(rf"\b(?:MR\.|MRS\.?|MISS|DR\.|PROF\.)\s(?P<value>{_CAPITALS})")
_TITLED_IN_SMALL = re.compile(
    r"\b(?:mr|mrs)\b\.?\s(?P<value>[a-z]{2,}(?: [a-z]{3,}(?=[,.;:?]))?)|\bdr\b\.?\s(?P<other>[a-z]{3,})"
)
_INTRODUCED = tuple(
    re.compile(form)
    for form in (
        rf"(?i:\b(?:my|patient'?s?|her|his|full|first|last|family|sur|child'?s|baby'?s|son'?s|daughter'?s)\s?name(?:\s(?:is|was))?\s*[:=]?\s*)(?P<value>{_NAME}|{_CAPITALS})",
        rf"(?i:(?:^|[\n.;,(])\s*(?:patient(?:'s)? )?name\s*[:=]\s*)(?P<value>{_NAME}|{_CAPITALS})",
        rf"(?i:\b(?:{_PERSON}),? (?:is )?(?:named|called|by the name of|whose name is|name is)\s)(?P<value>{_NAME})",
        rf"(?i:\b(?:patient|pt|client|re)\s*:\s*)(?P<value>{_FULL}|{_INITIAL} {_WORD}"
        r"|" + _WORD + r"(?=, (?:\d+|male|female|aged?)\b))",
        rf"\b(?:[Mm]y|[Oo]ur|[Tt]he|[Aa]|[Hh]er|[Hh]is|[Tt]his|[Ff]or|[Oo]f|[Ss]ee|[Ss]aw) [Pp]atient,? "
        rf"(?P<value>{_FULL})(?! [{_UPPER}])",
        rf"(?i:\b(?:i am|i'm|i’m|this is|it's|signed(?: by)?)\s)(?P<value>{_FULL})"
        rf"(?=[,.;:!\n]|\s(?:and|from|here)\b|\s*$)(?! [{_UPPER}])",
        r"(?i:\b(?:kind |best |warm |many )?(?:regards|sincerely|yours truly|thanks|thank you|cheers|yours),?\s*"
        rf"(?:from )?\n?\s?)(?P<value>{_FULL})",
        rf"(?i:\b(?:kind |best |warm )?regards from |\bsigned,? )(?:{_TITLE}\.?\s)?(?P<value>{_NAME})",
        rf"\b(?:[Tt]he )?(?:family|mother|father|wife|husband|son|daughter|parents|carer) of (?P<value>{_FULL})",
    )
)
_OF_THE_FAMILY = re.compile(
    rf"(?i:\b(?:my|our|his|her)(?: [a-z0-9-]+)? (?:{_RELATIVE})),? "
    rf"(?P<value>{_WORD}(?: {_WORD})?)(?!['’]s?\b)(?! [{_UPPER}])"
)
_PATIENT = re.compile(rf"(?:^|[.;?!]\s)Patient (?P<value>{_FULL})(?=,|\s(?:was|is|has|came|asks?|needs?|with)\b)")
_NAMED_THING = re.compile(
    r"(?:['’]s?)?(?:\s*(?:[-–/&]|and)\s*\w+)?\s+(?:\w+\s+)?(?:criteri|disease|syndrome|sign\b|score|scale|classification|staging|stage|method|procedure|operation"
    r"|tumou?r|maneuver|manoeuvre|phenomenon|reflex|index|formula|law|triad|stain|anomaly|lymphoma|palsy|ataxia|chorea|test\b"
    r"|technique|position|incision|fracture|rule|questionnaire|diet\b|protocol|award|lecture|laborator)",
    re.IGNORECASE,
)
_VERB_BEFORE = re.compile(
    r"\b(?:to|we|will|may|can|not|i|you|they|would|could|should|never|often|don't|did|do|does)\s+$", re.IGNORECASE
)
_NO_NAMES = frozenset(
    """
    a about after an and angiography any are as asked at be can cholangiography could did do does elastography
    enterography findings for from gave google guided had has have he her his i if image images imaging in is it
    lesions me mr my of office on or order our patients practitioner prescribed put recommended sequence signal said
    says scan scans she should some spectroscopy specialist suggested tells that the their them then there they thinks
    this to told urography venography visit visits want wants was we went what when where which who will with would
    you your appointment manager examination not says now just also only really
    """.split()
)
_NO_PEOPLE = frozenset(
    """
    Health Global Reported Report Safety Care Centered Outcome Outcomes Activation Assessment Satisfaction Education
    Type Stage Grade Class The Is Has Are What How Can Should Does Do Why When Which Who Where If My Her His I We They
    It In On At With For And Or Of To HIV AIDS COVID Covid Hepatitis Diabetes Diabetic Cancer Group Groups Controlled
    Version Status Information Experience Preference Preferences Blood Related Rights Monitoring Management Registry
    Male Female Man Woman Jan January February March April May June July August September October November December
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday English Chinese American European Asian African Indian
    British French German
    """.split()
)

_TITLES_ZH = (
    "先生|女士|小姐|太太|夫人|医生|医师|大夫|主任|教授|护士长?|院长|老师|同学|阿姨"
    "|叔叔|大叔|大爷|大妈|奶奶|爷爷|大哥|大姐|师傅|同志|药师|經理|醫生|醫師|護士|老師"
)
_SURNAMES = (
    "王李洪张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦付傅方白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤常温康施文牛"
    "樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆"
    "蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全"
    "佟臧闵苟邬边卞姬师仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌"
    "奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮普阙浦"
    "戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干尉冶斯元束檀衣信展"
    "阴昝智幸奉植衡富尧闭"
)
_COMPOUND = (
    "欧阳|上官|司马|诸葛|东方|皇甫|令狐|慕容|夏侯|尉迟|公孙|长孙|司徒|司空"
    "|端木|独孤|南宫|轩辕|宇文|澹台|太史|闻人|申屠|呼延|赫连|百里|东郭|西门"
)
_WHOLE_ZH = f"(?:(?:{_COMPOUND})|[{_SURNAMES}])[{HAN}]{{1,2}}"
_NOT_ALONE = frozenset("向时和从经由应同全都于成方常解有来位那平干但求信公利国明强原初相容居展支区海南安白温冷高老")
"""Surnames that before a title are rather a word of the sentence, where they stand alone."""
_IN_NO_NAME = re.compile(
    "[的了是在和与或及有为被因由对把将应可能会要想去看找问给请让叫到来做不没我你您他她它们这那个些每各某者病症炎痛药术于以并后前时]"
)
_OF_NAMES = ("nr", "nrfg", "nrt", "ns", "nz", "nt")
_SELDOM = frozenset("左右上下中前后内外双单")
"""Surnames that behind "patient" are rather the side of a body."""
_SOLITARY = re.compile(rf"(?P<value>(?:{_COMPOUND}|[{_SURNAMES}]))(?:某某?|[xX×*]{{1,2}})?(?:{_TITLES_ZH})")
_POLITE = re.compile(
    rf"(?<![{HAN}])(?:请问|我是|这是|关于|患者|病人)?(?P<value>{_WHOLE_ZH})(?=先生|女士|小姐|太太|夫人)"
)
_BEFORE_TITLE = re.compile(rf"(?P<run>[{HAN}]{{2,8}}?)(?=(?:{_TITLES_ZH}))")
_SURE_ZH = re.compile(
    rf"(?:姓名|名叫|我叫|叫做|名字叫?|名为|本人|她叫|他叫|联系人|签名|署名|患者叫|病人叫|化名|姓名为)(?:\s|[:：]|是|为)*(?P<value>{_WHOLE_ZH})(?P<more>[{HAN}]*)"
)
_LIKELY_ZH = re.compile(
    r"(?:患者|病人|病员|病患|患儿|产妇|孕妇|伤者|死者|家属|我是|儿子|女儿|父亲|母亲|爸爸|妈妈|丈夫|妻子|老公|老婆|老伴|爱人|弟弟|哥哥|姐姐|妹妹|孙子|孙女"
    rf"|外婆|奶奶|爷爷|朋友|同事|邻居|男友|女友|请问|咨询|(?:^|(?<=[,.;:?!\s，。；：？！、])))\s?(?P<run>[{_SURNAMES}][{HAN}]{{1,9}})"
)
_DESCRIBED_ZH = re.compile(
    rf"(?:(?<![{HAN}])|(?<=患者|病人|患儿|产妇|孕妇|老人))(?P<value>{_WHOLE_ZH})"
    r"\s?[,，、 (（]\s?(?:男|女)(?:性|[,，。、; \d)）]|$)"
)
_RELATED_ZH = re.compile(r"(?:的|之)?(?:家属|家人|妈妈|爸爸|母亲|父亲|儿子|女儿|妻子|丈夫|老婆|老公)")


def names(text: str) -> Iterator[Identifier]:
    """The names of people in a text of ordinary (not full-width) letters; some may overlap."""
    found = [*_english(text), *(_chinese(text) if re.search(f"[{HAN}]", text) else ())]
    yield from found
    for name in {text[one.start : one.end] for one in found}:
        yield from _again(name, text)


def _again(name: str, text: str) -> Iterator[Identifier]:
    """Where a name stands once more; of an English one the last word too, unless as the name of a disease."""
    if re.match(f"[{HAN}]", name):
        if len(name) > 1:
            yield from (Identifier(*match.span(), "name") for match in re.finditer(re.escape(name), text))
        return
    for one in {name, name.split()[-1]}:
        for match in re.finditer(rf"\b{re.escape(one)}\b", text) if len(one) > 2 else ():
            if not _NAMED_THING.match(text[match.end() : match.end() + 40]):
                yield Identifier(*match.span(), "name")


def _english(text: str) -> Iterator[Identifier]:
    for match in _TITLED.finditer(text):
        is_eponym = match["title"] in ("Dr", "Doctor", "Prof", "Professor") and _NAMED_THING.match(match["after"])
        is_verb = match["title"] == "Miss" and _VERB_BEFORE.search(text[: match.start()])
        if not is_eponym and not is_verb and match["value"].split()[0].lower() not in _NO_NAMES:
            yield _found(match, "value")
    for match in _TITLED_IN_CAPITALS.finditer(text):
        yield _found(match, "value")
    for match in _TITLED_IN_SMALL.finditer(text):
        group = "value" if match["value"] else "other"
        if match[group].split()[0] not in _NO_NAMES:
            yield _found(match, group)
    for pattern in _INTRODUCED:
        for match in pattern.finditer(text):
            if match["value"].split()[0] not in _NO_PEOPLE:
                yield _found(match, "value")
    for pattern in (_OF_THE_FAMILY, _PATIENT):
        for match in pattern.finditer(text):
            first = match["value"].split()[0]
            if first not in _NO_PEOPLE and first.lower() not in _medical_words():
                yield _found(match, "value")


def _chinese(text: str) -> Iterator[Identifier]:
    folded = simplified(text)
    if len(folded) != len(text):
        folded = text
    for one in _said_to_be_chinese(folded):
        if "某" not in folded[one.start : one.end]:  # somebody has masked it before
            yield one


def _said_to_be_chinese(folded: str) -> Iterator[Identifier]:
    for match in _SURE_ZH.finditer(folded):
        yield _shortened(match) if match["more"] else _found(match, "value")
    for match in _DESCRIBED_ZH.finditer(folded):
        if not _is_a_word(match["value"]):
            yield _found(match, "value")
    for match in _SOLITARY.finditer(folded):
        before = folded[match.start() - 1 : match.start()]
        if match["value"] not in _NOT_ALONE and not (before and is_word(before + match["value"])):
            yield _found(match, "value")
    for match in _POLITE.finditer(folded):
        yield _found(match, "value")
    for match in _BEFORE_TITLE.finditer(folded):
        yield from _at_the_end(match["run"], match.start())
    for match in _LIKELY_ZH.finditer(folded):
        at_break = match.start("run") == match.start()
        yield from _at_the_start(match["run"], match.start("run"), folded[match.end("run") :], at_break)


def _shortened(match: re.Match[str]) -> Identifier:
    """A name of which nothing says where it ends: as the tagger has it, else with two characters behind the surname."""
    whole = match["value"] + match["more"]
    word, tag = tagged(whole)[0]
    length = len(word) if tag.startswith("nr") and 2 <= len(word) <= 4 else len(match["value"])
    return Identifier(match.start("value"), match.start("value") + length, "name")


def _at_the_end(run: str, start: int) -> Iterator[Identifier]:
    """A whole name right before a title."""
    for length in (3, 2, 4):
        name = run[-length:]
        if len(name) == length and _is_a_name(name, tagged(run), len(run) - length):
            yield Identifier(start + len(run) - length, start + len(run), "name")
            return


def _at_the_start(run: str, start: int, after: str, at_break: bool) -> Iterator[Identifier]:
    """A whole name right behind "patient" or "I am"; where nothing of the kind stands before it, only with a relative
    behind it."""
    words = tagged(run)
    for length in _lengths(words):
        if run[0] in _SELDOM or not _is_a_name(run[:length], words, 0):
            continue
        if not at_break or _RELATED_ZH.match(run[length:] + after):
            yield Identifier(start, start + length, "name")
        return


def _lengths(words: list[tuple[str, str]]) -> Iterator[int]:
    """How long a name at the start of a run may be, by where its words end."""
    length = 0
    for word, _ in words:
        length += len(word)
        if 2 <= length <= 4:
            yield length


def _is_a_name(name: str, words: list[tuple[str, str]], at: int) -> bool:
    """Whether the characters from ``at`` of a tagged run are a name: a surname, and one or two characters behind it
    that are a name to the tagger, or no word of the dictionary."""
    surname = re.match(_COMPOUND, name) or re.match(f"[{_SURNAMES}]", name)
    if surname is None or not 1 <= len(name) - surname.end() <= 2 or _IN_NO_NAME.search(name[surname.end() :]):
        return False
    place, inside = 0, []
    for word, tag in words:
        if place < at + len(name) and place + len(word) > at:
            if place < at or place + len(word) > at + len(name):
                return False  # it begins or ends inside a word
            inside.append((word, tag))
        place += len(word)
    if len(inside) == 1:
        word, tag = inside[0]
        return tag.startswith("nr") and not (len(word) == 2 and is_word(word))
    if name[0] in _NOT_ALONE and not any(tag.startswith("nr") for _, tag in inside):
        return False
    return all(len(word) == 1 or tag in _OF_NAMES or word[0] == word[-1] for word, tag in inside)


def _is_a_word(word: str) -> bool:
    """Whether a would-be name is a word of the dictionary or of medicine."""
    return is_word(word) and tagged(word)[0][1] not in _OF_NAMES


@cache
def _medical_words() -> frozenset[str]:
    return frozenset(word for names in glossary.entries().values() for name in names for word in name.lower().split())


def _found(match: re.Match[str], group: str) -> Identifier:
    return Identifier(*match.span(group), "name")
