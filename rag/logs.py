"""What is said on stderr: plain lines, or one JSON object a line for a collector of logs.

No line has a question, an answer or a credential in it, and no parameter of an SQL statement.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

from rag.stack_traces import Discreet

REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being worked on, also in the threads that work on it."""
PLAIN = "%(levelname)s %(name)s: %(message)s"
REQUESTS = "api.requests"
"""The logger that has a line for each request."""
_NOISY = ("sentence_transformers", "transformers", "alembic")


class JsonLines(Discreet):
    """One object a line: ``at`` (UTC), ``level``, ``logger``, ``message``, ``request_id`` where there is one, the
    ``fields`` that a record brings, and the ``traceback`` of an error."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request_id := REQUEST_ID.get()) is not None:
            said["request_id"] = request_id
        said |= getattr(record, "fields", {})
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)


def configure(style: Literal["text", "json"], verbose: bool = False) -> None:
    """Sends what this process has to say to stderr. Requests are told of in JSON, and in plain text when ``verbose``:
    who reads along at a terminal wants what is unusual."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else Discreet(PLAIN))
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("rag").setLevel(logging.INFO)
    logging.getLogger(REQUESTS).setLevel(logging.INFO if style == "json" or verbose else logging.WARNING)
