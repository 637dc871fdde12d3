"""How a rule of screening is written and compiled.

A rule is groups of words and patterns: it is tried on a sentence only where one word of each group is in it. In a
pattern a space is one to four characters that are no letters (so ``**Ignore** all_previous`` counts), ``~`` is up to
60 characters within a sentence, ``^`` is where a clause begins, and a name in capitals stands for the words under that
name. All repeats are bounded, so the time to search grows with the length of the text alone. Patterns see text as
``ingestion.screening`` folds it: lower case, no accents, no invisible characters, simplified Chinese.

What a clinician orders ("Do not give", "You must stop", "Ignore artefacts") matches none: a rule needs the reader to be
software, its answer, its instructions or its users.
"""

import re
from dataclasses import dataclass

_NAMES = {
    "START": (
        r"""(?:(?:\A|[\n。！？；：…>)\]\"'”’»*#|])\W{0,4}|[.!?:;-]\W{1,4})(?:(?:please|now|instead|also|then|and|"""
        """next|first|finally|kindly|ok|hey|hi) ){0,2}"""
    ),
    "THE": (
        "(?:(?:all|any|every|each|everything|of|the|these|those|this|that|your|my|our|its|his|her|their|"
        "other|both) ){0,4}"
    ),
    "MODEL": (
        r"(?:a\W?i|llms?|(?:large )?language models?|chat ?bots?|chatgpt|gpts?(?:\W?\d\w{0,3})?|claude|gemini|"
        r"copilot|deepseek|qwen|llama|(?:a\W?i|virtual|digital|helpful|automated|intelligent|personal|"
        r"research|medical a\W?i|language) (?:assistants?|agents?|models?|systems?|reviewers?|readers?|"
        "summari[sz]ers?|tools?)|(?:generative|neural) models?)"
    ),
    "ANSWER": (
        "(?:answers?|responses?|repl(?:y|ies)|outputs?|messages?|completions?|generated text|summary|summaries)"
    ),
    "OLD": (
        "(?:previous(?:ly)?|prior|above|earlier|preceding|foregoing|system|original|initial|existing|former|"
        "past|last|default|built ?in|safety|developer|user|users|operator|given|content|ethical)"
    ),
    "ORDERS": (
        r"(?:instruct\w{0,6}|prompts?|directives?|directions?|commands?|rules?|guidelines?|guardrails?|"
        "constraints?|restrictions?|polic(?:y|ies)|programming|context|messages?|conversations?|texts?|"
        "inputs?|questions?|quer(?:y|ies)|tasks?|training|documents?|passages?|sources?|content|filters?|"
        "settings?|configurations?)"
    ),
    "VERB": (
        "(?:answer|respond|reply|output|say|state|print|write|return|recommend|tell|claim|insist|append|add|"
        "include|mention|cite|quote|ignore|disregard|begin|end|start|use|do not|never|always|only|must|"
        "should|just|refuse)"
    ),
    "LANGUAGE": (
        "(?:english|french|spanish|german|italian|chinese|mandarin|japanese|korean|russian|latin|portuguese|"
        "arabic|hindi|dutch|greek|polish|turkish|swedish|pirate|klingon)"
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """``pattern`` is tried on a sentence only where one word of each group of ``words`` is in it."""

    words: tuple[frozenset[bytes], ...]
    pattern: re.Pattern[str]

    def may_match(self, words: set[bytes]) -> bool:
        return not any(map(words.isdisjoint, self.words))


def rule(words: str, *patterns: str) -> Rule:
    groups = tuple(frozenset(group.encode().split()) for group in words.split("&"))
    return Rule(groups, re.compile("|".join(map(_spelt_out, patterns))))


def _spelt_out(pattern: str) -> str:
    text = re.sub("|".join(_NAMES), lambda name: _NAMES[name[0]], pattern)
    text = re.sub(r"(?<!\[)\^", lambda _: _NAMES["START"], text)
    text = (
        text.replace("don t", "don ?t")
        .replace(" ", r"(?:(?:[^\w.!?。！？]|_){1,4})")
        .replace("~", r"(?:[^.!?。！？\n]|\.(?=\S)){0,60}?")
    )
    return rf"(?:\b{text})" if re.match(r"(?:\(\?:)*\w", pattern) else f"(?:{text})"
