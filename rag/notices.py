"""What an answer says of itself, in the reader's language."""

from typing import Literal

from rag.types import Language

Notice = Literal["abstained", "quotes_instead", "model_unavailable", "cut_off", "too_long", "ungrounded", "instruction"]

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
    },
    "zh": {
        "abstained": "所检索的文献中没有能够回答这个问题的内容，因此不作回答。",
        "quotes_instead": "语言模型写出的句子都无法由所给段落证实，因此改为引用段落原文。",
        "model_unavailable": "语言模型未能作答，因此改为引用段落原文。",
        "cut_off": "连接在回答完成之前已关闭。",
        "too_long": "语言模型达到了长度上限：回答缺少结尾。",
        "ungrounded": "由语言模型凭记忆写成，没有任何出处。使用前请核实。",
        "instruction": "这个句子听从了并非由您发出的指令，因此未予采用。",
    },
}


def notice(which: Notice, language: Language) -> str:
    return _SAID[language][which]
