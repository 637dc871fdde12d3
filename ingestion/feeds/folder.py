"""The folder that a corpus is fetched into, so that a killed run is continued by the next one.

A file is in it whole or not at all. ``manifest.toml`` states what ``ingest`` should know of each. The hidden folder
``.fetch``, which ``ingest`` passes over, holds unfinished files (``NAME.part``), the record of finished ones
(``record.jsonl``, a line a file, a line cut short by a kill is passed over) and the lock of the run that writes.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from filelock import FileLock, Timeout

from ingestion.manifest import NAME as MANIFEST_NAME
from ingestion.manifest import metadata_from
from ingestion.types import Metadata
from rag.errors import InvalidRequest, Unavailable
from rag.originals import sha256_of

MANIFEST_EVERY_S = 1.0
_HEADER = "# Written by taiyi-rag corpus fetch, which writes it anew each time.\n"
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
_KEEP_FREE_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Kept:
    """A finished file. ``checksum`` is what the source stated of it; ``etag`` and ``modified`` what its server did.

    ``covers`` are the records of a search that the file holds.
    """

    name: str
    url: str
    sha256: str
    size: int
    mtime_ns: int
    checksum: str | None = None
    etag: str | None = None
    modified: str | None = None
    covers: tuple[str, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)


class CorpusFolder:
    """Open with ``open_folder``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hidden = path / ".fetch"
        self._record = self._hidden / "record.jsonl"
        self._kept = {kept.name: kept for kept in _read_record(self._record)}
        self._manifest_at = 0.0

    @property
    def kept(self) -> list[Kept]:
        return list(self._kept.values())

    def part(self, name: str) -> Path:
        """Where the file of that name is written until it is whole. Raises InvalidRequest for a name with a path."""
        return self._hidden / f"{checked_name(name)}.part"

    def intact(self, name: str) -> Kept | None:
        """The record of a finished file that is still as it was, else None."""
        kept = self._kept.get(name)
        path = self.path / checked_name(name)
        if kept is None or not path.is_file() or path.is_symlink():
            return None
        stat = path.stat()
        if stat.st_size != kept.size or (stat.st_mtime_ns != kept.mtime_ns and sha256_of(path) != kept.sha256):
            return None
        return kept

    def keep(self, kept: Kept) -> Kept:
        """Makes the part of that name a finished file, on disk when this returns, and states it in the manifest."""
        part = self.part(kept.name)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        self._note(kept)
        os.replace(part, self.path / kept.name)
        _sync_folder(self.path)
        self._write_manifest_now_and_then()
        return kept

    def restate(self, kept: Kept) -> None:
        """Records anew what is known of a file that is there already."""
        if self._kept.get(kept.name) != kept:
            self._note(kept)

    def make_room(self, size: int) -> None:
        """Raises Unavailable where the disk has no place for ``size`` bytes more."""
        free = shutil.disk_usage(self.path).free
        if free < size + _KEEP_FREE_BYTES:
            raise Unavailable(
                f"{self.path} has {free // 2**20} MB free and needs {(size + _KEEP_FREE_BYTES) // 2**20} MB; "
                "free some, or fetch into another folder with --to"
            )

    def write_manifest(self) -> None:
        """States every finished file that is there."""
        documents = [
            {"file": kept.name, **_stated(kept.metadata), "sha256": kept.sha256}
            for kept in sorted(self._kept.values(), key=lambda kept: kept.name)
            if (self.path / kept.name).is_file()
        ]
        unfinished = self._hidden / MANIFEST_NAME
        with unfinished.open("wb") as file:
            file.write(_HEADER.encode())
            tomli_w.dump({"document": documents}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.path / MANIFEST_NAME)
        self._manifest_at = time.monotonic()

    def _write_manifest_now_and_then(self) -> None:
        if time.monotonic() - self._manifest_at >= MANIFEST_EVERY_S:
            self.write_manifest()

    def _note(self, kept: Kept) -> None:
        line = json.dumps({**asdict(kept), "metadata": _stated(kept.metadata)}, ensure_ascii=False) + "\n"
        with self._record.open("ab") as file:
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
        self._kept[kept.name] = kept


@contextmanager
def open_folder(path: Path) -> Iterator[CorpusFolder]:
    """The folder, created where it is not there, for one run at a time; its manifest is written when this ends.

    Raises InvalidRequest where another run writes there, or the manifest in it is someone else's.
    """
    manifest = path / MANIFEST_NAME
    if manifest.is_file() and not manifest.read_bytes().startswith(_HEADER.encode()):
        raise InvalidRequest(f"{manifest} was not written by corpus fetch; fetch into another folder with --to")
    try:
        (path / ".fetch").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be written: {error.strerror}; choose a folder with --to") from None
    lock = FileLock(path / ".fetch" / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidRequest(f"Another corpus fetch is writing to {path}; wait for it, or stop it first") from None
    try:
        _end_last_line(path / ".fetch" / "record.jsonl")
        folder = CorpusFolder(path)
        try:
            yield folder
        finally:
            if folder.kept:
                folder.write_manifest()
    finally:
        lock.release()


def checked_name(name: str) -> str:
    """The name, which a server may have chosen. Raises InvalidRequest for one that could lead out of the folder."""
    if not _SAFE_NAME.fullmatch(name) or name == MANIFEST_NAME:
        raise InvalidRequest(f"The source names a file {name!r}, which is not a name to write under; it was left out")
    return name


def _stated(metadata: Metadata) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(metadata).items() if value}


def _read_record(path: Path) -> Iterator[Kept]:
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines():
        try:
            fields = json.loads(line)
            fields["metadata"] = metadata_from(fields["metadata"])
            yield Kept(**{**fields, "covers": tuple(fields["covers"])})
        except (ValueError, KeyError, TypeError, InvalidRequest):
            continue


def _end_last_line(record: Path) -> None:
    """Ends a line that a kill cut short, so that the next one stands on its own."""
    if record.is_file() and (content := record.read_bytes()) and not content.endswith(b"\n"):
        with record.open("ab") as file:
            file.write(b"\n")


def _sync_folder(path: Path) -> None:
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
