"""Filters on the metadata of editions, as SQL conditions."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_

from rag.errors import InvalidRequest
from rag.tables import DocumentRow, EditionRow
from rag.types import Filters

_EQUAL: dict[str, Any] = {
    "document_id": DocumentRow.id,
    "external_id": DocumentRow.external_id,
    "edition_id": EditionRow.id,
    "edition": EditionRow.edition,
    "title": EditionRow.title,
    "publisher": EditionRow.publisher,
    "journal": EditionRow.journal,
    "language": EditionRow.language,
    "format": EditionRow.format,
    "licence": EditionRow.licence,
    "doi": EditionRow.doi,
    "pmid": EditionRow.pmid,
    "pmcid": EditionRow.pmcid,
}
_DATES: dict[str, Any] = {"published": EditionRow.published, "effective": EditionRow.effective}
KEYS = (*_EQUAL, *_DATES)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """One condition for each key: equal to the value, to one of a list, or within ``{"gte", "lte"}``, both inclusive.

    Dates compare at the precision that the bound states: ``{"lte": "2019"}`` takes all of 2019. Raises InvalidRequest
    for an unknown key or a value of the wrong kind.
    """
    return [_condition(key, value) for key, value in filters.items()]


def _condition(key: str, value: Any) -> ColumnElement[bool]:
    if key not in KEYS:
        raise InvalidRequest(f"Unknown filter {key!r}: use one of {', '.join(KEYS)}")
    column = (_EQUAL | _DATES)[key]
    if isinstance(value, dict):
        return _within(key, column, value)
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise InvalidRequest(f"Filter {key!r} takes a text or a list of texts")
    if key in _DATES:
        return or_(*(func.substr(column, 1, len(one)) == one for one in values))
    is_one_of: ColumnElement[bool] = column.in_(values)
    return is_one_of


def _within(key: str, column: Any, bounds: dict[str, Any]) -> ColumnElement[bool]:
    if key not in _DATES:
        raise InvalidRequest(f"Filter {key!r} takes no range; ranges are for {' and '.join(_DATES)}")
    if not bounds or not set(bounds) <= {"gte", "lte"} or not all(isinstance(bound, str) for bound in bounds.values()):
        raise InvalidRequest(f'Filter {key!r} takes {{"gte": date, "lte": date}}, either or both')
    parts = []
    if "gte" in bounds:
        parts.append(column >= bounds["gte"])
    if "lte" in bounds:
        parts.append(func.substr(column, 1, len(bounds["lte"])) <= bounds["lte"])
    return and_(*parts)
