"""JSON Lines, plain or gzip: one document a line, ``{"id": ..., "title": ..., "text": ...}``, read as a stream.

Kept: the title; the text, a paragraph for each run of lines between blank lines; every field named as in ``Metadata``,
``id`` as ``external_id``, ``lang`` as ``language``, ``license`` as ``licence``. Dropped: every other field.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.loaders.assemble import paragraph
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.source import opened
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

MAX_LINE_BYTES = 64 * 1024 * 1024
_BLANK_LINES = re.compile(r"\n\s*\n")
_FIELDS = (
    "title",
    "publisher",
    "journal",
    "edition",
    "published",
    "effective",
    "url",
    "doi",
    "pmid",
    "pmcid",
    "licence",
)


def load(path: Path) -> Iterator[LoadedDocument]:
    """A document for each line. Raises UnreadableFile with the line's number where a line is none."""
    found = False
    with opened(path) as stream:
        number = 0
        while line := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if line.strip(b"\xef\xbb\xbf \t\r\n"):
                found = True
                yield _document(line, f"{path.name}, line {number}")
    if not found:
        raise UnreadableFile(f"{path.name} is empty")


def _document(line: bytes, where: str) -> LoadedDocument:
    fields = _fields(line, where)
    external_id = _string(fields, "id", where)
    if not external_id:
        raise UnreadableFile(f'{where}: "id" is missing')
    if "text" not in fields:
        raise UnreadableFile(f'{where}: "text" is missing')
    title = one_line(_string(fields, "title", where))
    blocks = [Block(BlockKind.TITLE, title)] if title else []
    for part in _BLANK_LINES.split(_string(fields, "text", where)):
        blocks += paragraph(part)
    if not blocks:
        raise UnreadableFile(f'{where}: "text" is empty, and so is "title"')
    return LoadedDocument(tuple(blocks), _metadata(fields, external_id, where))


def _fields(line: bytes, where: str) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise UnreadableFile(
            f"{where} is longer than {MAX_LINE_BYTES // 2**20} MiB; give each document a line of its own"
        )
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{where} is not UTF-8 (byte {error.start + 1}); save the file as UTF-8") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise UnreadableFile(f"{where} is not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise UnreadableFile(f'{where} is not an object such as {{"id": "1", "title": "...", "text": "..."}}')
    return fields


def _metadata(fields: dict[str, Any], external_id: str, where: str) -> Metadata:
    licence = "licence" if "licence" in fields else "license"
    stated = {
        name: one_line(_string(fields, licence if name == "licence" else name, where)) or None for name in _FIELDS
    }
    language = _string(fields, "lang", where) or _string(fields, "language", where)
    return Metadata(
        external_id=external_id, authors=_authors(fields, where), language=language_code(language), **stated
    )


def _string(fields: dict[str, Any], name: str, where: str) -> str:
    value = fields.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnreadableFile(f'{where}: "{name}" must be a string')
    return str(value).strip()


def _authors(fields: dict[str, Any], where: str) -> tuple[str, ...]:
    value = fields.get("authors") or []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise UnreadableFile(f'{where}: "authors" must be a list of strings')
    return tuple(filter(None, map(one_line, names)))
