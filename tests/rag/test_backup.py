"""A backup is one moment of a home, also while it is written to, and a home restored from it answers the same."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import EXECUTABLE, Library, new_home, new_postgresql_database
from ingestion import jobs
from rag import audit, catalog, record
from rag.answering import answer
from rag.backup import write_backup
from rag.backup_format import RESTORE_MARKER, checked
from rag.errors import InvalidRequest, NotFound, Unavailable
from rag.removal import delete_document
from rag.restoring import restore_backup
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Ask, Query
from rag.verification import verify

pytestmark = pytest.mark.sqlite  # into another home with a database of its own; PostgreSQL's are named
QUESTIONS = ["At which dose is tazoline given?", "塔唑啉的剂量是多少？", "Drug3 mg", "Which drug is given for reflux?"]


@pytest.fixture
def filled(library: Library) -> Library:
    return fill(library)


@pytest.fixture
def lite_filled(lite_library: Library) -> Library:
    return fill(lite_library)


def fill(library: Library) -> Library:
    """Two collections, a removed document, a purged one, an answer, an upload that waits."""
    for number in range(8):
        library.write(f"{number}.md", f"# Drug{number}\n\nDrug{number} is given at {number + 1} mg for reflux.\n")
    library.write("a.md", "# Tazoline\n\nTazoline is given at 5 mg daily for reflux.\n", external_id="a")
    library.write("b.md", "# 塔唑啉\n\n塔唑啉用于治疗反流，每日剂量为5毫克。\n")
    found = library.ingest()
    library.ingest(library.folder / "b.md", collection="chinese")
    delete_document(library.system, LOCAL_ADMIN, str(found["1.md"].document_id))
    delete_document(library.system, LOCAL_ADMIN, str(found["2.md"].document_id), purge=True)
    answer(Ask(Query(QUESTIONS[0])), LOCAL_ADMIN, library.system)
    return library


def told(system: System) -> list[Any]:
    """What a home answers: hits with their scores, answers but for id and times, the record, the counts."""
    with system.database.reading() as session:
        kept = [(one.id, one.text, one.citations) for one in record.latest(session, LOCAL_ADMIN)]
        counts = catalog.count(session, LOCAL_ADMIN)
    found = [search(Query(question), LOCAL_ADMIN, system) for question in QUESTIONS]
    answered = [answer(Ask(Query(question)), LOCAL_ADMIN, system) for question in QUESTIONS]
    return [found, [(one.text, one.sentences, one.citations, one.confidence) for one in answered], kept, counts]


@contextmanager
def restored(like: System, file: Path, home: Path, **settings: str) -> Iterator[System]:
    restore_backup(Settings(home=home, **settings), file)
    with open_system(Settings(home=home, **settings)) as opened:
        yield replace(opened, embedder=like.embedder, entailment=like.entailment, reader=like.reader)


@pytest.fixture
def other_url(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Another, empty database of a kind; empty text for SQLite in the home."""
    with ExitStack() as made:

        def make(kind: str) -> str:
            if kind == "sqlite":
                return ""
            return made.enter_context(new_postgresql_database(request.getfixturevalue("postgresql")))

        yield make


@pytest.mark.parametrize("into", ["sqlite", "postgresql"])
def test_a_restored_home_answers_the_same_on_either_database(
    filled: Library, tmp_path: Path, models: Path, into: str, other_url: Callable[[str], str]
) -> None:
    written = write_backup(filled.system.settings, tmp_path / "b.tar")
    assert written.index
    assert written.missing == ()
    expected = told(filled.system)
    home = new_home(tmp_path / "other", models)
    with restored(filled.system, written.file, home, database_url=other_url(into)) as other:
        assert told(other) == expected
        assert verify(other) == []


def test_ids_of_what_was_purged_are_not_given_again(filled: Library, tmp_path: Path, models: Path) -> None:
    last = filled.write("last.md", "# Last\n\nLastazine is given at 9 mg.\n")
    [result] = filled.ingest(last).values()
    [hit] = search(Query("Lastazine", top_k=1), LOCAL_ADMIN, filled.system).hits
    delete_document(filled.system, LOCAL_ADMIN, str(result.document_id), purge=True)
    written = write_backup(filled.system.settings, tmp_path / "b.tar")
    home = new_home(tmp_path / "other", models)
    with restored(filled.system, written.file, home) as other:
        new = Library(tmp_path / "new", other, filled._reader)
        new.write("new.md", "# New\n\nNewazine is given at 3 mg.\n")
        new.ingest()
        [found] = search(Query("Newazine", top_k=1), LOCAL_ADMIN, other).hits
    assert int(found.passage.passage_id) > int(hit.passage.passage_id)


def test_without_the_indexes_they_are_made_anew(lite_filled: Library, tmp_path: Path, models: Path) -> None:
    written = write_backup(lite_filled.system.settings, tmp_path / "b.tar", with_index=False)
    assert not written.index
    found = [hit.passage.passage_id for hit in search(Query("Tazoline"), LOCAL_ADMIN, lite_filled.system).hits]
    with restored(lite_filled.system, written.file, new_home(tmp_path / "other", models)) as other:
        assert verify(other) == []
        assert [hit.passage.passage_id for hit in search(Query("Tazoline"), LOCAL_ADMIN, other).hits] == found


def test_an_upload_that_waits_is_read_after_the_restore(lite_library: Library, tmp_path: Path, models: Path) -> None:
    from ingestion.running import next_jobs, run_waiting

    system = lite_library.system
    incoming = tmp_path / "incoming"
    incoming.write_text("# Quoxin\n\nQuoxin is given at 3 mg weekly.\n")
    job = jobs.accept(system, LOCAL_ADMIN, "default", incoming, "q.md", {})
    written = write_backup(system.settings, tmp_path / "b.tar")
    with restored(system, written.file, new_home(tmp_path / "other", models)) as other:
        for job_id in next_jobs(other):
            run_waiting(other, job_id, lambda: False, lite_library._reader)
        assert jobs.job(other, LOCAL_ADMIN, job.id).state == "succeeded"
        assert "Quoxin" in search(Query("Quoxin"), LOCAL_ADMIN, other).hits[0].passage.text


def test_a_backup_taken_while_documents_come_and_go_is_whole(library: Library, tmp_path: Path, models: Path) -> None:
    """Each ingest and removal compacts, so that index files vanish all the time."""
    library.write("a.md", "# Tazoline\n\nTazoline is given at 5 mg daily for reflux.\n")
    library.ingest()
    stopping, failed = threading.Event(), []

    def write() -> None:
        number = 0
        try:
            while not stopping.is_set():
                number += 1
                path = library.write(
                    f"changing{number}.md", f"# Drug{number}\n\nDrug{number} is given at {number} mg.\n"
                )
                [result] = library.ingest(path).values()
                delete_document(library.system, LOCAL_ADMIN, str(result.document_id), purge=number % 3 == 0)
        except Exception as error:  # a thread's error would be lost
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    files = []
    try:
        for number in range(6):
            files.append(write_backup(library.system.settings, tmp_path / f"{number}.tar").file)
            time.sleep(0.15)
    finally:
        stopping.set()
        thread.join()
    assert failed == []
    for number, file in enumerate(files):
        with restored(library.system, file, new_home(tmp_path / f"other{number}", models)) as other:
            problems = [problem for problem in verify(other) if problem.what != "pending"]
            assert problems == []
            assert "Tazoline" in search(Query("Tazoline dose"), LOCAL_ADMIN, other).hits[0].passage.text


def test_damage_anywhere_is_noticed_and_nothing_is_touched(lite_filled: Library, tmp_path: Path) -> None:
    written = write_backup(lite_filled.system.settings, tmp_path / "b.tar")
    whole = written.file.read_bytes()
    home = tmp_path / "other"
    places = [len(whole) * part // 17 for part in range(1, 17)]
    for place in places:
        if not any(whole[place - 4 : place + 4]):
            continue  # filling between members, which holds nothing
        (tmp_path / "damaged.tar").write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(InvalidRequest, match=r"damaged\.tar"):
            restore_backup(Settings(home=home), tmp_path / "damaged.tar")
    for length in (0, 100, 5000, len(whole) // 2, len(whole) - 12_000):
        (tmp_path / "short.tar").write_bytes(whole[:length])
        with pytest.raises(InvalidRequest, match=r"short\.tar"):
            restore_backup(Settings(home=home), tmp_path / "short.tar")
    with pytest.raises(NotFound, match="There is no file"):
        restore_backup(Settings(home=home), tmp_path / "none.tar")
    assert not home.exists()


def test_a_home_or_database_that_holds_something_is_refused(
    lite_filled: Library, tmp_path: Path, models: Path, other_url: Callable[[str], str]
) -> None:
    written = write_backup(lite_filled.system.settings, tmp_path / "b.tar")
    with pytest.raises(InvalidRequest, match="empty home"):
        restore_backup(lite_filled.system.settings, written.file)
    url = other_url("postgresql")
    restore_backup(Settings(home=new_home(tmp_path / "first", models), database_url=url), written.file)
    with pytest.raises(InvalidRequest, match="RAG_DATABASE_URL"):
        restore_backup(Settings(home=new_home(tmp_path / "other", models), database_url=url), written.file)
    with pytest.raises(InvalidRequest, match="exists"):
        write_backup(lite_filled.system.settings, written.file)


def test_the_key_of_the_record_is_left_out_where_that_is_asked_for(
    lite_filled: Library, tmp_path: Path, models: Path
) -> None:
    written = write_backup(lite_filled.system.settings, tmp_path / "b.tar", with_audit_key=False)
    assert not written.audit_key
    done = restore_backup(Settings(home=new_home(tmp_path / "other", models)), written.file)
    assert done.audit_key == tmp_path / "other" / "audit.key"
    with (
        open_system(Settings(home=tmp_path / "other")) as other,
        pytest.raises(Unavailable, match="audit key"),
        other.database.writing() as session,
    ):
        audit.append(session, LOCAL_ADMIN, "retention", None, {})
    done.audit_key.write_bytes((lite_filled.system.home / "audit.key").read_bytes())
    with open_system(Settings(home=tmp_path / "other")) as other:
        assert verify(replace(other, embedder=lite_filled.system.embedder)) == []


def killed_at(moment: float, home: Path, *arguments: str) -> int:
    process = subprocess.Popen(
        [EXECUTABLE, *arguments],
        env={**os.environ, "RAG_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(moment)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        return process.wait()


def test_killed_anywhere_both_leave_nothing_half(sample_home: Path, tmp_path: Path, models: Path) -> None:
    file, home, killed = tmp_path / "b.tar", tmp_path / "other", 0
    began = time.monotonic()
    assert killed_at(60, sample_home, "backup", str(tmp_path / "first.tar")) == 0
    longest = time.monotonic() - began
    for part in range(4, 9):
        if killed_at(longest * part / 8, sample_home, "backup", str(file)) != 0:
            killed += 1
            if file.exists():  # it was put in its place just before
                checked(file)
        file.unlink(missing_ok=True)
    assert killed_at(60, sample_home, "backup", str(file)) == 0
    restored = False
    for part in range(3, 9):
        status = killed_at(longest * part / 8, home, "restore", str(file))
        killed += status == -signal.SIGKILL
        if (home / RESTORE_MARKER).exists():
            assert status == -signal.SIGKILL
            with pytest.raises(Unavailable, match="cut off"), open_system(Settings(home=home)):
                pass
        elif (home / "taiyi.db").exists():  # done, though perhaps killed before it could say so
            restored = True
            break
    if not restored:
        assert killed_at(60, home, "restore", str(file)) == 0
    assert killed
    said = subprocess.run(
        [EXECUTABLE, "verify", "--json"], env={**os.environ, "RAG_HOME": str(home)}, capture_output=True, check=False
    )
    assert json.loads(said.stdout)["ok"], said.stderr
