"""This project as people use it: ``taiyi-rag serve``, asked over HTTP with a key, by vectors and words together. What
the others do not do, it does here: requests are read and checked, the caller's rights looked up, both arms searched,
duplicates collapsed, each question entered into the record. Its clients are threads here, each with a connection."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

EXECUTABLE = Path(sys.executable).with_name("taiyi-rag")
READY_WITHIN_S = WITHIN_S = 300
KEY_FILE = "key-of-the-benchmark"
"""In the home: the key of an editor."""


class Served:
    def __init__(self, folder: Path, model: Path) -> None:
        self.versions = {name: version(name) for name in ("taiyi-rag", "uvicorn", "fastapi")}
        self._folder = folder
        self._key = (folder / KEY_FILE).read_text(encoding="ascii")
        self._documents: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._of_this_thread = threading.local()
        if not (folder / "models").exists():
            (folder / "models").symlink_to(model.parent)

    def load_model(self) -> None:
        """The service loads it."""

    def open(self) -> None:
        environment = {**os.environ, "RAG_HOME": str(self._folder), "RAG_REQUESTS_PER_MINUTE": "0"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen([str(EXECUTABLE), "serve", "--port", str(port)], env=environment)
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._is_there():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("the service did not start; its words are above")
            time.sleep(0.02)

    def _is_there(self) -> bool:
        try:
            return self._client.get("/healthz").is_success
        except httpx.TransportError:
            return False

    @property
    def _client(self) -> httpx.Client:
        if not hasattr(self._of_this_thread, "client"):
            headers = {"Authorization": f"Bearer {self._key}"}
            self._of_this_thread.client = httpx.Client(base_url=self._url, headers=headers, timeout=WITHIN_S)
        client: httpx.Client = self._of_this_thread.client
        return client

    def search(self, question: str, k: int) -> list[str]:
        return [
            str(hit["external_id"]) for hit in self._call("POST", "/v1/search", {"query": question, "top_k": k})["hits"]
        ]

    def update(self, identifier: str, text: str) -> None:
        """Uploads a file of the one document, and waits until its job is done, asking every few milliseconds."""
        line = json.dumps({"id": identifier, "text": text})
        response = self._client.post("/v1/documents", files={"file": ("one.jsonl", line.encode())})
        job = response.raise_for_status().json()["job_id"]
        while (state := self._call("GET", f"/v1/jobs/{job}")["state"]) in ("queued", "running"):
            time.sleep(0.01)
        if state != "succeeded":
            raise RuntimeError(f"the update ended as {state}")

    def delete(self, identifier: str) -> None:
        """By the document's id, which who deletes has at hand: the first, which is not counted, lists them all."""
        if not self._documents:
            listed = self._call("GET", "/v1/documents?limit=10000")["documents"]
            self._documents = {str(one["external_id"]): str(one["id"]) for one in listed}
        self._call("DELETE", f"/v1/documents/{self._documents[identifier]}")

    def save(self) -> None:
        """What was answered is on disk."""

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = self._client.request(method, path, json=body).raise_for_status().json()
        return found

    def create(self) -> None:
        raise NotImplementedError("the library of the service is that of with_taiyi.py")

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self.create()

    def add_embedded(self, ids: Sequence[str], texts: Sequence[str], vectors: Sequence[Sequence[float]]) -> None:
        self.create()

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)


open_peer = Served
