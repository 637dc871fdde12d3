"""Runs over question sets over HTTP: listed, shown, paged, as a report, and for administrators only."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.qa_evaluation import QaEvaluation, items_to_keep, kept_evaluation, metrics_json
from api.qa_report import qa_report
from api.report import policy_of
from api.server import create_app
from conftest import new_home
from rag import keys, ledger
from rag.database import open_database
from rag.exam_arms import Arm
from rag.exam_items import FreeJudgement, Item, JudgedSentence, ShownPassage
from rag.exam_measures import run_figures
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

HOSTILE = "</style><script>alert(1)</script>"
BOTH: tuple[Arm, Arm] = ("ungrounded", "grounded")
ITEM = Item(
    id="c1",
    arm="ungrounded",
    kind="choice",
    language="en",
    subset="",
    question=f"Which drug? {HOSTILE}",
    options={"A": "tazoline", "B": "quoxin"},
    order=("A", "B"),
    gold="A",
    references=(),
    system="",
    prompt="Which drug?",
    choices=("A", "B"),
    fingerprint="f",
    reply="B",
    error="",
    finish_reason="stop",
    usage={"prompt_tokens": 7, "completion_tokens": 1},
    seconds=0.5,
    chosen="B",
    passages=(),
    evidence_shown=None,
)
SHOWN = (ShownPassage("1", "doc", "A title", "Tazoline helps."),)
FREE = FreeJudgement(False, (JudgedSentence("It helps.", (1,), "supported", 0.9, (), (True,), True),), (), 0.5)
FREELY: dict[str, Any] = {
    "kind": "free",
    "options": {},
    "order": (),
    "gold": None,
    "chosen": None,
    "reply": "It helps. [1]",
}
ITEMS = tuple(
    replace(ITEM, id=f"c{number}", arm=arm, chosen=chosen, reply=chosen, passages=passages)
    for number in range(1, 6)
    for arm, chosen, passages in zip(BOTH, ("B" if number < 4 else "A", "A"), ((), SHOWN), strict=True)
) + tuple(replace(ITEM, id="f1", arm=arm, judgement=FREE, **FREELY) for arm in BOTH)
RUN: dict[str, Any] = {
    "questions": {"name": f"set {HOSTILE}", "format": "jsonl", "sha256": "0", "available": 6, "limit": None},
    "corpus": None,
    "code": "0" * 32,
    "arms": ["ungrounded", "grounded"],
    "passages": 3,
    "orders": 1,
    "seed": 7,
    "model": "scripted",
    "server": {"version": "0", "context_tokens": 8192},
    "sampling": {"temperature": 0.0},
    "prompts": ["p"],
    "embedder_fingerprint": "e",
    "check": "c",
    "asked": 12,
    "seconds": 1.0,
    "versions": {},
    "created_at": "2026-01-01T00:00:00+00:00",
    "fingerprint": "f" * 32,
}
EVALUATION = QaEvaluation(RUN, ITEMS, run_figures(ITEMS))


class Service:
    def __init__(self, client: TestClient, secrets: dict[str, str], runs: dict[bool, str]) -> None:
        self.client, self.secrets, self.runs = client, secrets, runs

    def get(self, address: str, who: str = "admin", **query: Any) -> Any:
        headers = {"authorization": f"Bearer {self.secrets[who]}"}
        return self.client.get(f"/v1/runs{address}", headers=headers, params=query)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Service]:
    """With two runs, one whose words were kept and one whose were not."""
    settings = Settings(home=new_home(tmp_path_factory.mktemp("runs") / "home", models))
    secrets, runs = {}, {}
    figures = metrics_json(EVALUATION)
    del figures["run"]
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
        for who, role, may in (
            ("admin", Role.ADMIN, None),
            ("one's", Role.ADMIN, ["a"]),
            ("editor", Role.EDITOR, None),
        ):
            secrets[who] = keys.create(session, LOCAL_ADMIN, who, role, may)[1]
        for texts in (False, True):
            kept = items_to_keep(EVALUATION, texts)
            runs[texts] = ledger.keep(session, RUN["questions"]["name"], "/a/folder", RUN, figures, kept)
    with TestClient(create_app(settings, with_worker=False), base_url="http://127.0.0.1:8000") as client:
        yield Service(client, secrets, runs)


def test_runs_are_listed_newest_first_and_shown_without_the_folder(service: Service) -> None:
    listed = service.get("").json()
    assert listed["total"] == 2
    assert [one["id"] for one in listed["runs"]] == [service.runs[True], service.runs[False]]
    accuracies = {arm: one["accuracy"] for arm, one in listed["runs"][0]["arms"].items()}
    assert accuracies == {"ungrounded": 0.4, "grounded": 1.0}
    assert [one["id"] for one in service.get("", limit=1, offset=1).json()["runs"]] == [service.runs[False]]
    shown = service.get(f"/{service.runs[True]}")
    assert shown.json()["figures"]["arms"]["grounded"]["accuracy"] == 1.0
    assert "/a/folder" not in shown.text + service.get("").text


def test_questions_are_paged_and_those_alone_on_which_arms_differ(service: Service) -> None:
    first = service.get(f"/{service.runs[True]}/questions", limit=2).json()
    assert (first["total"], [one["id"] for one in first["questions"]]) == (6, ["c1", "c2"])
    assert [(one["arm"], one["chosen"]) for one in first["questions"][0]["trials"]] == [
        ("ungrounded", "B"),
        ("grounded", "A"),
    ]
    assert first["questions"][0]["question"] == ITEM.question
    assert first["questions"][0]["trials"][1]["shown"] == [{"document": "doc", "title": "A title"}]
    last = service.get(f"/{service.runs[True]}/questions", limit=2, offset=4).json()["questions"]
    assert [(one["trials"][0]["held"], one["trials"][0]["sentences"]) for one in last] == [(None, None), (1, 1)]
    differing = service.get(f"/{service.runs[False]}/questions", differing=True).json()
    assert (differing["total"], [one["id"] for one in differing["questions"]]) == (3, ["c1", "c2", "c3"])
    assert {one["question"] for one in differing["questions"]} == {None}, "of the library no words are kept"


def test_the_report_of_a_kept_run_has_its_figures_in_one_language_and_no_foreign_script(service: Service) -> None:
    for language, words in (("en", "Figures"), ("zh", "指标")):
        report = service.get(f"/{service.runs[True]}/report", language=language)
        assert f"<h2>{words}" in report.text
        assert report.text.count("<main") == 1
        assert "alert(1)" in report.text
        assert "<script>alert" not in report.text
        assert report.text.count("<script>") == report.text.count("<style>") == 1
        policy = report.headers["content-security-policy"]
        assert policy == policy_of(report.text)
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy


def test_the_figures_are_those_that_were_reckoned(service: Service) -> None:
    system = service.client.app.state.system  # type: ignore[attr-defined]
    with system.database.reading() as session:
        kept = kept_evaluation(ledger.head(session, service.runs[True]))
    assert asdict(kept.figures)["comparisons"] == asdict(EVALUATION.figures)["comparisons"]
    assert metrics_json(kept) == metrics_json(EVALUATION)
    assert qa_report(kept) == qa_report(replace(EVALUATION, items=()))


def test_runs_are_for_administrators_of_all_collections_and_no_path_leads_elsewhere(service: Service) -> None:
    for who in ("editor", "one's"):
        for address in ("", f"/{service.runs[True]}", f"/{service.runs[True]}/report", "/none/questions"):
            assert service.get(address, who).status_code == 403
    for name in ("none", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "a" * 300):
        for address in (f"/{name}", f"/{name}/questions", f"/{name}/report"):
            assert service.get(address).status_code == 404, address
