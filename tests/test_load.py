"""Many users at once: the benchmark itself, small; at the size of its published figures as a long test."""

from pathlib import Path

import load
import pytest


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_users_at_once_lose_and_double_nothing(database: str, models: Path, sample_backup: Path) -> None:
    report = load.measure(database, 6, 6, models, sample_backup)
    assert report["problems"] == []
    assert report["uploaded"] > 0
    assert all(report["kinds"][kind]["ok"] > 0 for kind in ("search", "ask", "upload"))


@pytest.mark.full
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_64_users_for_ten_minutes(database: str, models: Path, sample_backup: Path) -> None:
    assert load.measure(database, 64, 600, models, sample_backup)["problems"] == []


def test_what_was_lost_doubled_or_not_declared_is_told(models: Path, sample_backup: Path) -> None:
    """The benchmark notices what it is there to notice."""
    with load.served("sqlite", models, prepared=sample_backup) as (service, _):
        told = load.Told(jobs={"Lost": "none"}, wrong=["search: 500 oops"], answers=["none"])
        problems = load.problems_of(service, told)
    assert len(problems) >= 3
    assert any("Lost was taken in, and is there 0 times" in problem for problem in problems)
    assert any("500" in problem for problem in problems)
    assert any("answer none" in problem for problem in problems)
