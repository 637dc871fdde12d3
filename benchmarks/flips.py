"""Sentences that say something else than the one they were made from, to train an entailment model on.

Each flip changes one thing: a number, a negation, a direction, or a word for another of the same kind. They are made by
plain rules and now and then read oddly; a model that is to tell them apart does not mind.
"""

import random
import re
from collections.abc import Callable, Sequence

_OPPOSITES_EN = """
    increase decrease; increases decreases; increased decreased; increasing decreasing; higher lower; high low
    improve worsen; improves worsens; improved worsened; raise reduce; raises reduces; raised reduced; rise fall
    upregulated downregulated; upregulates downregulates; activate inhibit; activates inhibits; activated inhibited
    activation inhibition; promote suppress; promotes suppresses; promoted suppressed; enhance impair; enhances impairs
    enhanced impaired; induce prevent; induces prevents; positive negative; positively negatively; gain loss
    more less; greater smaller; longer shorter; early late; earlier later; before after; acute chronic; benign malignant
    present absent; presence absence; with without; resistant sensitive; resistance sensitivity; effective ineffective
    safe unsafe; common rare; most least; maximum minimum; above below; stimulates blocks; elevated reduced
    beneficial harmful; accelerates delays; expression repression; agonist antagonist; superior inferior; strong weak
    recommended contraindicated; should "should not"; can cannot; may "may not"; is "is not"; are "are not"
    was "was not"; were "were not"; has "has no"; have "have no"; does "does not"; associated "not associated"
"""
_OPPOSITES_ZH = """
    升高 降低; 增高 减低; 增加 减少; 增强 减弱; 上升 下降; 促进 抑制; 激活 抑制; 加重 减轻; 扩张 收缩; 兴奋 抑制
    阳性 阴性; 过高 过低; 大于 小于; 高于 低于; 超过 低于; 以上 以下; 早期 晚期; 急性 慢性; 良性 恶性; 首选 禁用
    推荐 不推荐; 适用 不适用; 可以 不可以; 可 不可; 能 不能; 有 无; 是 不是; 应 不应; 敏感 耐药; 亢进 减退; 增多 减少
    延长 缩短; 加快 减慢; 常见 罕见; 上调 下调; 正相关 负相关; 有效 无效; 左 右; 上 下; 内 外; 前 后; 饭前 饭后
    需要 无需
"""
_NEGATED = re.compile(r"\b(is|are|was|were|did|does|do|can|could|should|may|has|have|had|will|would) not ")
_NO = re.compile(r"\bno (?=[a-z])")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?![\w])")
_AUXILIARY = re.compile(r"\b(is|are|was|were|can|could|should|may|will) (?!not\b)")


def _pairs(listed: str) -> list[tuple[str, str]]:
    found = []
    for one in re.split(r"[;\n]", listed):
        parts = re.findall(r'"[^"]+"|\S+', one)
        if len(parts) == 2:
            first, second = (part.strip('"') for part in parts)
            found += [(first, second), (second, first)]
    return found


_EN = [(re.compile(rf"(?<![\w-]){re.escape(one)}(?![\w-])"), other) for one, other in _pairs(_OPPOSITES_EN)]
_ZH = [(re.compile(re.escape(one)), other) for one, other in _pairs(_OPPOSITES_ZH) if len(one) > 1 or other[0] == "不"]


def flipped(sentence: str, chance: random.Random, is_chinese: bool) -> str | None:
    """The sentence with one thing in it turned into another; None where no rule fits."""
    ways: list[Callable[[str, random.Random], str | None]] = [_number, _zh if is_chinese else _en]
    if not is_chinese:
        ways.append(_negation)
    chance.shuffle(ways)
    for way in ways:
        other = way(sentence, chance)
        if other is not None and other != sentence:
            return other
    return None


def renamed(sentence: str, names: Sequence[str], chance: random.Random) -> str | None:
    """The sentence with one of ``names`` in it put in place of another; None where it has none."""
    held = [name for name in names if len(name) > 1 and name in sentence]
    if not held:
        return None
    name = max(held, key=len)
    other = chance.choice(names)
    return None if other in sentence or name in other else sentence.replace(name, other)


def _number(sentence: str, chance: random.Random) -> str | None:
    found = list(_NUMBER.finditer(sentence))
    if not found:
        return None
    match = chance.choice(found)
    value = float(match[0])
    factor = chance.choice([10, 0.1, 2, 0.5, 1.5, 3])
    other = value + chance.choice([1, 2, 5]) if chance.random() < 0.4 else value * factor
    text = f"{other:.{len(match[0].partition('.')[2])}f}" if other != int(other) else str(int(other))
    return sentence[: match.start()] + text + sentence[match.end() :] if text != match[0] else None


def _en(sentence: str, chance: random.Random) -> str | None:
    return _replaced(sentence, _EN, chance)


def _zh(sentence: str, chance: random.Random) -> str | None:
    return _replaced(sentence, _ZH, chance)


def _replaced(sentence: str, rules: Sequence[tuple[re.Pattern[str], str]], chance: random.Random) -> str | None:
    found = [(match, other) for rule, other in rules for match in rule.finditer(sentence)]
    if not found:
        return None
    match, other = chance.choice(found)
    return sentence[: match.start()] + other + sentence[match.end() :]


def _negation(sentence: str, chance: random.Random) -> str | None:
    for rule, other in ((_NEGATED, r"\1 "), (_NO, "")):
        if rule.search(sentence):
            return rule.sub(other, sentence, count=1)
    found = list(_AUXILIARY.finditer(sentence))
    if not found:
        return None
    match = chance.choice(found)
    return f"{sentence[: match.end()]}not {sentence[match.end() :]}"
