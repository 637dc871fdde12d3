import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.server import create_app, run
from conftest import new_home
from rag.errors import InvalidRequest
from rag.restoring import restore_backup
from rag.settings import Settings

ANSWER = "id question language mode status text sentences withheld conflicts citations passages confidence model"
CITATION = "marker passage_id document_id edition_id external_id title publisher edition published url section page"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def client(
    request: pytest.FixtureRequest, sample_backup: Path, tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[TestClient]:
    """The service over a copy of the sample library, on either database; tests that write leave it as they found it."""
    home = new_home(tmp_path_factory.mktemp("http") / "home", models)
    url = request.getfixturevalue("modules_postgresql") if request.param == "postgresql" else ""
    settings = Settings(home=home, database_url=url, max_upload_mb=1)
    restore_backup(settings, sample_backup)
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as opened:
        yield opened


def problem(response) -> dict:
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["request_id"] == response.headers["x-request-id"]
    return body


def finished(client: TestClient, job_id: str) -> dict:
    for _ in range(600):
        job = client.get(f"/v1/jobs/{job_id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.1)
    raise AssertionError("the job did not finish in a minute")


def test_the_probes_answer(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {
        "status": "ok",
        "checks": dict.fromkeys(("database", "embedder", "entailment", "index", "disk", "worker"), "ok"),
    }


@pytest.mark.parametrize(
    "question", ["Below which eGFR is metformin contraindicated?", "哮喘第1级治疗的首选方案是什么？"]
)
def test_an_answer_quotes_its_sources_exactly_and_is_kept(client: TestClient, question: str) -> None:
    answer = client.post("/v1/ask", json={"question": question}).json()
    assert set(ANSWER.split()) <= answer.keys()
    assert answer["status"] == "answered"
    for sentence in answer["sentences"]:
        assert answer["text"][sentence["start"] : sentence["end"]] == sentence["text"]
    for citation in answer["citations"]:
        assert set(CITATION.split()) <= citation.keys()
        document = client.get(f"/v1/documents/{citation['document_id']}?edition_id={citation['edition_id']}").json()
        assert document["text"][citation["char_start"] : citation["char_end"]] == citation["quote"]
        passage = client.get(f"/v1/passages/{citation['passage_id']}").json()
        start = citation["char_start"] - passage["char_start"]
        assert passage["text"][start : start + len(citation["quote"])] == citation["quote"]
    stored = client.get(f"/v1/answers/{answer['id']}").json()
    assert stored == {**answer, "own": True, "feedback": None}
    assert answer["id"] in [one["id"] for one in client.get("/v1/answers").json()["answers"]]


def test_a_search_gives_hits_with_their_ranks(client: TestClient) -> None:
    result = client.post("/v1/search", json={"query": "blood pressure target", "top_k": 3}).json()
    assert [hit["rank"] for hit in result["hits"]] == [1, 2, 3]
    assert result["index_generation"] >= 1


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/v1/ask", {"question": "x", "nonsense": 1}, "nonsense"),
        ("/v1/ask", {"question": ""}, "question"),
        ("/v1/ask", {"question": "x" * 4001}, "question"),
        ("/v1/ask", {}, "question"),
        ("/v1/search", {"query": "x", "top_k": 0}, "top_k"),
        ("/v1/search", {"query": "x", "diversity": 1.5}, "diversity"),
        ("/v1/search", {"query": "x", "as_of": "yesterday"}, "yesterday"),
        ("/v1/search", {"query": "x", "filters": {"colour": "red"}}, "colour"),
    ],
)
def test_a_bad_field_is_named(client: TestClient, path: str, body: dict, named: str) -> None:
    response = client.post(path, json=body)
    assert response.status_code == 422
    assert named in problem(response)["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/answers/nope",
        "/v1/passages/nonsense",
        "/v1/passages/999999",
        "/v1/documents/nope",
        "/v1/jobs/nope",
        "/nope",
    ],
)
def test_what_is_not_there_is_a_404_problem(client: TestClient, path: str) -> None:
    problem(client.get(path))
    assert client.get(path).status_code == 404


def test_hits_say_where_else_they_stand_and_how_strong_their_evidence_is(client: TestClient) -> None:
    rows = [
        {"id": "one", "title": "One", "text": "Quoxidine 5 mg is swallowed.", "publication_types": ["Case Reports"]},
        {"id": "two", "title": "Two", "text": "Quoxidine 5 mg is swallowed!", "published": "2021"},
        {"id": "three", "title": "Three", "text": "Quoxidine 50 mg is swallowed.", "study_design": "Meta-Analysis"},
    ]
    file = ("copies.jsonl", "".join(json.dumps(row) + "\n" for row in rows).encode())
    job = client.post("/v1/documents", files={"file": file}, data={"collection": "copies"}).json()
    assert finished(client, job["job_id"])["state"] == "succeeded"
    body = {"query": "How is quoxidine taken?", "collections": ["copies"]}
    hits = client.post("/v1/search", json=body).json()["hits"]
    [copied] = [hit for hit in hits if hit["also"]]
    [other] = copied["also"]
    assert {copied["external_id"], other["external_id"]} == {"one", "two"}
    assert (other["collection"], other["title"], other["whole"]) == ("copies", other["external_id"].title(), True)
    assert client.get(f"/v1/passages/{other['passage_id']}").json()["title"] == other["title"]
    strengths = {hit["external_id"]: hit["evidence"] for hit in hits}
    assert strengths["three"] == {"level": 1, "label": "Meta-Analysis", "year": None} | {
        "reason": "Meta-Analysis (level 1 of 5)"
    }
    apart = client.post("/v1/search", json=body | {"collapse": False, "prefer_evidence": True, "diversity": 0.2}).json()
    assert [hit["also"] for hit in apart["hits"]] == [[], [], []]


def test_an_unknown_collection_is_a_404(client: TestClient) -> None:
    assert client.post("/v1/search", json={"query": "x", "collections": ["nope"]}).status_code == 404


def test_a_mode_that_needs_a_model_is_503_and_says_what_to_do(client: TestClient) -> None:
    response = client.post("/v1/ask", json={"question": "x", "mode": "grounded"})
    assert response.status_code == 503
    assert "RAG_LLM_URL" in problem(response)["detail"]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "[::1", "user@127.0.0.1:8000@x"]
)
def test_a_host_name_outside_the_list_is_refused(client: TestClient, host: str) -> None:
    response = client.get("/v1/documents", headers={"host": host})
    assert response.status_code == 421
    problem(response)


@pytest.mark.parametrize("host", ["localhost:8000", "LOCALHOST", "127.0.0.1", "[::1]:8000"])
def test_a_host_name_on_the_list_is_served(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8000"])
def test_a_write_from_a_foreign_origin_is_refused(client: TestClient, origin: str) -> None:
    for send in (
        lambda headers: client.post("/v1/ask", json={"question": "x"}, headers=headers),
        lambda headers: client.post("/v1/documents", files={"file": ("a.md", b"# A")}, headers=headers),
        lambda headers: client.delete("/v1/documents/x", headers=headers),
    ):
        response = send({"origin": origin})
        assert response.status_code == 403
        problem(response)


def test_a_write_from_the_services_own_page_is_accepted(client: TestClient) -> None:
    headers = {"origin": "http://127.0.0.1:8000"}
    assert client.post("/v1/search", json={"query": "gout"}, headers=headers).status_code == 200


def test_an_upload_is_found_once_its_job_is_done_and_gone_once_deleted(client: TestClient) -> None:
    text = "# Zebrine\n\nZebrine 17 mg is inhaled once daily.\n"
    response = client.post(
        "/v1/documents",
        files={"file": ("../../zebrine.md", text.encode())},
        data={"collection": "uploads", "metadata": '{"publisher": "Tests", "published": "2024-05"}'},
    )
    assert response.status_code == 202
    job = finished(client, response.json()["job_id"])
    assert (job["state"], job["counts"], job["filename"]) == ("succeeded", {"added": 1}, "zebrine.md")
    hits = client.post("/v1/search", json={"query": "zebrine", "collections": ["uploads"]}).json()["hits"]
    assert hits[0]["publisher"] == "Tests"
    listed = client.get("/v1/documents", params={"collection": "uploads"}).json()["documents"]
    assert [document["title"] for document in listed] == ["Zebrine"]
    receipt = client.delete(f"/v1/documents/{listed[0]['id']}").json()
    assert (receipt["title"], receipt["passages"]) == ("Zebrine", 1)
    assert client.post("/v1/search", json={"query": "zebrine", "collections": ["uploads"]}).json()["hits"] == []
    assert client.get(f"/v1/passages/{hits[0]['passage_id']}").status_code == 404
    assert client.delete(f"/v1/documents/{listed[0]['id']}").status_code == 404


def test_an_upload_that_cannot_be_read_says_why(client: TestClient) -> None:
    response = client.post("/v1/documents", files={"file": ("broken.pdf", b"%PDF-1.4 broken")})
    job = finished(client, response.json()["job_id"])
    assert (job["state"], job["files"][0]["status"]) == ("failed", "failed")
    assert "broken.pdf" in job["files"][0]["reason"]


@pytest.mark.parametrize("metadata", ["{", "[]", '{"colour": "red"}', '{"published": "May"}'])
def test_bad_metadata_is_refused_before_anything_is_stored(client: TestClient, metadata: str) -> None:
    response = client.post("/v1/documents", files={"file": ("a.md", b"# A")}, data={"metadata": metadata})
    assert response.status_code == 422
    problem(response)


def test_an_upload_over_the_limit_is_refused(client: TestClient) -> None:
    response = client.post("/v1/documents", files={"file": ("big.txt", b"x" * 1_100_000)})
    assert response.status_code == 413
    problem(response)

    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"x" * 10_000

    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert client.post("/v1/documents", content=endless(), headers=headers).status_code == 413


def test_the_page_is_served_with_a_policy_that_lets_nothing_in(client: TestClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert "default-src 'self'" in response.headers["content-security-policy"]
    assert "unsafe" not in response.headers["content-security-policy"]


def test_the_request_id_of_the_client_is_kept_unless_it_is_odd(client: TestClient) -> None:
    assert client.get("/healthz", headers={"x-request-id": "abc-1"}).headers["x-request-id"] == "abc-1"
    assert client.get("/healthz", headers={"x-request-id": "a b<script>"}).headers["x-request-id"] != "a b<script>"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.1", "::", "example.org"])
def test_nothing_listens_beyond_loopback(host: str) -> None:
    with pytest.raises(InvalidRequest, match="loopback"):
        run(host, 8000)
