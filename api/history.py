"""The last hour of what one process counted, in memory, for the page to draw. Prometheus is for what is older."""

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

EVERY_S = 30
KEPT = 120
Counts = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Timing:
    """``buckets`` are how many took at most so many seconds, as Prometheus counts: ``(bound, count)``, ascending, the
    last bound infinite."""

    count: float
    seconds: float
    buckets: tuple[tuple[float, float], ...]

    def since(self, before: "Timing | None") -> "Timing":
        if before is None:
            return self
        pairs = zip(self.buckets, before.buckets, strict=True)
        buckets = tuple((bound, now - then) for (bound, now), (_, then) in pairs)
        return Timing(self.count - before.count, self.seconds - before.seconds, buckets)

    def quantile(self, part: float) -> float | None:
        """Seconds within which ``part`` of all were done, straight between a bucket's bounds as Prometheus'
        ``histogram_quantile`` takes it; beyond the last finite bound that bound. None of nothing."""
        wanted, low, below = part * self.count, 0.0, 0.0
        if not self.count:
            return None
        for bound, count in self.buckets:
            if count >= wanted and count > below:
                return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (count - below)
            low, below = bound, count
        return low


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted since the process began. ``requests`` under ``/v1`` by the first digit of their status,
    ``answers`` by status, ``sentences`` by verdict, those kept out of the text as ``withheld``, ``stages`` by name."""

    requests: Counts
    answers: Counts
    sentences: Counts
    stages: Mapping[str, Timing]


@dataclass(frozen=True, slots=True)
class Point:
    """What was counted from the point before until ``at``; ``stages_ms`` are means."""

    at: str
    seconds: float
    requests: dict[str, int]
    answers: dict[str, int]
    sentences: dict[str, int]
    stages_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class StageTime:
    """What a stage took in the time that is kept, in milliseconds; ``p50_ms`` and ``p95_ms`` are worked out from
    buckets, and as coarse as these."""

    stage: str
    count: int
    mean_ms: float
    p50_ms: float | None
    p95_ms: float | None


class History:
    """``totals`` tells what was counted since the process ``began``. ``note`` is to be called every EVERY_S seconds."""

    def __init__(self, totals: Callable[[], Totals]) -> None:
        self.began = datetime.now(UTC).isoformat(timespec="seconds")
        self._totals = totals
        self._kept: deque[tuple[datetime, Totals]] = deque(maxlen=KEPT + 1)
        self.note()

    def note(self) -> None:
        self._kept.append((datetime.now(UTC), self._totals()))

    def points(self) -> list[Point]:
        """Oldest first; the last one ends now."""
        return [_between(one, other) for one, other in itertools.pairwise(self._until_now())]

    def stages(self) -> list[StageTime]:
        """By what they took in all, the longest first."""
        (_, first), *_, (_, last) = self._until_now()
        taken = {name: timing.since(first.stages.get(name)) for name, timing in last.stages.items()}
        timed = [(name, timing) for name, timing in taken.items() if timing.count]
        return [_stage(name, timing) for name, timing in sorted(timed, key=lambda one: -one[1].seconds)]

    def _until_now(self) -> Sequence[tuple[datetime, Totals]]:
        return [*self._kept, (datetime.now(UTC), self._totals())]


def _between(one: tuple[datetime, Totals], other: tuple[datetime, Totals]) -> Point:
    (began, before), (at, after) = one, other
    timings = {name: timing.since(before.stages.get(name)) for name, timing in after.stages.items()}
    return Point(
        at=at.isoformat(timespec="seconds"),
        seconds=round((at - began).total_seconds(), 1),
        requests=_more(after.requests, before.requests),
        answers=_more(after.answers, before.answers),
        sentences=_more(after.sentences, before.sentences),
        stages_ms={name: _ms(timing.seconds / timing.count) for name, timing in timings.items() if timing.count},
    )


def _more(after: Counts, before: Counts) -> dict[str, int]:
    more = {name: int(count - before.get(name, 0)) for name, count in after.items()}
    return {name: count for name, count in more.items() if count}


def _stage(name: str, timing: Timing) -> StageTime:
    p50, p95 = timing.quantile(0.5), timing.quantile(0.95)
    return StageTime(
        stage=name,
        count=int(timing.count),
        mean_ms=_ms(timing.seconds / timing.count),
        p50_ms=None if p50 is None else _ms(p50),
        p95_ms=None if p95 is None else _ms(p95),
    )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
