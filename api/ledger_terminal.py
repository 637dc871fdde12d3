"""How the runs of the ledger look in a terminal."""

from collections.abc import Sequence
from typing import Any

import click

from rag.ledger import Change, KeptRun, RunDifference

CHOICES_SHOWN = 10
_SHOWN = ("accuracy", "supported_sentences", "citation_recall", "citation_precision", "completeness")


def print_runs(found: Sequence[KeptRun]) -> None:
    for run in found:
        known = run.configuration
        model = known.get("model") or "no model"
        click.echo(f"{run.id}  {run.created_at[:19]}  {run.fingerprint[:8]}  {run.name}, {model}, {_brief(run)}")
    if not found:
        click.echo("No runs yet. Run a question set with: taiyi-rag compare --questions FILE --out DIR")


def print_run(run: KeptRun) -> None:
    click.secho(f"{run.name}, {run.created_at[:19]}", bold=True)
    click.echo(f"{run.id}, fingerprint {run.fingerprint}, report in {run.folder}")
    for name, value in run.configuration.items():
        click.echo(f"  {name}: {_short(value)}")
    for arm, figures in run.figures["arms"].items():
        stated = ", ".join(f"{name} {figures[name]:.3f}" for name in _SHOWN if name in figures)
        click.echo(f"{arm:<15}{stated}")


def print_difference(found: RunDifference) -> None:
    _print_changes("Settings", found.configuration)
    _print_changes("Figures", [change for change in found.figures if _is_shown(change)])
    if found.shared:
        same = found.shared - len(found.choices)
        click.echo(f"Choices: {same} of {found.shared} are the same ({100 * same / found.shared:.1f} %)")
    for one in found.choices[:CHOICES_SHOWN]:
        click.echo(f"  {one.question_id}, {one.arm}: {one.one} and {one.other}; right is {one.gold or 'not stated'}")
    if len(found.choices) > CHOICES_SHOWN:
        click.echo(f"  and {len(found.choices) - CHOICES_SHOWN} more: see --json")


def _print_changes(what: str, changes: Sequence[Change]) -> None:
    click.echo(f"{what}: {'no difference' if not changes else ''}".rstrip())
    for change in changes:
        click.echo(f"  {change.name}: {_short(change.one)} and {_short(change.other)}")


def _is_shown(change: Change) -> bool:
    """Of the figures of the arms, those that people look at first."""
    parts = change.name.split(".")
    return parts[0] == "arms" and parts[-1] in _SHOWN


def _brief(run: KeptRun) -> str:
    arms = run.figures["arms"].items()
    measured = [(arm, next(((name, one[name]) for name in _SHOWN if name in one), None)) for arm, one in arms]
    return ", ".join(f"{arm} {found[0]} {found[1]:.3f}" for arm, found in measured if found)


def _short(value: Any) -> str:
    text = f"{value:.4f}" if isinstance(value, float) else str(value)
    return text if len(text) <= 100 else text[:99] + "…"
