"""Restoring a backup into an empty home and an empty database, of either kind.

Nothing is touched before every byte of the backup was checked. Then a marker is put into the home, which no program
opens as long as it is there; files come first, the rows in one transaction last. Killed anywhere, the same command
begins anew, and what was half restored is never served.
"""

import gzip
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import JSON, Connection, Engine, MetaData, Table, func, inspect, select, text

from rag.backup_format import (
    AUDIT_KEY,
    LEXICAL,
    ORIGINALS,
    RECORDS,
    RESTORE_MARKER,
    ROWS_SUFFIX,
    UPLOADS,
    VECTORS,
    Manifest,
    checked,
    members,
    row_values,
)
from rag.database import downgrade, known_schemas, open_database, unmigrated
from rag.errors import InvalidRequest
from rag.indexing import compact
from rag.originals import original_path
from rag.settings import Settings
from rag.system import open_system
from rag.tables import CollectionRow

_MAY_BE_THERE = frozenset({"models", "lost+found", RESTORE_MARKER})
_ROWS = 500


@dataclass(frozen=True, slots=True)
class Restored:
    """``index`` says whether the indexes are there; else they are to be made by ``taiyi-rag reindex``, once the key of
    the audit record was put where ``audit_key`` says. That is None where nothing is to be done."""

    rows: int
    originals: int
    created_at: str
    index: bool
    audit_key: Path | None


def restore_backup(settings: Settings, file: Path) -> Restored:
    """Restores ``file`` into the configured home and database.

    Raises InvalidRequest for a damaged file, for one of a newer program, and for a home or a database that holds
    something; nothing is changed then.
    """
    manifest = checked(file)
    if manifest.schema not in known_schemas():
        raise InvalidRequest(f"{file.name} has schema {manifest.schema}, newer than this program's: upgrade taiyi-rag")
    with_index = manifest.index and settings.index_url.startswith("faiss")
    marker = settings.home / RESTORE_MARKER
    goes_on = _goes_on(settings, marker, manifest)
    are_there = _are_there(settings, manifest, goes_on)
    settings.home.mkdir(parents=True, exist_ok=True)
    _write(marker, manifest.created_at.encode())
    _clear(settings.home)
    with tarfile.open(file, "r:") as tar:
        for path, content, mode in _files(tar, settings, with_index):
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
                shutil.copyfileobj(content, out, 1 << 20)
        os.sync()
        if not are_there:
            _restore_rows(settings, manifest, tar, with_index)
    with open_database(settings.sql_url):
        marker.unlink()
    key = settings.audit_key.path
    lacks_key = bool(manifest.rows.get("audit")) and not key.exists()
    if not with_index and not lacks_key:
        _build_indexes(settings)
    return Restored(
        sum(manifest.rows.values()),
        sum(name.startswith(ORIGINALS) for name in manifest.members),
        manifest.created_at,
        with_index or not lacks_key,
        key if lacks_key else None,
    )


def _goes_on(settings: Settings, marker: Path, manifest: Manifest) -> bool:
    """Whether an earlier restore of the same backup was cut off in this home. Raises InvalidRequest for a full one."""
    if marker.exists():
        if marker.read_text() not in ("", manifest.created_at):
            raise InvalidRequest(
                f"A restore of another backup was cut off in {settings.home}: restore that one, or name an empty home"
            )
        return True
    there = sorted({path.name for path in settings.home.iterdir()} - _MAY_BE_THERE) if settings.home.is_dir() else []
    if there:
        raise InvalidRequest(f"{settings.home} holds {there[0]} already: restore into an empty home (--into)")
    return False


def _are_there(settings: Settings, manifest: Manifest, goes_on: bool) -> bool:
    """Whether the rows were restored before the rest was cut off. Raises InvalidRequest for a database with others."""
    if not settings.database_url:
        return False  # its file is in the home
    with unmigrated(settings.sql_url) as engine:
        counts = _counts(engine)
    if not any(counts.values()):
        return False
    if goes_on and all(counts.get(name, 0) == rows for name, rows in manifest.rows.items()):
        return True
    raise InvalidRequest("The database of RAG_DATABASE_URL holds records already: restore into an empty one")


def _counts(engine: Engine) -> dict[str, int]:
    tables = _reflected(engine)
    with engine.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in tables.sorted_tables
            if table.name != "alembic_version"
        }


def _clear(home: Path) -> None:
    """Removes what an earlier, cut off restore left in the home."""
    for path in home.iterdir():
        if path.name not in _MAY_BE_THERE:
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _files(tar: tarfile.TarFile, settings: Settings, with_index: bool) -> Iterator[tuple[Path, IO[bytes], int]]:
    home = settings.home
    for sha256, content in members(tar, ORIGINALS):
        yield original_path(home, sha256), content, 0o666
    for name, content in members(tar, UPLOADS):
        yield home / "uploads" / name, content, 0o666
    for under in (VECTORS, LEXICAL) if with_index else ():
        for name, content in members(tar, under):
            yield home / under / name, content, 0o666
    key = settings.audit_key.path
    for _, content in members(tar, AUDIT_KEY):
        if not key.exists():
            yield key, content, 0o600


def _restore_rows(settings: Settings, manifest: Manifest, tar: tarfile.TarFile, with_index: bool) -> None:
    """All rows in one transaction, with the schema that they had."""
    with unmigrated(settings.sql_url) as engine:
        is_new = "alembic_version" not in inspect(engine).get_table_names()
    if not is_new:
        with open_database(settings.sql_url):
            pass
        downgrade(settings.sql_url, manifest.schema)
    with open_database(settings.sql_url, manifest.schema) as database:
        tables = _reflected(database.engine)
        with database.writing() as session:
            connection = session.connection()
            for table in tables.sorted_tables:
                if table.name in manifest.rows:
                    _insert(connection, table, tar, with_index)
            for name, highest in manifest.next_ids.items():
                _give_no_id_again(connection, tables.tables[name], highest)


def _insert(connection: Connection, table: Table, tar: tarfile.TarFile, with_index: bool) -> None:
    if table.name == "segments" and not with_index:
        return
    types = {column.name: column.type for column in table.columns}
    content = tar.extractfile(f"{RECORDS}{table.name}{ROWS_SUFFIX}")
    with gzip.GzipFile(fileobj=content) as lines:
        names = list(map(str, json.loads(next(lines))))
        batch: list[dict[str, Any]] = []
        for line in lines:
            row = row_values(line, names, types)
            if table.name == "collections" and not with_index:
                row["lexical"] = None
            batch.append(row)
            if len(batch) == _ROWS:
                connection.execute(table.insert(), batch)
                batch = []
        if batch:
            connection.execute(table.insert(), batch)


def _reflected(engine: Engine) -> MetaData:
    """The tables as the database has them: those of the backup's own schema, whatever this program's is."""
    tables = MetaData()
    tables.reflect(engine)
    for table in tables.tables.values():
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type = JSON(none_as_null=True)
    return tables


def _give_no_id_again(connection: Connection, table: Table, highest: int) -> None:
    [column] = table.primary_key
    if connection.dialect.name == "postgresql":
        named = {"table": table.name, "column": column.name, "next": highest + 1}
        connection.execute(text("SELECT setval(pg_get_serial_sequence(:table, :column), :next, false)"), named)
    else:
        has_sequence = "SELECT COUNT(*) FROM sqlite_master WHERE name = :name AND sql LIKE '%AUTOINCREMENT%'"
        if connection.scalar(text(has_sequence), {"name": table.name}):
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
            values = {"name": table.name, "seq": highest}
            connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), values)


def _build_indexes(settings: Settings) -> None:
    with open_system(settings) as system:
        with system.database.reading() as session:
            collections = session.scalars(select(CollectionRow.id)).all()
        for collection_id in collections:
            compact(system, collection_id, embed_again=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
