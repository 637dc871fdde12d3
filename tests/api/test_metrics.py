"""What Prometheus is told: the same as what was answered, and nothing that only some may know."""

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import JOB_STATES
from api.server import create_app
from conftest import PROJECT, find_free_port, new_home
from ingestion.pipeline import Reader, discover, ingest
from ingestion.worker import kept_running
from rag import keys
from rag.disk import check_room
from rag.embedding import Embedder
from rag.errors import Unavailable
from rag.settings import Settings
from rag.system import open_system
from rag.types import LOCAL_ADMIN, Role

COLLECTION = "quoxin-trial-secret"
QUESTION = "Below which eGFR is quoxin contraindicated?"
STATED = re.compile(r"\b((?:taiyi|process)_[a-z_]+)\b")
NAMED = re.compile(r"`(taiyi_[a-z_]+)`")

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@dataclass(frozen=True, slots=True)
class Watched:
    client: TestClient
    text: str
    samples: Samples
    answers: list[dict[str, Any]]

    def value(self, name: str, **labels: str) -> float:
        return self.samples[name, tuple(sorted(labels.items()))]


def samples_of(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def watched(
    models: Path, tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, reader: Reader
) -> Iterator[Watched]:
    """A service after a known number of questions, whose language model is not there."""
    folder = tmp_path_factory.mktemp("watched")
    home = new_home(folder / "home", models)
    (folder / "note.md").write_text("# Quoxin\n\nQuoxin is contraindicated in adults with an eGFR below 30 mL/min.\n")
    with open_system(Settings(home=home)) as system:
        ingest(discover([folder / "note.md"]), COLLECTION, replace(system, embedder=embedder), reader=reader)
    settings = Settings(home=home, llm_url=f"http://127.0.0.1:{find_free_port()}/v1", metrics_key="m3trics")
    with TestClient(create_app(settings, with_worker=False), base_url="http://127.0.0.1:8000") as client:
        answers = [
            client.post("/v1/ask", json={"question": question, "mode": "extractive"}).json()
            for question in (QUESTION, QUESTION, "How is scabies treated in horses?")
        ]
        for _ in range(4):
            assert client.post("/v1/search", json={"query": QUESTION}).status_code == 200
        client.get(f"/v1/answers/{answers[0]['id']}")
        client.get("/v1/answers/0ddba11")
        client.get("/v1/no-such-call/0ddba11")
        client.get("/app.js")
        client.request("BREW", "/v1/search")
        response = client.get("/metrics")
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/plain; version=")
        yield Watched(client, response.text, samples_of(response.text), answers)


def test_requests_are_counted_by_route_and_status(watched: Watched) -> None:
    def count(method: str, route: str, status: str) -> float:
        return watched.value("taiyi_http_request_seconds_count", method=method, route=route, status=status)

    assert count("POST", "/v1/search", "200") == 4
    assert count("POST", "/v1/ask", "200") == 3
    assert count("GET", "/v1/answers/{answer_id}", "200") == 1
    assert count("GET", "/v1/answers/{answer_id}", "404") == 1
    assert count("GET", "other", "404") == 1
    assert count("GET", "other", "200") == 1
    assert watched.value("taiyi_http_requests_in_flight") == 1  # the one that asks


def test_answers_are_counted_as_they_were_given(watched: Watched) -> None:
    assert {answer["status"] for answer in watched.answers} == {"answered", "abstained"}
    for status in ("answered", "abstained"):
        given = sum(answer["status"] == status for answer in watched.answers)
        assert watched.value("taiyi_answers_total", mode="extractive", status=status) == given
    sentences = [sentence for answer in watched.answers for sentence in answer["sentences"]]
    assert sentences
    assert {sentence["verdict"] for sentence in sentences} == {"supported"}
    assert watched.value("taiyi_sentences_total", verdict="supported", place="text") == len(sentences)
    for stage in ("understand", "retrieve", "judge", "conclude", "total"):
        taken = [answer["timings_ms"][stage] / 1000 for answer in watched.answers]
        assert watched.value("taiyi_answer_stage_seconds_count", stage=stage) == 3
        assert watched.value("taiyi_answer_stage_seconds_sum", stage=stage) == pytest.approx(sum(taken))


def test_caches_index_jobs_and_models_are_told_of(watched: Watched) -> None:
    def lookups(cache: str, result: str) -> float:
        return watched.value("taiyi_cache_lookups_total", cache=cache, result=result)

    assert lookups("query_vectors", "hit") >= 5
    assert lookups("query_vectors", "miss") == watched.value("taiyi_embedder_texts_total")
    assert lookups("permitted_passages", "miss") == 1
    assert lookups("permitted_passages", "hit") == 6
    assert watched.value("taiyi_documents") == 1
    assert watched.value("taiyi_index_vectors") >= 1
    assert watched.value("taiyi_database_up") == 1
    assert watched.value("taiyi_language_model_up") == 0
    assert watched.value("taiyi_home_free_bytes") > 0
    assert {state: watched.value("taiyi_jobs", state=state) for state in JOB_STATES} == dict.fromkeys(JOB_STATES, 0)


def test_the_figures_name_no_collection_no_id_and_no_question(watched: Watched) -> None:
    for word in (COLLECTION, "quoxin", "Quoxin", "0ddba11", "BREW", *(answer["id"] for answer in watched.answers)):
        assert word not in watched.text


def test_dashboard_alerts_and_documentation_name_what_there_is(watched: Watched) -> None:
    families = {family.name for family in text_string_to_metric_families(watched.text)}
    there = families | {f"{name}_{end}" for name in families for end in ("total", "bucket", "count", "sum")}
    dashboard = json.loads((PROJECT / "deploy/grafana/taiyi-rag.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    rules = yaml.safe_load((PROJECT / "deploy/prometheus/alerts.yml").read_text())
    alerts = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for expression in [*shown, *alerts]:
        assert set(STATED.findall(expression)) <= there, expression
    assert len(shown) > 15
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])

    own = {name for name in families if name.startswith("taiyi_")}
    documented = {name.removesuffix("_total") for name in NAMED.findall((PROJECT / "docs/watching.md").read_text())}
    assert documented == own
    seen = {re.sub("_(total|bucket|count|sum)$", "", name) for one in shown for name in STATED.findall(one)}
    assert own <= seen


def test_with_keys_the_figures_are_for_administrators_and_for_who_has_their_own_key(watched: Watched) -> None:
    client, secrets = watched.client, {}
    with client.app.state.system.database.writing() as session:  # type: ignore[attr-defined]
        for role in (Role.ADMIN, Role.READER):
            secrets[role] = keys.create(session, LOCAL_ADMIN, role, role)[1]

    def status(token: str | None) -> int:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return client.get("/metrics", headers=headers).status_code

    assert status(None) == 401
    assert status("wrong") == 401
    assert status(secrets[Role.READER]) == 403
    assert status(secrets[Role.ADMIN]) == 200
    assert status("m3trics") == 200
    assert client.get("/v1/collections", headers={"authorization": "Bearer m3trics"}).status_code == 401


def test_readyz_names_what_is_not_ready(watched: Watched) -> None:
    response = watched.client.get("/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert {name for name, state in checks.items() if state != "ok"} == {"language model"}
    assert checks.keys() == {"database", "embedder", "entailment", "index", "disk", "language model"}

    index: Path = watched.client.app.state.system.home / "index"  # type: ignore[attr-defined]
    away = index.rename(index.with_name("elsewhere"))
    watched.client.app.state.system.lexical._open.clear()  # type: ignore[attr-defined]
    try:
        checks = watched.client.get("/readyz").json()["checks"]
    finally:
        away.rename(index)
    assert "ok" not in checks["index"]
    assert checks["database"] == "ok"


def test_a_folder_that_cannot_be_written_to_is_not_ready(tmp_path: Path) -> None:
    check_room(tmp_path)
    with pytest.raises(Unavailable, match="RAG_HOME cannot be written to: No such file"):
        check_room(tmp_path / "gone")


def test_a_worker_that_ended_is_told_of_until_the_next_one_runs(models: Path, tmp_path: Path) -> None:
    def children() -> set[int]:
        return {
            int(pid) for task in Path("/proc/self/task").iterdir() for pid in (task / "children").read_text().split()
        }

    def within_seconds(is_so: Any) -> bool:
        until = time.monotonic() + 30
        while not is_so() and time.monotonic() < until:
            time.sleep(0.05)
        return bool(is_so())

    before = children()
    with kept_running(Settings(home=new_home(tmp_path / "home", models))) as kept:
        assert within_seconds(lambda: len(children() - before) == 1)
        kept.check()
        os.kill(min(children() - before), signal.SIGKILL)
        assert within_seconds(lambda: not kept.is_alive)
        with pytest.raises(Unavailable, match="worker"):
            kept.check()
        assert within_seconds(lambda: kept.is_alive)
        kept.check()
