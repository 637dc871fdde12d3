"""JSON Lines, plain or gzip: one document a line, ``{"id": ..., "title": ..., "text": ...}``, read as a stream.

Kept: the title; the text, a paragraph for each run of lines between blank lines; every field named as in ``Metadata``,
``id`` as ``external_id``, ``lang`` as ``language``, ``license`` as ``licence``; where no study design is stated, that
of the publication types. Dropped: every other field.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from ingestion.loaders.assemble import paragraph
from ingestion.loaders.citation import valid_date
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.source import opened
from ingestion.study_designs import study_design_of
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

MAX_LINE_BYTES = 64 * 1024 * 1024
_BLANK_LINES = re.compile(r"\n\s*\n")
_LISTS = ("authors", "publication_types")
_DATES = ("published", "effective", "withdrawn", "review_by")
_OTHER_NAMES = {"language": ("lang",), "licence": ("license",)}
_TEXTS = tuple(known.name for known in fields(Metadata) if known.name not in (*_LISTS, "external_id"))


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
    stated = _object(line, where)
    external_id = _string(stated, "id", where)
    if not external_id:
        raise UnreadableFile(f'{where}: "id" is missing')
    if "text" not in stated:
        raise UnreadableFile(f'{where}: "text" is missing')
    title = one_line(_string(stated, "title", where))
    blocks = [Block(BlockKind.TITLE, title)] if title else []
    for part in _BLANK_LINES.split(_string(stated, "text", where)):
        blocks += paragraph(part)
    if not blocks:
        raise UnreadableFile(f'{where}: "text" is empty, and so is "title"')
    return LoadedDocument(tuple(blocks), _metadata(stated, external_id, where))


def _object(line: bytes, where: str) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise UnreadableFile(
            f"{where} is longer than {MAX_LINE_BYTES // 2**20} MiB; give each document a line of its own"
        )
    try:
        stated = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"{where} is not UTF-8 (byte {error.start + 1}); save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"{where} is not JSON: {error}") from error
    if not isinstance(stated, dict):
        raise UnreadableFile(f'{where} is not an object such as {{"id": "1", "title": "...", "text": "..."}}')
    return stated


def _metadata(stated: dict[str, Any], external_id: str, where: str) -> Metadata:
    known: dict[str, Any] = {name: _list(stated, name, where) for name in _LISTS}
    for name in _TEXTS:
        values = (_string(stated, other, where) for other in (name, *_OTHER_NAMES.get(name, ())))
        known[name] = one_line(next(filter(None, values), "")) or None
    for name in _DATES:
        if known[name]:
            valid_date(known[name], f'{where}: "{name}"')
    known["language"] = language_code(known["language"])
    known["study_design"] = known["study_design"] or study_design_of(known["publication_types"])
    return Metadata(external_id=external_id, **known)


def _string(stated: dict[str, Any], name: str, where: str) -> str:
    value = stated.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UnreadableFile(f'{where}: "{name}" must be a string')
    return str(value).strip()


def _list(stated: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
    value = stated.get(name) or []
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise UnreadableFile(f'{where}: "{name}" must be a list of strings')
    return tuple(filter(None, map(one_line, values)))
