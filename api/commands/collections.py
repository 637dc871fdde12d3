"""``collections``: list, set."""

import click

from api.commands.shared import as_json, open_home, print_json


@click.group()
def collections() -> None:
    """List collections, and set when nothing is answered from one."""


@collections.command("list")
@as_json
def list_collections(as_json: bool) -> None:
    """The collections with what a search of each can find."""
    from api.terminal import print_collections
    from api.wire import collection_json
    from rag import catalog
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        found = catalog.count(session, LOCAL_ADMIN)
    if as_json:
        print_json(collection_json(counts) for counts in found)
    else:
        print_collections(found)


@collections.command("set")
@click.argument("name")
@click.option(
    "--abstain-below",
    metavar="PROBABILITY",
    required=True,
    help="Answer nothing where the evidence answers with less than this probability, 0 to 1; "
    "'default' is what RAG_ABSTAIN_BELOW says.",
)
@as_json
def set_collection(name: str, abstain_below: str, as_json: bool) -> None:
    """Set the probability of evidence below which nothing is answered from a collection."""
    from api.wire import collection_json
    from rag import catalog
    from rag.types import LOCAL_ADMIN
    from rag.writing import set_abstention

    try:
        below = None if abstain_below == "default" else float(abstain_below)
    except ValueError:
        raise click.BadParameter("write a number from 0 to 1, or default", param_hint="--abstain-below") from None
    with open_home() as system:
        with system.database.writing() as session:
            set_abstention(session, LOCAL_ADMIN, name, below)
        with system.database.reading() as session:
            [counts] = [one for one in catalog.count(session, LOCAL_ADMIN) if one.name == name]
    if as_json:
        print_json([collection_json(counts)])
    else:
        said = "what RAG_ABSTAIN_BELOW says" if below is None else f"{below:g}"
        click.echo(f"{name}: nothing is answered below {said}.")
