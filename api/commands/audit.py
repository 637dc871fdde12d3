"""``audit``: list, export, head, retain."""

import json
from pathlib import Path
from typing import IO, Any

import click

from api.commands.shared import as_json, open_records, print_json


@click.group()
def audit() -> None:
    """The record of what was done: who asked, loaded, removed and decided what, when and from where."""


@audit.command("list")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@click.option("--before", type=click.IntRange(1), metavar="NUMBER", help="Rows with a lower number only.")
@click.option("--action", help="Such as answer, search, ingest, delete, purge, sign_in.failed.")
@click.option("--caller", "caller_id", metavar="ID")
@click.option("--subject", metavar="ID", help="The answer, document, key or collection that it was about.")
@click.option("--since", type=click.DateTime(), help="From then on, UTC.")
@click.option("--until", type=click.DateTime(), help="Before then, UTC.")
@as_json
def list_entries(limit: int, before: int | None, as_json: bool, **asked: Any) -> None:
    """Rows of the record, newest first."""
    from api.wire import entry_json
    from rag import audit as records
    from rag.types import LOCAL_ADMIN

    with open_records() as database, database.reading() as session:
        found = records.entries(session, LOCAL_ADMIN, records.Picked(**asked), limit=limit, before=before)
    if as_json:
        print_json(entry_json(entry) for entry in found)
        return
    for entry in found:
        said = {name: value for name, value in entry.details.items() if name != records.SEALS}
        who = f"{entry.caller_id} {entry.address or ''}".strip()
        click.echo(
            f"{entry.number:>7}  {entry.at[:19]}  {entry.action:<14} {who}  {entry.subject or ''}  {json.dumps(said)}"
        )


@audit.command("export")
@click.option("--out", type=click.File("w", encoding="utf-8"), default="-", help="A file; by default to stdout.")
@click.option("--since", type=click.DateTime(), help="From then on, UTC.")
@click.option("--until", type=click.DateTime(), help="Before then, UTC.")
def export(out: IO[str], **asked: Any) -> None:
    """The whole record as JSON lines, oldest first."""
    from api.wire import entry_json
    from rag import audit as records
    from rag.types import LOCAL_ADMIN

    with open_records() as database:
        for entry in records.oldest_first(database, LOCAL_ADMIN, records.Picked(**asked)):
            out.write(json.dumps(entry_json(entry), ensure_ascii=False) + "\n")


@audit.command("head")
@as_json
def show_head(as_json: bool) -> None:
    """The last row and its digest, to be kept elsewhere: verify --head then shows a record whose end was cut off."""
    from rag import audit as records

    with open_records() as database:
        records.begin(database)
        with database.reading() as session:
            head = records.head(session)
    if as_json:
        print_json([{"number": head.number, "digest": head.digest}] if head else [])
    else:
        click.echo(str(head))


@audit.command("retain")
@click.option("--older-than", "days", type=click.IntRange(1), required=True, metavar="DAYS")
@as_json
def retain(days: int, as_json: bool) -> None:
    """Remove answers and rows of the record that are older than so many days; a checkpoint vouches for what went."""
    from dataclasses import asdict
    from datetime import UTC, datetime, timedelta

    from rag import retention
    from rag.types import LOCAL_ADMIN

    with open_records() as database:
        done = retention.retain(database, LOCAL_ADMIN, datetime.now(UTC) - timedelta(days=days))
    if as_json:
        print_json([asdict(done)])
    else:
        click.echo(f"Removed {done.answers} answers and {done.rows} rows of the record.")


def head_of(stated: str) -> str:
    """The head itself, or what a file of that name says."""
    path = Path(stated)
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else stated
