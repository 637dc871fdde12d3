"""Segments in Milvus, each a collection of its own: a file of Milvus Lite, or a server.

A collection is dropped as easily as a file, and one that a killed writer left half filled is named nowhere in SQL, so
that the next writer drops it. Whoever shares a server gives each installation a database of its own, since an
installation drops every segment that its records do not name.
"""

import logging
import math
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from numpy.typing import NDArray

from rag.errors import Inconsistent, Unavailable
from rag.permitted import Permitted
from rag.vectors.lists import list_count
from rag.vectors.ranking import Proposal, closest, is_scanned, merged
from rag.vectors.types import Ids, SegmentGoneError, SegmentShape, Vectors

PREFIX = "taiyi_"
DEEPEST = 16_384
"""The most results that Milvus gives."""
_BATCH = 1_000
_PART_OF_LISTS = 4
"""A search that need not be exact looks into a quarter of a segment's lists."""


@dataclass(frozen=True, slots=True)
class _Known:
    ids: Ids
    dimension: int


class MilvusSegments:
    """See ``VectorSegments``. The ids of each segment that was read are kept in memory."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}

    def write(self, ids: Ids, vectors: Vectors) -> str:
        name = uuid.uuid4().hex
        with self._client() as client:
            self._create(client, name, len(ids), vectors.shape[1])
            for at in range(0, len(ids), _BATCH):
                batch = zip(ids[at : at + _BATCH].tolist(), vectors[at : at + _BATCH], strict=True)
                client.insert(PREFIX + name, [{"id": identifier, "vector": vector} for identifier, vector in batch])
            client.flush(PREFIX + name)
        return name

    def search(self, segments: Sequence[str], query: Vectors, k: int, permitted: Permitted) -> list[tuple[int, float]]:
        query = np.ascontiguousarray(query, np.float32)
        found = []
        for name in segments:
            known = self._look(name)
            if known.dimension != len(query):
                raise Inconsistent(
                    f"The index has {known.dimension} dimensions, the embedder {len(query)}: run taiyi-rag reindex"
                )
            allowed = permitted.contains(known.ids)
            if held := int(allowed.sum()):
                scanned = is_scanned(len(permitted), held, len(allowed))
                found.append(closest(query, k, held, self._proposer(name, known.ids, allowed, query, scanned)))
        return merged(found, k)

    def ids(self, name: str) -> Ids:
        """In ascending order."""
        return self._look(name).ids

    def vectors(self, name: str) -> Vectors:
        self._look(name)
        rows = sorted(self._rows(name, ["id", "vector"]), key=lambda row: int(row["id"]))
        return np.array([row["vector"] for row in rows], np.float32)

    def vectors_of(self, segments: Sequence[str], ids: Ids) -> tuple[NDArray[np.bool_], Any]:
        held = np.zeros(len(ids), bool)
        found: dict[int, list[float]] = {}
        for name in segments:
            new = np.isin(ids, self.ids(name)) & ~held
            wanted = ids[new].tolist()
            with self._client(name) as client:
                for at in range(0, len(wanted), _BATCH):
                    rows = client.get(PREFIX + name, wanted[at : at + _BATCH], output_fields=["vector"])
                    found |= {row["id"]: row["vector"] for row in rows}
            held |= new
        return held, np.array([found[i] for i in ids[held].tolist()], np.float32) if found else None

    def exists(self, name: str) -> bool:
        with self._client() as client:
            return bool(client.has_collection(PREFIX + name))

    def keep_only(self, names: set[str]) -> None:
        with self._lock:
            self._known = {name: known for name, known in self._known.items() if name in names}
        with self._client() as client:
            for collection in client.list_collections():
                if collection.startswith(PREFIX) and collection.removeprefix(PREFIX) not in names:
                    client.drop_collection(collection)

    def shape(self, name: str) -> SegmentShape:
        known = self._look(name)
        vectors, lists = len(known.ids), list_count(len(known.ids))
        kind = f"IVF, {math.ceil(lists / _PART_OF_LISTS)} of {lists} lists" if lists else "exact"
        return SegmentShape(f"{kind}, in Milvus", vectors, vectors * known.dimension * 4)

    def about(self) -> str:
        with self._client() as client:
            return f"Milvus {client.get_server_version()} at {_without_password(self._address)}"

    def close(self) -> None:
        if opened := self.__dict__.pop("_opened", None):
            opened.close()

    def _proposer(
        self, name: str, ids: Ids, allowed: NDArray[np.bool_], query: Vectors, scanned: bool
    ) -> Callable[[int], Proposal]:
        """What Milvus proposes for ``query`` among the ``allowed`` of ``ids``: by naming them, or those left out, where
        they are to be scanned; else by asking for more and leaving out what is not permitted."""
        lists, part = list_count(len(ids)), allowed.mean()
        probed = lists if scanned else math.ceil(lists / _PART_OF_LISTS / part)
        named = _named(ids, allowed)

        def asked(depth: int, condition: str) -> Proposal:
            with self._client(name) as client:
                found = client.search(
                    PREFIX + name,
                    [query],
                    filter=condition,
                    limit=min(depth, DEEPEST, len(ids)),
                    search_params={"metric_type": "IP", "params": {"nprobe": min(probed, lists)} if lists else {}},
                    output_fields=["vector"],
                    consistency_level="Strong",
                )[0]
            found_ids = np.array([hit["id"] for hit in found], np.int64)
            kept = allowed[np.searchsorted(ids, found_ids)]
            cosines = np.array([hit["distance"] for hit in found], np.float32)
            vectors = np.array([hit["entity"]["vector"] for hit in found], np.float32).reshape(len(found), len(query))
            return found_ids[kept][:depth], cosines[kept][:depth], vectors[kept][:depth]

        def propose(depth: int) -> Proposal:
            if not scanned and part < 1:
                found = asked(math.ceil(2 * depth / part), "")
                if len(found[0]) == depth:
                    return found
            return asked(depth, named)

        return propose

    def _look(self, name: str) -> "_Known":
        with self._lock:
            if (known := self._known.get(name)) is not None:
                return known
        with self._client(name) as client:
            client.load_collection(PREFIX + name)
            dimension = _dimension(client, name)
        ids = np.sort(np.array([row["id"] for row in self._rows(name, ["id"])], np.int64))
        ids.setflags(write=False)
        known = _Known(ids, dimension)
        with self._lock:
            return self._known.setdefault(name, known)

    def _create(self, client: Any, name: str, vectors: int, dimension: int) -> None:
        from pymilvus import DataType

        schema = client.create_schema(auto_id=False)
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=dimension)
        index = client.prepare_index_params()
        if lists := list_count(vectors):
            index.add_index("vector", index_type="IVF_FLAT", metric_type="IP", params={"nlist": lists})
        else:
            index.add_index("vector", index_type="FLAT", metric_type="IP")
        client.create_collection(PREFIX + name, schema=schema, index_params=index, consistency_level="Strong")

    def _rows(self, name: str, fields: list[str]) -> Iterator[Any]:
        with self._client(name) as client:
            rows = client.query_iterator(PREFIX + name, batch_size=_BATCH, output_fields=fields)
            try:
                while batch := rows.next():
                    yield from batch
            finally:
                rows.close()

    @contextmanager
    def _client(self, name: str | None = None) -> Iterator[Any]:
        """The client; what goes wrong is told as SegmentGoneError where there is no segment ``name``, else as
        Unavailable."""
        with self._lock:
            client = self._opened
        from pymilvus.exceptions import MilvusException

        try:
            yield client
        except MilvusException as error:
            if name is not None and not self.exists(name):
                raise SegmentGoneError(name) from error
            raise Unavailable(f"RAG_INDEX_URL: {self._failed(error)}") from error

    @cached_property
    def _opened(self) -> Any:
        try:
            import pymilvus
            from pymilvus.exceptions import MilvusException
        except ModuleNotFoundError:
            raise Unavailable("RAG_INDEX_URL names Milvus: pip install 'taiyi-rag[milvus]'") from None

        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs, it raises too
        try:
            if "://" in self._address:
                return pymilvus.MilvusClient(**_server(self._address))
            logging.getLogger("grpc._server").setLevel(logging.CRITICAL)  # Milvus Lite lacks calls that are not needed
            Path(self._address).absolute().parent.mkdir(parents=True, exist_ok=True)
            return pymilvus.MilvusClient(str(Path(self._address).absolute()))
        except (MilvusException, OSError, ValueError) as error:
            raise Unavailable(f"RAG_INDEX_URL: {self._failed(error)}") from error

    def _failed(self, error: Exception) -> str:
        return f"Milvus at {_without_password(self._address)} fails: {getattr(error, 'message', error)}"


def _named(ids: Ids, allowed: NDArray[np.bool_]) -> str:
    """A condition that only the ``allowed`` of ``ids`` meet, the shorter of two ways."""
    if allowed.all():
        return ""
    if 2 * allowed.sum() <= len(ids):
        return f"id in {ids[allowed].tolist()}"
    return f"id not in {ids[~allowed].tolist()}"


def _dimension(client: Any, name: str) -> int:
    fields = client.describe_collection(PREFIX + name)["fields"]
    return int(next(field["params"]["dim"] for field in fields if field["name"] == "vector"))


def _server(address: str) -> dict[str, str]:
    parts = urlsplit(address)
    place = parts.hostname or "localhost"
    found = {"uri": f"{parts.scheme}://{place}:{parts.port or 19530}"}
    if parts.username:
        found["token"] = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    if database := parts.path.strip("/"):
        found["db_name"] = database
    return found


def _without_password(address: str) -> str:
    user, at, rest = address.rpartition("@")
    return f"{user.partition('://')[0]}://{rest}" if at else address
