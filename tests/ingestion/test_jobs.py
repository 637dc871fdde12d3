from pathlib import Path

import pytest

from ingestion import jobs
from rag.errors import InvalidRequest, NotFound
from rag.retrieval import search
from rag.system import System
from rag.types import LOCAL_ADMIN, Caller, Query, Role


def upload(system: System, tmp_path: Path, text: str, name: str = "a.md", stated: dict | None = None) -> jobs.Job:
    incoming = tmp_path / "incoming"
    incoming.write_text(text, encoding="utf-8")
    return jobs.accept(system, LOCAL_ADMIN, "default", incoming, name, stated or {})


def run_all(system: System) -> None:
    """A worker that finds what waits, does it, and ends."""
    with jobs.worker(system):
        pass


def test_what_waits_in_sql_is_done_by_the_next_worker(system: System, tmp_path: Path) -> None:
    first = upload(system, tmp_path, "# A\n\nTazoline is given at 5 mg.\n", "a.md", {"publisher": "P"})
    second = upload(system, tmp_path, "", "empty.md")
    assert jobs.job(system, LOCAL_ADMIN, first.id).state == "queued"
    run_all(system)
    done, failed = (jobs.job(system, LOCAL_ADMIN, one.id) for one in (first, second))
    assert (done.state, done.counts, done.files[0]["path"]) == ("succeeded", {"added": 1}, "a.md")
    assert (failed.state, "empty" in failed.files[0]["reason"]) == ("failed", True)
    assert search(Query("Tazoline"), LOCAL_ADMIN, system).hits[0].passage.publisher == "P"
    assert not any((system.home / "uploads").iterdir())


def test_a_job_that_was_cut_off_while_running_is_run_again(system: System, tmp_path: Path) -> None:
    from rag.tables import JobRow

    job = upload(system, tmp_path, "# A\n\nTazoline is given at 5 mg.\n")
    with system.database.writing() as session:
        session.get_one(JobRow, job.id).state = "running"
    run_all(system)
    assert jobs.job(system, LOCAL_ADMIN, job.id).state == "succeeded"


def test_the_same_upload_twice_comes_in_once(lite_system: System, tmp_path: Path) -> None:
    both = [upload(lite_system, tmp_path, "# A\n\nTazoline is given at 5 mg.\n", name) for name in ("a.md", "b.md")]
    run_all(lite_system)
    counts = [jobs.job(lite_system, LOCAL_ADMIN, job.id).counts for job in both]
    assert counts == [{"added": 1}, {"unchanged": 1}]
    assert len(search(Query("Tazoline"), LOCAL_ADMIN, lite_system).hits) == 1


def test_a_file_name_cannot_leave_its_folder(lite_system: System, tmp_path: Path) -> None:
    for name in ("../../etc/passwd.md", "..\\..\\passwd.md", "/passwd.md"):
        assert upload(lite_system, tmp_path, "# A\n\nText.\n", name).filename == "passwd.md"
    assert upload(lite_system, tmp_path, "# A\n\nText.\n", "..").filename == "upload"
    assert upload(lite_system, tmp_path, "# A\n\nText.\n", "x\0" * 500 + ".md").filename == "x" * 60 + ".md"


def test_bad_metadata_is_refused_before_anything_is_stored(lite_system: System, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="colour"):
        upload(lite_system, tmp_path, "# A", stated={"colour": "red"})
    assert not (lite_system.home / "uploads").exists()


def test_a_job_is_seen_by_its_caller_and_administrators(lite_system: System, tmp_path: Path) -> None:
    job = upload(lite_system, tmp_path, "# A\n\nText.\n")
    with pytest.raises(NotFound):
        jobs.job(lite_system, Caller("other", Role.EDITOR), job.id)
    assert jobs.job(lite_system, Caller("other", Role.ADMIN), job.id) == job
