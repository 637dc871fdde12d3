"""``evaluate taiyi2`` on made-up files in the published formats, with a model that says what a test wants said."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from scripted_server import Broken, Messages, ScriptedServer

from api.cli import main
from llm.broken_server import Fault, serving
from rag.asking_many import HOPELESS, Reply, ask_many
from rag.errors import ModelFailed, Unavailable
from rag.llm import LanguageModel, run
from rag.settings import Settings
from rag.types import GREEDY

PUBTATOR = """\
101|t|Zirconix and tremor.
101|a|Two men took Zirconix and had tremor.
101\t0\t8\tZirconix\tChemical\tD1
101\t13\t19\ttremor\tDisease\tD7
101\tCID\tD1\tD7

102|t|Salt <b>and</b> fever.
102|a|A woman took salt. She had a fever.
102\t0\t4\tSalt\tChemical\tD2
102\t16\t21\tfever\tDisease\tD8
"""
QUERIES = [
    {"id": "s1", "query": "拔牙要花多少钱", "label": "医疗费用"},
    {"id": "s2", "query": "为什么会头痛", "label": "病因分析"},
    {"id": "s3", "query": "没有标签的问题"},
]
QUESTIONS = [
    {"question": "Which is red?", "options": {"A": "Sky", "B": "Blood"}, "answer_idx": "B"},
    {"question": "Which is blue?", "options": {"A": "Sky", "B": "Blood"}, "answer_idx": "A"},
]
SAID = {
    "chemical entities.*Zirconix": "chemical: Zirconix; tremor",
    "chemical entities.*Salt": "chemical: Salt",
    "disease entities.*Zirconix": "disease: Tremor",
    "disease entities.*Salt": "None",
    "induces.*Zirconix": "chemical-induced disease: [Zirconix, tremor]",
    "induces.*Salt": "chemical-induced disease: [salt, fever]",
    "拔牙": "上述文本被分类为：医疗费用",
    "头痛": "上述文本被分类为：<i>治疗方案</i>",
    "没有标签": "上述文本被分类为：其他",
    "Which is red": "B. Blood",
    "Which is blue": "The answer is B.",
}


def scripted(messages: Messages) -> str:
    [said] = [reply for asked, reply in SAID.items() if re.search(asked, messages[-1]["content"], re.DOTALL)]
    return said


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer(scripted) as server:
        yield server


@pytest.fixture(autouse=True)
def _a_home(tmp_path: Path, model: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_LLM_URL", model.url)
    monkeypatch.setenv("RAG_LLM_CONCURRENCY", "3")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "questions" / "US").mkdir(parents=True)
    (folder / "CDR_TestSet.PubTator.txt").write_text(PUBTATOR, "utf-8")
    (folder / "KUAKE-QIC_dev.json").write_text(json.dumps(QUERIES, ensure_ascii=False), "utf-8")
    lines = "".join(json.dumps(one) + "\n" for one in QUESTIONS)
    (folder / "questions" / "US" / "test.jsonl").write_text(lines, "utf-8")
    return folder


def evaluated(data: Path, *options: str) -> Result:
    arguments = ["evaluate", "taiyi2", "--data", str(data), "--out", str(data.parent / "out"), *options]
    return CliRunner().invoke(main, arguments)


def metrics(data: Path) -> dict[str, Any]:
    return dict(json.loads((data.parent / "out" / "metrics.json").read_text("utf-8")))


def items(data: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (data.parent / "out" / "items.jsonl").read_text("utf-8").splitlines()]


def test_figures_are_those_reckoned_by_hand(data: Path) -> None:
    """Chemicals: right 2, wrong 1. Diseases: right 1, missed 1. Relations: right 1, wrong 1. Labels: one of two.
    Choices: one of two."""
    result = evaluated(data, "--json")
    assert result.exit_code == 0, result.output
    [printed] = map(json.loads, result.stdout.splitlines())
    assert printed == metrics(data)
    sets = printed["sets"]
    assert {key: one["value"] for key, one in sets.items()} == pytest.approx(
        {
            "bc5cdr-chem": 4 / 5,
            "bc5cdr-dise": 2 / 3,
            "bc5cdr-relations": 2 / 3,
            "kuake-qic": 1 / 2,
            "medqa-usmle": 1 / 2,
        }
    )
    assert (sets["bc5cdr-chem"]["precision"], sets["bc5cdr-chem"]["recall"]) == pytest.approx((2 / 3, 1.0))
    assert [sets["bc5cdr-relations"][name] for name in ("right", "wrong", "missed")] == [1, 1, 0]
    assert printed["mean"] == pytest.approx((4 / 5 + 2 / 3 + 2 / 3 + 1 / 2 + 1 / 2) / 5)
    assert sets["medqa-usmle"]["interval"] == pytest.approx([0.0945, 0.9055], abs=1e-4)
    assert sets["medqa-usmle"]["published_percent"]["taiyi2"] == 58.4
    assert (sets["kuake-qic"]["documents"], sets["kuake-qic"]["without_gold"]) == (2, 1)
    assert sets["bc5cdr-dise"]["nothing_read"] == 1
    assert printed["model"] == "scripted"
    assert set(printed["missing"]) == {
        "chemdner", "ncbi-disease", "cmeee", "cmeie", "bc7-litcovid", "hoc", "pubmedqa", "medqa-mcmle"
    }  # fmt: skip


def test_every_prompt_is_asked_greedily_and_kept_with_its_reply(data: Path, model: ScriptedServer) -> None:
    evaluated(data)
    assert len(model.requests) == 11
    assert {request["temperature"] for request in model.requests} == {0.0}
    kept = items(data)
    assert [(one["set"], one["id"]) for one in kept[:4]] == [
        ("bc5cdr-chem", "101"),
        ("bc5cdr-chem", "102"),
        ("bc5cdr-dise", "101"),
        ("bc5cdr-dise", "102"),
    ]
    assert kept[0]["prompt"] in model.questions
    assert kept[0]["reply"] == "chemical: Zirconix; tremor"
    assert kept[0]["gold"] == [["chemical", "zirconix"]]
    assert kept[0]["given"] == [["chemical", "tremor"], ["chemical", "zirconix"]]
    assert kept[0]["finish_reason"] == "stop"
    assert kept[0]["usage"]["completion_tokens"] > 0
    assert [one["scored"] for one in kept if one["set"] == "kuake-qic"] == [True, True, False]


def test_for_people_published_and_measured_figures_stand_side_by_side(data: Path) -> None:
    result = evaluated(data)
    assert re.search(
        r"^BC5CDR-Chem, micro F1 +80\.0 \[.*\] +2 +80\.2 +90\.2 +60\.3 +42\.3 +93\.3$", result.stdout, re.M
    )
    assert re.search(r"^MedQA-USMLE, accuracy +50\.0 \[9\.5, 90\.5\] +2 +37\.1", result.stdout, re.M)
    assert "Missing, 8 of 13 sets:" in result.stdout
    assert "PubMedQA: https://github.com/pubmedqa/pubmedqa" in result.stdout
    assert "Terms: MIT" in result.stdout
    assert "KUAKE_QIC-dev: 1 instance(s) have no stated answer" in result.stderr


def test_what_was_asked_is_not_asked_again(data: Path, model: ScriptedServer) -> None:
    evaluated(data)
    first = metrics(data)
    model.requests.clear()
    assert evaluated(data).exit_code == 0
    assert model.requests == []
    assert {**metrics(data), "asked": 11, "seconds": first["seconds"], "created_at": first["created_at"]} == first


def test_another_model_or_another_text_is_asked_anew(data: Path, model: ScriptedServer) -> None:
    evaluated(data)
    model.requests.clear()
    (data / "KUAKE-QIC_dev.json").write_text(
        json.dumps([{**QUERIES[0], "query": "拔牙很贵吗"}, QUERIES[1]], ensure_ascii=False), "utf-8"
    )
    evaluated(data)
    assert len(model.requests) == 1
    model.model = "another"
    model.requests.clear()
    evaluated(data)
    assert len(model.requests) == 10
    assert sum(not one["scored"] for one in items(data)) == 12, "what another run had asked is kept, unscored"


def test_a_run_that_is_cut_short_goes_on_where_it_was(data: Path, model: ScriptedServer) -> None:
    def breaks_off(messages: Messages) -> Iterator[str]:
        if len(model.requests) > 6:
            raise Broken
        yield scripted(messages)

    model.script = breaks_off
    result = evaluated(data)
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines()[-1].startswith("taiyi-rag: ")
    kept = len(items(data))
    assert 3 <= kept <= 6
    half = (data.parent / "out" / "items.jsonl").read_bytes() + b'{"set": "kuake-qic", "prom'
    (data.parent / "out" / "items.jsonl").write_bytes(half)
    model.reset(scripted)
    assert evaluated(data).exit_code == 0
    assert len(model.requests) == 11 - kept
    assert metrics(data)["sets"]["bc5cdr-chem"]["value"] == pytest.approx(4 / 5)
    assert len(items(data)) == 11


def test_a_damaged_line_in_the_middle_is_no_reason_to_lose_the_rest(data: Path) -> None:
    (data.parent / "out").mkdir()
    (data.parent / "out" / "items.jsonl").write_text('{"set": \n{"set": "x"}\n', "utf-8")
    result = evaluated(data)
    assert result.exit_code == 1
    assert "items.jsonl, line 1 is damaged" in result.stderr
    assert (data.parent / "out" / "items.jsonl").read_text("utf-8") == '{"set": \n{"set": "x"}\n'


def test_the_report_is_one_file_in_which_nothing_is_taken_for_markup(data: Path) -> None:
    evaluated(data, "--limit", "2")
    page = (data.parent / "out" / "report.html").read_text("utf-8")
    assert "<svg" in page
    assert not re.search(r"<script[^>]|(src|href)=|@import|url\(", page)
    assert "<i>" not in page
    assert "仅取前 2 例" in page
    assert "&lt;i&gt;治疗方案" in page
    assert "Salt <b>" not in page
    assert "Limited to the first 2 instances" in page
    assert "CMeEE-V2_dev.json" in page, "where the missing data come from"
    assert "they do not compare" in page


def test_without_a_model_it_says_what_to_start(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAG_LLM_URL")
    result = evaluated(data)
    assert result.exit_code == 1
    assert "set RAG_LLM_URL to a vLLM server (make llm starts a small one)" in result.stderr


def test_a_folder_without_any_set_says_which_there_are(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    result = evaluated(folder)
    assert result.exit_code == 1
    assert "Missing, 13 of 13 sets:" in result.stdout
    assert "files of none of the thirteen sets" in result.stderr


def test_a_set_that_cannot_be_read_is_named_before_anything_is_asked(data: Path, model: ScriptedServer) -> None:
    (data / "CMeEE_dev.json").write_text('[{"text": "x"}]', "utf-8")
    result = evaluated(data)
    assert result.exit_code == 1
    assert 'CMeEE_dev.json, text 1: "entities" is missing' in result.stderr
    assert model.requests == []


def asked(url: str, prompts: list[str], heard: dict[int, Reply]) -> None:
    llm = LanguageModel(Settings(llm_url=url, llm_timeout_s=5))
    run(ask_many(prompts, llm, GREEDY, 2, lambda place, reply: heard.update({place: reply})), llm)


def test_a_prompt_that_the_model_refuses_is_a_reply_with_the_reason() -> None:
    heard: dict[int, Reply] = {}
    with serving() as server:
        server.breaks(Fault.TOO_LONG)
        asked(server.url, ["one", "two", "three"], heard)
    assert sorted(heard) == [0, 1, 2]
    [refused] = [reply for reply in heard.values() if reply.error]
    assert "maximum context length" in refused.error
    assert refused.text == ""
    assert all(reply.text for reply in heard.values() if not reply.error)


def test_a_model_that_refuses_everything_ends_the_run() -> None:
    heard: dict[int, Reply] = {}
    with serving() as server:
        server.breaks(lasting=Fault.TOO_LONG)
        with pytest.raises(ModelFailed):
            asked(server.url, ["prompt"] * 40, heard)
    assert HOPELESS - 2 <= len(heard) <= HOPELESS


def test_a_model_that_goes_away_ends_the_run_with_what_was_heard_by_then() -> None:
    heard: dict[int, Reply] = {}
    with serving() as server:
        server.breaks(Fault.NONE, Fault.NONE, Fault.NONE, lasting=Fault.ERROR_500)
        with pytest.raises(Unavailable):
            asked(server.url, ["prompt"] * 40, heard)
    assert 1 <= len(heard) <= 3
