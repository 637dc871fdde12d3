"""A document that lapsed leaves default answers, without a successor and without being deleted."""

from datetime import date, timedelta

import pytest

from conftest import Library
from rag import catalog
from rag.catalog import today
from rag.editions import in_force_until, standing
from rag.errors import NotFound
from rag.retirement import retire_document, unretire_document
from rag.types import LOCAL_ADMIN, Caller, Role

TEXT = "# Quoxin\n\nQuoxin is given at 5 mg daily.\n"


def in_days(days: int) -> date:
    """Reckoned when it is asked: a test run may pass midnight."""
    return today() + timedelta(days=days)


def only_document(library: Library) -> catalog.Document:
    with library.system.database.reading() as session:
        (document,) = catalog.documents(session, LOCAL_ADMIN)
    return document


@pytest.mark.parametrize("published", [{}, {"published": "2015"}])
def test_a_retired_document_is_found_until_its_day(library: Library, published: dict[str, str]) -> None:
    library.write("a.md", TEXT, **published)
    library.ingest()
    document = only_document(library)
    retire_document(library.system, LOCAL_ADMIN, document.id, in_days(1))
    assert library.found("Quoxin dose")
    retirement = retire_document(library.system, LOCAL_ADMIN, document.id)
    assert retirement.retired_on == today().isoformat()
    for retrieval in ("hybrid", "dense", "lexical"):
        assert library.found("Quoxin dose", retrieval=retrieval) == []
    assert bool(library.found("Quoxin dose", as_of=in_days(-1))) == bool(published)
    assert only_document(library).editions[0].standing == "retired"
    unretire_document(library.system, LOCAL_ADMIN, document.id)
    assert library.found("Quoxin dose")


def test_reading_the_file_again_does_not_end_a_retirement_and_a_corrected_file_neither(library: Library) -> None:
    path = library.write("a.md", TEXT)
    library.ingest()
    retire_document(library.system, LOCAL_ADMIN, only_document(library).id)
    library.ingest()
    library.ingest(restore=True)
    path.write_text(TEXT.replace("daily", "each day"))
    library.ingest()
    assert library.found("Quoxin dose") == []


def test_a_new_edition_of_a_retired_document_is_in_force(library: Library) -> None:
    library.write("a.md", TEXT, external_id="q", published="2015")
    library.ingest()
    retire_document(library.system, LOCAL_ADMIN, only_document(library).id, date(2020, 1, 1))
    library.write("b.md", TEXT.replace("5 mg", "7 mg"), external_id="q", published="2021")
    library.ingest()
    assert ["7 mg" in found for found in library.found("Quoxin dose")] == [True]
    assert library.found("Quoxin dose", as_of=date(2020, 6, 1)) == []


@pytest.mark.parametrize(
    ("field", "value", "found", "said"),
    [
        ("withdrawn", "2019-05", False, "withdrawn"),
        ("withdrawn", 1, True, "current"),
        ("withdrawn", 0, False, "withdrawn"),
        ("review_by", "2019", False, "overdue"),
        ("review_by", 0, True, "current"),
        ("review_by", -1, False, "overdue"),
        ("retraction", "Retraction in: J Quox. 2020;3:4", False, "retracted"),
    ],
)
def test_what_the_document_says_of_its_own_end_holds(
    library: Library, field: str, value: str | int, found: bool, said: str
) -> None:
    """A number is a day, so many from today."""
    said_by_file = value if isinstance(value, str) else in_days(value).isoformat()
    library.write("a.md", TEXT, published="2015", **{field: said_by_file})
    library.ingest()
    assert bool(library.found("Quoxin dose")) == found
    edition = only_document(library).editions[0]
    assert edition.standing == said
    assert edition.superseded is not found


def test_retracted_texts_are_found_by_those_who_ask_for_them(library: Library) -> None:
    library.write("a.md", TEXT, retraction="Retraction in: J Quox. 2020;3:4")
    library.write("b.md", TEXT.replace("Quoxin is", "Quoxin was"))
    library.ingest()
    assert len(library.found("Quoxin dose", filters={"retracted": True})) == 1
    assert len(library.found("Quoxin dose", filters={"retracted": "false"})) == 1


def test_only_who_may_read_a_document_may_retire_it(library: Library) -> None:
    library.write("a.md", TEXT)
    library.ingest()
    document = only_document(library)
    for document_id, caller in ((document.id, Caller("x", Role.EDITOR, frozenset())), ("none", LOCAL_ADMIN)):
        with pytest.raises(NotFound):
            retire_document(library.system, caller, document_id)


def test_the_first_end_counts() -> None:
    assert in_force_until(None, None, None, None) is None
    assert in_force_until(date(2022, 1, 1), date(2021, 1, 1), "2023", "2021-02") == date(2021, 1, 1)
    assert in_force_until(None, None, None, "2020-02") == date(2020, 3, 1)
    assert in_force_until(None, None, None, "2020-02-29") == date(2020, 3, 1)
    assert in_force_until(None, None, None, "2020-12") == date(2021, 1, 1)
    later = date(2024, 1, 1)
    assert standing(later, "live", date(2025, 1, 1), None, None, None, None, None) == "upcoming"
    assert standing(later, "live", date(2020, 1, 1), date(2023, 1, 1), None, None, None, None) == "superseded"
