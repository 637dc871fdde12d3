"""The ledger of runs over question sets, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from rag.database import Database, open_database
from rag.errors import NotFound
from rag.ledger import (
    Change,
    KeptItem,
    OtherChoice,
    count,
    difference_of_runs,
    fingerprint_of_run,
    head,
    keep,
    load,
    questions,
    runs,
)

CONFIGURATION: dict[str, Any] = {
    "model": "small",
    "sampling": {"temperature": 0.0, "seed": None},
    "arms": ["ungrounded", "grounded"],
    "created_at": "2026-01-01T00:00:00+00:00",
    "seconds": 3.5,
}
FIGURES: dict[str, Any] = {"accuracy": 0.5, "arms": {"grounded": {"accuracy": 0.5}}}
ITEMS = (
    KeptItem("q1", "grounded", "A", "A", {"reply": "A", "prompt": "哪一个？"}),
    KeptItem("q1", "grounded", "B", "A", None),
    KeptItem("q2", "grounded", None, "C", None),
    KeptItem("f1", "grounded", None, None, {"reply": "A text."}),
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with open_database(database_url) as opened:
        yield opened


def kept(database: Database, items: tuple[KeptItem, ...] = ITEMS, **configuration: Any) -> str:
    with database.writing() as session:
        return keep(session, "set.jsonl", "/out", {**CONFIGURATION, **configuration}, FIGURES, items)


def test_a_run_is_read_back_as_it_was_kept(database: Database) -> None:
    run = kept(database)
    with database.reading() as session:
        found = load(session, run)
        assert [one.id for one in runs(session, 10)] == [run]
        with pytest.raises(NotFound, match="compare list shows those"):
            load(session, "0" * 32)
    assert (found.name, found.folder, found.configuration, found.figures) == (
        "set.jsonl",
        "/out",
        CONFIGURATION,
        FIGURES,
    )
    assert found.items == ITEMS
    assert found.fingerprint == fingerprint_of_run(CONFIGURATION)


def test_the_newest_come_first(database: Database) -> None:
    first, second, third = (kept(database, ()) for _ in range(3))
    with database.reading() as session:
        assert [one.id for one in runs(session, 2)] == [third, second]
        assert first in [one.id for one in runs(session, 3)]


def test_when_a_run_was_made_and_how_fast_is_no_part_of_its_fingerprint() -> None:
    later = {**CONFIGURATION, "created_at": "2027-01-01T00:00:00+00:00", "seconds": 1.0, "asked": 7}
    assert fingerprint_of_run(later) == fingerprint_of_run(CONFIGURATION)
    other = {**CONFIGURATION, "sampling": {"temperature": 0.3, "seed": None}}
    assert fingerprint_of_run(other) != fingerprint_of_run(CONFIGURATION)


def test_what_changed_between_two_runs_is_named(database: Database) -> None:
    other_items = (
        KeptItem("q1", "grounded", "A", "A", None),
        KeptItem("q1", "grounded", "A", "A", None),
        KeptItem("q2", "grounded", "C", "C", None),
        KeptItem("q3", "grounded", "D", "C", None),
    )
    one = kept(database)
    other = kept(database, other_items, model="large", seconds=9.0, passages=3)
    with database.reading() as session:
        found = difference_of_runs(load(session, one), load(session, other))
        none = difference_of_runs(load(session, one), load(session, one))
    assert found.configuration == (Change("model", "small", "large"), Change("passages", None, 3))
    assert found.figures == ()
    assert found.shared == 3
    assert found.choices == (
        OtherChoice("q1", "grounded", "B", "A", "A"),
        OtherChoice("q2", "grounded", None, "C", "C"),
    )
    assert (none.configuration, none.choices, none.shared) == ((), (), 3)


def test_questions_come_by_page_in_their_order_and_those_alone_that_were_chosen_otherwise(database: Database) -> None:
    run = kept(database)
    with database.reading() as session:
        found, total = questions(session, run, 2, 1)
        assert ([(one.id, one.items) for one in found], total) == ([("q2", ITEMS[2:3]), ("f1", ITEMS[3:])], 3)
        differing, of_those = questions(session, run, 10, 0, differing=True)
        assert ([one.id for one in differing], of_those) == (["q1"], 1)
        assert questions(session, run, 10, 10) == ([], 3)
        assert (head(session, run).items, count(session)) == ((), 1)
        with pytest.raises(NotFound):
            questions(session, "0" * 32, 1, 0)
