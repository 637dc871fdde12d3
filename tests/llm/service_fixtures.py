"""The service as a process, with a scripted model behind it. A test file asks for it by
``pytest_plugins = ["service_fixtures"]``."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import ScriptedServer, Service

from conftest import find_free_port, start_server


@pytest.fixture(scope="session")
def service(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Over a copy of the sample library, for all tests; each sets the model's script by ``model.reset``."""
    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("service") / "home", symlinks=True))
    port = find_free_port()
    with ScriptedServer() as model:
        server = start_server(home, port, RAG_LLM_URL=model.url)
        yield Service(f"http://127.0.0.1:{port}", home, model)
        server.terminate()
        server.wait(30)
