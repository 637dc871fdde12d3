"""The names that sentences are searched for, with what is another name of the same thing."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seeded.lexicon import DISEASES, DRUGS, FORMULAS, HERBS, drugs_met, pattern


@dataclass(frozen=True)
class Names:
    """Pools of names by language and kind, ``{"en0": {name: number of the thing}}``, and what finds them."""

    drugs: dict[str, dict[str, int]]
    drug_patterns: dict[str, Sequence[re.Pattern[str]]]
    diseases: dict[str, dict[str, int]]
    disease_patterns: dict[str, Sequence[re.Pattern[str]]]


def names_of(english: Iterable[str]) -> Names:
    """The lists of the lexicon, and names of drugs met in English texts."""
    met = tuple((name,) for name in drugs_met(english))
    drugs = {"en0": DRUGS["en"] + met, "zh0": DRUGS["zh"], "zh1": HERBS, "zh2": FORMULAS}
    diseases = {"en0": DISEASES["en"], "zh0": DISEASES["zh"]}
    return Names(
        {key: _numbered(groups) for key, groups in drugs.items()},
        {
            "en": [_finding(drugs["en0"], "en")],
            "zh": [_finding(drugs["zh0"], "zh"), _finding(drugs["zh1"], "zh"), _finding(drugs["zh2"], "zh")],
        },
        {key: _numbered(groups) for key, groups in diseases.items()},
        {"en": [_finding(diseases["en0"], "en")], "zh": [_finding(diseases["zh0"], "zh")]},
    )


def _numbered(groups: Sequence[Sequence[str]]) -> dict[str, int]:
    return {name: number for number, group in enumerate(groups) for name in group}


def _finding(groups: Sequence[Sequence[str]], lang: str) -> re.Pattern[str]:
    return pattern([name for group in groups for name in group], lang)
