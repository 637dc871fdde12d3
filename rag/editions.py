"""Which edition of a document is in force when. Pure functions of dates."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from rag.errors import InvalidRequest

Standing = Literal["current", "upcoming", "superseded", "replaced", "retired", "withdrawn", "overdue", "retracted"]


def first_day(partial: str) -> date:
    """The first day of ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``. Raises InvalidRequest for anything else."""
    parts = partial.split("-")
    widths = [len(part) for part in parts]
    if widths in ([4], [4, 2], [4, 2, 2]) and all(part.isascii() and part.isdigit() for part in parts):
        year, month, day = (int(part) for part in [*parts, "01", "01"][:3])
        if year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
            return date(year, month, day)
    raise InvalidRequest(f"{partial!r} is not a date: write YYYY, YYYY-MM or YYYY-MM-DD")


def day_after(partial: str) -> date:
    """The first day after a year, month or day. Raises InvalidRequest for anything that is not a date."""
    first = first_day(partial)
    match partial.count("-"):
        case 0:
            return date(first.year + 1, 1, 1)
        case 1:
            return first + timedelta(days=monthrange(first.year, first.month)[1])
    return first + timedelta(days=1)


def in_force_from(effective: str | None, published: str | None) -> date | None:
    """The first day on which an edition holds: its effective, else its published date; None where it states neither."""
    stated = effective or published
    return first_day(stated) if stated else None


def in_force_spans(editions: Iterable[tuple[str, date | None]]) -> dict[str, tuple[date | None, date | None]]:
    """For each ``(edition id, first day in force)``, oldest ingested first: the span ``[from, until)`` it is in force.

    Each dated edition holds until the next one begins; of two that begin on one day, the later ingested. An undated
    edition supersedes nothing and nothing supersedes it.
    """
    listed = list(editions)
    dated = sorted(((start, order, key) for order, (key, start) in enumerate(listed) if start is not None))
    spans: dict[str, tuple[date | None, date | None]] = {key: (None, None) for key, start in listed if start is None}
    for at, (start, _, key) in enumerate(dated):
        spans[key] = (start, dated[at + 1][0] if at + 1 < len(dated) else None)
    return spans


def in_force_until(
    successor: date | None, retired_on: date | None, withdrawn: str | None, review_by: str | None
) -> date | None:
    """The first day on which an edition no longer holds: that of its successor, its retirement or its withdrawal, or
    the day after its review was due, whichever comes first; None where it has no known end."""
    ends = [
        successor,
        retired_on,
        first_day(withdrawn) if withdrawn else None,
        day_after(review_by) if review_by else None,
    ]
    return min((end for end in ends if end), default=None)


def standing(
    today: date,
    state: str,
    starts: date | None,
    ends: date | None,
    retired_on: date | None,
    withdrawn: str | None,
    review_by: str | None,
    retraction: str | None,
) -> Standing:
    """Where an edition stands today, and why it is not current."""
    if state in ("replaced", "removed", "purged"):
        return "replaced"
    if retraction:
        return "retracted"
    if ends is None or ends > today:
        return "upcoming" if starts and starts > today else "current"
    if ends == retired_on:
        return "retired"
    if withdrawn and ends == first_day(withdrawn):
        return "withdrawn"
    if review_by and ends == day_after(review_by):
        return "overdue"
    return "superseded"
