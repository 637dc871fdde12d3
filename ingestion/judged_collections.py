"""Reading test collections: queries, judgements, and the corpus they are about. Any file may be gzip-compressed.

Queries are JSON lines ``{"id", "text"}``, or ``"question"`` for ``"text"``. Judgements are lines of query id, document
id and grade with tabs between. A corpus is JSON lines ``{"id", "title", "text", "lang"?}`` with further metadata.
Every error names the file and the line, and raises UnreadableFile.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.json_lines import id_of, numbered_lines, objects_of_file
from ingestion.loaders.source import opened
from rag.errors import UnreadableFile

CHUNK_BYTES = 1 << 20
_TOGETHER = ("doi", "supersedes", "retraction", "withdrawn", "review_by")
"""Metadata by which the library takes one document out of searches or joins it with another. In a test collection
every document stands for itself."""


@dataclass(frozen=True, slots=True)
class TextQuery:
    id: str
    text: str


@dataclass(frozen=True, slots=True)
class CopiedCorpus:
    """``empty`` counts the documents that have neither text nor title, which were left out."""

    documents: int
    empty: int


def read_queries(path: Path) -> list[TextQuery]:
    """The queries in the order of the file."""
    queries: dict[str, TextQuery] = {}
    for _, where, stated in objects_of_file(path):
        identifier = id_of(stated, where)
        text = stated.get("text") or stated.get("question")
        if not isinstance(text, str) or not text.strip():
            raise UnreadableFile(f'{where}: "text" is missing or empty; a query is {{"id": "1", "text": "..."}}')
        if identifier in queries:
            raise UnreadableFile(f"{where}: the id {identifier!r} was there before; give each query an id of its own")
        queries[identifier] = TextQuery(identifier, text.strip())
    if not queries:
        raise UnreadableFile(f"{path.name} is empty; it should have a query a line")
    return list(queries.values())


def read_judgements(path: Path, max_grade: int) -> dict[str, dict[str, int]]:
    """By query, by document: the grade, ``max_grade`` at most."""
    judgements: dict[str, dict[str, int]] = {}
    with opened(path) as stream:
        for _, where, line in numbered_lines(stream, path.name):
            parts = [part.strip() for part in line.split("\t")]
            if len(parts) != 3 or not all(parts):
                raise UnreadableFile(f"{where} is not query id, document id and grade with a tab between each")
            query, document, stated = parts
            try:
                grade = int(stated)
            except ValueError:
                raise UnreadableFile(f"{where}: the grade {stated!r} is not a whole number") from None
            if grade > max_grade:
                raise UnreadableFile(f"{where}: the grade {grade} is over {max_grade}, the highest reckoned with")
            if judgements.setdefault(query, {}).setdefault(document, grade) != grade:
                raise UnreadableFile(f"{where}: {document!r} was judged for {query!r} before, with another grade")
    if not judgements:
        raise UnreadableFile(f"{path.name} is empty; it should have a judgement a line")
    return judgements


def content_sha256(path: Path) -> str:
    """The digest of a file's content, the same whether it is compressed or not."""
    digest = hashlib.sha256()
    with opened(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def copy_corpus(path: Path, to: Path) -> CopiedCorpus:
    """Writes a corpus in the form in which ``ingest`` reads each of its documents as one of its own, each on the line
    where it stood."""
    seen: set[str] = set()
    empty = written = 0
    with to.open("w", encoding="utf-8") as copy:
        for number, where, stated in objects_of_file(path):
            identifier = id_of(stated, where)
            if identifier in seen:
                raise UnreadableFile(f"{where}: the id {identifier!r} was there before; give each document its own")
            seen.add(identifier)
            text, title = (_string(stated, name, where) for name in ("text", "title"))
            if not (text or title):
                empty += 1
                continue
            kept = {name: value for name, value in stated.items() if name not in _TOGETHER}
            line = json.dumps({**kept, "id": identifier, "text": text, "title": title})
            copy.write("\n" * (number - written - 1) + line + "\n")
            written = number
    if len(seen) == empty:
        raise UnreadableFile(f"{path.name} has no document with text")
    return CopiedCorpus(len(seen) - empty, empty)


def _string(stated: dict[str, Any], name: str, where: str) -> str:
    value = stated.get(name)
    if name not in stated and name == "text":
        raise UnreadableFile(f'{where}: "text" is missing; a document is {{"id": "1", "title": "...", "text": "..."}}')
    if value is not None and not isinstance(value, str):
        raise UnreadableFile(f'{where}: "{name}" must be a string')
    return (value or "").strip()
