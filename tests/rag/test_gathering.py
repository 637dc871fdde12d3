import asyncio
import threading
import time
from collections.abc import Sequence

import numpy as np
import pytest

from rag import audit
from rag.audit_checking import check_record
from rag.embedding import QUERIES_KEPT, KnownQueries
from rag.gathering import Gathering
from rag.searching import searched
from rag.system import System
from rag.types import LOCAL_ADMIN, Query

PATIENCE_S = 60


def _run(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_who_comes_alone_is_served_at_once() -> None:
    gathering: Gathering[int, int] = Gathering(window_s=PATIENCE_S)
    batches: list[list[int]] = []

    def doubled(items: Sequence[int]) -> list[int]:
        batches.append(list(items))
        return [2 * item for item in items]

    started = time.monotonic()
    assert [gathering.done(number, doubled) for number in range(3)] == [0, 2, 4]
    assert batches == [[0], [1], [2]]
    assert time.monotonic() - started < PATIENCE_S


def test_who_comes_while_others_are_served_is_served_with_all_that_wait() -> None:
    gathering: Gathering[int, int] = Gathering(window_s=0)
    begun, go_on, batches, found = threading.Event(), threading.Event(), [], {}

    def held(items: Sequence[int]) -> list[int]:
        batches.append(sorted(items))
        begun.set()
        assert go_on.wait(PATIENCE_S)
        return [item * item for item in items]

    def ask(number: int) -> None:
        found[number] = gathering.done(number, held)

    first = threading.Thread(target=ask, args=[0])
    first.start()
    assert begun.wait(PATIENCE_S)
    others = [threading.Thread(target=ask, args=[number]) for number in range(1, 8)]
    for other in others:
        other.start()
    deadline = time.monotonic() + PATIENCE_S
    while len(gathering._waiting) < 7 and time.monotonic() < deadline:
        time.sleep(0.001)
    go_on.set()
    for thread in (first, *others):
        thread.join(PATIENCE_S)
    assert batches == [[0], [1, 2, 3, 4, 5, 6, 7]]
    assert found == {number: number * number for number in range(8)}


def test_an_error_is_that_of_each_who_was_in_the_batch_and_the_next_is_served() -> None:
    gathering: Gathering[int, int] = Gathering()

    def refuse(items: Sequence[int]) -> list[int]:
        raise ValueError("this batch fails")

    with pytest.raises(ValueError, match="this batch fails"):
        gathering.done(1, refuse)
    assert gathering.done(1, list) == 1


def test_no_batch_is_larger_than_it_may_be_and_nobody_is_forgotten() -> None:
    gathering: Gathering[int, int] = Gathering(most=4)
    sizes, found = [], []

    def work(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        time.sleep(0.001)
        return list(items)

    def ask(number: int) -> None:
        for at in range(20):
            found.append(gathering.done(100 * number + at, work) == 100 * number + at)

    _run([threading.Thread(target=ask, args=[number]) for number in range(12)])
    assert found == [True] * 240
    assert sum(sizes) == 240
    assert 1 < max(sizes) <= 4


def test_queries_of_several_threads_are_embedded_together_once_each_and_kept() -> None:
    batches: list[list[str]] = []

    def embed(texts: list[str]) -> np.ndarray:
        batches.append(texts)
        time.sleep(0.01)
        return np.array([[len(text), ord(text[-1])] for text in texts], np.float32)

    queries = KnownQueries(embed)
    wrong: list[str] = []

    def ask(number: int) -> None:
        for text in (f"question {number}", "the same of all", f"question {number}"):
            if list(queries.vectors([text])[0]) != [len(text), ord(text[-1])]:
                wrong.append(text)

    _run([threading.Thread(target=ask, args=[number]) for number in range(8)])
    asked = [text for batch in batches for text in batch]
    assert not wrong
    assert sorted(asked) == sorted(set(asked))
    assert len(batches) < len(asked) == 9
    assert queries.hits + queries.misses == 24
    for number in range(QUERIES_KEPT):
        queries.vectors([f"other {number}"])
    queries.vectors(["the same of all"])
    assert [text for batch in batches for text in batch].count("the same of all") == 2


def test_searches_that_end_together_are_each_in_the_record_which_stays_whole(lite_system: System) -> None:
    async def search_all() -> None:
        queries = [Query(f"gout, question {number}", retrieval="lexical") for number in range(12)]
        await asyncio.gather(*(searched(query, LOCAL_ADMIN, lite_system) for query in queries))

    before = _recorded(lite_system)
    asyncio.run(search_all())
    assert _recorded(lite_system) - before == 12
    with lite_system.database.reading() as session:
        assert check_record(session) == []


def _recorded(system: System) -> int:
    return sum(entry.action == "search" for entry in audit.oldest_first(system.database, LOCAL_ADMIN))
