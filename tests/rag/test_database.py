import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text

from conftest import PROJECT
from rag.database import HEAD, open_database
from rag.errors import Inconsistent, Unavailable
from rag.tables import Base, CollectionRow
from rag.writing import ensure_collection


def test_the_newest_schema_is_that_of_the_models(database_url: str) -> None:
    with open_database(database_url) as database, database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_the_constant_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "rag" / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_opening_twice_changes_nothing(database_url: str) -> None:
    for _ in range(2):
        with open_database(database_url) as database:
            assert "passages" in inspect(database.engine).get_table_names()


def test_a_failed_write_leaves_nothing(database_url: str) -> None:
    with open_database(database_url) as database:
        with pytest.raises(ZeroDivisionError), database.writing() as session:
            ensure_collection(session, "lost")
            raise ZeroDivisionError
        with database.reading() as session:
            assert session.scalars(select(CollectionRow)).all() == []


def test_a_reading_session_refuses_to_write(database_url: str) -> None:
    with open_database(database_url) as database:
        with database.writing() as session:
            ensure_collection(session, "kept")
        with pytest.raises(RuntimeError, match="reading session"), database.reading() as reading:
            reading.scalars(select(CollectionRow)).one().generation = 7
            reading.flush()


def test_a_reader_sees_one_state_from_first_to_last(database_url: str) -> None:
    with open_database(database_url) as database, database.reading() as reading:
        assert reading.scalars(select(CollectionRow)).all() == []
        with database.writing() as session:
            ensure_collection(session, "meanwhile")
        assert reading.scalars(select(CollectionRow)).all() == []


def test_a_schema_from_the_future_is_refused(database_url: str) -> None:
    with open_database(database_url) as database, database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Inconsistent, match="upgrade taiyi-rag"), open_database(database_url):
        pass


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://x", "postgresql://localhost:1/none"])
def test_a_database_that_cannot_be_opened_is_named(url: str) -> None:
    with pytest.raises(Unavailable, match=r"database|DATABASE"), open_database(url):
        pass


def test_no_password_is_shown_when_a_database_fails() -> None:
    with pytest.raises(Unavailable) as failed, open_database("postgresql://user:secret@localhost:1/none"):
        pass
    assert "secret" not in str(failed.value)
