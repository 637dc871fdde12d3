"""``evaluate qa`` and ``compare --questions`` on a made-up set, with a model that reads what it is shown."""

import csv
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from scripted_server import Broken, Messages, ScriptedServer, shown_passages

from api.cli import main
from conftest import new_home
from ingestion.question_sets.reading import FORMATS
from rag.exam_arms import ARMS as ARMS_THERE_ARE

DOCUMENTS = [
    {"id": "metformin", "title": "Metformin", "text": "Metformin lowers blood glucose in type 2 diabetes."},
    {"id": "asthma", "title": "Asthma", "text": "Budesonide, inhaled daily, is the basis of asthma treatment."},
    {"id": "fever", "title": "Fever", "text": "Paracetamol brings down fever in children and adults."},
    {"id": "gout", "title": "Gout", "text": "Allopurinol prevents attacks of gout by lowering serum urate."},
]
DRUGS = ["Metformin", "Budesonide", "Paracetamol", "Allopurinol"]
ASKED = {
    "metformin": "Which drug lowers blood glucose in type 2 diabetes?",
    "asthma": "Which drug is the basis of asthma treatment?",
    "fever": "Which drug brings down fever in children?",
    "gout": "Which drug prevents attacks of gout?",
}
CHOICES: list[dict[str, Any]] = [
    {"id": f"c-{name}", "question": asked, "options": dict(zip("ABCD", DRUGS, strict=True)), "answer": letter,
     "evidence_ids": [name]}
    for (name, asked), letter in zip(ASKED.items(), "ABCD", strict=True)
]  # fmt: skip
FREE: list[dict[str, Any]] = [
    {
        "id": "f-metformin",
        "question": "What does metformin lower?",
        "answer": "Metformin lowers blood glucose.",
        "must_have": ["Metformin lowers blood glucose in type 2 diabetes.", "Allopurinol prevents attacks of gout."],
        "evidence_ids": ["metformin"],
    }
]
TRUE = "Metformin lowers blood glucose in type 2 diabetes"
OPTION = re.compile(r"^([A-Z])\. (\w+)$", re.M)
ARMS = "ungrounded,grounded,oracle,wrong"


def reads(messages: Messages) -> str:
    """Chooses the drug that the first passage names, without passages what stands first; or writes."""
    passages, asked = shown_passages(messages), messages[-1]["content"]
    options = OPTION.findall(asked)
    if not options:
        return f"{TRUE} [1]. It turns the hair <i>green</i> [1]." if passages else f"{TRUE}."
    return next((letter for letter, drug in options if drug in passages.get(1, "")), "A")


class Exam:
    """A question set and a corpus in a folder, and the command run on them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.write("corpus.jsonl", DOCUMENTS)
        self.write("choices.jsonl", CHOICES)
        self.write("free.jsonl", FREE)

    def write(self, name: str, objects: list[dict[str, Any]]) -> None:
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)
        (self.folder / name).write_text(lines, "utf-8")

    def run(self, questions: str, *options: str, command: tuple[str, ...] = ("evaluate", "qa")) -> Result:
        files = ("--questions", str(self.folder / questions), "--corpus", str(self.folder / "corpus.jsonl"))
        return CliRunner().invoke(main, [*command, *files, "--out", str(self.out), *options])

    def metrics(self) -> dict[str, Any]:
        return dict(json.loads((self.out / "metrics.json").read_text("utf-8")))

    def items(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.out / "items.jsonl").read_text("utf-8").splitlines()]

    def page(self) -> str:
        return (self.out / "report.html").read_text("utf-8")


@pytest.fixture(scope="module")
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer(reads) as server:
        yield server


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Path:
    """A home in which the corpus is read once."""
    return new_home(tmp_path_factory.mktemp("library") / "home", models)


@pytest.fixture(autouse=True)
def _a_home(library: Path, model: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    _settings(monkeypatch, library, model)
    model.reset(reads)


def _settings(monkeypatch: pytest.MonkeyPatch, library: Path, model: ScriptedServer) -> None:
    monkeypatch.setenv("RAG_HOME", str(library))
    monkeypatch.setenv("RAG_LLM_URL", model.url)
    monkeypatch.setenv("RAG_LLM_CONCURRENCY", "2")


@pytest.fixture
def exam(tmp_path: Path) -> Exam:
    return Exam(tmp_path)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory, library: Path, model: ScriptedServer) -> tuple[Exam, Result]:
    """The choices in four arms, with one passage; for the tests that only look."""
    with pytest.MonkeyPatch.context() as patch:
        _settings(patch, library, model)
        exam = Exam(tmp_path_factory.mktemp("chosen"))
        return exam, exam.run("choices.jsonl", "--arms", ARMS, "--passages", "1", "--json")


def test_every_arm_is_scored_by_what_it_shows(chosen: tuple[Exam, Result]) -> None:
    exam, result = chosen
    assert result.exit_code == 0, result.output
    [printed] = map(json.loads, result.stdout.splitlines())
    assert printed == exam.metrics()
    by_chance = sum(item["order"][0] == item["gold"] for item in exam.items() if item["arm"] == "ungrounded") / 4
    accuracy = {arm: one["accuracy"] for arm, one in printed["arms"].items()}
    assert accuracy == {"ungrounded": by_chance, "grounded": 1.0, "oracle": 1.0, "wrong": 0.0}
    assert (printed["arm"], printed["accuracy"]) == ("grounded", 1.0)
    low, high = printed["intervals"]["accuracy"]
    assert (low, high) == pytest.approx((0.5101, 1.0), abs=1e-4)
    against = {one["arm"]: one for one in printed["comparisons"]}
    assert against["grounded"]["difference"] == pytest.approx(1 - by_chance)
    assert against["grounded"]["mcnemar"]["only_first"] == 4 - 4 * by_chance
    assert printed["run"]["model"] == "scripted"


def test_every_prompt_and_reply_is_kept_with_what_was_shown(chosen: tuple[Exam, Result]) -> None:
    exam, _ = chosen
    items = exam.items()
    assert len(items) == 16
    for item in items:
        assert item["choices"] == ["A", "B", "C", "D"]
        shown = dict(zip("ABCD", item["order"], strict=True))
        assert item["chosen"] == shown[item["reply"]]
        assert [letter for letter, _ in OPTION.findall(item["prompt"])] == ["A", "B", "C", "D"]
        assert len(item["passages"]) == (0 if item["arm"] == "ungrounded" else 1)
        assert item["usage"]["prompt_tokens"] > 0
    assert {item["evidence_shown"] for item in items if item["arm"] == "oracle"} == {True}
    assert {item["evidence_shown"] for item in items if item["arm"] == "wrong"} == {False}
    assert len({tuple(item["order"]) for item in items}) > 1, "the options are permuted"


def test_the_figures_reckoned_again_from_the_items_alone_are_identical(
    chosen: tuple[Exam, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam, _ = chosen
    copy = Path(shutil.copytree(exam.out, tmp_path / "copy"))
    for name in ("RAG_LLM_URL", "RAG_HOME"):
        monkeypatch.delenv(name)
    before = {path.name: path.read_bytes() for path in copy.iterdir()}
    result = CliRunner().invoke(main, ["evaluate", "qa", "--rescore", str(copy)])
    assert result.exit_code == 0, result.output
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == before
    items = before["items.jsonl"].decode().splitlines()
    place = next(number for number, line in enumerate(items) if json.loads(line)["arm"] == "grounded")
    items[place] = json.dumps({**json.loads(items[place]), "chosen": None})
    (copy / "items.jsonl").write_text("\n".join(items), "utf-8")
    CliRunner().invoke(main, ["evaluate", "qa", "--rescore", str(copy)])
    assert json.loads((copy / "metrics.json").read_text("utf-8"))["accuracy"] == 3 / 4


def test_the_report_is_one_file_with_the_arms_side_by_side(chosen: tuple[Exam, Result]) -> None:
    exam, _ = chosen
    page = exam.page()
    assert "<svg" in page
    assert not re.search(r"<script[^>]|(src|href)=|@import|url\(", page)
    for words in ("grounded – ungrounded", "p, Holm", "where it does better", "evidence shown", "sha256"):
        assert words in page
    for words in ("p（Holm）", "它答得更好之处", "所示证据", "准确率之差"):
        assert words in page
    with (exam.out / "figures.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["arm"], float(row["value"])) for row in rows if row["arm"] in ("grounded", "wrong")] == [
        ("grounded", 1.0),
        ("wrong", 0.0),
    ]


def test_what_was_asked_is_not_asked_again_and_an_arm_more_is_asked_alone(exam: Exam, model: ScriptedServer) -> None:
    options = ("--passages", "2", "--limit", "3")
    exam.run("choices.jsonl", "--arms", "grounded", *options)
    first = exam.metrics()
    assert len(model.requests) == 3
    again = exam.run("choices.jsonl", "--arms", "grounded,leave_one_out", *options)
    assert again.exit_code == 0, again.output
    assert len(model.requests) == 6
    assert exam.metrics()["arms"]["grounded"] == first["arms"]["grounded"]
    assert exam.metrics()["arms"]["leave_one_out"]["accuracy"] < 1.0


def test_a_run_that_is_cut_short_goes_on_where_it_was(exam: Exam, model: ScriptedServer) -> None:
    """And one whose model goes away for a moment goes on by itself."""
    _breaking(model, lambda count: count > 3)
    result = exam.run("choices.jsonl", "--arms", "ungrounded,grounded", "--passages", "1")
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines()[-1].startswith("taiyi-rag: ")
    kept = len(exam.items())
    assert 1 <= kept <= 3
    with (exam.out / "items.jsonl").open("ab") as stream:
        stream.write(b'{"fingerprint": "half a li')
    model.requests.clear()
    _breaking(model, lambda count: 2 < count <= 9)
    result = exam.run("choices.jsonl", "--arms", "ungrounded,grounded", "--passages", "1")
    assert result.exit_code == 0, result.output
    assert len(exam.items()) == 8
    assert exam.metrics()["run"]["asked"] == 8 - kept
    assert exam.metrics()["arms"]["grounded"]["accuracy"] == 1.0


def _breaking(model: ScriptedServer, breaks: Callable[[int], bool]) -> None:
    def said(messages: Messages) -> Iterator[str]:
        if breaks(len(model.requests)):
            raise Broken
        yield reads(messages)

    model.reset(said)


def test_free_answers_are_judged_sentence_by_sentence(exam: Exam) -> None:
    result = exam.run("free.jsonl", "--arms", "ungrounded,grounded,oracle,extractive", "--json")
    assert result.exit_code == 0, result.output
    arms = json.loads(result.stdout)["arms"]
    oracle = arms["oracle"]
    assert (oracle["supported_sentences"], oracle["citation_recall"], oracle["citation_precision"]) == (0.5, 0.5, 0.5)
    assert oracle["completeness"] == 0.5
    assert arms["ungrounded"]["supported_sentences"] == 1.0
    assert "citation_recall" not in arms["ungrounded"]
    assert arms["extractive"]["prompt_tokens"] is None
    assert "accuracy" not in oracle
    [item] = [item for item in exam.items() if item["arm"] == "oracle"]
    first, second = item["judgement"]["sentences"]
    assert (first["text"], first["verdict"], first["citations"], first["precise"]) == (
        f"{TRUE}.",
        "supported",
        [1],
        [True],
    )
    assert (second["verdict"] != "supported", second["is_held"]) == (True, False)
    assert "<i>green" not in exam.page()
    copy = exam.metrics()
    assert CliRunner().invoke(main, ["evaluate", "qa", "--rescore", str(exam.out)]).exit_code == 0
    assert exam.metrics() == copy


def test_exact_answers_are_asked_for_by_schema_and_scored(exam: Exam, model: ScriptedServer) -> None:
    """A factoid and a list of BioASQ: from memory nothing is known, with the passages all is said."""
    snippet = {"text": "Metformin lowers blood glucose.", "document": "http://www.ncbi.nlm.nih.gov/pubmed/metformin"}
    shared = {"snippets": [snippet], "documents": [snippet["document"]], "ideal_answer": ["Metformin."]}
    stated = [
        {"id": "1", "type": "factoid", "body": ASKED["metformin"], "exact_answer": [["metformin", "Glucophage"]]},
        {"id": "2", "type": "list", "body": "Which drugs are there?", "exact_answer": [["metformin"], ["aspirin"]]},
        {"id": "3", "type": "yesno", "body": "Does metformin lower blood glucose?", "exact_answer": "yes"},
    ]
    (exam.folder / "bioasq.json").write_text(json.dumps({"questions": [{**one, **shared} for one in stated]}), "utf-8")

    def says(messages: Messages) -> str:
        if '"answers"' in messages[0]["content"]:
            return '{"answers": ["insulin", "Metformin"]}' if shown_passages(messages) else '{"answers": ["insulin"]}'
        return "yes" if messages[-1]["content"].endswith("yes, no:") else reads(messages)

    model.reset(says)
    result = exam.run("bioasq.json", "--arms", "ungrounded,oracle", "--json")
    assert result.exit_code == 0, result.output
    arms = json.loads(result.stdout)["arms"]
    exact = ("strict_accuracy", "lenient_accuracy", "reciprocal_rank", "list_precision", "list_recall", "list_f1")
    assert [arms["ungrounded"][name] for name in exact] == [0, 0, 0, 0, 0, 0]
    assert [arms["oracle"][name] for name in exact] == [0, 1, 0.5, 0.5, 0.5, 0.5]
    assert arms["oracle"]["accuracy"] == 1
    schemas = [
        body["structured_outputs"]["json"] for body in model.requests if "json" in body.get("structured_outputs", {})
    ]
    assert sorted(one["properties"]["answers"]["maxItems"] for one in schemas) == [5, 5, 50, 50]
    for words in ("insulin; Metformin", "strict accuracy", "严格准确率"):
        assert words in exam.page()
    before = exam.metrics()
    assert CliRunner().invoke(main, ["evaluate", "qa", "--rescore", str(exam.out)]).exit_code == 0
    assert exam.metrics() == before


def test_without_a_model_only_quotes_are_scored(exam: Exam, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAG_LLM_URL")
    result = exam.run("free.jsonl", "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    assert list(printed["arms"]) == ["extractive"]
    assert printed["supported_sentences"] == 1.0
    assert printed["run"]["model"] is None
    refused = exam.run("choices.jsonl")
    assert refused.exit_code == 1
    assert "set RAG_LLM_URL to a vLLM server (make llm starts a small one)" in refused.stderr


def test_compare_runs_a_set_by_the_same_engine(exam: Exam, chosen: tuple[Exam, Result]) -> None:
    result = exam.run("choices.jsonl", "--arms", ARMS, "--passages", "1", command=("compare",))
    assert result.exit_code == 0, result.output
    assert re.search(r"grounded - ungrounded: [+-]\d\.\d+ \[.*\], only one right \d and 0, p ", result.stdout)
    assert exam.metrics()["arms"].keys() == chosen[0].metrics()["arms"].keys()
    assert exam.metrics()["accuracy"] == 1.0
    for arguments in (["compare"], ["compare", "Why?", "--arms", "grounded"], ["compare", "Why?", "--out", "x"]):
        assert CliRunner().invoke(main, arguments).exit_code == 2


def test_runs_are_remembered_and_held_against_each_other(exam: Exam, model: ScriptedServer) -> None:
    """The second time the model says B where it said A from memory."""
    options = ("--arms", "ungrounded,grounded", "--passages", "1")
    first = _kept(exam.run("choices.jsonl", *options))
    model.reset(lambda messages: "B" if reads(messages) == "A" and not shown_passages(messages) else reads(messages))
    shutil.rmtree(exam.out)
    second = _kept(exam.run("choices.jsonl", *options, "--seed", "7"))
    listed = [json.loads(line) for line in _compare("list", "--json").stdout.splitlines()]
    assert [one["id"] for one in listed[:2]] == [second, first]
    assert listed[0]["fingerprint"] == listed[1]["fingerprint"]
    shown = json.loads(_compare("show", second, "--json").stdout)
    assert len(shown["items"]) == 8
    assert shown["items"][0]["prompt"] == exam.items()[0]["prompt"]
    found = json.loads(_compare("diff", first, second, "--json").stdout)
    assert (found["shared"], found["configuration"]) == (8, [])
    assert [(one["arm"], one["one"] != one["other"]) for one in found["choices"]] == [("ungrounded", True)] * 4
    for words, arguments in ((first, ("list",)), ("temperature", ("show", first))):
        assert words in _compare(*arguments).output
    assert "Choices: 4 of 8 are the same (50.0 %)" in _compare("diff", first, second).output
    assert "There is no run 'nowhere'" in _compare("show", "nowhere").stderr


def _kept(result: Result) -> str:
    assert result.exit_code == 0, result.output
    [run] = re.findall(r"Kept as run (\w+)", result.stderr)
    return str(run)


def _compare(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["compare", *arguments])


def test_where_nothing_is_found_an_arm_has_no_questions_and_a_run_without_any_says_what_to_do(
    exam: Exam, tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library without documents, and no corpus."""
    monkeypatch.setenv("RAG_HOME", str(new_home(tmp_path / "empty", models)))
    asked = ["evaluate", "qa", "--questions", str(exam.folder / "choices.jsonl"), "--out", str(exam.out)]
    result = CliRunner().invoke(main, [*asked, "--arms", "ungrounded,grounded,wrong,leave_one_out", "--json"])
    assert result.exit_code == 0, result.output
    assert list(json.loads(result.stdout)["arms"]) == ["ungrounded"]
    shown = json.loads(_compare("show", _kept(result), "--json").stdout)
    assert shown["items"] == [], "of a run on the library no words are kept"
    nothing = CliRunner().invoke(main, [*asked, "--arms", "grounded"])
    assert nothing.exit_code == 1
    assert "State --corpus, or load documents with: taiyi-rag ingest PATH" in nothing.stderr


def test_its_help_names_every_arm_and_format() -> None:
    shown = re.sub(r"\s+", "", CliRunner().invoke(main, ["evaluate", "qa", "--help"]).output)
    assert ",".join(ARMS_THERE_ARE) in shown
    assert f"[{'|'.join(FORMATS)}]" in shown


def test_what_is_wrong_is_named(exam: Exam) -> None:
    unknown = exam.run("choices.jsonl", "--arms", "grounded,oracles")
    assert (unknown.exit_code, "there is no arm 'oracles'" in unknown.stderr) == (1, True)
    exam.write("choices.jsonl", [CHOICES[0], {**CHOICES[1], "answer": "F"}])
    malformed = exam.run("choices.jsonl")
    assert malformed.exit_code == 1
    assert re.search(r'choices\.jsonl, line 2: "answer" is .F., and there is no option F', malformed.stderr)
    assert CliRunner().invoke(main, ["evaluate", "qa", "--out", str(exam.out)]).exit_code == 2


def test_a_question_without_an_answer_is_counted_not_scored(exam: Exam) -> None:
    exam.write("choices.jsonl", [CHOICES[0], {**CHOICES[1], "answer": None}])
    result = exam.run("choices.jsonl", "--arms", "grounded", "--passages", "1")
    assert result.exit_code == 0, result.output
    grounded = exam.metrics()["arms"]["grounded"]
    assert (grounded["questions"], grounded["scored"], grounded["without_answer"]) == (2, 1, 1)
    assert "1 question(s) have no stated answer and are not scored" in result.stderr
