"""Nothing acknowledged is lost whatever fails: the benchmark itself, small; at full length as a long test."""

import sys
from pathlib import Path

import faults
import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_faults_under_load_lose_nothing(database: str, models: Path, sample_backup: Path) -> None:
    report = faults.measure(database, 3, 14, models, every=3, prepared=sample_backup)
    assert report["problems"] == []
    assert sum(report["faults"].values()) > 0


@pytest.mark.full
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_faults_under_the_load_of_64_users_for_ten_minutes_lose_nothing(
    database: str, models: Path, sample_backup: Path
) -> None:
    report = faults.measure(database, 64, 600, models, every=8, prepared=sample_backup)
    assert report["problems"] == []
    assert report["faults"].keys() >= {"kill the service", "kill the worker"}
