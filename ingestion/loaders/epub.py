"""EPUB books, chapter after chapter in the order of the spine; there are no pages.

Kept: the title that the package states, what ``ingestion.loaders.html`` keeps of each chapter, and title, authors,
publisher, date, language, rights and identifier of the package. Dropped: the table of contents and pictures.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from ingestion.loaders.assemble import with_title
from ingestion.loaders.citation import doi_in, stated_date
from ingestion.loaders.html import chapter
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.source import document, read_head, refuse_if_it_unpacks_to_too_much
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = {"application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document"}
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, KeyError, ValueError, OSError, EOFError)


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the book is damaged, protected or without text."""
    read_head(path)
    try:
        refuse_if_it_unpacks_to_too_much(path)
        with zipfile.ZipFile(path) as archive:
            blocks, metadata = _book(archive, path)
    except _DAMAGED as error:
        raise UnreadableFile(f"{path.name} is damaged or no EPUB book ({error}); download it again") from error
    yield document(path, blocks, metadata)


def _book(archive: zipfile.ZipFile, path: Path) -> tuple[list[Block], Metadata]:
    rootfile = _xml(archive, _CONTAINER, path).find(".//{*}rootfile")
    package_name = "" if rootfile is None else rootfile.get("full-path", "")
    package = _xml(archive, package_name, path)
    metadata = _metadata(package)
    names = list(_spine(package, posixpath.dirname(package_name)))
    if protected := _protected(archive, path).intersection(names):
        raise UnreadableFile(f"{path.name} is protected against copying ({min(protected)}); load a copy without DRM")
    blocks = [block for name in names for block in chapter(archive.read(name), path)]
    return _titled(blocks, metadata.title), metadata


def _xml(archive: zipfile.ZipFile, name: str, path: Path) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(archive.read(name), parser=parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableFile(
            f"{path.name} is damaged: {name} is not well-formed ({error}); download it again"
        ) from error


def _spine(package: etree._Element, folder: str) -> Iterator[str]:
    """The names in the archive of the pages in reading order, without the table of contents."""
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    for reference in package.iterfind("{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
            continue
        yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0])))


def _protected(archive: zipfile.ZipFile, path: Path) -> set[str]:
    """The names of what is encrypted; fonts often are, for their licence, in books that anyone may read."""
    if _ENCRYPTION not in archive.namelist():
        return set()
    references = _xml(archive, _ENCRYPTION, path).iterfind(".//{*}CipherReference")
    return {posixpath.normpath(unquote(reference.get("URI", "")).lstrip("/")) for reference in references}


def _titled(blocks: list[Block], title: str | None) -> list[Block]:
    """``blocks`` under the book's title, where it has one, else under their first heading of depth 1."""
    if title is None:
        return with_title(blocks)
    whole = Block(BlockKind.HEADING, title, level=1)
    first = next((block for block in blocks if block.kind is BlockKind.HEADING), None)
    rest = [block for block in blocks if block is not first] if first and _same(first.text, title) else blocks
    return with_title([whole, *rest]) if blocks else []


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _metadata(package: etree._Element) -> Metadata:
    stated: dict[str, list[str]] = {}
    for element in package.iterfind("{*}metadata//{http://purl.org/dc/elements/1.1/}*"):
        if text := one_line("".join(element.itertext())):
            stated.setdefault(etree.QName(element).localname, []).append(text)
    unique = package.get("unique-identifier")
    identifier = next((one for one in package.iterfind("{*}metadata//{*}identifier") if one.get("id") == unique), None)
    return Metadata(
        external_id=(one_line(identifier.text or "") or None) if identifier is not None else None,
        title=next(iter(stated.get("title", ())), None),
        authors=tuple(stated.get("creator", ())),
        publisher=next(iter(stated.get("publisher", ())), None),
        published=stated_date(next(iter(stated.get("date", ())), "").partition("T")[0]),
        language=language_code(next(iter(stated.get("language", ())), "")),
        doi=next(filter(None, map(doi_in, stated.get("identifier", ()))), None),
        licence=next(iter(stated.get("rights", ())), None),
    )
