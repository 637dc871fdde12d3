"""Lines of a written answer that say nothing a source could support, and headings, which say something only together
with what stands below them."""

import re

from rag.analysis import simplified, stem, words
from rag.languages import HAN

_HEADING = re.compile(r"(?:#{1,6}\s+.+|\*\*[^*\n]+\*\*[:：]?|.*[:：]\s*\*{0,2})", re.DOTALL)
_ITEM = re.compile(r"(?:(?:[-•–]|\*(?!\*))|\(?\d{1,2}[.)、](?=\D)|[a-z]\))\s*")
_DECORATION = re.compile(r"^#{1,6}\s+|\*\*")
_WORD = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+")
_OF_NO_MATTER = frozenset(
    stem(word)
    for word in """
    a about according advice all an and answer answers any are as ask available base based be been before below by can
    care clinician conclusion consult contact course decision decisions doctor documents document each evidence excerpts
    following follows for found free from further general has have healthcare help helps here hope i if in info
    information is it its key know let library literature make making may me medical more my need note of on or other
    our overall overview passage passages personal pharmacist physician please point points professional professionals
    provide provided provider question questions reference references response say says see seek should source sources
    speak specialist state states summarise summarize summary talk team text thank thanks that the them there these they
    this those to us we what with you your
    """.split()
)
_OF_NO_MATTER_ZH = frozenset(
    """
    的 了 是 在 给 我 我们 您 你 和 或 与 以下 如下 下面 上述 综上所述 综上 总之 总结 概述 概括 小结 根据 依据 基于
    按照 资料 所给 给出 提供 来源 出处 文献 段落 内容 信息 回答 答案 问题 结论 要点 参考 仅供参考 仅供 请 请您 请问
    咨询 遵医嘱 遵 医嘱 医生 医师 药师 专业 专业人士 人士 医务人员 意见 更多 如有 如果 疑问 帮助 希望 可以 及 对 有 为
    所 中 这个 关于 谢谢 本 此 代替 替代 专业意见 不能 寻求
    """.split()
)
_SOURCES = r"(?:passages?|sources?|documents?|excerpts?|texts?|context|literature provided|evidence provided)"
_ABOUT_THE_SOURCES = re.compile(
    rf"\b{_SOURCES}(?: (?:that (?:was|were) |I was |which (?:was|were) )?(?:provided|given|shown|cited|above|here))?"
    r" (?:do|does|did)(?: not|n't) (?:\w+ly )?(?:mention|say|state|give|provide|contain|specify|address|discuss|answer"
    r"|describe|include|cover|tell|name)\b"
    rf"|\bnot (?:mentioned|stated|given|specified|addressed|discussed|described|covered|provided|contained|found)"
    rf" (?:in|by) (?:\w+ ){{0,3}}{_SOURCES}\b"
    rf"|\b(?:no|none of the) {_SOURCES}\b"
    r"|(?:资料|来源|出处|段落|文献|原文|材料)(?:中|里)?(?:均|都|并)?(?:没有|未|无)",
    re.IGNORECASE,
)


def is_heading(text: str) -> bool:
    """Whether a line announces what follows it: it ends in a colon or is marked as a heading."""
    return bool(_HEADING.fullmatch(text.strip()))


def is_item(text: str) -> bool:
    return bool(_ITEM.match(text))


def plain(text: str) -> str:
    """A line without what marks it as a heading or an item."""
    item = _ITEM.match(text := text.strip())
    return _DECORATION.sub("", text[item.end() :] if item else text).strip()


def says_nothing(text: str) -> bool:
    """Whether every word of a sentence is one of announcing, thanking, or sending the reader to a doctor: "Here is what
    the sources say:", "Please consult your doctor." A number always says something."""
    for run in _WORD.findall(simplified(text)):
        if re.match(f"[{HAN}]", run):
            if any(word not in _OF_NO_MATTER_ZH for word in words(run)):
                return False
        elif stem(run.lower()) not in _OF_NO_MATTER:
            return False
    return True


def is_about_the_sources(text: str) -> bool:
    """Whether a sentence says what the passages lack, which none of them can support."""
    return bool(_ABOUT_THE_SOURCES.search(text))
