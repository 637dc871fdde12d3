"""Fixtures of a real vLLM. A test file asks for them by ``pytest_plugins = ["vllm_fixtures"]``."""

from collections.abc import Iterator

import pytest
from vllm_server import INSTALLED, NOT_INSTALLED, VllmServer


@pytest.fixture(scope="session")
def vllm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VllmServer]:
    """SmolLM2 on one core, for all tests; one that kills or pauses it leaves it as it was."""
    if not INSTALLED.exists():
        pytest.skip(NOT_INSTALLED)
    with VllmServer(tmp_path_factory.mktemp("vllm") / "vllm.log") as server:
        yield server
