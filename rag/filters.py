"""Filters on the metadata of editions, as SQL conditions."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, cast, func, or_

from rag.errors import InvalidRequest
from rag.tables import DocumentRow, EditionRow
from rag.types import Filters

_EQUAL: dict[str, Any] = {
    "document_id": DocumentRow.id,
    "external_id": EditionRow.external_id,
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
    "study_design": EditionRow.study_design,
    "evidence_grade": EditionRow.evidence_grade,
}
_LISTS: dict[str, Any] = {"author": EditionRow.authors, "publication_type": EditionRow.publication_types}
_DATES: dict[str, Any] = {
    "published": EditionRow.published,
    "effective": EditionRow.effective,
    "review_by": EditionRow.review_by,
    "withdrawn": EditionRow.withdrawn,
}
RETRACTED = "retracted"
KEYS = (*_EQUAL, *_LISTS, *_DATES, RETRACTED)


def conditions(filters: Filters) -> list[ColumnElement[bool]]:
    """One condition for each key: equal to the value, to one of a list, or within ``{"gte", "lte"}``, both inclusive.

    ``author`` and ``publication_type`` hold where one of the edition's is the value; ``retracted`` is true or false.
    Dates compare at the precision that the bound states: ``{"lte": "2019"}`` takes all of 2019. Raises InvalidRequest
    for an unknown key or a value of the wrong kind.
    """
    return [_condition(key, value) for key, value in filters.items()]


def _condition(key: str, value: Any) -> ColumnElement[bool]:
    if key not in KEYS:
        raise InvalidRequest(f"Unknown filter {key!r}: use one of {', '.join(KEYS)}")
    if key == RETRACTED:
        return _retracted(value)
    column = (_EQUAL | _LISTS | _DATES)[key]
    if isinstance(value, dict):
        return _within(key, column, value)
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str) for one in values):
        raise InvalidRequest(f"Filter {key!r} takes a text or a list of texts")
    if key in _LISTS:
        return or_(*(cast(column, Text).contains(json.dumps(one), autoescape=True) for one in values))
    if key in _DATES:
        return or_(*(func.substr(column, 1, len(one)) == one for one in values))
    is_one_of: ColumnElement[bool] = column.in_(values)
    return is_one_of


def _retracted(value: Any) -> ColumnElement[bool]:
    match value[0] if isinstance(value, list) and len(value) == 1 else value:
        case True | "true":
            return EditionRow.retraction.is_not(None)
        case False | "false":
            return EditionRow.retraction.is_(None)
    raise InvalidRequest(f"Filter {RETRACTED!r} is true or false")


def _within(key: str, column: Any, bounds: dict[str, Any]) -> ColumnElement[bool]:
    if key not in _DATES:
        raise InvalidRequest(f"Filter {key!r} takes no range; ranges are for {', '.join(_DATES)}")
    if not bounds or not set(bounds) <= {"gte", "lte"} or not all(isinstance(bound, str) for bound in bounds.values()):
        raise InvalidRequest(f'Filter {key!r} takes {{"gte": date, "lte": date}}, either or both')
    parts = []
    if "gte" in bounds:
        parts.append(column >= bounds["gte"])
    if "lte" in bounds:
        parts.append(func.substr(column, 1, len(bounds["lte"])) <= bounds["lte"])
    return and_(*parts)
