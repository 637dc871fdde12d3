"""The service as a process of its own, for tests of what only a real one shows."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from conftest import EXECUTABLE, find_free_port

ALIVE_WITHIN_S = 120
LOG = "serve.log"


@contextmanager
def served(home: Path, **settings: str) -> Iterator[httpx.Client]:
    """``taiyi-rag serve`` without a worker, alive whether ready or not, and a client of it; what it says goes to
    ``serve.log`` in its home."""
    port = find_free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("RAG_", "OTEL_"))}
    with (home / LOG).open("ab") as log:
        process = subprocess.Popen(
            [EXECUTABLE, "serve", "--port", str(port), "--no-worker"],
            env={**environment, "RAG_HOME": str(home), **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client:
            deadline = time.monotonic() + ALIVE_WITHIN_S
            while not _is_alive(client):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError((home / LOG).read_text()[-2000:])
                time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def _is_alive(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False
