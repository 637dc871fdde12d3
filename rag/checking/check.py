"""A sentence and what it cites, told step by step: align, check exactly, read, fuse, decide."""

import re
import unicodedata
from collections.abc import Sequence

from rag.checking.alignment import QUOTED_FROM, Alignment, align, excerpt
from rag.checking.entailment import Entailment
from rag.checking.fusion import Signs, fused
from rag.checking.names import name_findings
from rag.checking.numbers import number_findings
from rag.checking.pairing import pairings
from rag.checking.polarity import polarity_findings
from rag.checking.populations import population_findings
from rag.checking.types import Checked, Evidence, Finding
from rag.languages import language_of
from rag.types import Issue, Language, Verdict

CONTRADICTED_RATHER = 1.3
"""How much a probability of contradiction counts against the others: it is the rarest, and the one not to be missed."""
SUPPORTED_FROM, PARTIAL_FROM = 0.5, 0.25
"""P(supported) from which on a sentence is supported, or supported in part."""
CAPPED = 0.45
"""The most that P(supported) is where the verdict is another."""
_NO_WORD = re.compile(r"[\W_]+")

Pairs = Sequence[tuple[str, Sequence[Evidence]]]


def checked(pairs: Pairs, entailment: Entailment) -> list[Checked]:
    """Each sentence beside the evidence that it cites, in either language. Sentences are read in one batch.

    Raises Unavailable where the entailment model cannot be loaded."""
    aligned = [align(sentence, evidence) for sentence, evidence in pairs]
    found = [findings_in(sentence, one) for (sentence, _), one in zip(pairs, aligned, strict=True)]
    texts = [
        (excerpt(one, evidence), sentence) for (sentence, evidence), one in zip(pairs, aligned, strict=True) if evidence
    ]
    judged = iter(entailment.judge(texts).tolist())
    results = []
    for (sentence, evidence), one, findings in zip(pairs, aligned, found, strict=True):
        if not evidence:
            results.append(Checked("uncited", 0.0, (), ()))
            continue
        signs = signs_of(sentence, evidence, one, findings, tuple(next(judged)))
        results.append(_decided(sentence, one, signs, entailment.fingerprint))
    return results


def signs_of(
    sentence: str,
    evidence: Sequence[Evidence],
    alignment: Alignment,
    findings: tuple[Finding, ...],
    entailment: tuple[float, float, float],
) -> Signs:
    """What is known of a sentence that cites something."""
    language = language_of(sentence)
    best = alignment.ranked[0] if alignment.ranked else None
    alike = pairings(sentence, alignment.near_texts)
    return Signs(
        entailment=entailment,
        own=best.coverage if best else 0.0,
        whole=alignment.coverage,
        alike=alike[0].coverage if alike else 0.0,
        findings=findings,
        is_verbatim=_stands_in(sentence, evidence),
        crosses=best is not None and language_of(best.text) != language,
        is_chinese=language == "zh",
    )


def findings_in(sentence: str, alignment: Alignment) -> tuple[Finding, ...]:
    near, whole = alignment.near_texts, alignment.whole
    return tuple(
        finding
        for find in (number_findings, polarity_findings, population_findings, name_findings)
        for finding in find(sentence, near, whole)
    )


def _decided(sentence: str, alignment: Alignment, signs: Signs, fingerprint: str) -> Checked:
    probabilities = fused(signs, fingerprint)
    supported, verdict = probabilities[0], verdict_of(probabilities, signs)
    if verdict != "supported":
        supported = min(supported, CAPPED)
    language = language_of(sentence)
    issues = [finding.issue for finding in signs.findings]
    if verdict != "supported" and not issues:
        issues.append(_reading_issue(verdict, language))
    return Checked(verdict, round(supported, 4), tuple(issues), alignment.quotes)


def verdict_of(probabilities: tuple[float, float, float], signs: Signs) -> Verdict:
    """The likeliest of supported, contradicted and neither. Never supported is what is more likely not, what an exact
    check found something in, and what no sentence of the evidence holds enough of to be quoted for it."""
    supported, contradicted, neither = probabilities
    contradicted *= CONTRADICTED_RATHER
    is_held = signs.own >= QUOTED_FROM or signs.is_verbatim
    if not signs.findings and is_held and supported >= max(SUPPORTED_FROM, contradicted):
        return "supported"
    if any(finding.contradicts for finding in signs.findings) or contradicted > max(supported, neither):
        return "contradicted"
    return "partial" if supported >= PARTIAL_FROM else "unsupported"


def _stands_in(sentence: str, evidence: Sequence[Evidence]) -> bool:
    """Whether a piece of evidence has the sentence in its very words."""
    said = _letters(sentence)
    return bool(said) and any(said in _letters(one.text) for one in evidence)


def _letters(text: str) -> str:
    return _NO_WORD.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def _reading_issue(verdict: Verdict, language: Language) -> Issue:
    messages = {
        ("contradicted", "en"): "read together, the cited text says otherwise",
        ("contradicted", "zh"): "对照阅读，所引原文的说法与此相反",
        ("partial", "en"): "the cited text says this in part, or in other words that may not mean the same",
        ("partial", "zh"): "所引原文只部分支持这句话，或措辞不同、含义未必相同",
        ("unsupported", "en"): "the cited text does not say this",
        ("unsupported", "zh"): "所引原文没有这样说",
    }
    return Issue("wording", "", messages[verdict, language])
