"""The last hour of the figures: what lies between two notes, and quantiles from buckets against their values."""

import random
from bisect import bisect_left

import pytest

from api import history
from api.history import History, Timing, Totals
from api.metrics import STAGE_S

BOUNDS = (*STAGE_S, float("inf"))


def timing(seconds: list[float]) -> Timing:
    buckets = tuple((bound, float(sum(one <= bound for one in seconds))) for bound in BOUNDS)
    return Timing(len(seconds), sum(seconds), buckets)


@pytest.mark.parametrize("part", [0.5, 0.95])
def test_a_quantile_lies_in_the_bucket_of_the_value(part: float) -> None:
    drawn = random.Random(7)
    for _ in range(50):
        seconds = sorted(drawn.lognormvariate(-2, 1.5) for _ in range(drawn.randint(1, 300)))
        found = timing(seconds).quantile(part)
        exact = seconds[min(len(seconds) - 1, max(0, -int(-part * len(seconds) // 1) - 1))]
        place = bisect_left(BOUNDS, exact)
        assert found is not None
        assert (0.0, *BOUNDS)[place] <= found <= BOUNDS[place]
    assert timing([]).quantile(part) is None
    assert timing([1e6]).quantile(part) == STAGE_S[-1]


def test_a_point_has_what_was_counted_since_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    now = Totals({}, {}, {}, {})
    kept = History(lambda: now)
    now = Totals({"2": 3}, {"answered": 2, "abstained": 1}, {"supported": 4}, {"judge": timing([0.1, 0.3])})
    kept.note()
    now = Totals({"2": 3, "5": 1}, {"answered": 2, "abstained": 2}, {"supported": 4}, {"judge": timing([0.1, 0.3, 1])})
    first, last = kept.points()
    assert (first.requests, first.answers, first.stages_ms) == (
        {"2": 3},
        {"answered": 2, "abstained": 1},
        {"judge": 200},
    )
    assert (last.requests, last.answers, last.sentences) == ({"5": 1}, {"abstained": 1}, {})
    assert last.stages_ms == {"judge": 1000}
    [stage] = kept.stages()
    assert (stage.stage, stage.count, stage.mean_ms) == ("judge", 3, 466.7)
    for _ in range(history.KEPT + 5):
        kept.note()
    assert len(kept.points()) == history.KEPT + 1
    assert kept.stages() == []  # of the hour that is kept
