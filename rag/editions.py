"""Which edition of a document is in force when. Pure functions of dates."""

from calendar import monthrange
from collections.abc import Iterable
from datetime import date

from rag.errors import InvalidRequest


def first_day(partial: str) -> date:
    """The first day of ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``. Raises InvalidRequest for anything else."""
    parts = partial.split("-")
    widths = [len(part) for part in parts]
    if widths in ([4], [4, 2], [4, 2, 2]) and all(part.isascii() and part.isdigit() for part in parts):
        year, month, day = (int(part) for part in [*parts, "01", "01"][:3])
        if year >= 1 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]:
            return date(year, month, day)
    raise InvalidRequest(f"{partial!r} is not a date: write YYYY, YYYY-MM or YYYY-MM-DD")


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
