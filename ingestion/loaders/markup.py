"""XML read safely and as a stream: no external entity, no DTD, no network, no huge tree.

Entities are never expanded, so a bomb of nested entities stays as small as its file; an HTML name such as ``&nbsp;``,
which older journal files use without declaring it, becomes its character, any other entity is dropped.
"""

import re
from collections.abc import Iterator
from html.entities import html5
from pathlib import Path

from lxml import etree

from ingestion.loaders.lines import raised
from ingestion.loaders.source import opened
from rag.errors import UnreadableFile

XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_SKIPPED = ((b"<?", b"?>"), (b"<!--", b"-->"))
_NAMESPACED = etree.XPath("descendant-or-self::*[namespace-uri()]")
_NAME = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)")


def root_name(head: bytes) -> str | None:
    """The name, without its namespace, of the outermost element in a file that begins with ``head``, else None."""
    rest = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    while True:
        if rest.startswith(b"<!DOCTYPE"):
            rest = _after_doctype(rest)
        elif end := next((end for start, end in _SKIPPED if rest.startswith(start)), None):
            rest = rest.partition(end)[2].lstrip()
        else:
            break
    match = _NAME.match(rest)
    return match[1].decode("ascii", "replace") if match else None


def _after_doctype(rest: bytes) -> bytes:
    bracket, close = rest.find(b"["), rest.find(b">")
    if 0 <= bracket < close:
        rest = rest[rest.find(b"]", bracket) + 1 :]
    return rest.partition(b">")[2].lstrip()


def elements(path: Path, *names: str) -> Iterator[etree._Element]:
    """Each outermost element called one of ``names``, in any namespace, freed from memory once the next is asked for.

    Its tags have lost their namespace. Raises UnreadableFile with the line where the file is not well formed.
    """
    with opened(path) as stream:
        parser = etree.iterparse(
            stream,
            events=("start", "end"),
            tag=tuple(f"{{*}}{name}" for name in names),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        depth = 0
        try:
            for event, element in parser:
                depth += 1 if event == "start" else -1
                if depth == 0:
                    _strip_namespaces(element)
                    yield element
                    _free(element)
        except etree.XMLSyntaxError as error:
            first = next(iter(parser.error_log), None)
            line, reason = (first.line, first.message) if first else (error.lineno, error.msg)
            raise UnreadableFile(
                f"{path.name} is not well-formed XML, line {line}: {reason}; it may be cut short, download it again"
            ) from error


def children(element: etree._Element) -> Iterator[tuple[etree._Element | None, str]]:
    """What is inside ``element`` in order: (None, text) for a run of text, (child, "") for an element."""
    if element.text:
        yield None, element.text
    for child in element:
        if child.tag is etree.Entity:
            yield None, html5.get(f"{child.name};", "")
        elif isinstance(child.tag, str):
            yield child, ""
        if child.tail:
            yield None, child.tail


def superscript(element: etree._Element) -> str | None:
    """The text of a ``<sup>`` that is a power, ``⁵`` in 10⁵; None where it is none or has elements in it."""
    text = element.text or ""
    if len(element) or not text:
        return None
    previous, parent = element.getprevious(), element.getparent()
    before = previous.tail if previous is not None else parent.text if parent is not None else ""
    power = raised(text.strip(), (before or "").rstrip())
    return power if power != text.strip() else None


def _strip_namespaces(element: etree._Element) -> None:
    for inner in _NAMESPACED(element):
        inner.tag = inner.tag.partition("}")[2]


def _free(element: etree._Element) -> None:
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]
