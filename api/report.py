"""What every evaluation leaves in its folder: figures, items, and a report that is one HTML file without scripts,
light or dark as its reader's system is."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

EXCERPT = 220


def write_json(metrics: Mapping[str, Any], items: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Writes ``metrics.json`` and ``items.jsonl``, an item a line. Earlier items stay until the new ones are whole."""
    figures = json.dumps(metrics, ensure_ascii=False, indent=2)
    (folder / "metrics.json").write_text(figures + "\n", encoding="utf-8")
    unfinished = folder / "items.jsonl.part"
    with unfinished.open("w", encoding="utf-8") as lines:
        for item in items:
            lines.write(json.dumps(item, ensure_ascii=False) + "\n")
    unfinished.replace(folder / "items.jsonl")


def render(template: str, **values: Any) -> str:
    """A page of ``api/reports``; what it is given is escaped, and all of what it names must be given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("api", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def excerpt(text: str) -> str:
    """On one line, the first words of a long one."""
    words = " ".join(text.split())
    return words if len(words) <= EXCERPT else words[:EXCERPT].rstrip() + "…"
