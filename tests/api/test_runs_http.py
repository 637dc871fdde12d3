"""Runs over question sets over HTTP: listed, shown, paged, as a report, and for administrators only."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.qa_evaluation import kept_evaluation, metrics_json
from api.qa_report import qa_report
from api.report import policy_of
from api.server import create_app
from conftest import new_home
from kept_runs import EVALUATION, ITEM, keep
from rag import keys, ledger
from rag.database import open_database
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role


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
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
        for who, role, may in (
            ("admin", Role.ADMIN, None),
            ("one's", Role.ADMIN, ["a"]),
            ("editor", Role.EDITOR, None),
        ):
            secrets[who] = keys.create(session, LOCAL_ADMIN, who, role, may)[1]
        for texts in (False, True):
            runs[texts] = keep(session, texts)
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
