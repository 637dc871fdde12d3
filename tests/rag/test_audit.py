import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update

from rag import audit
from rag.audit_checking import check_record, read_as_bytes
from rag.audit_key import AuditKey, Head, head_from
from rag.database import Database, open_database
from rag.errors import Forbidden, Inconsistent, Unavailable
from rag.tables import AuditRow
from rag.types import LOCAL_ADMIN, Caller, Problem, Role

NURSE = Caller("nurse", Role.READER, address="10.0.0.7", request_id="r-1")
_APPENDS = """
import sys
from pathlib import Path
from rag import audit
from rag.audit_key import AuditKey
from rag.database import open_database
from rag.types import LOCAL_ADMIN
url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with open_database(url, audit_key=AuditKey(folder / "audit.key", folder / "audit.head")) as database:
    for number in range(count):
        with database.writing() as session:
            audit.append(session, LOCAL_ADMIN, "answer", str(number), {"n": number})
        print(number, flush=True)
"""


@pytest.fixture
def key(tmp_path: Path) -> AuditKey:
    return AuditKey(tmp_path / "keys" / "audit.key", tmp_path / "audit.head")


@pytest.fixture
def database(database_url: str, key: AuditKey) -> Iterator[Database]:
    with open_database(database_url, audit_key=key) as opened:
        yield opened


@pytest.fixture
def lite(tmp_path: Path, key: AuditKey) -> Iterator[Database]:
    with open_database(f"sqlite:///{tmp_path / 'taiyi.db'}", audit_key=key) as opened:
        yield opened


def write(database: Database, *actions: str, caller: Caller = NURSE) -> Head:
    for action in actions:
        with database.writing() as session:
            audit.append(session, caller, action, "thing", {"why": f"of {action}"})
    with database.reading() as session:
        head = audit.head(session)
    assert head is not None
    return head


def problems(database: Database, *heads: Head) -> list[Problem]:
    with database.reading() as session, read_as_bytes(session):
        return check_record(session, heads)


def test_a_row_says_who_did_what_when_and_from_where(database: Database) -> None:
    write(database, "answer", "delete")
    with database.reading() as session:
        deleted, answered, begun = audit.entries(session, LOCAL_ADMIN)
    assert [one.number for one in audit.oldest_first(database, LOCAL_ADMIN)] == [1, 2, 3]
    assert (deleted.number, answered.number, begun.number, begun.action) == (3, 2, 1, "begin")
    assert (answered.caller_id, answered.address, answered.request_id) == ("nurse", "10.0.0.7", "r-1")
    assert (answered.action, answered.subject, answered.details) == ("answer", "thing", {"why": "of answer"})
    assert problems(database) == []


@pytest.mark.parametrize("caller", [NURSE, Caller("ward", Role.ADMIN, frozenset({"ward 3"}))])
def test_only_administrators_of_everything_read_it(lite: Database, caller: Caller) -> None:
    with lite.reading() as session, pytest.raises(Forbidden):
        audit.entries(session, caller)
    with pytest.raises(Forbidden):
        audit.oldest_first(lite, caller)


def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    write(database, "answer")
    with pytest.raises(ZeroDivisionError), database.writing() as session:
        audit.append(session, NURSE, "delete", None, {})
        raise ZeroDivisionError
    assert write(database, "answer").number == 3
    assert problems(database) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2020-01-01 00:00:00.000000"),
        ("caller_id", "nursf"),
        ("address", "10.0.0.8"),
        ("request_id", "r-2"),
        ("action", "answes"),
        ("subject", "thinh"),
        ("details", '{"why":  "of answer"}'),
        ("content", "a" * 64),
        ("digest", "b" * 64),
    ],
)
def test_an_altered_column_is_named(database: Database, column: str, value: str) -> None:
    write(database, "answer", "answer", "answer")
    cast = (
        "CAST(:value AS timestamptz)" if column == "at" else "CAST(:value AS json)" if column == "details" else ":value"
    )
    cast = cast if database.engine.dialect.name == "postgresql" else ":value"
    with database.engine.begin() as connection:
        connection.execute(text(f"UPDATE audit SET {column} = {cast} WHERE number = 3"), {"value": value})
    assert "3" in [one.where for one in problems(database)]


def test_a_removed_row_and_one_put_in_are_named(database: Database) -> None:
    write(database, "answer", "answer", "answer")
    with database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number == 3))
    assert [(one.what, one.where) for one in problems(database)] == [("audit", "3")]
    with database.writing() as session:
        session.execute(update(AuditRow).where(AuditRow.number == 4).values(number=3))
    assert "3" in [one.where for one in problems(database)]


def test_a_cut_tail_shows_by_the_noted_head_and_by_an_exported_one(database: Database, key: AuditKey) -> None:
    head = write(database, "answer", "answer")
    assert head_from(str(head)) == head == key.noted_head()
    with database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number == head.number))
    assert [one.where for one in problems(database)] == ["3"]
    key.head_path.unlink()
    assert problems(database) == []
    assert [one.where for one in problems(database, head)] == ["3"]


def test_a_front_that_was_cut_shows(database: Database) -> None:
    write(database, "answer", "answer")
    with database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.number < 3))
    assert problems(database) != []


def test_an_emptied_record_is_not_begun_anew(database: Database, key: AuditKey) -> None:
    write(database, "answer")
    with database.writing() as session:
        session.execute(delete(AuditRow))
    assert [one.what for one in problems(database)] != []
    with pytest.raises(Inconsistent, match="had come to row 2"):
        write(database, "answer")


def test_the_key_is_its_owners_alone_and_its_loss_is_told(lite: Database, key: AuditKey) -> None:
    write(lite, "answer")
    assert key.path.stat().st_mode & 0o777 == 0o600
    kept = key.path.read_text()
    key.path.unlink()
    with pytest.raises(Unavailable, match=r"audit\.key is missing.*RAG_AUDIT_KEY_FILE"):
        write(lite, "answer")
    assert not key.path.exists()
    assert [(one.what, one.where) for one in problems(lite)] == [("audit", "key")]
    key.path.write_text("c" * 64)
    with pytest.raises(Inconsistent, match="not the one that the record was begun with"):
        write(lite, "answer")
    key.path.write_text("none")
    with pytest.raises(Inconsistent, match="no audit key"):
        write(lite, "answer")
    key.path.write_text(kept)
    assert write(lite, "answer").number == 3


def _make(key: AuditKey, made: "multiprocessing.Queue[str]") -> None:
    made.put(key.made().hex())


def test_of_processes_that_make_the_key_at_once_all_read_the_same(tmp_path: Path) -> None:
    key = AuditKey(tmp_path / "audit.key", tmp_path / "audit.head")
    context = multiprocessing.get_context("fork")
    made: multiprocessing.Queue[str] = context.Queue()
    processes = [context.Process(target=_make, args=(key, made)) for _ in range(8)]
    for process in processes:
        process.start()
    found = {made.get(timeout=30) for _ in processes}
    for process in processes:
        process.join()
    assert len(found) == 1
    assert sorted(os.listdir(tmp_path)) == ["audit.key"]


def _appending(url: str, key: AuditKey, count: int) -> subprocess.Popen[str]:
    key.path.parent.mkdir(exist_ok=True)
    linked = key.path.parent / "audit.head"
    if not linked.is_symlink():
        linked.symlink_to(key.head_path)
    return subprocess.Popen(
        [sys.executable, "-c", _APPENDS, url, str(key.path.parent), str(count)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_append_at_once_leave_one_chain(database: Database, database_url: str, key: AuditKey) -> None:
    write(database, "answer")
    processes = [_appending(database_url, key, 20) for _ in range(3)]
    assert [process.wait(90) for process in processes] == [0, 0, 0]
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    assert write(database).number == 2 + 3 * 20
    assert problems(database) == []


def test_a_kill_in_the_middle_leaves_a_clean_chain_with_all_that_was_acknowledged(
    database: Database, database_url: str, key: AuditKey
) -> None:
    write(database, "answer")
    process = _appending(database_url, key, 100_000)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline() for _ in range(15)]
    time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.readlines()
    process.wait()
    process.stdout.close()
    assert write(database, "answer").number >= 3 + len([one for one in acknowledged if one.endswith("\n")])
    assert problems(database) == []


def test_an_export_is_what_the_rows_say(lite: Database) -> None:
    write(lite, "answer")
    [begun, answered] = audit.oldest_first(lite, LOCAL_ADMIN)
    assert json.loads(json.dumps(answered.details)) == {"why": "of answer"}
    assert begun.digest != answered.digest


def test_all_rows_are_read_a_few_at_a_time_while_others_write(lite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "AT_ONCE", 2)
    write(lite, "answer", "delete", "answer")
    reading = audit.oldest_first(lite, LOCAL_ADMIN)
    seen = [next(reading).number]
    write(lite, "answer")
    assert seen + [one.number for one in reading] == [1, 2, 3, 4, 5]
    picked = audit.Picked(action="answer", since=datetime(2020, 1, 1))
    assert [one.number for one in audit.oldest_first(lite, LOCAL_ADMIN, picked)] == [2, 4, 5]
