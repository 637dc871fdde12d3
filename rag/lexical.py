"""Search for words in pre-tokenised text, in one tantivy index a collection.

What is asked is a list of *concepts*, each with one or more *names*, each name one or more terms; a plain question's
concepts are its terms, of a Chinese one with the other names of its words. A passage's match is the mean,
``BM25_SHARE`` to the rest, of two parts, each 0 to 1:

- BM25 (Robertson and Zaragoza 2009; k1 = 1.2, b = 0.75), divided by what a passage could reach at most: ``k1 + 1``
  times the sum of the concepts' inverse document frequencies;
- coverage: the part of that sum which is due to concepts that the passage names at all.

A concept counts by its best name; a name's inverse document frequency is the sum of its terms'. Statistics are per
collection. A deleted passage counts in them until the index is written anew: removal therefore filters at once and
compaction writes a new directory.
"""

import math
import threading
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from rag import analysis
from rag.errors import Inconsistent, Unavailable
from rag.permitted import Permitted

Name = tuple[str, ...]
Concepts = Sequence[tuple[Name, ...]]
_HEAP_BYTES = 64 * 2**20
BM25_SHARE = 0.65
"""More coverage finds short passages that hold every word; more BM25 keeps long ones from winning by their length."""
_K1 = 1.2
_PREFIX = f"{analysis.VERSION}-"


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
        name = _PREFIX + uuid.uuid4().hex
        self._folder.joinpath(name).mkdir(parents=True)
        self._write(name, entries, ())
        return name

    def replace(self, name: str, entries: Iterable[tuple[int, Sequence[str]]], ids: Iterable[int]) -> None:
        """Adds entries under ``ids`` to an index, after removing what it holds under the same ids."""
        self._write(name, entries, ids)

    def search(self, name: str, asked: Concepts, k: int, permitted: Permitted, generation: int) -> list[int]:
        """The ``k`` permitted passages that BM25 puts first, best first, ties by id.

        The search goes as deep as it takes to find ``k`` permitted ones. ``generation`` is the collection's: the
        index is read anew when it has grown. Raises LexicalGoneError when it was compacted away meanwhile, Inconsistent
        when it was made by another analysis of texts.
        """
        index = self._index(name, generation)
        if not asked or not len(permitted):
            return []
        searcher = index.searcher()
        query = _any_of([_best_of([_bm25(index, found) for found in names]) for names in asked])
        depth = 2 * k
        while True:
            scored = searcher.search(query, limit=depth, count=False).hits
            ids = np.array(searcher.fast_field_values("id", [address for _, address in scored]), np.int64)
            allowed = permitted.contains(ids)
            if allowed.sum() >= k or len(scored) < depth:
                break
            depth *= 4
        found = [(-float(s), int(i)) for i, (s, _), ok in zip(ids, scored, allowed, strict=True) if ok]
        return [identifier for _, identifier in sorted(found)[:k]]

    def matches(self, name: str, asked: Concepts, ids: Sequence[int], generation: int) -> dict[int, float]:
        """How well each of the passages ``ids`` matches, 0 to 1; those that match nothing are left out.

        Raises as ``search`` does.
        """
        import tantivy

        index = self._index(name, generation)
        if not asked or not ids:
            return {}
        searcher = index.searcher()
        rarity = {term: _idf(searcher, term) for names in asked for found in names for term in found}
        best = sum(max(sum(rarity[term] for term in found) for found in names) for names in asked)
        matching = _any_of([_best_of([_match(index, found, rarity) for found in names]) for names in asked])
        among = tantivy.Query.const_score_query(_any_of([_holds_id(index, identifier) for identifier in ids]), 0.0)
        both = tantivy.Query.boolean_query([(tantivy.Occur.Must, among), (tantivy.Occur.Should, matching)])
        scored = searcher.search(both, limit=len(ids), count=False).hits
        found = searcher.fast_field_values("id", [address for _, address in scored])
        return {int(i): min(1.0, float(s) / best) for i, (s, _) in zip(found, scored, strict=True) if s > 0}

    @staticmethod
    def is_current(name: str) -> bool:
        """Whether an index was made by this version of the analysis of texts."""
        return name.startswith(_PREFIX)

    def ids(self, name: str) -> list[int]:
        """The passages that an index holds. Raises LexicalGoneError where it does not exist, Inconsistent when it was
        made by another analysis of texts."""
        import tantivy

        searcher = self._index(name, None).searcher()
        found = searcher.search(tantivy.Query.all_query(), limit=max(1, searcher.num_docs), count=False).hits
        return [int(i) for i in searcher.fast_field_values("id", [address for _, address in found])]

    def keep_only(self, names: set[str]) -> None:
        """Removes every index but ``names``. Searches under way keep the files they have open."""
        import shutil

        with self._lock:
            self._open = {name: opened for name, opened in self._open.items() if name in names}
        for path in self._folder.glob("*"):
            if path.name not in names:
                if not path.name.startswith("."):
                    with suppress(OSError):  # all of it at one moment, so that nobody opens a part
                        path = path.rename(path.with_name(f".{path.name}"))
                shutil.rmtree(path, ignore_errors=True)

    def _index(self, name: str, generation: int | None) -> Any:
        """As it was in a collection's ``generation``, None: as it is now."""
        if not self.is_current(name):
            raise Inconsistent("The word index was made by another version of taiyi-rag: run taiyi-rag reindex")

        with self._lock:
            index, seen = self._open.get(name, (None, -1))
            if index is None:
                path = self._folder / name
                if not path.joinpath("meta.json").exists():
                    raise LexicalGoneError(name)
                self._open = {held: opened for held, opened in self._open.items() if (self._folder / held).exists()}
                index = _opened(path)
            elif generation is None or seen != generation:
                try:
                    index.reload()
                except ValueError as error:
                    del self._open[name]
                    raise LexicalGoneError(name) from error
            self._open[name] = (index, -1 if generation is None else generation)
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


def _opened(path: Path) -> Any:
    """Raises Unavailable where the files cannot be opened, as on a disk that is read-only: opening takes a lock."""
    import tantivy

    try:
        return tantivy.Index.open(str(path))
    except ValueError as error:
        if not path.exists():
            raise LexicalGoneError(path.name) from error
        raise Unavailable(
            f"The word index {path.name} cannot be opened; RAG_HOME has to be writable: {error}"
        ) from error


def concepts(terms: Iterable[str]) -> Concepts:
    """Each term a concept of its own, once."""
    return [((term,),) for term in dict.fromkeys(terms)]


def _any_of(queries: Sequence[Any]) -> Any:
    import tantivy

    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])


def _best_of(queries: Sequence[Any]) -> Any:
    import tantivy

    return queries[0] if len(queries) == 1 else tantivy.Query.disjunction_max_query(list(queries))


def _holds_id(index: Any, identifier: int) -> Any:
    """Many of these together take a quarter of the time of tantivy's query for a set of terms."""
    import tantivy

    return tantivy.Query.term_query(index.schema, "id", identifier, index_option="basic")


def _bm25(index: Any, name: Name) -> Any:
    import tantivy

    return _any_of([tantivy.Query.term_query(index.schema, "terms", term) for term in name])


def _match(index: Any, name: Name, rarity: dict[str, float]) -> Any:
    """A share of BM25 over its highest factor, and the rest of the terms' inverse document frequencies."""
    import tantivy

    parts = []
    for term in name:
        query = tantivy.Query.term_query(index.schema, "terms", term)
        parts.append(tantivy.Query.boost_query(query, BM25_SHARE / (_K1 + 1)))
        parts.append(tantivy.Query.const_score_query(query, (1 - BM25_SHARE) * rarity[term]))
    return _any_of(parts)


def _idf(searcher: Any, term: str) -> float:
    """As tantivy has it: ``ln(1 + (n - df + 0.5) / (df + 0.5))``. What was replaced still counts in ``df``, though not
    in the searcher's number of documents."""
    frequency = searcher.doc_freq("terms", term)
    return math.log(1 + (max(searcher.num_docs, frequency) - frequency + 0.5) / (frequency + 0.5))
