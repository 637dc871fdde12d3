"""Publications that a search in a DSpace 7 repository finds, such as WHO's IRIS, where their record opens them.

REST contract: https://github.com/DSpace/RestContract (``discover/search/objects``, ``core/items``).
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from ingestion.feeds.client import Refused
from ingestion.feeds.download import Remote
from ingestion.feeds.entrez import MAX_RECORDS
from ingestion.feeds.fetching import Run
from ingestion.feeds.stated import a_date
from ingestion.loaders.lines import language_code
from ingestion.types import Metadata

PAGE_ITEMS = 20
_OPEN = re.compile(r"\bCC[ -]?(?:0|BY)\b|creativecommons\.org/(?:licenses/by|publicdomain)", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def fetch_dspace(run: Run) -> None:
    """The PDF files of each item found. An item whose record states no open licence is left out."""
    for number, item in enumerate(_items(run), start=1):
        handle = str(item.get("handle") or item.get("uuid"))
        run.attempt(handle, partial(_item, run, item, handle))
        if number >= (run.wanted.limit or MAX_RECORDS):
            break


def _items(run: Run) -> Iterator[dict[str, Any]]:
    page, pages = 0, 1
    while page < pages:
        asked = {"query": run.wanted.query or "", "dsoType": "item", "page": str(page), "size": str(PAGE_ITEMS)}
        answer = _json(run, f"{run.corpus.address}discover/search/objects", asked)
        result = _at(answer, "_embedded", "searchResult")
        for found in _at(result, "_embedded", "objects") or []:
            item = _at(found, "_embedded", "indexableObject")
            if isinstance(item, dict):
                yield item
        pages, page = int(_at(result, "page", "totalPages") or 0), page + 1


def _item(run: Run, item: dict[str, Any], handle: str) -> None:
    fields = item.get("metadata") or {}
    licence = next((text for key in ("dc.rights", "dc.rights.uri") for text in _values(fields, key)), None)
    if licence is None or not _OPEN.search(licence):
        run.leave_out(
            handle, f"its record states {licence!r} as licence" if licence else "its record states no licence"
        )
        return
    files = list(_pdf_files(run, str(item.get("uuid"))))
    if not files:
        run.leave_out(handle, "has no PDF file")
    languages = _values(fields, "dc.language.iso")
    for file in files:
        metadata = Metadata(
            external_id=handle if len(files) == 1 else None,
            title=str(item.get("name") or handle) if len(files) == 1 else None,
            publisher=next(iter(_values(fields, "dc.publisher")), run.corpus.publisher),
            published=a_date(next(iter(_values(fields, "dc.date.issued")), None)),
            language=language_code(languages[0]) if len(files) == len(languages) == 1 else None,
            licence=licence,
            url=next(iter(_values(fields, "dc.identifier.uri")), None),
        )
        run.download(_remote(run, file, metadata))


def _pdf_files(run: Run, uuid: str) -> Iterator[dict[str, Any]]:
    if not _UUID.fullmatch(uuid):
        return
    answer = _json(run, f"{run.corpus.address}core/items/{uuid}", {"embed": "bundles/bitstreams"})
    for bundle in _at(answer, "_embedded", "bundles", "_embedded", "bundles") or []:
        if _at(bundle, "name") == "ORIGINAL":
            for file in _at(bundle, "_embedded", "bitstreams", "_embedded", "bitstreams") or []:
                if str(_at(file, "name")).lower().endswith(".pdf") and _UUID.fullmatch(str(_at(file, "uuid"))):
                    yield file


def _remote(run: Run, file: dict[str, Any], metadata: Metadata) -> Remote:
    url = str(_at(file, "_links", "content", "href"))
    if urlsplit(url).netloc != urlsplit(run.corpus.address).netloc:
        raise Refused(f"{file['name']} is said to be at {urlsplit(url).netloc}, which is not the repository's host")
    stated = file.get("checkSum") or {}
    md5 = str(stated.get("value")).lower() if stated.get("checkSumAlgorithm") == "MD5" else None
    name = f"{run.corpus.name}-{file['uuid']}.pdf"
    return Remote(name, url, run.corpus.max_bytes, f"md5:{md5}" if md5 else None, metadata)


def _json(run: Run, url: str, asked: dict[str, str]) -> Any:
    try:
        return json.loads(run.client.get(url, asked))
    except ValueError:
        raise Refused(f"{url} answers with what is no JSON; try again later") from None


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _values(fields: dict[str, Any], key: str) -> list[str]:
    return [
        one["value"] for one in fields.get(key) or [] if isinstance(one, dict) and isinstance(one.get("value"), str)
    ]
