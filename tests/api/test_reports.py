"""The words of the reports in their two languages."""

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from api.qa_report import ARM_NAMES, HELD, NAMES, REFUSALS, STANDINGS
from api.report import chinese

TEMPLATES = sorted(Path(str(files("api"))).joinpath("reports").glob("*.html"))
VERDICTS = ("supported", "partial", "unsupported", "uncited", "contradicted")
SAID_BY_CODE = {
    *NAMES.values(),
    *ARM_NAMES.values(),
    *HELD.values(),
    *REFUSALS,
    *STANDINGS,
    *VERDICTS,
    "micro F1",
    "published, Taiyi 2",
}
HOLE = re.compile(r"%\((\w+)\)s")
SAME = {"F1", "GPT-3.5", "DeepSeek-14B", "p, Holm"}
"""Names that are the same in both languages."""


def said_by_templates() -> set[str]:
    """The words that the templates name, as the words of the other language are found by."""
    from jinja2 import Environment

    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.policies["ext.i18n.trimmed"] = True
    said: Any = environment
    said.install_null_translations(newstyle=True)
    found = set()
    for template in TEMPLATES:
        for _, _, message in said.extract_translations(template.read_text(encoding="utf-8")):
            if first := message if isinstance(message, str) else message and message[0]:
                found.add(first)
    return found


def test_both_languages_have_every_word_and_fill_in_the_same() -> None:
    english, words = said_by_templates() | SAID_BY_CODE, chinese()
    assert len(english) > 150
    assert english - words.keys() == set(), "without Chinese"
    assert words.keys() - english == set(), "no longer said"
    for one, other in words.items():
        assert sorted(HOLE.findall(one)) == sorted(HOLE.findall(other)), one
        assert one.count("%") == other.count("%"), one
        assert re.search(r"[\u4e00-\u9fff]", other) or one in SAME, one


def test_templates_say_nothing_outside_of_what_is_translated() -> None:
    """Words of letters between tags, once what is filled in and what is translated is taken out."""
    for template in TEMPLATES:
        left = template.read_text(encoding="utf-8")
        if template.name == "page.html":
            continue
        left = re.sub(r"\{% trans.*?endtrans %\}|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", " ", left, flags=re.DOTALL)
        left = re.sub(r"\b(sha256|UTC|AUROC|p)\b", " ", left)
        assert not re.search(r"[A-Za-z]{2,}", left), (template.name, re.search(r"[A-Za-z]{2,}", left))
