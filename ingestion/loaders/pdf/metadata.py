"""What a PDF states of itself: in its properties, its XMP packet and the text of its first page."""

import ctypes
import re
from pathlib import Path
from typing import Any

from pypdfium2 import raw as pdfium

from ingestion.loaders.lines import language_code, one_line, sane_title
from ingestion.types import Metadata

_XMP_BYTES = 4 * 1024 * 1024
_XMP = re.compile(rb"<x:xmpmeta\b.*?</x:xmpmeta>", re.S)
_XMP_DOI = re.compile(
    r"<(prism:doi|pdfx:doi|crossmark:DOI)>\s*(10\.[^<]+?)\s*</\1>|(?:prism|pdfx):doi=\"(10\.[^\"]+)\"", re.I
)
_XMP_DATE = re.compile(
    r"<(prism:publicationDate|prism:coverDate|crossmark:MajorVersionDate)[^>]*>\s*(?:<rdf:\w+>\s*<rdf:li[^>]*>\s*)?(\d{4}(?:-\d\d){0,2})\b"
)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+[^\s\"<>.,;)\]]")
_MONTHS = "January February March April May June July August September October November December".split()
_PUBLISHED = re.compile(
    rf"(?:\bpublished(?: online)?|发布日期|出版日期)\s*[:：]?\s*(?:on\s+)?"
    rf"(?:(?P<day>\d{{1,2}})\s+(?P<month>{'|'.join(_MONTHS)}),?\s+(?P<year>\d{{4}})"
    rf"|(?P<month_first>{'|'.join(_MONTHS)})\s+(?P<day_second>\d{{1,2}}),\s*(?P<year_last>\d{{4}})"
    rf"|(?P<y>\d{{4}})[-年](?P<m>\d{{1,2}})[-月](?P<d>\d{{1,2}}))",
    re.I,
)


def metadata_of(pdf: Any, path: Path, first_page: str, shown_title: str | None) -> Metadata:
    """``pdf`` is pypdfium2's document; ``shown_title`` stands where the file names none."""
    properties = pdf.get_metadata_dict()
    xmp = _xmp(path)
    dois = {(match[2] or match[3]) for match in _XMP_DOI.finditer(xmp)} or set(_DOI.findall(first_page))
    dated = _XMP_DATE.search(xmp)
    names = [one_line(name) for name in re.split(r"[;；]", properties.get("Author") or "")]
    return Metadata(
        title=sane_title(properties.get("Title")) or shown_title,
        authors=tuple(name for name in names if " " in name or re.search("[\u4e00-\u9fff]{2}", name)),
        published=_published(first_page) or (dated[2] if dated else None),
        language=_language(pdf),
        doi=dois.pop() if len(dois) == 1 else None,
    )


def _xmp(path: Path) -> str:
    """The XMP packet, where it stands uncompressed as it should at the beginning or the end of the file."""
    with path.open("rb") as stream:
        head = stream.read(_XMP_BYTES)
        stream.seek(0, 2)
        stream.seek(max(len(head), stream.tell() - _XMP_BYTES))
        tail = stream.read()
    found = _XMP.findall(head) + _XMP.findall(tail)
    return found[-1].decode("utf-8", "replace") if found else ""


def _language(pdf: Any) -> str | None:
    length = pdfium.FPDFCatalog_GetLanguage(pdf.raw, None, 0)
    if length <= 2:
        return None
    buffer = ctypes.create_string_buffer(length)
    pdfium.FPDFCatalog_GetLanguage(pdf.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return language_code(buffer.raw.decode("utf-16-le", "replace").strip("\0"))


def _published(text: str) -> str | None:
    match = _PUBLISHED.search(text)
    if match is None:
        return None
    stated = match.groupdict()
    year = stated["year"] or stated["year_last"] or stated["y"]
    name = stated["month"] or stated["month_first"]
    month = _MONTHS.index(name.capitalize()) + 1 if name else int(stated["m"])
    day = int(stated["day"] or stated["day_second"] or stated["d"])
    return f"{year}-{month:02d}-{day:02d}" if 1 <= month <= 12 and 1 <= day <= 31 else None
