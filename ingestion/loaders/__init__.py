"""Files to documents: the table of formats, how a file's format is found, and ``load``.

The suffix says what a file should be and its first bytes what it is. Where the two differ, a file that is plainly
something else is read as that (a PDF named .txt, a web page named .pdf); any other is refused with the reason.
Each format's module imports its parser when it is first needed.
"""

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

from ingestion.archives import is_archive
from ingestion.encoding import decode
from ingestion.loaders.source import HEAD_BYTES, read_head
from ingestion.types import LoadedDocument
from rag.errors import UnreadableFile, UnsupportedFormat

_XML = "jats or pubmed, by its root element"
_TABLE = "csv or table, by its header"
FORMATS: dict[str, str] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".txt": "text",
    ".text": "text",
    ".pdf": "pdf",
    ".docx": "docx",
    ".pptx": "pptx",
    ".epub": "epub",
    ".nxml": _XML,
    ".xml": _XML,
    ".nxml.gz": _XML,
    ".xml.gz": _XML,
    ".nbib": "nbib",
    ".nbib.gz": "nbib",
    ".ris": "ris",
    ".ris.gz": "ris",
    ".csv": _TABLE,
    ".tsv": _TABLE,
    ".csv.gz": _TABLE,
    ".tsv.gz": _TABLE,
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
}
RECORD_FORMATS = frozenset({"jsonl", "pubmed", "nbib", "ris", "csv"})
"""The formats of which one file holds many documents, each with an id, a title and so on of its own."""

_MODULES = {
    "markdown": "ingestion.loaders.markdown",
    "html": "ingestion.loaders.html",
    "text": "ingestion.loaders.text",
    "pdf": "ingestion.loaders.pdf",
    "docx": "ingestion.loaders.docx",
    "pptx": "ingestion.loaders.pptx",
    "epub": "ingestion.loaders.epub",
    "jats": "ingestion.loaders.jats",
    "pubmed": "ingestion.loaders.pubmed",
    "nbib": "ingestion.loaders.nbib",
    "ris": "ingestion.loaders.ris",
    "csv": "ingestion.loaders.tabular",
    "table": "ingestion.loaders.tabular",
    "jsonl": "ingestion.loaders.jsonl",
}

_REFUSED = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "is a Word 97-2003 or a password-protected Office file; save it as .docx without a password",
    ),
    (rb"{\rtf", "is a rich text (RTF) file; save it as .docx"),
    (b"\x89PNG", "is a PNG image; run OCR and load the text"),
    (b"\xff\xd8\xff", "is a JPEG image; run OCR and load the text"),
    (b"GIF8", "is a GIF image; run OCR and load the text"),
    (b"II*\0", "is a TIFF image; run OCR and load the text"),
    (b"MM\0*", "is a TIFF image; run OCR and load the text"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7-Zip archive; unpack it and load the files in it"),
    (b"Rar!", "is a RAR archive; unpack it and load the files in it"),
    (b"%!PS", "is a PostScript file; convert it to PDF"),
    (b"\x7fELF", "is a program"),
    (b"MZ\x90", "is a program"),
)
_ZIPPED = (
    ("word/document.xml", "docx"),
    ("xl/workbook.xml", "is an Excel workbook; save the sheet as .docx, or its text as .txt"),
    ("ppt/presentation.xml", "pptx"),
    ("META-INF/container.xml", "epub"),
    ("content.xml", "is an OpenDocument file; save it as .docx"),
)
_ZIP_NAMES = {
    "docx": "Word document; open it in Word and save it as .docx",
    "pptx": "PowerPoint presentation; open it in PowerPoint and save it as .pptx",
    "epub": "EPUB book; it may be damaged, download it again",
}
_PUBMED_ROOTS = ("PubmedArticleSet", "PubmedArticle", "PubmedBookArticleSet", "PubmedBookArticle")
_JATS_ROOTS = ("article", "pmc-articleset", "articles", "OAI-PMH", "OAI", "records", "record")
_HTML_START = re.compile(r"\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_MEDLINE_START = re.compile(r"\s*PMID- ?\d")
_RIS_START = re.compile(r"\s*TY  - ?[A-Z]{3,}\b")


def load(path: Path) -> Iterator[LoadedDocument]:
    """The documents in ``path``, in order; most formats hold one.

    Raises UnsupportedFormat where no loader reads such a file, at once; UnreadableFile where its loader cannot read
    this one, while the documents are asked for.
    """
    loader: Callable[[Path], Iterator[LoadedDocument]] = import_module(_MODULES[format_of(path)]).load
    return loader(path)


def check_name(path: Path) -> None:
    """Raises UnsupportedFormat where the name of a file says that no loader reads it, nor an archive of such files."""
    if not is_archive(path):
        _suffix(path)


def format_of(path: Path) -> str:
    """The name of the file's format, by suffix and content: ``pdf``, ``pubmed`` and so on.

    ``csv`` is a table with a document in each row, ``table`` one that is a document itself. Raises UnsupportedFormat
    where no loader reads such a file, and UnreadableFile where the file is empty or cannot be opened.
    """
    suffix = _suffix(path)
    head = read_head(path)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _zipped_format(path)
    for signature, reason in _REFUSED:
        if head.startswith(signature):
            raise UnsupportedFormat(f"{path.name} {reason}")
    start = _start(head, path)
    if _HTML_START.match(start):
        return "html"
    if (root := _root(head, start)) in _PUBMED_ROOTS:
        return "pubmed"
    if root in _JATS_ROOTS and (_expected(suffix) == "xml" or start.lstrip().startswith(("<?xml", "<!DOCTYPE"))):
        return "jats"
    match _expected(suffix):
        case "text" | "markdown" | "nbib" | "ris" if _MEDLINE_START.match(start):
            return "nbib"
        case "text" | "markdown" | "nbib" | "ris" if _RIS_START.match(start):
            return "ris"
        case "csv":
            from ingestion.loaders.tabular import holds_documents

            return "csv" if holds_documents(start) else "table"
        case "xml" if root:
            raise UnsupportedFormat(
                f"{path.name} is XML with the root <{root}>; what is read is JATS (<article>) and PubMed XML"
            )
        case "xml":
            raise UnsupportedFormat(f"{path.name} is named {suffix} but does not begin with an XML element")
        case "pdf":
            raise UnsupportedFormat(
                f"{path.name} is named .pdf but is no PDF file; it may be damaged, download it again"
            )
        case "docx" | "pptx" | "epub" as expected:
            raise UnsupportedFormat(f"{path.name} is named .{expected} but is no {_ZIP_NAMES[expected]}")
        case "text" | "markdown" if _is_json_object(start):
            return "jsonl"
        case expected:
            return expected


def _suffix(path: Path) -> str:
    name = path.name.lower()
    suffix = next((known for known in sorted(FORMATS, key=len, reverse=True) if name.endswith(known)), None)
    if suffix is None or path.is_dir():
        if not path.is_dir() and is_archive(path):
            raise UnsupportedFormat(f"{path.name} is an archive; unpack it and load the files in it")
        what = "is a folder" if path.is_dir() else f"has the suffix {path.suffix!r}" if path.suffix else "has no suffix"
        raise UnsupportedFormat(f"{path.name} {what}; what is read is {', '.join(FORMATS)}")
    return suffix


def _expected(suffix: str) -> str:
    return {_XML: "xml", _TABLE: "csv"}.get(FORMATS[suffix], FORMATS[suffix])


def _zipped_format(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError, OSError) as error:
        raise UnreadableFile(f"{path.name} is damaged or cut short ({error}); copy or download it again") from error
    found = next(
        (kind for name, kind in _ZIPPED if name in names), "is a ZIP archive; unpack it and load the files in it"
    )
    if found not in _MODULES:
        raise UnsupportedFormat(f"{path.name} {found}")
    return found


def _start(head: bytes, path: Path) -> str:
    """The beginning of the file as text; where ``head`` cuts a character in two, without that character."""
    for cut in range(4 if len(head) == HEAD_BYTES else 1):
        try:
            return decode(head[: len(head) - cut])
        except UnreadableFile as error:
            refusal = error
    raise UnreadableFile(f"{path.name} {refusal}") from refusal


def _root(head: bytes, start: str) -> str | None:
    if not start.lstrip().startswith("<"):
        return None
    from ingestion.loaders.markup import root_name

    return root_name(start.encode())


def _is_json_object(start: str) -> bool:
    line = start.lstrip().partition("\n")[0]
    if not re.match(r'\{\s*"', line):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
