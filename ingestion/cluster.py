"""Parsing and embedding on the machines of a Ray cluster, for ``ingestion.pipeline``, which alone writes.

The machine that writes is one of the cluster. Files go out from it in rounds of up to ``ROUND_FILES``, each a pass of
Ray Data over ``ingestion.cluster_tasks``: its bytes are read here, parsed on any machine in a limited process, and its
passages embedded by workers that hold the model. What comes back comes in the order of the files, no faster than it is
taken, and as documents and vectors only: what becomes of them is decided by the same code as without a cluster.

A machine that is lost is done without: Ray repeats its work elsewhere. The machines of a cluster trust each other and
whoever reaches it.
"""

import logging
import os
import re
import socket
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from ingestion.isolation import Parsers, parsing_processes
from ingestion.pipeline import FileToRead, Reader
from ingestion.types import ParsedDocument
from rag.embedding import Embedder, EmbedderCounts, Vectors
from rag.errors import Unavailable, UnreadableFile
from rag.settings import PACKAGED_EMBEDDER
from rag.system import System

if TYPE_CHECKING:
    from ingestion.cluster_tasks import Agreed

ROUND_FILES = 2000
LARGEST_BYTES = 1 << 30
"""A file beyond that is parsed and embedded on the machine that writes."""
BLOCK_BYTES = 512 << 10
"""Small files are sent together up to that; what a file holds is parted for the embedders about so."""
BLOCK_FILES = 16
BATCH_PIECES = 16
VECTORS_KEPT = 65_536
PARSING_CPUS, EMBEDDING_CPUS = 0.4, 0.6
"""Of a core. Together one, since parsing mostly waits for embedding. Not equal, since Ray Data makes one step of two
that ask for the same, and then one worker would embed all that a large file holds."""
_ANSWER_WITHIN_S = 10
_SAID_BY_A_MACHINE = re.compile(r"^rag\.errors\.Unavailable: (.+)$", re.MULTILINE)
_MODULE_MISSING = re.compile(r"No module named '([\w.]+)'")
_START_ONE = (
    "start one with RAY_USAGE_STATS_ENABLED=0 ray start --head --include-dashboard=false, and join other machines "
    "with ray start --address=HOST:6379"
)
log = logging.getLogger(__name__)


@contextmanager
def on_cluster(system: System, address: str = "auto") -> Iterator[tuple[System, Reader]]:
    """The reader to ingest with, and the system to ingest into, whose embedder takes the vectors that come.

    ``address`` is ``host:port`` of the cluster's head, or ``auto`` for RAY_ADDRESS or the cluster that this machine
    belongs to. Raises Unavailable where there is none, or Ray is not installed.
    """
    ray = _ray()
    _connect(ray, address)
    try:
        from ingestion.cluster_tasks import Agreed, installed_version

        settings = system.settings
        agreed = Agreed(installed_version(), settings.embedder, system.embedder.fingerprint, settings.threads)
        arrived = ArrivedVectors(system.embedder)
        with parsing_processes(system.home) as parsers:
            rounds = _Rounds(lambda files: _rows(ray, files, agreed), arrived, parsers)
            with closing(rounds):
                reader = Reader(rounds.start, parsers.unpack, ahead=ROUND_FILES, drops=True)
                yield replace(system, embedder=arrived), reader
    finally:
        ray.shutdown()


class ArrivedVectors:
    """The embedder of a system to which vectors come from elsewhere: what has not come, or came long ago, it embeds
    itself. Safe for use by several threads."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = Lock()
        self.embedded_here = 0

    @property
    def counts(self) -> EmbedderCounts:
        return self._embedder.counts

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    def embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        from ingestion.cluster_tasks import text_key

        with self._lock:
            found = [self._vectors.get(text_key(text)) for text in texts]
        missing = [text for text, vector in zip(texts, found, strict=True) if vector is None]
        own = iter(self._embedder.embed_passages(missing) if missing else ())
        self.embedded_here += len(missing)
        return np.stack([next(own) if vector is None else vector for vector in found])

    def take(self, keys: Sequence[bytes], vectors: bytes) -> None:
        if keys:
            rows = np.frombuffer(vectors, np.float32).reshape(len(keys), -1)
            with self._lock:
                self._vectors.update(zip(keys, rows, strict=True))
                while len(self._vectors) > VECTORS_KEPT:
                    self._vectors.popitem(last=False)


_Row = dict[str, Any]


class _Rounds:
    """The files that were begun and those of the round that is under way.

    Files are taken in the order in which they were begun. One that is begun and taken before others that were begun
    earlier, or is very large, is parsed here.
    """

    def __init__(
        self,
        rows_of: Callable[[Sequence[tuple[int, FileToRead]]], Iterator[_Row]],
        arrived: ArrivedVectors,
        parsers: Parsers,
    ) -> None:
        self._rows_of, self._arrived, self._parsers = rows_of, arrived, parsers
        self._begun = 0
        self._waiting: deque[tuple[int, FileToRead]] = deque()
        self._untaken: deque[int] = deque()
        self._rows: Iterator[_Row] = iter(())

    def close(self) -> None:
        if isinstance(self._rows, Generator):
            self._rows.close()

    def start(self, file: FileToRead) -> AbstractContextManager[Iterator[ParsedDocument]]:
        self._begun += 1
        if not file.path.is_file() or file.path.stat().st_size <= LARGEST_BYTES:
            self._waiting.append((self._begun, file))
            self._untaken.append(self._begun)
        return self._taking(self._begun, file)

    @contextmanager
    def _taking(self, number: int, file: FileToRead) -> Iterator[Iterator[ParsedDocument]]:
        if self._untaken and self._untaken[0] == number:
            self._untaken.popleft()
            if self._waiting and self._waiting[0][0] == number:
                self.close()
                self._rows = self._rows_of(tuple(self._waiting))
                self._waiting.clear()
            yield self._documents(number)
            return
        if number in self._untaken:
            self._untaken.remove(number)
            self._waiting.remove((number, file))
        with self._parsers.start(file.path) as documents:
            yield documents

    def _documents(self, number: int) -> Iterator[ParsedDocument]:
        for row in self._rows:
            if row["number"] != number:  # of a file that was given up half-way
                continue
            self._arrived.take(row["keys"], row["vectors"])
            for document in row["documents"]:
                yield msgspec.msgpack.decode(document, type=ParsedDocument)
            if row["last"]:
                if row["error"] is not None:
                    raise UnreadableFile(row["error"])
                return
        raise Unavailable("The Ray cluster gave less than it was asked for; run the same command again")


def _ray() -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ModuleNotFoundError as error:
        raise Unavailable(f"--ray needs Ray ({error}): pip install 'taiyi-rag[ray]'") from None
    return ray


def _connect(ray: Any, address: str) -> None:
    if address.startswith("ray://"):
        raise Unavailable(
            f"--ray {address}: the machine that writes must belong to the cluster; run ray start --address=HEAD:6379 "
            "on it, then give --ray HEAD:6379"
        )
    try:
        if address != "auto":
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), _ANSWER_WITHIN_S).close()
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what it has to say is said once
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        raise Unavailable(
            f"--ray {address}: no Ray cluster answers there ({_last_line(error)}); {_START_ONE}"
        ) from None


def _rows(ray: Any, files: Sequence[tuple[int, FileToRead]], agreed: "Agreed") -> Iterator[_Row]:
    """The embedded pieces of ``files`` in their order. Raises Unavailable where the cluster cannot go on."""
    import pyarrow as pa

    from ingestion import cluster_tasks as tasks

    blocks = [pa.Table.from_pylist([tasks.file_row(*one) for one in block], tasks.FILES) for block in _blocks(files)]
    dataset = ray.data.from_arrow(blocks)
    dataset.context.target_max_block_size = BLOCK_BYTES
    dataset.context.execution_options.preserve_order = True
    dataset.context.enable_progress_bars = False
    read = dataset.map_batches(
        tasks.read,
        batch_format="pyarrow",
        num_cpus=0,
        compute=ray.data.TaskPoolStrategy(size=min(2, len(blocks))),
        label_selector={"ray.io/node-id": ray.get_runtime_context().get_node_id()},
    )
    parsed = read.map_batches(
        tasks.parse,
        fn_args=(agreed,),
        batch_format="pyarrow",
        num_cpus=PARSING_CPUS,
    )
    embedded = parsed.map_batches(
        tasks.Embed,
        fn_constructor_args=(agreed,),
        batch_size=BATCH_PIECES,
        batch_format="pyarrow",
        **_embedders(ray, agreed),
    )
    try:
        for batch in embedded.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=2):
            yield from batch.to_pylist()
    except (ray.exceptions.RayError, RuntimeError, OSError) as error:
        log.info("Ray says:", exc_info=error)
        raise _told(error) from None


def _embedders(ray: Any, agreed: "Agreed") -> dict[str, Any]:
    """Where a model can use a GPU and the cluster has some, a worker a GPU, else a worker a core."""
    has = ray.cluster_resources()
    if agreed.embedder != PACKAGED_EMBEDDER and (gpus := int(has.get("GPU", 0))):
        return {"num_gpus": 1, "compute": ray.data.ActorPoolStrategy(min_size=1, max_size=gpus)}
    threads = agreed.threads or 1
    most = max(1, int(has.get("CPU", 0)) // threads)
    return {
        "num_cpus": EMBEDDING_CPUS * threads,
        "compute": ray.data.ActorPoolStrategy(min_size=1, max_size=most),
    }


def _blocks(files: Sequence[tuple[int, FileToRead]]) -> Iterator[list[tuple[int, FileToRead]]]:
    """Small neighbours together, so that sending a file does not cost more than reading it."""
    block: list[tuple[int, FileToRead]] = []
    size = 0
    for number, file in files:
        block.append((number, file))
        size += file.path.stat().st_size if file.path.is_file() else 0
        if size >= BLOCK_BYTES or len(block) == BLOCK_FILES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _told(error: BaseException) -> Unavailable:
    """What a machine of the cluster said, or that it has no taiyi-rag, or else what became of the cluster."""
    if said := _SAID_BY_A_MACHINE.search(str(error)):
        return Unavailable(said[1])
    if missing := _MODULE_MISSING.search(str(error)):
        return Unavailable(
            f"A machine of the cluster lacks {missing[1]}; install taiyi-rag[ray] on every one, as on this machine"
        )
    return Unavailable(f"The Ray cluster failed: {_last_line(error)}; what was read by then is kept: run it again")


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__
