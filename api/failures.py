"""Failed sign-ins, as the audit record has them: each one, but no more than some a minute, so that nobody can fill the
record by guessing. What was left out is counted in the next row."""

import logging
import time

import anyio

from rag.audit import append
from rag.database import Database
from rag.errors import TaiyiError
from rag.types import Caller

AT_ONCE = 20
A_MINUTE = 10.0
log = logging.getLogger(__name__)


class Failures:
    """A token bucket of this process: ``AT_ONCE`` rows, and ``A_MINUTE`` more each minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._left, self._counted_at, self._left_out = float(AT_ONCE), time.monotonic(), 0

    async def note(self, caller: Caller, by: str, reason: str) -> None:
        """Writes down that somebody was not let in with a ``key``, a ``token`` or over ``oidc``; nothing of what they
        sent. The refusal does not wait for a database that cannot be written to: the log has it then."""
        now = time.monotonic()
        self._left = min(float(AT_ONCE), self._left + (now - self._counted_at) * A_MINUTE / 60)
        self._counted_at = now
        log.warning("%s: sign-in by %s failed: %s", caller.request_id, by, reason)
        if self._left < 1:
            self._left_out += 1
            return
        self._left -= 1
        details = {"by": by, "reason": reason, "left_out_before": self._left_out}
        self._left_out = 0
        try:
            await anyio.to_thread.run_sync(self._write, caller, details)
        except TaiyiError as error:
            log.error("The failed sign-in could not be recorded: %s", error)

    def _write(self, caller: Caller, details: dict[str, object]) -> None:
        with self._database.writing() as session:
            append(session, caller, "sign_in.failed", None, details)
