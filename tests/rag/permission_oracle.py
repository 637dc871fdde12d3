"""Which passages a search may return, told from what was written and not from SQL; and filters drawn by chance."""

import random
from calendar import monthrange
from collections.abc import Collection, Iterator
from dataclasses import asdict
from datetime import date
from typing import Any

from mixed_library import Edition, MixedLibrary
from mixed_texts import Written

from rag.types import Filters

TEXTS = (
    "document_id external_id edition_id edition title publisher journal language format licence doi pmid pmcid "
    "study_design evidence_grade"
).split()
LISTS = {"author": "authors", "publication_type": "publication_types"}
DATES = ("published", "effective", "review_by", "withdrawn")
KEYS = (*TEXTS, *LISTS, *DATES, "retracted")
COMMON = ("publisher", "language", "format", "publication_type", "published", "retracted")


def permitted(
    mixed: MixedLibrary,
    collections: Collection[str],
    filters: Filters,
    as_of: date | None,
    excluded: Collection[str],
    today: date,
) -> Iterator[tuple[Edition, Written]]:
    """The passages that a search of ``collections`` may return."""
    for editions in mixed.works.values():
        for edition in editions:
            if edition.collection not in collections or not passes(edition, filters):
                continue
            if not holds(edition, editions, as_of or today, undated_too=as_of is None):
                continue
            yield from ((edition, one) for one in edition.passages if one.flags.isdisjoint(excluded))


def undated_left_out(mixed: MixedLibrary, collections: Collection[str], filters: Filters) -> int:
    """The documents that a search as of some day cannot place in time, though they pass its filters."""
    return sum(
        any(
            one.stays and first_day_of(one) is None and one.collection in collections and passes(one, filters)
            for one in editions
        )
        for editions in mixed.works.values()
    )


def holds(edition: Edition, editions: Collection[Edition], on: date, undated_too: bool) -> bool:
    """Whether one of a document's ``editions`` is in force on a day."""
    start, known = first_day_of(edition), edition.metadata
    if not edition.stays or (start is None and not undated_too):
        return False
    if known.withdrawn and on >= _first_and_last_day(known.withdrawn)[0]:
        return False
    if known.review_by and on > _first_and_last_day(known.review_by)[1]:
        return False
    if edition.retired_on and on >= edition.retired_on:
        return False
    if start is None:
        return True
    begun = [
        (began, other.order, other.metadata.edition)
        for other in editions
        if other.stays and (began := first_day_of(other)) is not None and began <= on
    ]
    return bool(begun) and max(begun)[2] == known.edition


def first_day_of(edition: Edition) -> date | None:
    stated = edition.metadata.effective or edition.metadata.published
    return _first_and_last_day(stated)[0] if stated else None


def passes(edition: Edition, filters: Filters) -> bool:
    """Whether an edition passes every filter; retracted ones pass none that does not speak of retraction."""
    if "retracted" not in filters and edition.metadata.retraction:
        return False
    return all(_passes(edition, key, value) for key, value in filters.items())


def drawn_filters(chance: random.Random, mixed: MixedLibrary) -> Filters:
    """None to three filters, most of them on what some document states, some on what none does."""
    keys = [chance.choice(COMMON if chance.random() < 0.6 else KEYS) for _ in range(chance.choice([0, 0, 1, 1, 2, 3]))]
    return {key: _drawn_filter(chance, mixed, key) for key in keys}


def _drawn_filter(chance: random.Random, mixed: MixedLibrary, key: str) -> Any:
    if key == "retracted":
        return chance.choice([True, False, "true", ["false"]])
    values = sorted({value for edition in mixed.editions for value in _values(edition, key)}) or ["2016"]
    some = chance.sample(values, min(len(values), chance.randint(1, 3)))
    if key not in DATES:
        return chance.choice([some[0], some, [*some, "nowhere"], some[0][:-1] or "nowhere"])
    cut = [one[: chance.choice([4, 7, 10])] for one in sorted(some)]
    return chance.choice([cut[0], cut, {"gte": cut[0]}, {"lte": cut[-1]}, {"gte": cut[0], "lte": cut[-1]}])


def _passes(edition: Edition, key: str, value: Any) -> bool:
    if key == "retracted":
        wanted = value[0] if isinstance(value, list) else value
        return bool(edition.metadata.retraction) == (wanted in (True, "true"))
    stated = _values(edition, key)
    if isinstance(value, dict):
        return any(_is_within(one, value) for one in stated)
    wanted = value if isinstance(value, list) else [value]
    if key in DATES:
        return any(_parts(one)[: len(_parts(bound))] == _parts(bound) for one in stated for bound in wanted)
    return any(one == other for one in stated for other in wanted)


def _values(edition: Edition, key: str) -> list[str]:
    known = asdict(edition.metadata)
    own = {
        "document_id": edition.document_id,
        "edition_id": edition.edition_id,
        "title": edition.title,
        "format": edition.format,
        "language": known["language"] or edition.language,
    }
    found = own.get(key) or known[LISTS.get(key, key)]
    return list(found) if key in LISTS else [found] if found else []


def _is_within(stated: str, bounds: dict[str, str]) -> bool:
    """At the precision that a bound states; a date that states less comes before all that it may stand for."""
    parts = _parts(stated)
    after = "gte" not in bounds or parts >= _parts(bounds["gte"])
    return after and ("lte" not in bounds or parts[: len(_parts(bounds["lte"]))] <= _parts(bounds["lte"]))


def _parts(partial: str) -> tuple[int, ...]:
    return tuple(int(part) for part in partial.split("-"))


def _first_and_last_day(partial: str) -> tuple[date, date]:
    year, month, day = (*_parts(partial), None, None)[:3]
    last_month = month or 12
    return (
        date(year, month or 1, day or 1),
        date(year, last_month, day or monthrange(year, last_month)[1]),
    )
