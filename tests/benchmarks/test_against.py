"""The comparison with other systems, and the GPU's table: what is made of the figures, and the parts that run here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from against import levels, proportional_bytes, run, size_of, tree
from against_table import BEGIN, END, WHY, Row, agreement, markdown, measured, percentile, put, standing
from beyond import tried
from gpu import faiss_rows, made_up, recall_of, table

from conftest import PROJECT
from rag.permitted import Permitted
from rag.vectors import open_vectors


def row(lower: bool, **values: list[float]) -> Row:
    return Row("update_disk", "made up", lower, 1, values)


def test_who_is_ahead_is_said_by_medians_and_in_the_direction_of_the_measure() -> None:
    taken = {"taiyi": [9.0, 10.0, 99.0], "langchain": [20.0, 20.0, 1.0], "txtai": [15.0]}
    assert standing(row(True, **taken)) == "ahead, 1.50 to 2.00 times"
    assert standing(row(False, **taken)).startswith("behind: times LangChain 2.00, txtai 1.50; ")
    assert standing(row(True, taiyi=[1.0], taiyi_served=[0.1])) == ""


def test_a_row_in_which_one_is_faster_says_by_how_much_and_why() -> None:
    said = standing(row(True, taiyi=[30.0], langchain=[10.0], haystack=[60.0]))
    assert said == f"behind: times LangChain 3.00; {WHY['update_disk']}"


def test_percentiles_are_values_that_were_measured() -> None:
    assert [percentile([4, 1, 3, 2], part) for part in (1, 50, 51, 99)] == [1, 2, 3, 4]


def test_agreement_counts_what_is_among_the_closest() -> None:
    nearest = {"a": ["1", "2"], "b": ["3", "4"]}
    assert agreement({"a": ["2", "1"], "b": ["9", "4"]}, nearest) == 0.75


def used(latency: float) -> dict[str, Any]:
    level = {"latencies_s": [latency] * 4, "whole_s": 4 * latency, "processor_s": latency}
    changed = [{"in_memory_s": latency, "on_disk_s": 2 * latency}]
    return {
        "first_answer_s": latency,
        "peak_bytes": 1 << 20,
        "levels": {"1": level},
        "changed": {"update": changed, "delete": changed},
        "found": {"q": ["1"]},
    }


def test_every_measure_of_every_system_is_in_the_table() -> None:
    found: dict[str, Any] = {
        name: {
            "ingest": [{"passages": 10, "ingest_s": second, "processor_s": 1, "peak_bytes": 1 << 21}],
            "use": [used(second), used(2 * second), used(3 * second)],
            "reload": [{"reload_s": second}],
        }
        for name, second in (("taiyi", 0.1), ("langchain", 0.2))
    }
    rows = measured(found, {"taiyi": 100, "langchain": 50}, {"q": ["1"]})
    about = {"date": "today", "processor": "P", "cores": 2, "memory_gib": 24, "python": "3", "rounds": 3}
    about |= {"load_before": 3.0, "load_after": 1.0, "passages": 10, "library": 20, "source": "S"}
    lines = list(markdown(about, rows, {"taiyi": {"x": "1"}, "langchain": {"y": "2"}}))
    told = "\n".join(lines)
    assert "so beside other work" in told
    assert (
        "| question, 1 client, p50, ms | 200.0 (100.0–300.0) | 400.0 (200.0–600.0) | ahead, 2.00 to 2.00 times |"
        in told
    )
    assert "| passages read in a second | 100.0 | 50.0 | ahead, 2.00 to 2.00 times |" in told
    assert any(
        line.startswith("| bytes on disk a passage | 100 | 50 | behind: times LangChain 2.00; ") for line in lines
    )
    assert "not explained" not in told


def test_a_page_gets_the_new_table_in_the_place_of_the_old(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\n| old |\n{END}\nafter\n", encoding="utf-8")
    put(page, ["| new |"])
    assert page.read_text(encoding="utf-8") == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"
    page.write_text("no marks", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"against\.py writes"):
        put(page, ["| new |"])


def test_the_levels_shrink_with_the_questions_there_are() -> None:
    assert levels(10_000) == [(1, 50), (8, 120), (32, 192)]
    assert sum(count for _, count in levels(62)) <= 56


def test_memory_is_counted_with_that_of_the_children() -> None:
    child = subprocess.Popen([sys.executable, "-c", "print('up', flush=True); input()"], stdin=-1, stdout=-1)
    assert child.stdout is not None
    child.stdout.readline()
    try:
        assert child.pid in list(tree(os.getpid()))
        assert proportional_bytes(child.pid) > 1 << 20
    finally:
        child.communicate(b"\n")
    assert proportional_bytes(child.pid) == 0


def test_what_links_lead_to_takes_no_room(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "model").write_bytes(b"x" * 1000)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "models").symlink_to(tmp_path / "far")
    (tmp_path / "home" / "taiyi.db").write_bytes(b"x" * 10)
    assert size_of(tmp_path / "home") == 10


def test_this_project_goes_through_the_acts_of_the_scenario(tmp_path: Path, models: Path) -> None:
    """The others' venv is not here, so their parts are not run."""
    passages = tmp_path / "passages.jsonl"
    texts = [
        f"Drug{number} is given at {number + 5} mg a day to adults with a chronic disease." for number in range(12)
    ]
    lines = (json.dumps({"id": f"p{number}", "text": text}) for number, text in enumerate(texts))
    passages.write_text("\n".join(lines), encoding="utf-8")
    changed = {
        "update": [{"id": f"p{n}", "text": f"Drug{n} was withdrawn in revision {n}."} for n in (1, 2)],
        "delete": [{"id": f"p{n}", "text": texts[n]} for n in (3, 4)],
    }
    home = tmp_path / "home"
    home.mkdir()

    def act(name: str, **job: Any) -> dict[str, Any]:
        stated = {"system": "taiyi", "act": name, "folder": str(home), "model": str(models / "any"), **job}
        (tmp_path / "job.json").write_text(json.dumps(stated), encoding="utf-8")
        scenario = PROJECT / "benchmarks" / "peers" / "scenario.py"
        finished = run([sys.executable, str(scenario), str(tmp_path / "job.json")])
        assert finished.peak_bytes > 100 << 20
        return finished.said

    assert act("ingest", passages=str(passages))["passages"] == 12
    questions = [f"How much of Drug{number} is given?" for number in range(10)]
    used = act("use", questions=questions, levels=[[1, 2], [2, 2]], **changed)
    assert [len(used["levels"][clients]["latencies_s"]) for clients in ("1", "2")] == [2, 2]
    assert set(used["found"]) == set(questions[6:])
    assert [len(times) for times in used["changed"].values()] == [1, 1]
    assert act("reload", questions=questions, **changed)["wrong"] == []
    kept = {"update": [{"id": "p3", "text": texts[3]}], "delete": [{"id": "p5", "text": texts[5]}]}
    assert len(act("reload", questions=questions, **kept)["wrong"]) == 2


def test_faiss_is_measured_against_an_exact_scan() -> None:
    flat, listed = faiss_rows(4000, 32, 40, on_gpu=False)
    assert (flat.device, flat.recall) == ("CPU", 1.0)
    assert listed.recall is not None
    assert 0.5 < listed.recall <= 1
    assert recall_of(np.array([[1, 2], [3, 4]]), np.array([[2, 9], [4, 3]])) == pytest.approx(0.75)
    assert [line.count("|") for line in table([flat, listed])] == [7] * 4


def test_a_place_beyond_this_machine_is_used_as_files_are(tmp_path: Path) -> None:
    vectors, questions = made_up(300, 24, 3)
    kept: dict[str, list[float]] = {}
    with open_vectors("faiss:", tmp_path) as place:
        found = tried(place, np.arange(1, 301), vectors, questions, Permitted(np.arange(1, 301, 2)), "half", kept)
        assert not list(tmp_path.glob("*"))
    assert [len(ids) for ids in found] == [100] * 3
    assert all(identifier % 2 for ids in found for identifier in ids)
    assert [len(times) for times in kept.values()] == [1, 3, 1, 1]
