import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, select, text

from conftest import PROJECT
from rag import catalog
from rag.database import HEAD, open_database
from rag.errors import Inconsistent, Unavailable
from rag.tables import Base, CollectionRow, DocumentKeyRow, EditionRow, JobRow, PassageRow
from rag.types import LOCAL_ADMIN
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


def test_a_library_of_the_first_schema_is_taken_over(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "rag" / "migrations"))
    engine = create_engine(database_url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        day = "2026-01-02 03:04:05"
        for statement in (
            f"INSERT INTO collections (id, name, generation, created_at) VALUES (1, 'default', 3, '{day}')",
            "INSERT INTO documents (id, collection_id, key, external_id) VALUES ('d', 1, 'id:x', 'x')",
            "INSERT INTO editions (id, document_id, state, source, source_sha256, format, title, authors, text,"
            " page_starts, ingested_at) VALUES"
            f" ('e', 'd', 'live', '/a.md', '0', 'md', 'T', '[]', 'Text', '[]', '{day}')",
            "INSERT INTO passages (edition_id, ordinal, char_start, char_end) VALUES ('e', 0, 0, 4)",
            "INSERT INTO jobs (id, caller_id, collection, state, filename, sha256, stated_metadata, result, created_at)"
            f" VALUES ('j', 'local', 'default', 'queued', 'u.md', '0', '{{}}', '[]', '{day}')",
        ):
            connection.execute(text(statement))
    engine.dispose()
    with open_database(database_url) as database, database.reading() as session:
        job = session.get_one(JobRow, "j")
        assert (job.state, job.source, job.paths, job.stated_metadata) == ("queued", "upload", ["u.md"], {})
        [document] = catalog.documents(session, LOCAL_ADMIN)
        assert (document.external_id, document.editions[0].metadata.publication_types) == ("x", ())
        assert session.get_one(DocumentKeyRow, (1, "id:x")).document_id == "d"
        [passage] = catalog.passages(session, LOCAL_ADMIN, [1]).values()
        assert (passage.text, passage.external_id, passage.flags) == ("Text", "x", ())


def test_a_library_of_the_second_schema_learns_its_languages(database_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "rag" / "migrations"))
    engine = create_engine(database_url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        day = "2026-01-02 03:04:05"
        connection.execute(
            text(f"INSERT INTO collections (id, name, generation, created_at) VALUES (1, 'default', 3, '{day}')")
        )
        for number, language in enumerate(("en", "zh", "zh-Hant", None), start=1):
            stated = f"'{language}'" if language else "NULL"
            for statement in (
                f"INSERT INTO documents (id, collection_id) VALUES ('d{number}', 1)",
                "INSERT INTO editions (id, document_id, state, source, source_sha256, format, title, language, authors,"
                " publication_types, content_sha256, likeness, text, page_starts, ingested_at) VALUES"
                f" ('e{number}', 'd{number}', 'live', '/a.md', '0', 'md', 'T', {stated}, '[]', '[]', '', '',"
                f" 'Text', '[]', '{day}')",
                "INSERT INTO passages (id, edition_id, ordinal, char_start, char_end, boxes, flags)"
                f" VALUES ({number}, 'e{number}', 0, 0, 4, '[]', '')",
            ):
                connection.execute(text(statement))
    engine.dispose()
    with open_database(database_url) as database, database.reading() as session:
        found = session.scalars(select(PassageRow.language).order_by(PassageRow.id)).all()
        assert found == ["en", "zh", "zh", "en"]
        assert set(map(repr, session.scalars(select(EditionRow.abbreviations)))) == {"{}"}
        [collection] = catalog.collections(session, LOCAL_ADMIN)
        permitted = catalog.permitted(session, collection, {}, catalog.today(), include_undated=True)
        assert {language: list(one.ids) for language, one in permitted.items()} == {"en": [1, 4], "zh": [2, 3]}
