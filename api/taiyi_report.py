"""The report of ``evaluate taiyi2``."""

from collections.abc import Iterator
from pathlib import Path

from api.report import excerpt, render
from api.taiyi_evaluation import AskedInstance, SetResult, TaiyiEvaluation, metrics_json
from rag.taiyi_tasks.scoring import measure_of
from rag.taiyi_tasks.sets import published_means
from rag.taiyi_tasks.types import Fact

WORST = 3
REPLY_SHOWN = 600


def write_taiyi_report(evaluation: TaiyiEvaluation, path: Path) -> None:
    page = render(
        "taiyi.html",
        f"Taiyi's tasks with {evaluation.served.model}",
        evaluation=evaluation,
        metrics=metrics_json(evaluation),
        means=published_means(),
        measure_of=measure_of,
        rows=list(_rows(evaluation)),
        worst=[(result, shown) for result in evaluation.results if (shown := _worst(result))],
        excerpt=excerpt,
        listed=_listed,
        reply_shown=REPLY_SHOWN,
    )
    path.write_text(page, encoding="utf-8")


def _rows(evaluation: TaiyiEvaluation) -> Iterator[tuple[str, float, float, float, bool]]:
    """For the chart: each measured figure, with that of Taiyi 2 below it."""
    for result in evaluation.results:
        if result.figures:
            value, published = result.figures.value, result.task.published.taiyi2 / 100
            yield f"{result.task.name} ({measure_of(result.task)})", value.value, value.low, value.high, True
            yield "published, Taiyi 2", published, published, published, False


def _worst(result: SetResult) -> list[AskedInstance]:
    """Of those that are scored and not right, the ones with most that is wrong or missed."""
    mistaken = [
        (len(item.given ^ item.instance.gold), item)
        for item in result.items
        if item.instance.gold is not None and item.given != item.instance.gold
    ]
    return [item for _, item in sorted(mistaken, key=lambda one: -one[0])[:WORST]]


def _listed(facts: frozenset[Fact]) -> str:
    return "; ".join(" · ".join(fact) for fact in sorted(facts)) or "nothing"
