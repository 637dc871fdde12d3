"""The measurement of the index by its size, on sizes that make a test last."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.plotting import Line, log_log
from benchmarks.scale import BEGIN, END, Size, law, measure, plotted, put, written
from benchmarks.shaped import enlarged, made_up


def test_made_vectors_keep_the_mean_and_the_spread_of_the_real_ones(tmp_path: Path) -> None:
    real = made_up(1_500, 1).passages
    made = enlarged(real, 6_000)
    np.testing.assert_array_equal(np.sort(made[:1_500], axis=0), np.sort(real, axis=0))
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    mean = real.mean(axis=0)
    assert made[1_500:].mean(axis=0) @ mean == pytest.approx(mean @ mean, rel=0.05)
    assert made[1_500:].var(axis=0).sum() == pytest.approx(real.var(axis=0).sum(), rel=0.1)
    np.testing.assert_array_equal(enlarged(real, 6_000, tmp_path / "rows"), made)


def test_a_size_is_measured_and_its_figures_become_a_law_a_plot_and_a_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.vectors.codes.CODED_FROM", 2_000)
    shaped = made_up(800, 12)
    small, large = (measure(shaped, size, _folder(tmp_path, size)) for size in (500, 2_500))
    assert (small.kind, large.kind) == ("exact", "codes of 4 bit, scored again")
    for one in (small, large):
        assert [row.recall_10 for row in one.searched if row.permitted < 0.2] == [1, 1]
        assert min(row.recall_10 for row in one.searched) > 0.95
        assert one.disk_mib * 2**20 > one.vectors * 384 * 4
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put(page, written(shaped, [small, large]))
    text = page.read_text()
    assert re.match(r"before\n.*\nafter\n$", text, re.DOTALL)
    assert "old" not in text
    assert "| 2,500 | codes of 4 bit, scored again |" in text
    assert "<svg" in plotted([small, large])


def _folder(under: Path, size: int) -> Path:
    folder = under / str(size)
    folder.mkdir()
    return folder


def test_a_law_is_that_of_the_figures() -> None:
    size = Size(1, "", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ())
    sizes = [replace(size, vectors=n, disk_mib=0.25 * n**1.5) for n in (100, 1_000, 10_000)]
    assert law(sizes, lambda one: one.disk_mib) == pytest.approx((0.25, 1.5))


def test_a_plot_has_each_line_inside_its_frame_and_names_that_do_not_cover_each_other() -> None:
    drawn = log_log("Title <b>", "n", [Line(f"line {n}", [(10, 3 + n / 10), (1000, 5)]) for n in range(4)])
    assert "Title &lt;b&gt;" in drawn
    heights = sorted(float(y) for y in re.findall(r'y="([\d.]+)" fill="#\w+">line', drawn))
    assert all(after - before >= 15.9 for before, after in pairwise(heights))
    assert all(46 <= float(y) <= 408 for y in re.findall(r'cy="([\d.]+)"', drawn))
