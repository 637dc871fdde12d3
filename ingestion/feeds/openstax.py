"""Textbooks of OpenStax: address and licence of each are asked of the publisher's catalogue, since both change."""

import json
from functools import partial
from typing import Any

from ingestion.feeds.client import Refused
from ingestion.feeds.download import Remote
from ingestion.feeds.fetching import Run
from ingestion.feeds.stated import a_date
from ingestion.types import Metadata

_FIELDS = "title,license_name,license_version,license_url,high_resolution_pdf_url,low_resolution_pdf_url"
_DATES = "publish_date,last_updated_pdf"


def fetch_openstax(run: Run) -> None:
    """Each book of the corpus's list as PDF. One whose record states no licence is left out."""
    for slug in run.corpus.books[: run.wanted.files]:
        run.attempt(slug, partial(_book, run, slug))


def _book(run: Run, slug: str) -> None:
    asked = {"type": "books.Book", "slug": slug, "fields": f"{_FIELDS},{_DATES}"}
    record = _first_item(run.client.get(run.corpus.address, asked), slug)
    url = record.get("high_resolution_pdf_url") or record.get("low_resolution_pdf_url")
    if not record.get("license_name"):
        run.leave_out(slug, "its record states no licence")
    elif not isinstance(url, str):
        run.leave_out(slug, "its record names no PDF")
    else:
        licence = [record.get(key) for key in ("license_name", "license_version", "license_url")]
        metadata = Metadata(
            external_id=f"openstax-{slug}",
            title=str(record.get("title") or slug),
            publisher=run.corpus.publisher,
            published=a_date(record.get("last_updated_pdf")) or a_date(record.get("publish_date")),
            language=run.corpus.language,
            licence=" ".join(str(part) for part in licence if part),
            url=f"https://openstax.org/details/books/{slug}",
        )
        run.download(Remote(f"openstax-{slug}.pdf", url, run.corpus.max_bytes, None, metadata))


def _first_item(content: bytes, slug: str) -> dict[str, Any]:
    try:
        items = json.loads(content)["items"]
    except (ValueError, KeyError, TypeError):
        raise Refused("The OpenStax catalogue answers with something else than a list of books") from None
    if not isinstance(items, list) or not items or not isinstance(items[0], dict):
        raise Refused(f"The OpenStax catalogue has no book {slug!r}")
    return items[0]
