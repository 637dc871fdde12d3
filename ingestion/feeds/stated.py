"""Values as sources state them, brought to the form of ``Metadata``."""

import re

from rag.editions import first_day
from rag.errors import InvalidRequest

_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?(?=$|[T ])")


def a_date(value: object) -> str | None:
    """``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` at the beginning of a text; None where there is no such date."""
    match = _DATE.match(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        first_day(match[0])
    except InvalidRequest:
        return None
    return match[0]
