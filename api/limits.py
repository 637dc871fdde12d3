"""How much one caller and all callers together may ask of this process.

A caller has a token bucket (a key's own rate, else RAG_REQUESTS_PER_MINUTE), which holds a minute's worth: 429 with
``Retry-After`` once it is empty. Searches take turns, and where too many wait, the next is told to come again (503).
Each process counts for itself: behind several of them a caller has as many buckets.
"""

import math
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import response_to
from rag.errors import Busy, TooManyRequests

if TYPE_CHECKING:
    from api.access import Identity

MOST_BUCKETS = 10_000
"""Of callers seen last; one that is dropped had time to fill up."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """``tokens`` at the time ``at``, in seconds of a steady clock."""

    tokens: float
    at: float


def taken(bucket: Bucket | None, per_minute: int, now: float) -> tuple[Bucket, float]:
    """The bucket (None: a full one) after one more request at ``now``, and the seconds to wait until one is let
    through: 0 where this one is, else nothing is taken. It fills with ``per_minute`` tokens a minute, up to as many."""
    tokens = per_minute if bucket is None else min(per_minute, bucket.tokens + (now - bucket.at) * per_minute / 60)
    if tokens >= 1:
        return Bucket(tokens - 1, now), 0.0
    return Bucket(tokens, now), (1 - tokens) * 60 / per_minute


class Buckets:
    """One for each caller of this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Bucket] = OrderedDict()

    def take(self, caller: str, per_minute: int) -> None:
        """Raises TooManyRequests, which says when to come again."""
        self._kept[caller], wait = taken(self._kept.get(caller), per_minute, time.monotonic())
        self._kept.move_to_end(caller)
        while len(self._kept) > MOST_BUCKETS:
            self._kept.popitem(last=False)
        if wait:
            raise TooManyRequests(
                f"More than {per_minute} requests a minute: wait {math.ceil(wait)} s, or ask for a key with a higher "
                "rate (taiyi-rag keys create --requests-per-minute)",
                math.ceil(wait),
            )


class Rates:
    """ASGI middleware, inside the one that finds out who asks. Who needs no key, at the service's own machine, is not
    counted; who signs in is, by address."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self._app, self._per_minute, self._buckets = app, per_minute, Buckets()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/"):
            try:
                self._count(scope)
            except TooManyRequests as error:
                await response_to(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _count(self, scope: Scope) -> None:
        identity: Identity | None = scope.get("state", {}).get("identity")
        if identity is None:
            client = scope.get("client")
            name, rate = f"address {client[0] if client else ''}", self._per_minute
        elif identity.via == "open":
            return
        else:
            own = identity.requests_per_minute
            name, rate = f"caller {identity.caller.id}", self._per_minute if own is None else own
        if rate > 0:
            self._buckets.take(name, rate)


class Turns:
    """Lets ``at_once`` searches run and ``queue`` more wait, first come, first served."""

    def __init__(self, at_once: int, queue: int) -> None:
        self._limiter, self._queue = anyio.CapacityLimiter(at_once), queue

    @property
    def running(self) -> int:
        return int(self._limiter.borrowed_tokens)

    @property
    def waiting(self) -> int:
        return self._limiter.statistics().tasks_waiting

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn, which ends with the block. Raises Busy where too many wait."""
        if self._limiter.available_tokens <= 0 and self.waiting >= self._queue:
            raise Busy(f"{self.running} searches run and {self.waiting} more wait: ask again in a moment")
        async with self._limiter:
            yield
