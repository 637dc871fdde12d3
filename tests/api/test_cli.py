import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli import main
from conftest import EXECUTABLE, new_home


@pytest.fixture
def run(sample_copy: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command in this process on a copy of the sample library."""
    monkeypatch.setenv("RAG_HOME", str(sample_copy))

    def invoke(*arguments: str, code: int = 0) -> list:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == code, result.output
        assert code != 1 or "--json" in arguments or len(result.stderr.strip().splitlines()) == 1
        return [json.loads(line) for line in result.stdout.splitlines()] if "--json" in arguments else result

    return invoke


def test_help_answers_in_under_half_a_second_and_imports_no_model_library() -> None:
    started = time.perf_counter()
    shown = subprocess.run([EXECUTABLE, "--help"], capture_output=True, text=True, check=True)
    assert time.perf_counter() - started < 0.5
    assert "no medical advice" in " ".join(shown.stdout.split())
    loaded = "import sys, api.cli; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "faiss", "sqlalchemy", "lxml", "fastapi", "numpy"} & set(modules)


@pytest.mark.parametrize(
    "command",
    "ingest, search, ask, documents, documents show, collections, answers, verify, reindex, doctor, serve".split(", "),
)
def test_every_command_explains_itself(command: str) -> None:
    result = CliRunner().invoke(main, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_asking_and_reading_the_record(run) -> None:
    [answer] = run("ask", "Below which eGFR is metformin contraindicated?", "--json")
    assert answer["status"] == "answered"
    [stored] = run("answers", "show", answer["id"], "--json")
    assert stored == answer
    assert run("answers", "list", "--limit", "1", "--json")[0]["id"] == answer["id"]
    shown = run("ask", "哮喘第1级治疗的首选方案是什么？").output
    assert "[1]" in shown
    assert "no medical advice" in shown


def test_searching_with_filters_and_dates(run) -> None:
    [result] = run("search", "hypertension definition", "--filter", "language=en", "--as-of", "2017-01-01", "--json")
    assert {hit["published"] for hit in result["hits"] if hit["title"].startswith("Hypertension")} == {"2016-03-01"}
    [result] = run("search", "metformin", "--filter", "published>=2016", "--filter", "published<=2016", "--json")
    assert {hit["published"][:4] for hit in result["hits"]} == {"2016"}


def test_how_hits_are_chosen_is_said_on_the_command_line(run, tmp_path: Path) -> None:
    leaflets = tmp_path / "leaflets"
    leaflets.mkdir()
    text = "# Leaflet {}\n\nQuoxidine 5 mg is swallowed with water every morning.\n"
    for number in (1, 2):
        (leaflets / f"{number}.md").write_text(text.format(number))
    designs = {1: "Case Reports", 2: "Systematic Review"}
    (leaflets / "manifest.toml").write_text(
        "".join(f'[[document]]\nfile = "{n}.md"\nstudy_design = "{design}"\n' for n, design in designs.items())
    )
    run("ingest", str(leaflets))
    asked = ("search", "How is quoxidine swallowed?", "--top-k", "3")
    shown = run(*asked, "--prefer-evidence").output
    assert "Systematic Review (level 1 of 5)" in shown
    assert "Also in: Leaflet 1" in shown
    [apart] = run(*asked, "--no-collapse", "--diversity", "0.1", "--json")
    assert [hit["also"] for hit in apart["hits"]] == [[], [], []]
    assert {hit["title"] for hit in apart["hits"]} >= {"Leaflet 1", "Leaflet 2"}
    assert "Also in: Leaflet" in run("ask", "How is quoxidine swallowed?").output
    run(*asked, "--diversity", "2", code=2)


def test_documents_are_listed_shown_and_removed(run) -> None:
    listed = run("documents", "list", "--json")
    hypertension = next(one for one in listed if one["external_id"] == "taiyi-demo-hypertension-en")
    [shown] = run("documents", "show", hypertension["id"], "--json")
    assert "130/80 mmHg" in shown["text"]
    history = run("documents", "history", hypertension["id"], "--json")
    assert [edition["superseded"] for edition in history] == [False, True]
    [receipt] = run("documents", "delete", hypertension["id"], "--json")
    assert receipt["editions"] == 2
    run("documents", "show", hypertension["id"], code=1)
    assert run("verify", "--json") == [{"ok": True, "problems": []}]


def test_ingest_reports_each_file_and_fails_where_one_failed(run, tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("# Good\n\nFine.\n")
    (tmp_path / "bad.pdf").write_bytes(b"junk")
    [report] = run("ingest", str(tmp_path / "good.md"), str(tmp_path / "bad.pdf"), "--json", code=1)
    assert [(Path(one["path"]).name, one["status"]) for one in report["files"]] == [
        ("good.md", "added"),
        ("bad.pdf", "failed"),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "x", "--mode", "grounded"], "RAG_LLM_URL"),
        (["search", "x", "--collection", "nope"], "nope"),
        (["search", "x", "--filter", "nonsense"], "KEY=VALUE"),
        (["search", "x", "--as-of", "yesterday"], "YYYY-MM-DD"),
        (["documents", "show", "no-such-document"], "no-such-document"),
        (["answers", "show", "no-such-answer"], "no-such-answer"),
        (["serve", "--host", "0.0.0.0"], "loopback"),
    ],
)
def test_a_failure_is_one_line_that_says_what(run, arguments: list[str], said: str) -> None:
    result = run(*arguments, code=1)
    assert said in result.stderr
    assert result.stderr.startswith("taiyi-rag: ")


@pytest.mark.parametrize("arguments", [["search"], ["nonsense"], ["search", "x", "--retrieval", "magic"], ["ingest"]])
def test_wrong_usage_exits_with_2(run, arguments: list[str]) -> None:
    run(*arguments, code=2)


def test_an_empty_home_tells_how_to_begin(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(new_home(tmp_path / "home", models)))
    for command in ("search x", "documents list", "ask x"):
        result = CliRunner().invoke(main, command.split())
        assert result.exit_code == 0
        assert "taiyi-rag ingest PATH" in result.output


def test_verify_names_what_does_not_agree(run, sample_copy: Path) -> None:
    next((sample_copy / "index" / "vectors").glob("*.faiss")).unlink()
    [verdict] = run("verify", "--json", code=1)
    assert verdict["ok"] is False
    assert "reindex" in verdict["problems"][0]["message"]
    run("reindex")
    assert run("verify", "--json") == [{"ok": True, "problems": []}]


def test_doctor_says_what_is_in_use(run) -> None:
    parts = {finding["part"]: finding for finding in run("doctor", "--json")}
    assert all(finding["ok"] for finding in parts.values())
    assert "packaged:multilingual-e5-small" in parts["embedder"]["message"]
    assert "24 documents" in parts["documents"]["message"]


def test_a_collection_has_a_threshold_of_its_own_below_which_nothing_is_answered(run) -> None:
    question = "Below which eGFR is metformin contraindicated?"
    [set_to] = run("collections", "set", "default", "--abstain-below", "1", "--json")
    assert (set_to["name"], set_to["abstain_below"]) == ("default", 1.0)
    assert run("collections", "list", "--json") == [set_to]
    assert "abstains below 1" in run("collections", "list").output
    [answer] = run("ask", question, "--json")
    assert (answer["status"], answer["abstention"]["looked_for"]) == ("abstained", question)
    run("collections", "set", "default", "--abstain-below", "default")
    [answer] = run("ask", question, "--json")
    assert (answer["status"], answer["abstention"]) == ("answered", None)


@pytest.mark.parametrize(
    ("stated", "code", "said"), [("2", 1, "no probability"), ("often", 2, "default"), ("nan", 1, "no probability")]
)
def test_a_threshold_that_is_none_is_refused(run, stated: str, code: int, said: str) -> None:
    assert said in run("collections", "set", "default", "--abstain-below", stated, code=code).stderr
    assert "no collection" in run("collections", "set", "nowhere", "--abstain-below", "0.5", code=1).stderr
