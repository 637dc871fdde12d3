"""Who has a page drawn when: a few at one time, and of one caller one, so that nobody's pages hold up another's."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, TypeVarTuple

import anyio
from anyio.to_thread import run_sync

from ingestion.pages import Pages
from rag.errors import Busy

AT_ONCE = 2
MOST_WAITING = 64
MOST_OF_ONE = 12
_Result = TypeVar("_Result")
_Arguments = TypeVarTuple("_Arguments")


class TooManyPages(Busy):
    title = "Too many pages at once"
    retry_after_s = 5


@dataclass(slots=True)
class _Own:
    """How many pages one caller waits for, of which one is being drawn."""

    turn: anyio.Lock = field(default_factory=anyio.Lock)
    asked: int = 0


class Drawing:
    """Lets each caller have one page drawn at a time, and all callers together ``at_once``, in threads of its own."""

    def __init__(self, pages: Pages, at_once: int = AT_ONCE) -> None:
        self.pages = pages
        self._threads = anyio.CapacityLimiter(at_once)
        self._own: dict[str, _Own] = {}

    @property
    def waiting(self) -> int:
        """How many pages are asked for and not drawn yet."""
        return sum(one.asked for one in self._own.values())

    async def run(self, caller_id: str, function: Callable[[*_Arguments], _Result], *arguments: *_Arguments) -> _Result:
        """``function(*arguments)`` once it is the caller's turn. Raises TooManyPages where too many wait already."""
        own = self._own.get(caller_id) or _Own()
        if own.asked >= MOST_OF_ONE or self.waiting >= MOST_WAITING:
            raise TooManyPages("Too many pages are waiting to be drawn: look at this one again in a moment")
        self._own[caller_id] = own
        own.asked += 1
        try:
            async with own.turn:
                return await run_sync(function, *arguments, limiter=self._threads)
        finally:
            own.asked -= 1
            if not own.asked:
                del self._own[caller_id]
