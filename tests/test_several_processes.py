"""Several services and their workers on one home and one PostgreSQL: what one does, the other shows at once."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import find_free_port, new_home, start_server


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_services_and_a_worker_share_one_postgresql(database_url: str, tmp_path: Path, models: Path) -> None:
    home, ports = new_home(tmp_path / "home", models), (find_free_port(), find_free_port())
    with ThreadPoolExecutor(2) as starting:
        servers = list(starting.map(lambda port: start_server(home, port, RAG_DATABASE_URL=database_url), ports))
    try:
        clients = [httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) for port in ports]
        share_one_library(*clients)
        share_the_work(clients)
        for client in clients:
            client.close()
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def share_one_library(one: httpx.Client, other: httpx.Client) -> None:
    job = upload(one, "q.md", "# Quoxin\n\nQuoxin 3 mg is given weekly for reflux.\n")
    assert finished(other, job)["state"] == "succeeded"
    [document] = other.get("/v1/documents").json()["documents"]
    assert "Quoxin" in found(other, "Quoxin")[0]
    assert found(one, "Quoxin") == found(other, "Quoxin")
    answer = other.post("/v1/ask", json={"question": "How is Quoxin given?"}).json()
    assert one.get(f"/v1/answers/{answer['id']}").json()["text"] == answer["text"]
    assert one.delete(f"/v1/documents/{document['id']}").status_code == 200
    assert not any("Quoxin" in text for text in found(other, "Quoxin"))
    assert other.get(f"/v1/documents/{document['id']}").status_code == 404


def share_the_work(clients: list[httpx.Client]) -> None:
    """Uploads at both at once: each is read once, by whichever worker has its turn."""
    jobs = [
        upload(clients[number % 2], f"{number}.md", f"# Drug{number}\n\nDrug{number} is given at {number + 1} mg.\n")
        for number in range(8)
    ]
    for number, job in enumerate(jobs):
        assert finished(clients[(number + 1) % 2], job)["counts"] == {"added": 1}
    titles = [sorted(one["title"] for one in client.get("/v1/documents").json()["documents"]) for client in clients]
    assert titles == [sorted(f"Drug{number}" for number in range(8))] * 2


def upload(client: httpx.Client, name: str, content: str) -> str:
    response = client.post("/v1/documents", files={"file": (name, content.encode())})
    assert response.status_code == 202
    return str(response.json()["job_id"])


def finished(client: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 120
    while (job := client.get(f"/v1/jobs/{job_id}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    return dict(job)


def found(client: httpx.Client, query: str) -> list[str]:
    hits = client.post("/v1/search", json={"query": query}).json()["hits"]
    return [hit["text"] for hit in hits]
