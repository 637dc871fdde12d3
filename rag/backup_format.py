"""What a backup file is: one plain tar, with

    records/TABLE.jsonl.gz       the rows of a table in the order of their keys: a line of column names, then one a row
    originals/SHA256             the original files that editions came from
    uploads/JOB/NAME             the files of jobs that have not read them yet
    index/vectors/NAME           vectors, one file a segment, three a large one
    index/lexical/NAME/FILE      words
    audit.key                    the key of the audit record's digests
    manifest.json                what all of this is, with size and SHA-256 of each member
    manifest.sha256              the SHA-256 of the manifest

It is not compressed as a whole, since originals and vectors hardly get smaller. Nothing here is specific to one kind of
database: what was taken from SQLite can be restored into PostgreSQL, and the other way round.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Date, DateTime
from sqlalchemy.types import TypeEngine

from rag.errors import InvalidRequest, NotFound

FORMAT = 1
MANIFEST, MANIFEST_DIGEST = "manifest.json", "manifest.sha256"
RECORDS, ORIGINALS, UPLOADS, AUDIT_KEY = "records/", "originals/", "uploads/", "audit.key"
VECTORS, LEXICAL = "index/vectors/", "index/lexical/"
ROWS_SUFFIX = ".jsonl.gz"
RESTORE_MARKER = "restore.unfinished"
"""A file in a home into which a restore has not come to its end."""
LEFT_OUT = frozenset({"sessions", "sign_ins"})
"""Tables that a backup does not have: whoever is signed in at the page signs in again."""
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """``schema`` is that of the database; ``rows`` counts them by table; ``next_ids`` has, by table, the highest id
    that was ever given, so that none is given again. ``index`` says whether the indexes are in it, ``audit_key``
    whether the key is. ``missing`` are files that were not there any more: purged, or read, since the moment that the
    rows are of."""

    format: int
    program: str
    schema: str
    created_at: str
    index: bool
    audit_key: bool
    rows: Mapping[str, int]
    next_ids: Mapping[str, int]
    members: Mapping[str, Member]
    missing: tuple[str, ...] = field(default=())


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def manifest_bytes(manifest: Manifest) -> bytes:
    return _MANIFEST.dump_json(manifest, indent=1)


class Hashing:
    """A file that is read through, and the SHA-256 of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def checked(file: Path) -> Manifest:
    """What a backup says of itself, once every byte of its members was read and found as it was written.

    Raises NotFound for no such file, InvalidRequest for one that is damaged, cut off, or no backup.
    """
    if not file.is_file():
        raise NotFound(f"There is no file {file}")
    try:
        with tarfile.open(file, "r:") as tar:
            found: dict[str, Member] = {}
            said = digest = b""
            for info, content in _members(tar):
                if info.name == MANIFEST:
                    said = content.read()
                elif info.name == MANIFEST_DIGEST:
                    digest = content.read()
                else:
                    found[info.name] = Member(info.size, _digest_of(content))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InvalidRequest(f"{file.name} is no backup, or damaged ({error}); take another") from error
    if hashlib.sha256(said).hexdigest().encode() != digest.strip():
        raise InvalidRequest(f"{file.name} is cut off, damaged, or no backup: its manifest is not whole; take another")
    try:
        manifest = _MANIFEST.validate_json(said)
    except ValidationError as error:
        raise InvalidRequest(
            f"{file.name} was made by another version of taiyi-rag: {error.errors()[0]['msg']}"
        ) from None
    if manifest.format != FORMAT:
        raise InvalidRequest(
            f"{file.name} has format {manifest.format}; this program reads {FORMAT}: upgrade taiyi-rag"
        )
    for name in (*manifest.members, *found):
        if manifest.members.get(name) != found.get(name):
            raise InvalidRequest(f"{file.name} is damaged: {name} is not what was written; take another backup")
    return manifest


def members(tar: tarfile.TarFile, under: str) -> Iterator[tuple[str, IO[bytes]]]:
    """The members whose names begin with ``under``, by the rest of their names."""
    for info, content in _members(tar):
        if info.name.startswith(under):
            yield info.name.removeprefix(under), content


def _members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for info in tar:
        content = tar.extractfile(info) if info.isreg() else None
        if content is None or info.name.startswith("/") or ".." in info.name.split("/"):
            raise tarfile.TarError(f"{info.name!r} is nothing that a backup has")
        yield info, content


def _digest_of(content: IO[bytes]) -> str:
    reading = Hashing(content)
    while reading.read(_CHUNK):
        continue
    return reading.hexdigest()


def row_line(values: Any) -> bytes:
    return json.dumps(list(values), ensure_ascii=False, default=_as_text).encode() + b"\n"


def row_values(line: bytes, names: list[str], types: Mapping[str, TypeEngine[Any]]) -> dict[str, Any]:
    return {name: _value(value, types[name]) for name, value in zip(names, json.loads(line), strict=True)}


def _as_text(value: object) -> str:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    raise TypeError(f"a backup has no way to keep {type(value).__name__}")


def _value(value: Any, of: TypeEngine[Any]) -> Any:
    if value is None:
        return None
    match of:
        case DateTime():
            return datetime.fromisoformat(value)
        case Date():
            return date.fromisoformat(value)
    return value
