"""Any single byte that is changed in an answer, a passage, an edition, what was said of an answer, or the audit record
is named by ``verify``."""

import os
import random
import string
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from conftest import Library
from rag import feedback, retention
from rag.answering import answer
from rag.audit_checking import check_record, read_as_bytes
from rag.database import Database, open_database
from rag.errors import Inconsistent
from rag.removal import delete_document
from rag.retirement import retire_document, unretire_document
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import Base
from rag.types import LOCAL_ADMIN, Answer, Ask, Caller, Problem, Query, Role
from rag.verification import verify

FLIPS = int(os.environ.get("FLIPS", "2"))
"""Changes of each column."""
WATCHED = ("answers", "answer_passages", "editions", "passages", "documents", "feedback", "handled", "audit", "seals")
QUESTION = "At which dose is allopurinol started in gout?"
_LETTERS = string.ascii_lowercase + string.digits


def ask(system: System, caller: Caller = LOCAL_ADMIN) -> Answer:
    return answer(Ask(Query(QUESTION)), caller, system)


@pytest.fixture
def asked(library: Library) -> Library:
    """A library of two documents, of which one question was answered, and the answer rated."""
    library.write("gout.md", "# Gout\n\nAllopurinol is started at 100 mg daily in gout.\n", title="Gout")
    library.write("asthma.md", "# Asthma\n\nBudesonide is inhaled twice daily in asthma.\n", title="Asthma")
    library.ingest()
    given = ask(library.system)
    assert given.citations
    feedback.give(library.system, LOCAL_ADMIN, given.id, "down", "The dose was missing")
    feedback.handle(library.system.database, LOCAL_ADMIN, given.id)
    return library


@contextmanager
def changing(database: Database) -> Iterator[Session]:
    """A transaction in which anything may be changed, and which is taken back."""
    with Session(database.engine, info={"audit_key": database.audit_key}) as session:
        free = "PRAGMA defer_foreign_keys = ON"
        if database.engine.dialect.name == "postgresql":
            free = "SET LOCAL session_replication_role = replica"
        session.execute(text(free))
        yield session
        session.rollback()


def named(session: Any) -> list[Problem]:
    with read_as_bytes(session):
        return check_record(session)


def flip(connection: Connection, table: str, column: Any, chance: random.Random) -> bool:
    """Changes one byte in one row's column, as somebody with the database's password could; whether there was one."""
    is_sqlite = connection.dialect.name == "sqlite"
    row_id, kind = "rowid" if is_sqlite else "ctid", type(column.type).__name__
    stored = f"CAST({column.name} AS {'BLOB' if is_sqlite else 'text'})"
    rows = connection.execute(text(f"SELECT {row_id}, {stored} FROM {table} WHERE {column.name} IS NOT NULL")).all()
    rows = [row for row in rows if row[1]]
    if not rows:
        return False
    row, was = chance.choice(rows)
    if is_sqlite:
        changed = bytearray(was)
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        now: Any = bytes(changed)
        expression = f"CAST(:now AS {'INTEGER' if kind in ('Integer', 'BigInteger', 'Boolean') else 'TEXT'})"
        if kind in ("Integer", "BigInteger", "Boolean"):
            now = int(was) ^ (1 if kind == "Boolean" else 64)
    elif kind in ("Integer", "BigInteger"):
        now, expression = int(was) ^ 64, "CAST(:now AS bigint)"
    elif kind == "Boolean":
        now, expression = was != "true", ":now"
    elif kind in ("Moment", "Date"):
        now, expression = "1 day", f"{column.name} + CAST(:now AS interval)"
    elif kind == "JSON":
        now, expression = was + " ", "CAST(:now AS json)"
    else:
        at = chance.randrange(len(was))
        now, expression = was[:at] + chance.choice(_LETTERS.replace(was[at], "")) + was[at + 1 :], ":now"
    statement = f"UPDATE {table} SET {column.name} = {expression} WHERE {row_id} = :row"
    connection.execute(text(statement), {"now": now, "row": row})
    return True


@pytest.mark.parametrize("table", WATCHED)
def test_a_changed_byte_in_any_column_is_named(asked: Library, table: str) -> None:
    chance, unnamed, tried = random.Random(f"{table} {FLIPS}"), [], set()
    for column in Base.metadata.tables[table].columns:
        for _ in range(FLIPS):
            with changing(asked.system.database) as session:
                if flip(session.connection(), table, column, chance):
                    tried.add(column.name)
                    if not named(session):
                        unnamed.append(column.name)
    assert unnamed == []
    assert len(tried) >= 2


@pytest.mark.sqlite
def test_what_is_altered_is_named_by_its_id_also_where_it_is_no_text_any_more(lite_library: Library) -> None:
    system = lite_library.system
    lite_library.write("gout.md", "# Gout\n\nAllopurinol is started at 100 mg daily in gout.\n", title="Gout")
    lite_library.ingest()
    given = ask(system)
    assert verify(system) == []
    edition = given.citations[0].edition_id
    with system.database.engine.begin() as connection:
        connection.execute(text("UPDATE editions SET text = CAST(CAST(text AS BLOB) || x'ff' AS TEXT)"))
        connection.execute(text("UPDATE answers SET body = CAST(CAST(body AS BLOB) || x'ff' AS TEXT)"))
    found = {(one.what, one.where) for one in verify(system)}
    assert {("edition", edition), ("answer", given.id)} <= found


def test_what_is_taken_away_and_put_in_is_named(asked: Library) -> None:
    for statement in (
        "DELETE FROM passages WHERE id = (SELECT min(id) FROM passages)",
        "DELETE FROM answers",
        "DELETE FROM feedback",
        "DELETE FROM handled",
        "DELETE FROM seals WHERE kind = 'answer'",
        "UPDATE seals SET erased = NOT erased",
        "INSERT INTO documents (id, collection_id) VALUES ('from outside', 1)",
    ):
        with changing(asked.system.database) as session:
            session.execute(text(statement))
            assert named(session), statement
    assert verify(asked.system) == []


def test_all_that_is_done_leaves_the_record_whole(asked: Library) -> None:
    system = asked.system
    asked.write("gout.md", "# Gout\n\nAllopurinol is started at 50 mg daily in gout.\n")
    asked.ingest()
    ask(system)
    with system.database.reading() as session:
        documents = session.execute(text("SELECT id FROM documents ORDER BY id")).scalars().all()
    retire_document(system, LOCAL_ADMIN, documents[0])
    unretire_document(system, LOCAL_ADMIN, documents[0])
    assert verify(system) == []
    delete_document(system, LOCAL_ADMIN, documents[0])
    assert verify(system) == []


def test_a_purge_leaves_a_tombstone_that_is_vouched_for(asked: Library) -> None:
    system = asked.system
    cited = ask(system).citations[0]
    delete_document(system, LOCAL_ADMIN, cited.document_id, purge=True)
    assert verify(system) == []
    with changing(system.database) as session:
        session.execute(text("UPDATE editions SET title = 'Gout' WHERE state = 'purged'"))
        assert [(one.what, one.where) for one in named(session)] == [("edition", cited.edition_id)]


def test_who_is_not_recorded_leaves_a_row_and_no_words(asked: Library) -> None:
    quiet = Caller("quiet", Role.READER, recorded=False)
    given = ask(asked.system, quiet)
    assert verify(asked.system) == []
    with asked.system.database.reading() as session:
        details = session.execute(text("SELECT details FROM audit WHERE caller_id = 'quiet'")).scalars().all()
        stored = session.execute(text("SELECT count(*) FROM answers WHERE caller_id = 'quiet'")).scalar()
    assert (len(details), stored) == (1, 0)
    assert "allopurinol" not in str(details).lower()
    assert given.text not in str(details)


def test_retention_leaves_a_checkpoint_that_vouches_for_what_went(asked: Library) -> None:
    from datetime import UTC, datetime

    system, database = asked.system, asked.system.database
    before = datetime.now(UTC)
    kept = ask(system)
    done = retention.retain(database, LOCAL_ADMIN, before)
    assert (done.answers, done.through > 3) == (1, True)
    assert verify(system) == []
    with database.reading() as session:
        assert session.execute(text("SELECT id FROM answers")).scalars().all() == [kept.id]
        first = session.execute(text("SELECT min(number) FROM audit")).scalar()
    assert first == done.through + 1
    with changing(database) as session:
        session.execute(text(f"DELETE FROM audit WHERE number = {first}"))
        assert named(session)
    ask(system)
    retention.retain(database, LOCAL_ADMIN, datetime.now(UTC))
    assert verify(system) == []
    ask(system)
    assert verify(system) == []


def test_retention_refuses_to_vouch_for_what_was_altered(asked: Library) -> None:
    from datetime import UTC, datetime

    with asked.system.database.engine.begin() as connection:
        connection.execute(text("UPDATE passages SET flags = ' hidden '"))
    with pytest.raises(Inconsistent, match="not whole"):
        retention.retain(asked.system.database, LOCAL_ADMIN, datetime.now(UTC))


@pytest.mark.sqlite
def test_what_an_earlier_version_stored_is_vouched_for_from_the_upgrade_on(sample_copy: Path) -> None:
    with open_database(f"sqlite:///{sample_copy / 'taiyi.db'}") as database, database.engine.begin() as connection:
        connection.execute(text("DELETE FROM audit"))
        connection.execute(text("DELETE FROM seals"))
    (sample_copy / "audit.head").unlink()
    (sample_copy / "audit.key").unlink()
    with open_system(Settings(home=sample_copy)) as system:
        with system.database.reading() as session:
            assert named(session) == []
            rows = session.execute(text("SELECT action, count(*) FROM audit GROUP BY action")).all()
        assert {row[0] for row in rows} == {"begin", "seal"}
        with changing(system.database) as changed:
            changed.execute(text("UPDATE editions SET text = replace(text, 'mg', 'g')"))
            assert "edition" in {one.what for one in named(changed)}
