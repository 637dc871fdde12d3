"""Jobs over HTTP and on the command line, against a real server with its real worker."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import EXECUTABLE, find_free_port, new_home, start_server

FILES = 60


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    for number in range(FILES):
        (folder / f"{number:02}.md").write_text(f"# Drug{number}\n\nDrug{number} is given at {number + 1} mg.\n")
    (folder / "broken.pdf").write_bytes(b"junk")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, models: Path, folder: Path) -> Path:
    """A home whose settings, in a ``.env`` file where the server starts, let it read ``folder``."""
    return new_home(tmp_path_factory.mktemp("jobs") / "home", models)


@pytest.fixture(scope="module")
def client(home: Path, folder: Path) -> Iterator[httpx.Client]:
    port = find_free_port()
    before = Path.cwd()
    os.chdir(home)
    (home / ".env").write_text(f"RAG_INGEST_ROOTS={folder}\n")
    try:
        server = start_server(home, port)
    finally:
        os.chdir(before)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as opened:
        yield opened
    server.terminate()
    assert server.wait(30) in (0, -signal.SIGTERM)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "RAG_HOME": str(home)}
    return subprocess.run([EXECUTABLE, *arguments], env=environment, capture_output=True, text=True, timeout=120)


def upload(client: httpx.Client, name: str, content: str) -> dict[str, Any]:
    response = client.post("/v1/documents", files={"file": (name, content.encode())})
    assert response.status_code == 202
    accepted: dict[str, Any] = response.json()
    return accepted


def finished(client: httpx.Client, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 90
    while (job := client.get(f"/v1/jobs/{job_id}").json())["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    return dict(job)


def events(client: httpx.Client, job_id: str) -> list[tuple[str, dict[str, Any]]]:
    """What the stream says until it ends."""
    with client.stream("GET", f"/v1/jobs/{job_id}/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        told = [block for block in "".join(response.iter_text()).split("\n\n") if block and not block.startswith(":")]
    lines = [block.splitlines() for block in told]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in lines]


def test_a_folder_is_read_while_its_events_are_told_and_others_search(client: httpx.Client, folder: Path) -> None:
    response = client.post("/v1/jobs", json={"paths": [str(folder)]})
    assert response.status_code == 202
    job_id = response.json()["job_id"]
    told: list[tuple[str, dict[str, Any]]] = []
    listening = threading.Thread(target=lambda: told.extend(events(client, job_id)))
    listening.start()
    while listening.is_alive():
        assert client.post("/v1/search", json={"query": "dose"}).status_code == 200
        time.sleep(0.05)
    listening.join()
    assert [name for name, _ in told[:-1]] == ["progress"] * (len(told) - 1)
    name, last = told[-1]
    assert (name, last["state"], last["counts"]) == ("done", "partial", {"added": FILES, "failed": 1})
    assert last["progress"] == {"files_done": FILES + 1, "files_total": FILES + 1, "passages": FILES}
    assert [file["path"] for file in last["files"] if file["status"] == "failed"] == [str(folder / "broken.pdf")]
    assert "broken.pdf" in last["files"][0]["reason"]
    assert {job["state"] for _, job in told} >= {"running", "partial"}
    assert events(client, job_id) == told[-1:]
    again = client.post(f"/v1/jobs/{job_id}/retry")
    assert (again.status_code, again.json()["counts"]) == (202, {"added": FILES, "queued": 1})
    assert finished(client, job_id)["counts"] == {"added": FILES, "failed": 1}


def test_jobs_are_listed_newest_first(client: httpx.Client) -> None:
    first, second = (upload(client, name, f"# {name}\n\nText of {name}.\n")["job_id"] for name in ("a.md", "b.md"))
    finished(client, second)
    listed = client.get("/v1/jobs", params={"limit": 2}).json()
    assert [job["id"] for job in listed["jobs"]] == [second, first]
    assert listed["total"] >= 2
    assert "files" not in listed["jobs"][0]
    assert client.get("/v1/jobs", params={"offset": 1}).json()["jobs"][0]["id"] == first
    assert client.get("/v1/jobs", params={"state": "running"}).json()["jobs"] == []
    assert client.get("/v1/jobs", params={"state": "over"}).status_code == 422
    broken = client.post("/v1/documents", files={"file": ("broken.pdf", b"junk")}).json()["job_id"]
    finished(client, broken)
    failed = client.get("/v1/jobs", params={"state": "failed", "files": 3}).json()
    assert [(job["id"], len(job["files"])) for job in failed["jobs"]] == [(broken, 1)]
    assert "broken.pdf" in failed["jobs"][0]["files"][0]["reason"]
    assert (failed["total"], failed["states"]["failed"]) == (1, 1)
    assert sum(failed["states"].values()) == client.get("/v1/jobs").json()["total"]


def test_what_is_not_below_the_roots_is_refused_with_the_reason(client: httpx.Client, home: Path) -> None:
    for path in ("/etc", str(home), "relative"):
        response = client.post("/v1/jobs", json={"paths": [path]})
        assert response.status_code == 403
        assert "RAG_INGEST_ROOTS" in response.json()["detail"]
    assert client.post("/v1/jobs", json={"paths": []}).status_code == 422
    assert client.post("/v1/jobs", json={"paths": ["/etc"], "colour": "red"}).status_code == 422


@pytest.mark.parametrize("call", ["GET", "DELETE", "POST retry", "GET events"])
def test_a_job_that_is_not_there_is_a_404(client: httpx.Client, call: str) -> None:
    method, _, what = call.partition(" ")
    assert client.request(method, f"/v1/jobs/nope/{what}".rstrip("/")).status_code == 404


def test_cancelling_a_job_that_has_ended_changes_nothing(client: httpx.Client) -> None:
    job = finished(client, upload(client, "c.md", "# C\n\nText.\n")["job_id"])
    response = client.delete(f"/v1/jobs/{job['id']}")
    assert response.status_code == 200
    assert response.json()["state"] == "succeeded"
    assert client.post(f"/v1/jobs/{job['id']}/retry").status_code == 422


@pytest.mark.sqlite
def test_the_command_line_queues_shows_and_cancels(client: httpx.Client, home: Path, folder: Path) -> None:
    queued = command(home, "ingest", "--detach", str(folder), "--collection", "other")
    job_id = queued.stdout.strip()
    assert client.get(f"/v1/jobs/{job_id}").json()["collection"] == "other"
    assert finished(client, job_id)["state"] == "partial"
    shown = json.loads(command(home, "jobs", "show", job_id, "--json").stdout)
    assert shown["counts"] == {"added": FILES, "failed": 1}
    assert "broken.pdf" in command(home, "jobs", "show", job_id).stdout
    assert json.loads(command(home, "jobs", "cancel", job_id, "--json").stdout)["state"] == "partial"
    assert job_id in [json.loads(line)["id"] for line in command(home, "jobs", "list", "--json").stdout.splitlines()]
    assert command(home, "jobs", "show", "nope").returncode == 1


def test_ctrl_c_cancels_and_a_kill_leaves_the_rest_to_a_worker(tmp_path: Path, models: Path, folder: Path) -> None:
    home = new_home(tmp_path / "home", models)
    many = tmp_path / "many"
    many.mkdir()
    for number in range(200):
        (many / f"{number}.md").write_text(f"# Drug{number}\n\nDrug{number} is given at {number + 1} mg.\n")

    def begin() -> subprocess.Popen[str]:
        started = subprocess.Popen(
            [EXECUTABLE, "ingest", str(many), "--json"],
            env={**os.environ, "RAG_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while True:
            jobs = [
                json.loads(line)
                for line in command(home, "jobs", "list", "--state", "running", "--json").stdout.splitlines()
            ]
            if jobs and jobs[0]["progress"]["files_done"]:
                return started
            assert started.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)

    interrupted = begin()
    interrupted.send_signal(signal.SIGINT)
    out, err = interrupted.communicate(timeout=60)
    assert interrupted.returncode == 130, err
    cancelled = json.loads(command(home, "jobs", "list", "--json").stdout)
    assert (cancelled["id"], cancelled["state"]) == (json.loads(out)["job_id"], "cancelled")
    assert len(json.loads(out)["files"]) == cancelled["counts"]["added"] < 200
    assert command(home, "documents", "delete", json.loads(out)["files"][0]["document_id"]).returncode == 0
    killed = begin()
    killed.kill()
    killed.communicate()
    [left] = [json.loads(x) for x in command(home, "jobs", "list", "--state", "running", "--json").stdout.splitlines()]
    worker = subprocess.Popen([EXECUTABLE, "jobs", "run"], env={**os.environ, "RAG_HOME": str(home)})
    deadline = time.monotonic() + 90
    while (job := json.loads(command(home, "jobs", "show", left["id"], "--json").stdout))["state"] == "running":
        assert time.monotonic() < deadline
    worker.send_signal(signal.SIGINT)
    assert worker.wait(30) == 0
    assert job["state"] == "succeeded"
    assert sum(job["counts"].values()) == 200
    assert len(command(home, "documents", "list", "--json").stdout.splitlines()) == 199


def test_an_upload_survives_the_death_of_server_and_worker(tmp_path: Path, models: Path) -> None:
    home, port = new_home(tmp_path / "home", models), find_free_port()
    server = start_server(home, port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        job_id = upload(client, "q.md", "# Quoxin\n\nQuoxin 3 mg is given weekly.\n")["job_id"]
        server.kill()
        server.wait()
        server = start_server(home, port)
        assert finished(client, job_id)["state"] == "succeeded"
        hits = client.post("/v1/search", json={"query": "Quoxin"}).json()["hits"]
        assert "Quoxin" in hits[0]["text"]
    server.terminate()
    server.wait(30)


def test_two_servers_on_one_home_run_a_job_once(tmp_path: Path, models: Path, folder: Path) -> None:
    home, ports = new_home(tmp_path / "home", models), (find_free_port(), find_free_port())
    servers = [start_server(home, port) for port in ports]
    with httpx.Client(base_url=f"http://127.0.0.1:{ports[1]}", timeout=60) as client:
        job_id = command(home, "ingest", "--detach", str(folder)).stdout.strip()
        assert finished(client, job_id)["counts"] == {"added": FILES, "failed": 1}
        documents = client.get("/v1/documents").json()
        assert documents["total"] == FILES
        servers[0].kill()
        late = upload(client, "late.md", "# Late\n\nText.\n")["job_id"]
        assert finished(client, late)["state"] == "succeeded"
    for server in servers:
        server.terminate()
        server.wait(30)


def test_watching_reads_what_comes_until_ctrl_c(tmp_path: Path, models: Path) -> None:
    home, watched = new_home(tmp_path / "home", models), tmp_path / "watched"
    watched.mkdir()
    (watched / "a.md").write_text("# A\n\nText of a.\n")
    watching = subprocess.Popen(
        [EXECUTABLE, "ingest", str(watched), "--watch", "--json"],
        env={**os.environ, "RAG_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    first = json.loads(watching.stdout.readline())
    assert [(Path(file["path"]).name, file["status"]) for file in first["files"]] == [("a.md", "added")]
    (watched / "a.md").unlink()
    (watched / "b.md").write_text("# B\n\nText of b.\n")
    second = json.loads(watching.stdout.readline())
    assert [(Path(file["path"]).name, file["status"]) for file in second["files"]] == [("b.md", "added")]
    watching.send_signal(signal.SIGINT)
    _, err = watching.communicate(timeout=30)
    assert watching.returncode == 0, err
    assert err.count("a.md is gone") == 1
    assert len(command(home, "documents", "list", "--json").stdout.splitlines()) == 2
