"""What an answer says of itself, in the reader's language."""

from collections.abc import Sequence
from typing import Literal

from rag.placeholders import Kind, in_words
from rag.types import Language, Verdict

Notice = Literal[
    "abstained",
    "quotes_instead",
    "model_unavailable",
    "cut_off",
    "too_long",
    "ungrounded",
    "instruction",
    "remark",
    "recited",
    "source_found",
    "masked",
    "unrecorded",
]

_SAID: dict[Language, dict[Notice, str]] = {
    "en": {
        "abstained": "The documents that were searched do not answer this question, so no answer is given.",
        "quotes_instead": "None of the language model's sentences could be confirmed by the passages it was shown, so "
        "the passages are quoted instead.",
        "model_unavailable": "The language model could not answer, so the passages are quoted instead.",
        "cut_off": "The connection was closed before this answer was complete.",
        "too_long": "The language model reached the length limit: the end of this answer is missing.",
        "ungrounded": "Written from the language model's memory, without any source. Check it before you rely on it.",
        "instruction": "This sentence follows an instruction that does not come from you, so it was kept out.",
        "remark": "This sentence says nothing that a passage could support.",
        "recited": "The passage that the language model cited does not support all of this sentence; another one does "
        "and is cited for it.",
        "source_found": "The language model gave no source for this sentence; a passage that supports it was found.",
        "masked": "What identifies a person was taken out of the question before it was searched for and stored",
        "unrecorded": "Neither question nor answer was recorded: this answer cannot be opened again.",
    },
    "zh": {
        "abstained": "所检索的文献中没有能够回答这个问题的内容，因此不作回答。",
        "quotes_instead": "语言模型写出的句子都无法由所给段落证实，因此改为引用段落原文。",
        "model_unavailable": "语言模型未能作答，因此改为引用段落原文。",
        "cut_off": "连接在回答完成之前已关闭。",
        "too_long": "语言模型达到了长度上限：回答缺少结尾。",
        "ungrounded": "由语言模型凭记忆写成，没有任何出处。使用前请核实。",
        "instruction": "这个句子听从了并非由您发出的指令，因此未予采用。",
        "remark": "这句话没有任何段落可以证实的内容。",
        "recited": "语言模型为这句话引用的段落不支持或不完全支持它；另有段落支持，已引用该段落。",
        "source_found": "语言模型没有为这句话注明出处；已找到支持它的段落。",
        "masked": "在检索和保存之前，已从问题中隐去可识别个人身份的信息",
        "unrecorded": "问题和回答均未记录：此回答无法再次打开。",
    },
}


_MARKS: dict[Language, dict[Verdict, str]] = {
    "en": {
        "partial": "(supported in part)",
        "unsupported": "(not supported by the sources)",
        "contradicted": "(contradicted by the sources)",
        "uncited": "(without a source)",
    },
    "zh": {
        "partial": "（部分有据）",
        "unsupported": "（出处不支持）",
        "contradicted": "（与出处矛盾）",
        "uncited": "（无出处）",
    },
}


def mark(verdict: Verdict, language: Language) -> str:
    """What the text says behind a sentence of this verdict; nothing where it is supported."""
    return _MARKS[language].get(verdict, "")


def notice(which: Notice, language: Language) -> str:
    return _SAID[language][which]


def masked_notice(kinds: Sequence[Kind], language: Language) -> tuple[str, ...]:
    """What a reader is told of the identifiers that were masked; nothing where there were none."""
    if not kinds:
        return ()
    said, named = notice("masked", language), in_words(kinds, language)
    return (f"{said}：{named}。" if language == "zh" else f"{said}: {named}.",)
