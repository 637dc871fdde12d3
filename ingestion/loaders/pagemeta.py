"""What a web page states of itself in ``<meta>``, ``<link>`` and schema.org JSON-LD."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml import html

from ingestion.loaders.lines import language_code, one_line
from ingestion.study_designs import study_design_of
from ingestion.types import Metadata

_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?")
_DOI_PREFIX = re.compile(r"^(?:doi:\s*|https?://(?:dx\.)?doi\.org/)", re.I)
_DESCRIBING = re.compile(r"Article|MedicalGuideline|MedicalWebPage|Report|WebPage")


def stated_metadata(page: html.HtmlElement) -> Metadata:
    """The metadata. Of several statements, those of the ``citation_`` tags go first and those of JSON-LD last."""
    stated: dict[str, list[str]] = {}
    for meta in page.iter("meta"):
        name = meta.get("name") or meta.get("property") or ""
        if content := one_line(meta.get("content") or ""):
            stated.setdefault(name.lower(), []).append(content)
    links = {link.get("rel", "").lower(): link.get("href", "") for link in page.iter("link")}

    def first(*names: str) -> str | None:
        return next((stated[name][0] for name in names if name in stated), None)

    title = page.find(".//title")
    doi = _DOI_PREFIX.sub("", first("citation_doi", "dc.identifier.doi", "prism.doi") or "")
    published = first(
        "citation_publication_date",
        "citation_date",
        "article:published_time",
        "dc.date.issued",
        "dcterms.issued",
        "dc.date",
        "date",
    )
    url = links.get("canonical") or first("og:url") or ""
    kinds = tuple(stated.get("citation_article_type") or stated.get("dc.type") or ())
    return _in_json(page).updated_by(
        Metadata(
            title=first("citation_title", "dc.title", "dcterms.title", "og:title")
            or (one_line(title.text_content()) if title is not None else None),
            authors=tuple(stated.get("citation_author") or stated.get("dc.creator") or stated.get("author") or ()),
            publisher=first("citation_publisher", "dc.publisher", "og:site_name"),
            journal=first("citation_journal_title", "prism.publicationname"),
            published=_date(published or ""),
            language=language_code(
                page.get("lang")
                or page.get("{http://www.w3.org/XML/1998/namespace}lang")
                or page.get("xml:lang")
                or first("citation_language", "dc.language")
            ),
            url=url if url.startswith(("http://", "https://")) else None,
            doi=doi or None,
            pmid=first("citation_pmid"),
            licence=links.get("license") or first("dc.rights", "dcterms.license"),
            publication_types=kinds,
            study_design=study_design_of(kinds),
        )
    )


def _in_json(page: html.HtmlElement) -> Metadata:
    """What the first JSON-LD object that describes an article, a guideline or the page says."""
    for script in page.iter("script"):
        if script.get("type", "").lower() != "application/ld+json":
            continue
        try:
            stated = json.loads(script.text or "")
        except (ValueError, RecursionError):  # a page's broken script is no reason not to read the page
            continue
        for thing in _things(stated):
            if any(_DESCRIBING.search(kind) for kind in _texts(thing.get("@type"))):
                return Metadata(
                    publisher=_name(thing.get("publisher")),
                    published=_date(_name(thing.get("datePublished")) or ""),
                    licence=_name(thing.get("license")),
                    evidence_grade=_name(thing.get("evidenceLevel")),
                )
    return Metadata()


def _things(stated: Any) -> Iterator[dict[str, Any]]:
    """The objects at the top, in a list, or in a ``@graph``; a guideline before all else."""
    listed = stated if isinstance(stated, list) else [stated]
    objects = [one for one in listed if isinstance(one, dict)]
    graphs = [graph for one in objects if isinstance(graph := one.get("@graph"), list)]
    objects += [one for graph in graphs for one in graph if isinstance(one, dict)]
    yield from sorted(objects, key=lambda thing: "MedicalGuideline" not in " ".join(_texts(thing.get("@type"))))


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _name(value: Any) -> str | None:
    """A text, or the name of the object (the first of a list) that stands in its place."""
    value = value[0] if isinstance(value, list) and value else value
    value = (value.get("name") or value.get("url")) if isinstance(value, dict) else value
    return one_line(value) or None if isinstance(value, str) else None


def _date(stated: str) -> str | None:
    match = _DATE.match(stated)
    return "-".join(part.zfill(2) for part in match.groups() if part) if match else None
