"""Backing up: everything that a home cannot make again, of one moment, in one file, while others go on reading and
writing.

The rows come from one read transaction. What files belong to them is opened as soon as it has begun, so that they stay
readable when a compaction or a worker removes them meanwhile; where one is gone already, all of it is begun anew. Not
in a backup: models, fetched corpora, drawn pages, logs. ``rag.backup_format`` says what the file is.
"""

import gzip
import hashlib
import importlib.metadata
import io
import os
import resource
import tarfile
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from sqlalchemy import Table, func, select, text

from rag.backup_format import (
    AUDIT_KEY,
    FORMAT,
    LEFT_OUT,
    LEXICAL,
    MANIFEST,
    MANIFEST_DIGEST,
    ORIGINALS,
    RECORDS,
    ROWS_SUFFIX,
    UPLOADS,
    VECTORS,
    Hashing,
    Manifest,
    Member,
    manifest_bytes,
    row_line,
)
from rag.database import HEAD, ReadSession, open_database
from rag.errors import InvalidRequest, Unavailable
from rag.originals import original_path
from rag.settings import Settings
from rag.tables import Base, CollectionRow, EditionRow, JobRow, SegmentRow
from rag.vectors.faiss_segments import segment_files

UNFINISHED = ".unfinished"
_ATTEMPTS = 50
_ROWS = 200
_WAITING = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup came to. ``index`` and ``audit_key`` say whether they are in it."""

    file: Path
    bytes: int
    rows: int
    originals: int
    index: bool
    audit_key: bool
    missing: tuple[str, ...]


def write_backup(settings: Settings, file: Path, with_index: bool = True, with_audit_key: bool = True) -> Written:
    """Writes a backup of the configured home and database; the file appears once it is whole and on disk.

    Vectors that do not live in files under the home are left out, as with ``with_index`` False: restoring embeds anew.
    An audit key that is kept outside the home is left out too. Raises InvalidRequest where ``file`` exists.
    """
    if file.exists():
        raise InvalidRequest(f"{file} exists; name another file")
    if not file.parent.is_dir():
        raise InvalidRequest(f"There is no folder {file.parent}")
    if not settings.home.is_dir():
        raise InvalidRequest(f"There is no home {settings.home} to back up")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with_index = with_index and settings.index_url.startswith("faiss")
    unfinished = file.with_name(file.name + UNFINISHED)
    with open_database(settings.sql_url) as database, ExitStack() as opened:
        for _ in range(_ATTEMPTS):
            holding = opened.enter_context(_Holding(settings.home))
            holding.hold_uploads()
            session = opened.enter_context(database.reading())
            try:
                holding.hold_files_of(session, with_index)
                break
            except FileNotFoundError:
                opened.close()
        else:
            raise Unavailable(
                "Files that the records name are missing, or change faster than they can be held: run taiyi-rag "
                "verify, or try --without-index"
            )
        try:
            with open(unfinished, "wb", opener=_private) as out:
                manifest = _Writing(out, file.parent).write(settings, session, holding, with_index, with_audit_key)
                out.flush()
                os.fsync(out.fileno())
                size = out.tell()
            os.replace(unfinished, file)
            _sync(file.parent)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise
    kept = sum(name.startswith(ORIGINALS) for name in manifest.members)
    rows = sum(manifest.rows.values())
    return Written(file, size, rows, kept, manifest.index, manifest.audit_key, manifest.missing)


class _Holding(ExitStack):
    """Files that are open, by their names in the backup."""

    def __init__(self, home: Path) -> None:
        super().__init__()
        self._home = home
        self.files: dict[str, IO[bytes]] = {}
        self.missing: list[str] = []

    def hold_uploads(self) -> None:
        """Those that wait before the rows are read: they cannot have been read, and removed, by then."""
        folder = self._home / "uploads"
        for path in sorted(folder.glob("*/*")) if folder.is_dir() else ():
            if not path.parent.name.startswith("incoming-") and path.is_file():
                self._hold_if_there(f"{UPLOADS}{path.parent.name}/{path.name}", path)

    def hold_files_of(self, session: ReadSession, with_index: bool) -> None:
        """What else belongs to the rows of ``session``. Raises FileNotFoundError where something is gone."""
        uploads = select(JobRow.id, JobRow.state, JobRow.paths).where(
            JobRow.source == "upload", JobRow.state != "succeeded"
        )
        named = set()
        for job_id, state, paths in session.execute(uploads):
            for path in (self._home / "uploads" / job_id / name for name in paths):
                name = f"{UPLOADS}{job_id}/{path.name}"
                named.add(name)
                if name not in self.files and not self._hold_if_there(name, path) and state in _WAITING:
                    raise FileNotFoundError(path)
        for name in [name for name in self.files if name.startswith(UPLOADS) and name not in named]:
            self.files.pop(name).close()
        if with_index:
            for segment in session.scalars(select(SegmentRow.name)):
                for path in segment_files(self._home / "index" / "vectors", segment):
                    self._hold(f"{VECTORS}{path.name}", path)
            for lexical in session.scalars(select(CollectionRow.lexical).where(CollectionRow.lexical.is_not(None))):
                self._hold_lexical(str(lexical))

    def _hold_lexical(self, name: str) -> None:
        """An index's files as of one commit: its ``meta.json`` is replaced by each, last of all."""
        folder = self._home / "index" / "lexical" / name
        before = (folder / "meta.json").read_bytes()
        for path in sorted(folder.iterdir()):
            if path.suffix != ".lock":
                self._hold(f"{LEXICAL}{name}/{path.name}", path)
        if (folder / "meta.json").read_bytes() != before:
            raise FileNotFoundError(folder)

    def _hold(self, name: str, path: Path) -> None:
        self.files[name] = self.enter_context(path.open("rb"))

    def _hold_if_there(self, name: str, path: Path) -> bool:
        try:
            self._hold(name, path)
        except FileNotFoundError:
            return False
        return True


class _Writing:
    """One backup on its way to disk. ``folder`` takes what has to be measured before it can be written."""

    def __init__(self, out: IO[bytes], folder: Path) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._folder = folder
        self._at = datetime.now(UTC)
        self._members: dict[str, Member] = {}

    def write(
        self, settings: Settings, session: ReadSession, holding: _Holding, with_index: bool, with_audit_key: bool
    ) -> Manifest:
        tables = [table for table in Base.metadata.sorted_tables if table.name not in LEFT_OUT]
        rows = {table.name: self._add_rows(session, table) for table in tables}
        missing = []
        for name, file in holding.files.items():
            self._add(name, file)
        kept = select(EditionRow.source_sha256).where(EditionRow.state != "purged").distinct()
        for sha256 in session.scalars(kept.order_by(EditionRow.source_sha256)).all():
            try:
                with original_path(settings.home, sha256).open("rb") as file:
                    self._add(ORIGINALS + sha256, file)
            except FileNotFoundError:
                missing.append(ORIGINALS + sha256)
        key = settings.home / AUDIT_KEY
        if with_audit_key := with_audit_key and settings.audit_key.path == key.absolute() and key.exists():
            with key.open("rb") as file:
                self._add(AUDIT_KEY, file)
        manifest = Manifest(
            FORMAT,
            importlib.metadata.version("taiyi-rag"),
            HEAD,
            self._at.isoformat(),
            with_index,
            with_audit_key,
            rows,
            {table.name: _highest_id(session, table) for table in tables if _gives_ids(table)},
            self._members,
            tuple(missing),
        )
        said = manifest_bytes(manifest)
        self._add_bytes(MANIFEST, said)
        self._add_bytes(MANIFEST_DIGEST, hashlib.sha256(said).hexdigest().encode())
        self._tar.close()
        return manifest

    def _add_rows(self, session: ReadSession, table: Table) -> int:
        count = 0
        with TemporaryFile(dir=self._folder) as spooled:
            with gzip.GzipFile(fileobj=spooled, mode="wb", compresslevel=5, mtime=0) as zipped:
                zipped.write(row_line(column.name for column in table.columns))
                statement = select(table).order_by(*table.primary_key).execution_options(yield_per=_ROWS)
                for row in session.execute(statement):
                    zipped.write(row_line(row))
                    count += 1
            spooled.flush()
            self._add(f"{RECORDS}{table.name}{ROWS_SUFFIX}", spooled)
        return count

    def _add(self, name: str, file: IO[bytes]) -> None:
        info = self._info(name, os.fstat(file.fileno()).st_size)
        file.seek(0)
        reading = Hashing(file)
        self._tar.addfile(info, reading)
        self._members[name] = Member(info.size, reading.hexdigest())

    def _add_bytes(self, name: str, content: bytes) -> None:
        self._tar.addfile(self._info(name, len(content)), io.BytesIO(content))

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(self._at.timestamp())
        return info


def _gives_ids(table: Table) -> bool:
    return table.autoincrement_column is not None


def _highest_id(session: ReadSession, table: Table) -> int:
    """The highest id that was ever given, also to a row that is gone."""
    [column] = table.primary_key
    highest = session.scalar(select(func.coalesce(func.max(column), 0))) or 0
    if session.get_bind().dialect.name == "postgresql":
        named = {"table": table.name, "column": column.name}
        sequence = session.scalar(text("SELECT pg_get_serial_sequence(:table, :column)"), named)
        given = session.scalar(text(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {sequence}"))  # noqa: S608
    else:
        given = _sqlite_sequence(session, table)
    return max(int(highest), int(given or 0))


def _sqlite_sequence(session: ReadSession, table: Table) -> Any:
    if not table.dialect_options["sqlite"]["autoincrement"]:
        return 0
    return session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
