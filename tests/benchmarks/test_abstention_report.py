"""What the measurement of answering or not makes of probabilities, and its report."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.abstention import Found, with_probability, write_report

PLAIN = Found(4, False, 0.4, 0.75, 0.25)


def test_probabilities_are_held_against_what_could_be_answered(tmp_path: Path) -> None:
    """Every answerable question is above every other. Four bins of two cases each: 0.9
    stated and both answerable, 0.7 with both, 0.3 with none, 0.1 with none, so 0.2 off in the mean."""
    answerable = np.array([True, False] * 4)
    found = with_probability(PLAIN, [0.9, 0.1, 0.9, 0.1, 0.7, 0.3, 0.7, 0.3], answerable)
    assert found.auroc is not None
    assert (found.auroc.value, found.auroc.low, found.auroc.high) == (1, 1, 1)
    assert found.ece == pytest.approx(0.2)
    assert (found.bar, found.leaked) == (pytest.approx(0.7), 0)
    assert [(one.count, one.came_true) for one in found.bins] == [(2, 0), (2, 0), (2, 1), (2, 1)]
    write_report(found, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.count('class="reliability"') == 2
    for words in (
        "Reliability: answerable by stated probability of an answer",
        "所述能回答的概率",
        "可答者被作答的比例",
    ):
        assert words in page


def test_without_a_calibration_the_report_has_no_diagram(tmp_path: Path) -> None:
    write_report(PLAIN, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<svg" not in page
    assert "0.750" in page
