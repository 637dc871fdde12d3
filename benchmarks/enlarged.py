"""A home of as many passages as wanted, made of fewer texts and without embedding them all: to measure searches in.

Texts are read, split, screened and indexed as the product does. Once each was taken, they are taken again with the
sentences of a paragraph in another order, other numbers and, in each sentence, a word of another text, until there are
enough. A part of them stands in books of a thousand records each. Of the passages a sample is embedded; the vector of
any other is that of one of its language in the sample, with noise of a third of its length: where a search finds it by
its vector says nothing, how long that takes does.
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from ingestion.loaders import load
from ingestion.parsing import parsed
from ingestion.splitting import token_counter
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.embedding import Embedder
from rag.indexing import publish
from rag.languages import language_of
from rag.packaged_embedder import load_tokenizer
from rag.system import System
from rag.tables import PassageRow
from rag.writing import NewEdition, add_edition, ensure_collection, writing_turn

PUBLISHERS = 10
NOISE = 0.33
PUBLISHED_AT_ONCE = 5_000
RECORDS_IN_A_BOOK = 1_000
_NUMBER = re.compile(r"\d+")
_SENTENCE_END = re.compile(r"(?<=[.!?]) +|(?<=[。！？])")
_WORD = re.compile("[A-Za-z]{4,}|[\u4e00-\u9fff]{2}")
Vectors = NDArray[np.float32]


class SamplingEmbedder:
    """Embeds one passage in ``one_in``, the first of a language in any case; gives every other a vector near one of
    those."""

    def __init__(self, embedder: Embedder, one_in: float) -> None:
        self._embedder, self._one_in = embedder, one_in
        self._chance = np.random.default_rng(0)
        self._known: dict[str, list[Vectors]] = {}

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    def embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        known = self._known.setdefault(language_of(text), [])
        if not known or self._chance.random() < 1 / self._one_in:
            known.append(self._embedder.embed_passages([text])[0])
            return known[-1]
        vector = known[self._chance.integers(len(known))]
        vector = vector + self._chance.normal(0, NOISE / np.sqrt(len(vector)), len(vector))
        return (vector / np.linalg.norm(vector)).astype(np.float32)


def build(system: System, corpora: Sequence[Path], passages: int, embedded: int, in_books: float) -> None:
    """Fills the collection ``enlarged`` up to ``passages`` passages or a few more. Each edition has one of ten
    publishers and a year from 2000 to 2024. ``in_books`` is the part of the records that stand in books."""
    count_tokens = token_counter(load_tokenizer(system.home))
    sampling = replace(system, embedder=SamplingEmbedder(system.embedder, passages / embedded))
    chance = random.Random(0)
    with writing_turn(system):
        with system.database.writing() as session:
            collection = ensure_collection(session, "enlarged").id
            done = session.scalar(select(func.count()).select_from(PassageRow)) or 0
        waiting, editions = 0, []
        for number, loaded in enumerate(_enlarged(corpora, in_books, chance), start=done):
            document = parsed(loaded, "jsonl", count_tokens)
            metadata = Metadata(
                external_id=f"enlarged-{number}",
                title=document.metadata.title or document.text[:60],
                publisher=f"Publisher {number % PUBLISHERS}",
                published=str(2000 + chance.randrange(25)),
            )
            edition = (document.format, metadata, document.text, document.page_starts, document.passages)
            editions.append(NewEdition(f"enlarged:{number}", f"enlarged {number}", f"{number:064}", *edition))
            waiting += len(document.passages)
            if waiting >= PUBLISHED_AT_ONCE or done + waiting >= passages:
                with system.database.writing() as session:
                    for one in editions:
                        add_edition(session, collection, one)
                publish(sampling, collection)
                done, waiting, editions = done + waiting, 0, []
                print(f"  {done} passages", flush=True)
            if done >= passages:
                return


def _enlarged(corpora: Sequence[Path], in_books: float, chance: random.Random) -> Iterator[LoadedDocument]:
    records = [loaded for path in corpora for loaded in load(path)]
    chance.shuffle(records)
    bound = round(in_books * len(records))
    books = [_book(records[at : min(at + RECORDS_IN_A_BOOK, bound)]) for at in range(0, bound, RECORDS_IN_A_BOOK)]
    originals = [*records[bound:], *books]
    chance.shuffle(originals)
    yield from originals
    words: dict[str, list[str]] = {}
    for record in records:
        for block in record.blocks:
            words.setdefault(language_of(block.text), []).extend(_WORD.findall(block.text)[:3])
    while True:
        for original in originals:
            yield LoadedDocument(
                tuple(
                    replace(block, text=_changed(block.text, words.get(language_of(block.text), ()), chance))
                    for block in original.blocks
                ),
                original.metadata,
            )


def _book(records: Sequence[LoadedDocument]) -> LoadedDocument:
    blocks = [Block(BlockKind.TITLE, f"Book that begins with {records[0].blocks[0].text[:60]}")]
    for record in records:
        heading = record.metadata.title or record.blocks[0].text[:40]
        blocks.append(Block(BlockKind.HEADING, heading, level=1))
        blocks += (block for block in record.blocks if block.kind != BlockKind.TITLE)
    return LoadedDocument(tuple(blocks), Metadata(title=blocks[0].text))


def _changed(text: str, words: Sequence[str], chance: random.Random) -> str:
    sentences = [sentence for sentence in _SENTENCE_END.split(text) if sentence]
    chance.shuffle(sentences)
    changed = []
    for sentence in sentences:
        sentence = _NUMBER.sub(lambda found: str(chance.randrange(10 ** min(len(found[0]), 6))), sentence)
        places = list(_WORD.finditer(sentence))
        if places and words:
            place = chance.choice(places)
            sentence = sentence[: place.start()] + chance.choice(words) + sentence[place.end() :]
        changed.append(sentence)
    return (" " if language_of(text) == "en" else "").join(changed)
