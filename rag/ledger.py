"""The ledger of evaluations: what was run with which configuration, what came of it, and what changed between two.

Two runs with one fingerprint had the same questions, corpus, model, prompts, settings and code. Of a run on a corpus of
its own every prompt and reply is kept; of one on the library, from which words may have to be erased, only what was
chosen.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from rag.database import ReadSession, WriteSession
from rag.errors import NotFound
from rag.tables import EvaluationItemRow, EvaluationRow

_OF_THE_MOMENT = frozenset(("asked", "seconds", "created_at", "fingerprint"))
"""What of a run's configuration differs without changing it."""
Place = tuple[str, str, int]
"""A question, an arm, and which of its orders."""


@dataclass(frozen=True, slots=True)
class KeptItem:
    """``body`` is the whole item, None where it may not be kept."""

    question_id: str
    arm: str
    chosen: str | None
    gold: str | None
    body: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class KeptRun:
    """``configuration`` and ``figures`` are as ``metrics.json`` has them; ``folder`` is where the report was written.
    ``items`` are read only where one run is loaded."""

    id: str
    name: str
    folder: str
    fingerprint: str
    configuration: Mapping[str, Any]
    figures: Mapping[str, Any]
    created_at: str
    items: tuple[KeptItem, ...] = ()


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """A question of a run, in every arm and order. There is an item."""

    id: str
    items: tuple[KeptItem, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A setting or a figure, by its path, in the one run and in the other; None where one has none."""

    name: str
    one: Any
    other: Any


@dataclass(frozen=True, slots=True)
class OtherChoice:
    question_id: str
    arm: str
    one: str | None
    other: str | None
    gold: str | None


@dataclass(frozen=True, slots=True)
class RunDifference:
    """``shared`` counts the choices that both runs made of the same question in the same arm and order; ``choices`` are
    those of them that differ."""

    configuration: tuple[Change, ...]
    figures: tuple[Change, ...]
    shared: int
    choices: tuple[OtherChoice, ...]


def fingerprint_of_run(configuration: Mapping[str, Any]) -> str:
    """The same for the same configuration, whenever and how fast it was run."""
    decisive = {name: value for name, value in configuration.items() if name not in _OF_THE_MOMENT}
    return hashlib.sha256(json.dumps(decisive, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:32]


def keep(
    session: WriteSession,
    name: str,
    folder: str,
    configuration: Mapping[str, Any],
    figures: Mapping[str, Any],
    items: Sequence[KeptItem],
) -> str:
    """The id of the run."""
    row = EvaluationRow(
        id=uuid.uuid4().hex,
        name=name,
        folder=folder,
        fingerprint=fingerprint_of_run(configuration),
        configuration=dict(configuration),
        figures=dict(figures),
        created_at=datetime.now(UTC),
    )
    session.add(row)
    session.flush()
    session.add_all(
        EvaluationItemRow(
            evaluation_id=row.id,
            ordinal=ordinal,
            question_id=item.question_id,
            arm=item.arm,
            chosen=item.chosen,
            gold=item.gold,
            body=None if item.body is None else dict(item.body),
        )
        for ordinal, item in enumerate(items)
    )
    return row.id


def runs(session: ReadSession, limit: int, offset: int = 0) -> list[KeptRun]:
    """The newest first, without their items."""
    newest = select(EvaluationRow).order_by(EvaluationRow.created_at.desc(), EvaluationRow.id)
    return [_run(row) for row in session.scalars(newest.limit(limit).offset(offset))]


def count(session: ReadSession) -> int:
    return session.scalar(select(func.count(EvaluationRow.id))) or 0


def head(session: ReadSession, run_id: str) -> KeptRun:
    """A run without its items. Raises NotFound."""
    row = session.get(EvaluationRow, run_id)
    if row is None:
        raise NotFound(f"There is no run {run_id!r}; compare list shows those that there are")
    return _run(row)


def load(session: ReadSession, run_id: str) -> KeptRun:
    """Raises NotFound."""
    statement = select(EvaluationItemRow).where(EvaluationItemRow.evaluation_id == run_id)
    items = session.scalars(statement.order_by(EvaluationItemRow.ordinal))
    return replace(head(session, run_id), items=tuple(map(_item, items)))


def questions(
    session: ReadSession, run_id: str, limit: int, offset: int, differing: bool = False
) -> tuple[list[KeptQuestion], int]:
    """Some questions of a run in their order, and how many there are; with ``differing`` those alone on which not all
    arms chose the same. Raises NotFound."""
    head(session, run_id)
    items = EvaluationItemRow
    wanted = select(items.question_id).where(items.evaluation_id == run_id).group_by(items.question_id)
    if differing:
        wanted = wanted.having(func.count(func.distinct(func.coalesce(items.chosen, ""))) > 1)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    shown = session.scalars(wanted.order_by(func.min(items.ordinal)).limit(limit).offset(offset)).all()
    found: dict[str, list[KeptItem]] = {name: [] for name in shown}
    of_these = select(items).where(items.evaluation_id == run_id, items.question_id.in_(shown)).order_by(items.ordinal)
    for row in session.scalars(of_these):
        found[row.question_id].append(_item(row))
    return [KeptQuestion(name, tuple(kept)) for name, kept in found.items()], total


def difference_of_runs(one: KeptRun, other: KeptRun) -> RunDifference:
    before, after = _choices(one), _choices(other)
    shared = [place for place in before if place in after]
    return RunDifference(
        tuple(_changes(one.configuration, other.configuration)),
        tuple(_changes(one.figures, other.figures)),
        len(shared),
        tuple(
            OtherChoice(place[0], place[1], before[place].chosen, after[place].chosen, after[place].gold)
            for place in shared
            if before[place].chosen != after[place].chosen
        ),
    )


def _run(row: EvaluationRow) -> KeptRun:
    moment = row.created_at.isoformat()
    return KeptRun(row.id, row.name, row.folder, row.fingerprint, row.configuration, row.figures, moment)


def _item(row: EvaluationItemRow) -> KeptItem:
    return KeptItem(row.question_id, row.arm, row.chosen, row.gold, row.body)


def _choices(run: KeptRun) -> dict[Place, KeptItem]:
    """Of the questions that have something to choose from."""
    found: dict[Place, KeptItem] = {}
    counts: dict[tuple[str, str], int] = {}
    for item in run.items:
        if item.chosen is not None or item.gold is not None:
            number = counts.get((item.question_id, item.arm), 0)
            counts[item.question_id, item.arm] = number + 1
            found[item.question_id, item.arm, number] = item
    return found


def _changes(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Change]:
    before, after = dict(_flat(one)), dict(_flat(other))
    for name in dict.fromkeys((*before, *after)):
        if name not in _OF_THE_MOMENT and before.get(name) != after.get(name):
            yield Change(name, before.get(name), after.get(name))


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, one in value.items():
        if isinstance(one, Mapping):
            yield from _flat(one, f"{above}{name}.")
        else:
            yield f"{above}{name}", one
