"""The connection to SQL: one engine, sessions that only read, sessions that write, and the way to the newest schema.

The caller owns the transaction: ``with database.reading() as session`` sees one state of the database from first to
last statement; ``with database.writing() as session`` commits at the end or, on an error, not at all.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from rag.audit_key import AuditKey
from rag.errors import DatabaseUnavailable, Inconsistent, Unavailable

HEAD = "0008"
"""The newest migration; a test holds it to what is in ``migrations/versions``."""

_SQLITE_PRAGMAS = (
    "busy_timeout = 60000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted is overwritten with zeros
    "mmap_size = 2000000000",  # long texts are read from the system's memory, not a page at a time
)
_POOLED, _BEYOND = 16, 24
"""Connections that are kept, and how many more there may be while many ask at once: one for each thread that serves."""
_MIGRATION_LOCK = 0x7461_6979
log = logging.getLogger(__name__)


class ReadSession(Session):
    """A session that refuses to write."""

    def flush(self, objects: Any = None) -> None:
        if self.new or self.dirty or self.deleted:
            raise RuntimeError("a reading session was asked to write")


class WriteSession(Session):
    """A session that commits."""


class Database:
    """``audit_key`` is handed to the sessions, for the record that they write; without it nothing can be recorded."""

    def __init__(self, engine: Engine, audit_key: AuditKey | None = None) -> None:
        self.engine = engine
        self.audit_key = audit_key

    @contextmanager
    def reading(self) -> Iterator[ReadSession]:
        """Raises DatabaseUnavailable where the database does not answer."""
        info = {"audit_key": self.audit_key}
        with _told(), ReadSession(self.engine, expire_on_commit=False, autoflush=False, info=info) as session:
            session.connection(execution_options=_read_options(self.engine))
            yield session

    @contextmanager
    def writing(self) -> Iterator[WriteSession]:
        """Raises DatabaseUnavailable where the database does not answer, cannot be written to, or its disk is full."""
        info = {"audit_key": self.audit_key}
        with _told(), WriteSession(self.engine, expire_on_commit=False, info=info) as session, session.begin():
            session.connection(execution_options={"taiyi_begin": "IMMEDIATE"})
            yield session
        if self.audit_key is not None and (head := session.info.get("audit_head")):
            self.audit_key.note(head)

    def forget_freed_pages(self) -> None:
        """Leaves nothing of deleted and overwritten rows in the database's files."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            else:
                for table in ("editions", "passages", "answers", "removals", "job_files"):
                    connection.exec_driver_sql(f"VACUUM {table}")

    def ping(self) -> None:
        """Raises DatabaseUnavailable when the database does not answer."""
        with _told(), self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))


@contextmanager
def _told() -> Iterator[None]:
    """Says in one line that the database is what failed, where it is."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise DatabaseUnavailable(f"The database does not answer: {_first_line(error.orig)}") from error
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        raise DatabaseUnavailable(f"The database broke off: {_first_line(error.orig)}") from error
    except exc.TimeoutError as error:
        raise DatabaseUnavailable("More requests wait for the database than it has connections for") from error


def _first_line(error: BaseException | None) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


@contextmanager
def open_database(url: str, schema: str = HEAD, audit_key: AuditKey | None = None) -> Iterator[Database]:
    """The database at ``url``, brought up to ``schema``. Raises Unavailable where it cannot be reached."""
    engine = _engine(url)
    try:
        _migrate(engine, schema)
        yield Database(engine, audit_key)
    except OperationalError as error:
        raise Unavailable(f"The database {engine.url.render_as_string()} failed: {error.orig}") from error
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        networked = parsed.get_backend_name() != "sqlite"
        engine = create_engine(
            parsed,
            pool_pre_ping=networked,
            pool_size=_POOLED,
            max_overflow=_BEYOND,
            hide_parameters=True,  # an error names its statement, never what somebody asked
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise Unavailable(f"RAG_DATABASE_URL is not a database URL that is understood: {error}") from None
    except ModuleNotFoundError as error:
        raise Unavailable(f"The database needs {error.name}: pip install 'taiyi-rag[postgresql]'") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where _begin_sqlite says so
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('taiyi_begin', 'DEFERRED')}")


def _read_options(engine: Engine) -> dict[str, Any]:
    if engine.dialect.name == "postgresql":
        return {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return {}


@contextmanager
def unmigrated(url: str) -> Iterator[Engine]:
    """The database at ``url`` as it is, whatever its schema; to look, not to write."""
    engine = _engine(url)
    try:
        with _told():
            yield engine
    finally:
        engine.dispose()


def known_schemas() -> set[str]:
    """Every schema that this program can bring a database to."""
    return _migrations()[1]


def downgrade(url: str, schema: str) -> None:
    """Brings a database back to an older schema, with what that one can hold; each migration says what it loses.

    Nobody else may have the database open. Raises Inconsistent for a schema that this program does not know.
    """
    from alembic import command

    engine = _engine(url)
    try:
        with _schema_turn(engine) as connection:
            config, known = _migrations()
            version = _version(connection)
            if schema not in known or version not in known:
                raise Inconsistent(f"The schemas are {', '.join(sorted(known))}; the database has {version}")
            if schema > str(version):
                raise Inconsistent(f"The database has schema {version}, which is older than {schema}")
            config.attributes["connection"] = connection
            command.downgrade(config, schema)
    finally:
        engine.dispose()


def _migrate(engine: Engine, schema: str) -> None:
    if _schema_version(engine) == schema:
        return
    from alembic import command

    with _schema_turn(engine) as connection:
        config, known = _migrations()
        version = _version(connection)
        if version is not None and version not in known:
            raise Inconsistent(
                f"The database has schema {version}, newer than this program's {HEAD}: upgrade taiyi-rag"
            )
        if version is None or version < schema:
            config.attributes["connection"] = connection
            command.upgrade(config, schema)
            log.info("Database schema is now %s", schema)


@contextmanager
def _schema_turn(engine: Engine) -> Iterator[Connection]:
    """A transaction in which nobody else changes the schema."""
    with engine.connect().execution_options(taiyi_begin="IMMEDIATE") as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        yield connection


def _migrations() -> tuple[Any, set[str]]:
    """Alembic's configuration and the schemas that there are."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config, {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _schema_version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return _version(connection)


def _version(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version
