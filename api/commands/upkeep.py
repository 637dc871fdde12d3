"""``verify``, ``reindex``, ``doctor``."""

import sys

import click

from api.commands.shared import as_json, open_home, print_json, say_waiting


@click.command()
@as_json
def verify(as_json: bool) -> None:
    """Hold database, indexes and stored answers against each other; exit status 1 where they disagree."""
    from api.wire import verification_json
    from rag.verification import verify as find_problems

    with open_home() as system:
        problems = find_problems(system)
    if as_json:
        print_json([verification_json(problems)])
    else:
        for problem in problems:
            click.echo(f"{problem.what} {problem.where}: {problem.message}")
        click.echo("Everything agrees." if not problems else f"{len(problems)} problem(s).")
    if problems:
        sys.exit(1)


@click.command()
@as_json
def reindex(as_json: bool) -> None:
    """Build every index again from the database, with the configured embedder."""
    from rag import catalog
    from rag.indexing import compact, publish
    from rag.types import LOCAL_ADMIN
    from rag.writing import writing_turn

    with open_home() as system, writing_turn(system, say_waiting):
        with system.database.reading() as session:
            collections = catalog.collections(session, LOCAL_ADMIN)
        for collection in collections:
            compact(system, collection.id, embed_again=True)
            publish(system, collection.id)
    names = [collection.name for collection in collections]
    if as_json:
        print_json([{"collections": names}])
    else:
        click.echo(f"Built anew: {', '.join(names) or 'there is no collection yet'}.")


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """What is installed and in use, and what is missing."""
    from api.doctor import examine
    from rag.settings import read_settings

    findings = examine(read_settings())
    if as_json:
        print_json({"part": f.part, "ok": f.ok, "message": f.message} for f in findings)
    else:
        for finding in findings:
            click.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.part:<10} {finding.message}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)
