"""How a comparison of two answers looks in a terminal."""

from collections.abc import Iterable

import click

from api.terminal import print_answer
from rag.comparing import Comparison
from rag.differences import Difference, Found, OtherNumbers, OtherSide, Statement

_LOOKS = {
    "supports": ("green", "supported"),
    "contradicts": ("red", "contradicted"),
    "does_not_mention": ("yellow", "not mentioned"),
}
_ELSEWHERE: dict[OtherSide, str] = {
    "agrees": "the other answer agrees",
    "disagrees": "the other answer says otherwise",
    "absent": "not in the other answer",
}


def print_comparison(comparison: Comparison) -> None:
    click.secho("With the library", bold=True, underline=True)
    print_answer(comparison.grounded)
    click.secho("\nFrom the model's memory", bold=True, underline=True)
    print_answer(comparison.ungrounded)
    click.secho("\nWhat the evidence changes", bold=True, underline=True)
    _print_difference(comparison.difference)


def _print_difference(found: Difference) -> None:
    if found.ungrounded:
        click.echo("From memory, against the passages found:")
    for statement in found.ungrounded:
        if statement.corpus is not None:
            _print_recalled(statement, statement.corpus)
    if found.grounded:
        click.echo("From the library:")
    for statement in found.grounded:
        click.echo(f"  {statement.text} ({_ELSEWHERE[statement.other_side]})")
    numbers = found.numbers
    for label, stated in (
        ("in both answers", numbers.both),
        ("only with the library", numbers.only_grounded),
        ("only from memory", numbers.only_ungrounded),
    ):
        if stated:
            click.echo(f"Numbers {label}: {', '.join(stated)}")
    _print_other_numbers(numbers.differ)


def _print_recalled(statement: Statement, corpus: Found) -> None:
    colour, label = _LOOKS[corpus.says]
    click.secho(f"  {label:<14}", fg=colour, bold=True, nl=False)
    click.echo(f"{statement.text} ({_ELSEWHERE[statement.other_side]})")
    if corpus.says == "contradicts":
        for issue in corpus.issues:
            click.echo(f"{'':<16}- {issue.message}")
    if corpus.says != "does_not_mention":
        for quote in corpus.quotes[:1]:
            click.secho(f"{'':<16}“{' '.join(quote.quote.split())}” ({quote.title})", dim=True)


def _print_other_numbers(differ: Iterable[OtherNumbers]) -> None:
    for one in differ:
        click.secho(f"Other numbers: {', '.join(one.grounded)} with the library, ", fg="yellow", nl=False)
        click.secho(f"{', '.join(one.ungrounded)} from memory", fg="yellow")
