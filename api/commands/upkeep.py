"""``verify``, ``reindex``, ``doctor``."""

import sys

import click

from api.commands.shared import as_json, open_home, print_json, say_waiting


@click.command()
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="HEAD",
    help="What taiyi-rag audit head said earlier, or a file that has it: the record has to have that row still.",
)
@as_json
def verify(heads: tuple[str, ...], as_json: bool) -> None:
    """Hold database, indexes, stored answers and the audit record against each other; exit status 1 where they
    disagree."""
    from api.commands.audit import head_of
    from api.wire import verification_json
    from rag.audit_key import head_from
    from rag.verification import verify as find_problems

    known = []
    for stated in heads:
        head = head_from(head_of(stated))
        if head is None:
            raise click.BadParameter("it is no head: NUMBER:DIGEST, as taiyi-rag audit head says", param_hint="--head")
        known.append(head)
    with open_home() as system:
        problems = find_problems(system, known)
    if as_json:
        print_json([verification_json(problems)])
    else:
        for problem in problems:
            click.echo(f"{problem.what} {problem.where}: {problem.message}")
        click.echo("Everything agrees." if not problems else f"{len(problems)} problem(s).")
    if problems:
        sys.exit(1)


@click.command()
@click.option("--embedder", metavar="NAME", help="Make the vectors of that embedder beside those in use, and no more.")
@click.option("--drop-others", is_flag=True, help="Take away the vectors of every embedder but the configured one.")
@as_json
def reindex(embedder: str | None, drop_others: bool, as_json: bool) -> None:
    """Build every index again from the database, with the configured embedder.

    To change the embedder while the service goes on: reindex --embedder NAME, set RAG_EMBEDDER and start the service
    anew, then reindex --drop-others.
    """
    from tqdm import tqdm

    from rag import catalog, re_embedding
    from rag.indexing import compact, publish
    from rag.settings import read_settings
    from rag.system import open_system
    from rag.types import LOCAL_ADMIN
    from rag.writing import writing_turn

    if embedder and drop_others:
        raise click.UsageError("--drop-others comes after the switch: leave out --embedder")
    settings = read_settings()
    if embedder:
        settings = settings.model_copy(update={"embedder": embedder})
    with open_system(settings) as system:
        with system.database.reading() as session:
            collections = catalog.collections(session, LOCAL_ADMIN)
        for collection in collections:
            if embedder:
                with tqdm(unit="passage", desc=collection.name, disable=None, delay=0.5) as bar:
                    re_embedding.embed_beside(
                        system, collection.id, lambda: writing_turn(system, say_waiting), bar.update
                    )
                continue
            with writing_turn(system, say_waiting):
                if drop_others:
                    re_embedding.drop_others(system, collection.id)
                else:
                    compact(system, collection.id, embed_again=True)
                    publish(system, collection.id)
    names = [collection.name for collection in collections]
    said = "Embedded beside" if embedder else "Alone left in" if drop_others else "Built anew"
    if as_json:
        print_json([{"collections": names}])
    else:
        click.echo(f"{said}: {', '.join(names) or 'there is no collection yet'}.")


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
