"""``answers``: list, show, replay."""

from typing import Any

import click

from api.commands.shared import as_json, open_home, print_json


@click.group()
def answers() -> None:
    """List and show stored answers, and make one again."""


@answers.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many of the newest.")
@click.option("--text", help="Those with this in the question.")
@click.option("--mode", type=click.Choice(["grounded", "ungrounded", "extractive"]))
@click.option("--status", type=click.Choice(["answered", "abstained", "partial", "failed"]))
@click.option("--collection", metavar="NAME", help="Those that drew on one collection.")
@click.option("--model", metavar="NAME", help="Those that one model wrote.")
@click.option("--caller", "caller_id", metavar="ID", help="Those that one caller asked for.")
@click.option("--since", type=click.DateTime(), help="From then on, UTC.")
@click.option("--until", type=click.DateTime(), help="Before then, UTC.")
@as_json
def list_answers(limit: int, offset: int, as_json: bool, **asked: Any) -> None:
    """The latest answers, newest first."""
    from api.terminal import print_answers
    from api.wire import answer_summary_json
    from rag import record
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        found = record.latest(session, LOCAL_ADMIN, limit, offset, record.Sought(**asked))
        askers = record.askers(session, found)
    if as_json:
        print_json(answer_summary_json(answer, askers[answer.id]) for answer in found)
    else:
        print_answers(found)


@answers.command("show")
@click.argument("answer_id")
@as_json
def show_answer(answer_id: str, as_json: bool) -> None:
    """A stored answer with its sources."""
    from api.terminal import print_answer
    from api.wire import answer_json
    from rag import record
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        answer = record.load(session, LOCAL_ADMIN, answer_id)
    if as_json:
        print_json([answer_json(answer)])
    else:
        print_answer(answer)


@answers.command("replay")
@click.argument("answer_id")
@as_json
def replay_answer(answer_id: str, as_json: bool) -> None:
    """Ask again what a stored answer was asked, as of its day, and say what comes out otherwise and why."""
    from api.wire import replay_json
    from rag.replaying import replay
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        replayed = replay(answer_id, LOCAL_ADMIN, system)
    if as_json:
        print_json([replay_json(replayed)])
        return
    click.echo("Identical." if replayed.identical else "Not identical.")
    for name in ("retrieval", "text"):
        click.echo(f"{name}: {getattr(replayed, name) or 'could not be tried'}")
    for one in replayed.deviations:
        click.echo(f"- {one.what}: {one.message}")
