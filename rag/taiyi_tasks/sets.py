"""The thirteen sets as data."""

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

from rag.taiyi_tasks.types import Published, TaskSet


@lru_cache(maxsize=1)
def task_sets() -> tuple[TaskSet, ...]:
    """In the order of the authors' table."""
    return tuple(
        TaskSet(
            **{
                **stated,
                "published": Published(**stated["published"]),
                "ask": stated["ask"].strip(),
                "files": tuple(tuple(alternative) for alternative in stated["files"]),
                "labels": tuple(stated.get("labels", ())),
            }
        )
        for stated in _stated()["sets"]
    )


def published_means() -> Published:
    """The means over all thirteen sets, as printed."""
    return Published(**_stated()["mean"])


def _stated() -> dict[str, Any]:
    return tomllib.loads(resources.files("rag.taiyi_tasks").joinpath("sets.toml").read_text("utf-8"))
