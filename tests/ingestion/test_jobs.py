"""Jobs as records, and running them in this process."""

import json
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from conftest import Library
from ingestion import jobs
from ingestion.pipeline import Listener, discover
from ingestion.running import TRIES, next_jobs, run_now, run_waiting
from rag.errors import Forbidden, InvalidRequest, NotFound, UnsupportedFormat
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System
from rag.tables import JobFileRow, JobRow
from rag.types import LOCAL_ADMIN, Caller, Query, Role

EDITOR = Caller("editor", Role.EDITOR, frozenset({"default"}))


def upload(
    system: System, tmp_path: Path, content: str | bytes, name: str = "a.md", stated: dict[str, Any] | None = None
) -> jobs.Job:
    incoming = tmp_path / "incoming"
    incoming.write_bytes(content.encode() if isinstance(content, str) else content)
    return jobs.accept(system, LOCAL_ADMIN, "default", incoming, name, stated or {})


def run_all(system: System) -> None:
    for job_id in next_jobs(system):
        run_waiting(system, job_id, lambda: False)


def done(system: System, job_id: str) -> jobs.Job:
    return jobs.job(system, LOCAL_ADMIN, job_id)


def found(system: System, words: str) -> list[str]:
    return [hit.passage.text for hit in search(Query(words), LOCAL_ADMIN, system).hits if words in hit.passage.text]


def after(files: int) -> Callable[[], bool]:
    """Says stop when it has been asked for ``files`` files."""
    left = [files]

    def should_stop() -> bool:
        left[0] -= 1
        return left[0] < 0

    return should_stop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.md").write_text(f"# Drug{number}\n\nDrug{number} is given at {number + 1} mg.\n")
    return folder


def test_what_waits_in_sql_is_done_and_told_by_file(system: System, tmp_path: Path) -> None:
    first = upload(system, tmp_path, "# A\n\nTazoline is given at 5 mg.\n", "a.md", {"publisher": "P"})
    second = upload(system, tmp_path, "", "empty.md")
    assert (first.state, first.filename, first.counts) == ("queued", "a.md", {})
    run_all(system)
    good, bad = done(system, first.id), done(system, second.id)
    assert (good.state, good.counts, good.passages) == ("succeeded", {"added": 1}, 1)
    assert [(file.path, file.status) for file in good.files or ()] == [("a.md", "added")]
    assert (good.files or ())[0].document_id
    assert (bad.state, bad.counts) == ("failed", {"failed": 1})
    assert "empty" in str((bad.files or ())[0].reason)
    assert search(Query("Tazoline"), LOCAL_ADMIN, system).hits[0].passage.document_id
    assert [folder.name for folder in (system.home / "uploads").iterdir()] == [second.id]
    assert list((system.home / "jobs").iterdir()) == []


def test_the_same_upload_twice_comes_in_once(system: System, tmp_path: Path) -> None:
    both = [upload(system, tmp_path, "# A\n\nTazoline is given at 5 mg.\n", name) for name in ("a.md", "b.md")]
    run_all(system)
    assert [done(system, job.id).counts for job in both] == [{"added": 1}, {"unchanged": 1}]
    assert len(found(system, "Tazoline")) == 1


def test_a_folder_is_planned_then_read(system: System, folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 broken")
    run = run_now(system, LOCAL_ADMIN, "default", [folder], discover([folder]))
    assert run.state == "partial"
    job = done(system, run.job_id)
    assert (job.counts, job.files_done, job.files_total) == ({"added": 6, "failed": 1}, 7, 7)
    assert [Path(file.path).name for file in job.files or ()][:2] == ["broken.pdf", "0.md"]
    assert [file.status for file in jobs.job(system, LOCAL_ADMIN, run.job_id, "failed").files or ()] == ["failed"]


def test_a_job_stopped_between_files_keeps_what_it_read_and_retry_reads_the_rest(system: System, folder: Path) -> None:
    files = discover([folder])
    run = run_now(system, LOCAL_ADMIN, "default", [folder], files, listener=Listener(should_stop=after(3)))
    assert run.state == "cancelled"
    job = done(system, run.job_id)
    assert 0 < job.counts["added"] < 6
    assert job.counts["added"] + job.counts["queued"] == 6
    assert len([drug for drug in range(6) if found(system, f"Drug{drug}")]) == job.counts["added"]
    assert jobs.retry(system, LOCAL_ADMIN, job.id).state == "queued"
    rest = run_waiting(system, job.id, lambda: False)
    assert rest is not None
    assert len(rest.results) == job.counts["queued"]
    assert (done(system, job.id).state, done(system, job.id).counts) == ("succeeded", {"added": 6})


def test_a_worker_that_leaves_queues_its_job_again(system: System, folder: Path) -> None:
    job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    leaving = after(4)
    run = run_waiting(system, job.id, leaving)
    assert run is not None
    assert run.state == "queued"
    assert done(system, job.id).finished_at is None
    run_all(system)
    assert (done(system, job.id).state, done(system, job.id).counts) == ("succeeded", {"added": 6})


def test_a_job_that_was_cut_off_goes_on_without_the_files_that_were_done(system: System, folder: Path) -> None:
    job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    with system.database.writing() as session:
        session.get_one(JobRow, job.id).state = "running"
        for ordinal in range(6):
            session.add(
                JobFileRow(
                    job_id=job.id,
                    ordinal=ordinal,
                    location=str(folder / f"{ordinal}.md"),
                    status="added" if ordinal < 2 else "queued",
                    documents=1,
                    flagged=0,
                )
            )
    run = run_waiting(system, job.id, lambda: False)
    assert run is not None
    assert sorted(Path(result.path).name for result in run.results) == ["2.md", "3.md", "4.md", "5.md"]
    assert done(system, job.id).counts == {"added": 6}


def test_a_job_that_another_process_holds_is_left_alone(lite_system: System, folder: Path) -> None:
    job = jobs.detach(lite_system, LOCAL_ADMIN, "default", [folder])
    (lite_system.home / "jobs").mkdir()
    with FileLock(lite_system.home / "jobs" / f"{job.id}.lock"):
        assert run_waiting(lite_system, job.id, lambda: False) is None
    assert run_waiting(lite_system, job.id, lambda: False) is not None


def test_a_file_that_ended_its_reader_again_and_again_is_given_up(lite_system: System, folder: Path) -> None:
    job = jobs.detach(lite_system, LOCAL_ADMIN, "default", [folder])
    (lite_system.home / "jobs").mkdir()
    (lite_system.home / "jobs" / f"{job.id}.tries").write_text(str(TRIES))
    run_all(lite_system)
    ended = done(lite_system, job.id)
    assert (ended.state, ended.counts) == ("partial", {"added": 5, "failed": 1})
    assert "ended the process" in str((ended.files or ())[0].reason)
    assert list((lite_system.home / "jobs").iterdir()) == []


def test_cancelling_before_it_began_and_after_it_ended(system: System, folder: Path) -> None:
    job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    assert jobs.cancel(system, LOCAL_ADMIN, job.id).state == "cancelled"
    assert next_jobs(system) == []
    assert run_waiting(system, job.id, lambda: False) is None
    jobs.retry(system, LOCAL_ADMIN, job.id)
    run_all(system)
    ended = jobs.cancel(system, LOCAL_ADMIN, job.id)
    assert (ended.state, ended.cancel_requested, ended.counts) == ("succeeded", False, {"added": 6})


def test_retry_reads_the_failed_files_only(system: System, folder: Path) -> None:
    (folder / "late.md").write_bytes(b"")
    run = run_now(system, LOCAL_ADMIN, "default", [folder], discover([folder]))
    assert run.state == "partial"
    (folder / "late.md").write_text("# Late\n\nQuoxin comes late.\n")
    jobs.retry(system, LOCAL_ADMIN, run.job_id)
    again = run_waiting(system, run.job_id, lambda: False)
    assert again is not None
    assert [Path(result.path).name for result in again.results] == ["late.md"]
    assert (again.state, done(system, run.job_id).counts) == ("succeeded", {"added": 7})
    assert found(system, "Quoxin")
    with pytest.raises(InvalidRequest, match="nothing to retry"):
        jobs.retry(system, LOCAL_ADMIN, run.job_id)


def test_a_failed_upload_can_be_retried(system: System, tmp_path: Path) -> None:
    job = upload(system, tmp_path, "", "empty.md")
    with pytest.raises(InvalidRequest, match="once it has ended"):
        jobs.retry(system, LOCAL_ADMIN, job.id)
    run_all(system)
    jobs.retry(system, LOCAL_ADMIN, job.id)
    run_all(system)
    assert done(system, job.id).counts == {"failed": 1}


def test_an_archive_is_told_by_its_files_and_only_the_failed_one_is_retried(system: System, tmp_path: Path) -> None:
    packed = tmp_path / "bundle.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("good.md", "# Good\n\nTazoline is given at 5 mg.\n")
        archive.writestr("in/bad.pdf", b"junk")
    job = upload(system, tmp_path, packed.read_bytes(), "bundle.zip")
    run_all(system)
    told = [("bundle.zip!/in/bad.pdf", "failed"), ("bundle.zip!/good.md", "added")]
    assert [(file.path, file.status) for file in done(system, job.id).files or ()] == told
    assert done(system, job.id).state == "partial"
    jobs.retry(system, LOCAL_ADMIN, job.id)
    run_all(system)
    assert [(file.path, file.status) for file in done(system, job.id).files or ()] == told


def test_a_job_with_a_wrong_manifest_fails_as_a_whole_and_says_why(system: System, folder: Path) -> None:
    (folder / "manifest.toml").write_text('[[document]]\nfile = "0.md"\ncolour = "red"\n')
    job = jobs.detach(system, LOCAL_ADMIN, "default", [folder])
    run_all(system)
    ended = done(system, job.id)
    assert (ended.state, ended.counts) == ("failed", {})
    assert "colour" in str(ended.error)
    (folder / "manifest.toml").unlink()
    jobs.retry(system, LOCAL_ADMIN, job.id)
    run_all(system)
    assert (done(system, job.id).state, done(system, job.id).error) == ("succeeded", None)


def test_a_file_name_that_is_no_utf8_is_told_in_writing(system: System, folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.pdf")).write_bytes(b"junk")
    run = run_now(system, LOCAL_ADMIN, "default", [folder], discover([folder]))
    failed = jobs.job(system, LOCAL_ADMIN, run.job_id, "failed").files or ()
    assert [Path(file.path).name for file in failed] == [r"\xff.pdf"]


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("../../etc/passwd.md", "passwd.md"),
        ("..\\..\\passwd.md", "passwd.md"),
        ("/passwd.md", "passwd.md"),
        ("x\0" * 500 + ".md", "x" * 60 + ".md"),
        ("x" * 100 + ".tar.gz", "x" * 60 + ".tar.gz"),
        ("指南 2024.第3版.pdf", "指南 2024.第3版.pdf"),
    ],
)
def test_a_file_name_cannot_leave_its_folder(lite_system: System, tmp_path: Path, stated: str, kept: str) -> None:
    job = upload(lite_system, tmp_path, "# A\n\nText.\n", stated)
    assert job.filename == kept
    assert (jobs.upload_folder(lite_system, job.id) / kept).is_file()


@pytest.mark.parametrize("stated", ["..", "", "scan.xyz", "a.md.exe"])
def test_a_name_of_no_kind_that_is_read_is_refused_before_anything_is_stored(
    lite_system: System, tmp_path: Path, stated: str
) -> None:
    with pytest.raises(UnsupportedFormat, match="what is read is"):
        upload(lite_system, tmp_path, "# A\n\nText.\n", stated)
    assert not (lite_system.home / "uploads").exists()


def test_bad_metadata_is_refused_before_anything_is_stored(system: System, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="colour"):
        upload(system, tmp_path, "# A", stated={"colour": "red"})
    assert not (system.home / "uploads").exists()


def test_jobs_are_seen_by_their_caller_and_administrators(system: System, tmp_path: Path) -> None:
    mine = upload(system, tmp_path, "# A\n\nText.\n")
    (tmp_path / "theirs.md").write_text("# B\n\nText.\n")
    theirs = jobs.accept(system, EDITOR, "default", tmp_path / "theirs.md", "b.md", {})
    for refused in (jobs.job, jobs.summary, jobs.cancel, jobs.retry):
        with pytest.raises(NotFound):
            refused(system, EDITOR, mine.id)
    assert jobs.summary(system, Caller("other", Role.ADMIN), mine.id) == mine
    assert [job.id for job in jobs.listing(system, EDITOR)[0]] == [theirs.id]
    listed, total = jobs.listing(system, LOCAL_ADMIN, limit=1)
    assert ([job.id for job in listed], total) == ([theirs.id], 2)
    assert jobs.listing(system, LOCAL_ADMIN, state="running") == ([], 0)
    with pytest.raises(InvalidRequest, match="finished"):
        jobs.listing(system, LOCAL_ADMIN, state="finished")


def test_loading_takes_an_editor_and_a_collection_of_theirs(system: System, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A")
    with pytest.raises(Forbidden, match="editor"):
        jobs.accept(system, Caller("reader", Role.READER), "default", tmp_path / "a.md", "a.md", {})
    with pytest.raises(NotFound, match="secret"):
        jobs.accept(system, EDITOR, "secret", tmp_path / "a.md", "a.md", {})


def test_folders_over_http_are_held_to_the_roots(system: System, folder: Path, tmp_path: Path) -> None:
    anywhere = Caller("editor", Role.EDITOR)
    inside, outside = folder / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    (outside / "secret.md").write_text("# Secret\n\nQuoxin is secret.\n")
    (inside / "open.md").write_text("# Open\n\nTazoline is open.\n")
    (inside / "link.md").symlink_to(outside / "secret.md")
    (inside / "away").symlink_to(outside)
    with pytest.raises(Forbidden, match="RAG_INGEST_ROOTS"):
        jobs.accept_folders(system, anywhere, "default", [str(inside)])
    settings = Settings(home=system.home, ingest_roots=f"/nowhere:{folder}")
    system = replace(system, settings=settings)
    for path in (outside, inside / "away", inside / "away" / "secret.md", f"{inside}/../../outside", "inside"):
        with pytest.raises(Forbidden, match="RAG_INGEST_ROOTS"):
            jobs.accept_folders(system, anywhere, "default", [str(path)])
    with pytest.raises(InvalidRequest, match=r"There is no .*missing"):
        jobs.accept_folders(system, anywhere, "default", [str(inside / "missing")])
    with pytest.raises(Forbidden, match="all collections"):
        jobs.accept_folders(system, EDITOR, "default", [str(inside)])
    job = jobs.accept_folders(system, anywhere, "default", [str(inside)])
    run_all(system)
    assert [(Path(file.path).name, file.status) for file in done(system, job.id).files or ()] == [("open.md", "added")]
    assert found(system, "Quoxin") == []


def test_records_in_one_file_are_one_file_with_many_documents(library: Library) -> None:
    lines = (json.dumps({"id": f"r{i}", "title": f"Record {i}", "text": f"Record {i} on Drug{i}."}) for i in range(70))
    path = library.write("records.jsonl", "\n".join(lines))
    began = time.time()
    run = run_now(library.system, LOCAL_ADMIN, "default", [path], discover([path]))
    [file] = done(library.system, run.job_id).files or ()
    assert (file.status, file.documents, file.document_id) == ("added", 70, None)
    job = done(library.system, run.job_id)
    assert job.passages == 70
    assert str(job.started_at) >= time.strftime("%Y-%m-%d", time.gmtime(began))
