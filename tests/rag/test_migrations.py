"""The schema goes up and down with data in place, on either database."""

from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from conftest import Library
from rag import catalog
from rag.answering import answer
from rag.database import HEAD, downgrade, open_database
from rag.errors import Inconsistent
from rag.tables import Base
from rag.types import LOCAL_ADMIN, Ask, Query

SCHEMAS = [f"{number:04}" for number in range(1, int(HEAD) + 1)]


def table_names(url: str) -> set[str]:
    engine = create_engine(url)
    try:
        return set(inspect(engine).get_table_names()) - {"alembic_version"}
    finally:
        engine.dispose()


def rows(engine: Engine, statement: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(statement))]


def what_the_first_schema_keeps(url: str) -> dict[str, list[tuple[Any, ...]]]:
    engine = create_engine(url)
    try:
        return {
            "collections": rows(engine, "SELECT id, name, generation, lexical FROM collections ORDER BY id"),
            "documents": rows(engine, "SELECT id, collection_id, deleted_at FROM documents ORDER BY id"),
            "editions": rows(engine, "SELECT id, document_id, state, title, text, source FROM editions ORDER BY id"),
            "passages": rows(engine, "SELECT id, edition_id, char_start, char_end, section FROM passages ORDER BY id"),
            "segments": rows(engine, "SELECT name, passages, embedder FROM segments ORDER BY name"),
            "answers": rows(engine, "SELECT id, question, mode, status FROM answers ORDER BY id"),
            "sources": rows(engine, "SELECT id, location, sha256 FROM sources ORDER BY id"),
        }
    finally:
        engine.dispose()


def test_down_one_by_one_and_up_again_keeps_what_each_schema_can_hold(database_url: str, library: Library) -> None:
    library.write("a.md", "# A\n\nTazoline is given at 5 mg daily for reflux.\n", external_id="a", doi="10.1/a")
    library.write("b.md", "# B\n\n塔唑啉用于治疗反流，每日5毫克。\n")
    library.ingest()
    system = library.system
    answered = answer(Ask(Query("At which dose is tazoline given?")), LOCAL_ADMIN, system)
    hits = library.found("Tazoline 5 mg")
    system.database.engine.dispose()
    before = what_the_first_schema_keeps(database_url)
    for schema in reversed(SCHEMAS[:-1]):
        downgrade(database_url, schema)
        assert what_the_first_schema_keeps(database_url) == before, schema
    with open_database(database_url) as database:
        assert what_the_first_schema_keeps(database_url) == before
        with database.reading() as session:
            documents = catalog.documents(session, LOCAL_ADMIN)
            assert {document.external_id for document in documents} == {"a", None}
            passages = catalog.passages(session, LOCAL_ADMIN, [identifier for identifier, *_ in before["passages"]])
            assert {passage.language for passage in passages.values()} == {"en", "zh"}
    assert library.found("Tazoline 5 mg") == hits
    assert answered.text
    again = library.ingest()
    assert {result.status for result in again.values()} == {"unchanged"}


@pytest.mark.parametrize("schema", SCHEMAS[:-1])
def test_every_schema_is_left_downwards_with_nothing_left_over(database_url: str, schema: str) -> None:
    with open_database(database_url, schema):
        expected = table_names(database_url)
    with open_database(database_url):
        assert table_names(database_url) == set(Base.metadata.tables)
    downgrade(database_url, schema)
    assert table_names(database_url) == expected


def test_an_upload_that_waits_survives_the_way_down_and_up(database_url: str) -> None:
    with open_database(database_url) as database, database.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO jobs (id, caller_id, collection, source, paths, stated_metadata, restore, state,"
                " cancel_requested, passages, created_at) VALUES ('j', 'local', 'default', 'upload', '[\"u.md\"]',"
                " '{\"title\": \"T\"}', :no, 'queued', :no, 0, '2026-01-02 03:04:05')"
            ),
            {"no": False},
        )
    downgrade(database_url, SCHEMAS[0])
    with open_database(database_url) as database, database.engine.connect() as connection:
        row = connection.execute(text("SELECT id, source, paths, state, stated_metadata FROM jobs")).one()
    assert row.id == "j"
    assert (row.source, row.state) == ("upload", "queued")
    assert "u.md" in str(row.paths)
    assert "T" in str(row.stated_metadata)


def test_a_schema_that_is_not_known_or_newer_is_refused(database_url: str) -> None:
    with open_database(database_url, SCHEMAS[1]):
        pass
    with pytest.raises(Inconsistent, match="older"):
        downgrade(database_url, HEAD)
    with pytest.raises(Inconsistent, match="The schemas are"):
        downgrade(database_url, "9999")
