"""BM25 over pre-tokenised text, in one tantivy index a collection.

BM25 as tantivy computes it (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.75). Statistics are per collection, so a
score says nothing beyond its own collection. A deleted passage counts in the statistics until the index is written
anew: removal therefore filters at once and compaction writes a new directory.
"""

import threading
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rag.permitted import Permitted

_HEAP_BYTES = 64 * 2**20


class LexicalGoneError(Exception):
    """The directory was compacted away between reading SQL and opening it: read SQL again."""


class LexicalIndexes:
    """The lexical indexes in one folder, each a directory of its own. Safe for use by several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, tuple[Any, int]] = {}
        self._lock = threading.Lock()

    def create(self, entries: Iterable[tuple[int, Sequence[str]]]) -> str:
        """A new directory's name, holding ``(passage id, terms)``, once it is safely on disk."""
        name = uuid.uuid4().hex
        self._folder.joinpath(name).mkdir(parents=True)
        self._write(name, entries, ())
        return name

    def replace(self, name: str, entries: Iterable[tuple[int, Sequence[str]]], ids: Iterable[int]) -> None:
        """Adds entries under ``ids`` to an index, after removing what it holds under the same ids."""
        self._write(name, entries, ids)

    def search(
        self, name: str, query: Sequence[str], k: int, permitted: Permitted, generation: int
    ) -> list[tuple[int, float]]:
        """The ``k`` best permitted passages as ``(id, BM25 score)``, best first, ties by id.

        The search goes as deep as it takes to find ``k`` permitted ones. ``generation`` is the collection's: the
        index is read anew when it has grown. Raises LexicalGoneError when it was compacted away meanwhile.
        """
        import tantivy

        index = self._index(name, generation)
        unique = sorted(set(query))
        if not unique or not len(permitted):
            return []
        schema = index.schema
        boolean = tantivy.Query.boolean_query(
            [(tantivy.Occur.Should, tantivy.Query.term_query(schema, "terms", term)) for term in unique]
        )
        searcher = index.searcher()
        depth = 2 * k
        while True:
            scored = searcher.search(boolean, limit=depth, count=False).hits
            ids = np.array(searcher.fast_field_values("id", [address for _, address in scored]), np.int64)
            allowed = permitted.contains(ids)
            if allowed.sum() >= k or len(scored) < depth:
                break
            depth *= 4
        found = [(int(i), float(s)) for i, (s, _), ok in zip(ids, scored, allowed, strict=True) if ok]
        found.sort(key=lambda item: (-item[1], item[0]))
        return found[:k]

    def ids(self, name: str) -> list[int]:
        """The passages that an index holds. Raises LexicalGoneError where it does not exist."""
        import tantivy

        searcher = self._index(name, -1).searcher()
        found = searcher.search(tantivy.Query.all_query(), limit=max(1, searcher.num_docs), count=False).hits
        return [int(i) for i in searcher.fast_field_values("id", [address for _, address in found])]

    def keep_only(self, names: set[str]) -> None:
        """Removes every index but ``names``. Searches under way keep the files they have open."""
        import shutil

        with self._lock:
            self._open = {name: opened for name, opened in self._open.items() if name in names}
        for path in self._folder.glob("*"):
            if path.name not in names:
                shutil.rmtree(path, ignore_errors=True)

    def _index(self, name: str, generation: int) -> Any:
        import tantivy

        with self._lock:
            index, seen = self._open.get(name, (None, -1))
            if index is None:
                path = self._folder / name
                if not path.joinpath("meta.json").exists():
                    raise LexicalGoneError(name)
                index = tantivy.Index.open(str(path))
            elif seen != generation:
                index.reload()
            self._open[name] = (index, generation)
            return index

    def _write(self, name: str, entries: Iterable[tuple[int, Sequence[str]]], replaced: Iterable[int]) -> None:
        import tantivy

        builder = tantivy.SchemaBuilder()
        builder.add_integer_field("id", stored=False, indexed=True, fast=True)
        builder.add_text_field("terms", stored=False, tokenizer_name="whitespace", index_option="freq")
        schema = builder.build()
        index = tantivy.Index(schema, path=str(self._folder / name))
        writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        for identifier in replaced:
            writer.delete_documents_by_term("id", identifier)
        for identifier, found in entries:
            writer.add_document(tantivy.Document(id=identifier, terms=[" ".join(found)]))
        writer.commit()
        writer.wait_merging_threads()
