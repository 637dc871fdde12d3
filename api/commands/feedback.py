"""``feedback``: list, handled."""

from typing import TYPE_CHECKING

import click

from api.commands.shared import as_json, open_records, print_json

if TYPE_CHECKING:
    from rag.feedback import Rating


@click.group()
def feedback() -> None:
    """What readers said of answers, and what nothing answered."""


@feedback.command("list")
@click.option(
    "--rating", type=click.Choice(["up", "down"]), help="What was rated so; else what was found bad or not answered."
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many of the newest.")
@as_json
def list_feedback(rating: "Rating | None", limit: int, offset: int, as_json: bool) -> None:
    """Answers that were found bad and questions that nothing answered, newest first, but for what was dealt with."""
    from api.wire import feedback_json
    from rag.feedback import listing
    from rag.types import LOCAL_ADMIN

    with open_records() as database, database.reading() as session:
        found, total = listing(session, LOCAL_ADMIN, rating, limit, offset)
    if as_json:
        print_json(feedback_json(one) for one in found)
        return
    for one in found:
        said = f": {one.reason}" if one.reason else ""
        click.echo(f"{one.answer_id}  {one.created_at[:19]}  {one.rating or one.status:<9}  {one.question}{said}")
    if total > len(found):
        click.echo(f"{len(found)} of {total}: see --limit and --offset", err=True)
    elif not found:
        click.echo("Nothing was said so far." if rating else "Nothing waits to be acted on.")


@feedback.command("handled")
@click.argument("answer_id")
def handle_answer(answer_id: str) -> None:
    """Take an answer off the list of what is to be acted on. It is back when a reader says more of it."""
    from rag.feedback import handle
    from rag.types import LOCAL_ADMIN

    with open_records() as database:
        handle(database, LOCAL_ADMIN, answer_id)
    click.echo(f"{answer_id} is off the list.")
