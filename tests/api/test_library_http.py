"""What the page's library asks of the service beyond what other clients do: pages of documents, texts, explanations."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.server import create_app
from rag import keys
from rag.database import open_database
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

QUESTION = "Below which eGFR is metformin contraindicated?"


@pytest.fixture(scope="module")
def client(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = shutil.copytree(sample_home, tmp_path_factory.mktemp("library") / "home", symlinks=True)
    app = create_app(Settings(home=Path(home), reranker="packaged:late-interaction"), with_worker=False)
    with TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False) as opened:
        yield opened


def test_documents_are_searched_sorted_and_counted(client: TestClient) -> None:
    everything = client.get("/v1/documents").json()
    assert "facets" not in everything
    asked = "language=zh&sort=published&order=desc&limit=1&facets=true"
    found = client.get(f"/v1/documents?{asked}").json()
    assert len(found["documents"]) == 1
    assert found["total"] == found["facets"]["language"]["zh"]
    assert sum(found["facets"]["language"].values()) == everything["total"]
    for wrong in ({"sort": "colour"}, {"state": "lost"}, {"order": "up"}, {"q": "x" * 401}, {"q": "a " * 30}):
        assert client.get("/v1/documents", params=wrong).status_code == 422
    assert client.get("/v1/documents", params={"collection": "nope"}).status_code == 404


def test_a_document_is_read_passage_by_passage(client: TestClient) -> None:
    chosen = client.get("/v1/documents", params={"q": "metformin kidney"}).json()["documents"][0]
    read = client.get(f"/v1/documents/{chosen['id']}/passages", params={"limit": 2, "offset": 1}).json()
    assert (read["document_id"], read["edition_id"]) == (chosen["id"], chosen["edition_id"])
    assert [piece["ordinal"] for piece in read["pieces"]] == [1, 2]
    assert read["headings"][0]["ordinal"] == 0
    assert "text" not in client.get(f"/v1/documents/{chosen['id']}", params={"text": False}).json()
    assert client.get("/v1/documents/none/passages").status_code == 404
    assert client.get(f"/v1/documents/{chosen['id']}/passages", params={"edition_id": "x"}).status_code == 404


def test_an_explanation_has_the_hits_of_the_search_and_each_arm_alone(client: TestClient) -> None:
    body = {"query": QUESTION, "top_k": 5}
    hits = client.post("/v1/search", json=body).json()["hits"]
    explained = client.post("/v1/search/explain", json=body).json()
    assert explained["hits"] == hits
    arms = {arm["name"]: arm for arm in explained["arms"]}
    assert list(arms) == ["dense", "lexical", "fused", "reranker"]
    for hit in hits:
        for name in ("dense", "lexical"):
            rank = hit[f"{name}_rank"]
            if rank is not None and rank <= 5:
                assert arms[name]["hits"][rank - 1]["passage"]["passage_id"] == hit["passage_id"]
    for arm in arms.values():
        assert [hit["rank"] for hit in arm["hits"]] == [1, 2, 3, 4, 5]
        scores = [hit["score"] for hit in arm["hits"]]
        assert scores == sorted(scores, reverse=True)
        assert arm["found"] >= 5
    best = arms["lexical"]["hits"][0]
    assert {"metformin", "contraindicated"} <= {word.lower() for word in best["matched"]}
    assert all(word.lower() in str(best["passage"]).lower() for word in best["matched"])
    assert not {word.lower() for word in best["matched"]} & {word.lower() for word in best["missing"]}
    one_arm = client.post("/v1/search/explain", json={**body, "retrieval": "lexical"}).json()["arms"]
    assert [arm["name"] for arm in one_arm] == ["lexical"]
    chinese = client.post("/v1/search/explain", json={"query": "二甲双胍禁忌", "top_k": 10}).json()
    crossing = [hit for arm in chinese["arms"] for hit in arm["hits"] if hit["passage"]["language"] == "en"]
    assert any("metformin" in [word.lower() for word in hit["matched"]] for hit in crossing)
    named = client.post("/v1/search/explain", json={"query": f"Mr. Zebulon Quartermain: {QUESTION}"}).json()
    assert "Quartermain" not in str(named["query"])
    assert client.post("/v1/search/explain", json={"query": "x", "collections": ["nope"]}).status_code == 404
    assert client.post("/v1/search/explain", json={"query": "x", "top_k": 0}).status_code == 422


def test_a_file_of_an_unknown_kind_is_refused_at_once_with_its_reason(client: TestClient) -> None:
    refused = client.post("/v1/documents", files={"file": ("scan.xyz", b"junk")})
    assert (refused.status_code, refused.json()["title"]) == (415, "Unsupported format")
    assert "scan.xyz" in refused.json()["detail"]
    assert client.get("/v1/jobs").json()["total"] == 0
    assert client.post("/v1/documents", files={"file": ("library.ZIP", b"junk")}).status_code == 202


def test_what_is_to_be_acted_on_says_which_collections_and_words_it_is_about(client: TestClient) -> None:
    body = {"question": "Who won the football cup of 1974?", "collections": ["default"]}
    answer = client.post("/v1/ask", json=body).json()
    assert answer["status"] == "abstained"
    [listed] = client.get("/v1/feedback").json()["feedback"]
    assert (listed["answer_id"], listed["collections"]) == (answer["id"], ["default"])
    assert listed["missing"] == answer["abstention"]["missing"]
    rated = client.post(f"/v1/answers/{answer['id']}/feedback", json={"rating": "down"}).json()
    assert (rated["collections"], rated["missing"]) == (listed["collections"], listed["missing"])


def test_a_collection_that_a_caller_may_not_read_is_named_nowhere(sample_home: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(sample_home, tmp_path / "home", symlinks=True))
    settings = Settings(home=home)
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
        everywhere = keys.create(session, LOCAL_ADMIN, "all", Role.ADMIN, None)[1]
        elsewhere = keys.create(session, LOCAL_ADMIN, "one", Role.ADMIN, ["elsewhere"])[1]
    app = create_app(settings, with_worker=False)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        theirs = {"authorization": f"Bearer {elsewhere}"}
        client.headers["authorization"] = f"Bearer {everywhere}"
        known = client.get("/v1/documents", params={"limit": 1}).json()["documents"][0]
        client.post("/v1/ask", json={"question": "Who won the football cup of 1974?", "collections": ["default"]})
        found = client.get("/v1/documents", params={"facets": True}, headers=theirs).json()
        assert found["documents"] == []
        assert not any(found["facets"].values())
        assert client.get(f"/v1/documents/{known['id']}/passages", headers=theirs).status_code == 404
        assert "default" not in str(client.get("/v1/feedback", headers=theirs).json())
        explained = client.post("/v1/search/explain", json={"query": QUESTION}, headers=theirs).json()
        assert [arm["hits"] for arm in explained["arms"]] == [[], [], []]
