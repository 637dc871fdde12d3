"""What every evaluation leaves in its folder: figures, items, and a report that is one HTML file, in English and
Chinese, light or dark as its reader's system is. Its only script sorts tables; without it nothing is missing."""

import base64
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

EXCERPT = 220
LANGUAGES = {"en": "English", "zh": "中文"}
"""Those that a report is in, the one that is shown first first, with their own names."""


def write_json(metrics: Mapping[str, Any], items: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Writes ``metrics.json`` and ``items.jsonl``, an item a line. Earlier items stay until the new ones are whole."""
    figures = json.dumps(metrics, ensure_ascii=False, indent=2)
    (folder / "metrics.json").write_text(figures + "\n", encoding="utf-8")
    unfinished = folder / "items.jsonl.part"
    with unfinished.open("w", encoding="utf-8") as lines:
        for item in items:
            lines.write(json.dumps(item, ensure_ascii=False) + "\n")
    unfinished.replace(folder / "items.jsonl")


def render(template: str, title: str, languages: Sequence[str] = tuple(LANGUAGES), **values: Any) -> str:
    """The body of ``api/reports/template`` in every language, or some, in one page. What it is given is escaped, and
    all of what it names must be given."""
    from markupsafe import Markup

    bodies = {
        language: Markup(_environment(language).get_template(template).render(**values))  # noqa: S704 - it is escaped
        for language in languages
    }
    page = _environment("en").get_template("page.html")
    return page.render(title=title, languages={one: LANGUAGES[one] for one in languages}, bodies=bodies)


def policy_of(page: str) -> str:
    """The content security policy under which a rendered page has its own style and script, and nothing else at all;
    a page of this service may show it in a frame."""
    style = page.partition("<style>")[2].partition("</style>")[0]
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    return (
        f"default-src 'none'; style-src '{_hashed(style)}'; script-src '{_hashed(script)}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    )


def _hashed(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


def chinese() -> dict[str, str]:
    """The words of the reports in Chinese by the English ones, as ``trans`` and ``_`` of the templates name them."""
    words: dict[str, str] = tomllib.loads(files("api").joinpath("reports/chinese.toml").read_text(encoding="utf-8"))
    return words


def _environment(language: str) -> "Environment":
    """Templates whose words are in a language; those that it lacks stay English."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("api", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    words = chinese() if language == "zh" else {}
    said: Any = environment
    said.install_gettext_callables(lambda one: words.get(one, one), lambda one, many, n: one, newstyle=True)
    return environment


def excerpt(text: str) -> str:
    """On one line, the first words of a long one."""
    words = " ".join(text.split())
    return words if len(words) <= EXCERPT else words[:EXCERPT].rstrip() + "…"
