"""Nothing acknowledged is lost whatever fails: the benchmark itself, small; at full length as a long test."""

import os
import subprocess
import sys
from pathlib import Path

import faults
import pytest

from conftest import EXECUTABLE, PROJECT, new_home

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_faults_under_load_lose_nothing(database: str, models: Path, sample_backup: Path) -> None:
    report = faults.measure(database, 3, 14, models, every=3, prepared=sample_backup)
    assert report["problems"] == []
    assert sum(report["faults"].values()) > 0


def test_a_full_and_a_read_only_disk_are_told_in_one_line_and_lose_nothing(models: Path, sample_backup: Path) -> None:
    with faults.disk_of_its_own(60) as disk:
        if disk is None:
            pytest.skip("only root can mount a small disk to fill")
        home = new_home(disk / "home", models)
        command(home, 0, "restore", str(sample_backup))
        filler = disk / "filler"
        with pytest.raises(OSError, match="No space left"), filler.open("wb", buffering=0) as out:
            while True:
                out.write(bytes(64 * 1024))
        command(home, 1, "ingest", str(PROJECT / "README.md"))
        command(home, 1, "backup", str(disk / "b.tar"))
        filler.unlink()
        assert not (disk / "b.tar").exists()
        faults.remount(disk, "ro")
        command(home, 1, "ingest", str(PROJECT / "README.md"))
        faults.remount(disk, "rw")
        command(home, 0, "verify")


def command(home: Path, status: int, *arguments: str) -> None:
    """Runs it; a failure is one line."""
    environment = {**os.environ, "RAG_HOME": str(home)}
    done = subprocess.run([EXECUTABLE, *arguments], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    if status:
        assert done.stderr.startswith("taiyi-rag: "), done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.full
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_faults_under_the_load_of_64_users_for_ten_minutes_lose_nothing(
    database: str, models: Path, sample_backup: Path
) -> None:
    report = faults.measure(
        database, 64, 600, models, every=8, prepared=sample_backup, with_clock=True, with_model=True
    )
    assert report["problems"] == []
    assert report["faults"].keys() >= {"kill the service", "kill the worker"}
