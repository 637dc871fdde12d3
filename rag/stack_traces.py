"""What the log says of an error that nobody foresaw: where it came from, and nothing of what was asked."""

import logging
import sqlite3
import traceback
from types import TracebackType

from rag.errors import TaiyiError

_SPEAKS_OF_NO_DATA = (TaiyiError, OSError, sqlite3.Error)
"""Errors whose messages name tables, files and settings; those of others quote the values that they were about."""


def without_values(error: BaseException) -> str:
    """The places in the code that an error came through and its type, behind those of the errors that it came of. Its
    message is told only where it is of a kind that quotes no data."""
    told: list[str] = []
    one: BaseException | None = error
    while one is not None and len(told) < 10:
        message = f": {one}" if isinstance(one, _SPEAKS_OF_NO_DATA) else ""
        told.append(
            "".join(traceback.format_tb(one.__traceback__)) + f"{type(one).__module__}.{type(one).__name__}{message}"
        )
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\nwhich led to\n".join(reversed(told))


class Discreet(logging.Formatter):
    """Formats errors without their values."""

    def formatException(  # noqa: N802 - the name is logging's
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return "" if ei[1] is None else without_values(ei[1])
