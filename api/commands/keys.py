"""``keys``: create, list, revoke."""

import click

from api.commands.shared import as_json, open_records, print_json


@click.group()
def keys() -> None:
    """API keys with a role and collections. Once there is one, the service asks for a key."""


@keys.command("create")
@click.option("--name", default="", help="What the key is called in lists and in the record, such as a person's name.")
@click.option(
    "--role",
    type=click.Choice(["reader", "editor", "admin"]),
    default="reader",
    show_default=True,
    help="A reader searches and asks; an editor also loads, retires and removes documents; an admin does everything.",
)
@click.option("--collection", "collections", multiple=True, help="May read this one only; may be repeated.")
@click.option("--expires", metavar="DATE", help="The day from which on, in UTC, the key holds no more: YYYY-MM-DD.")
@click.option("--requests-per-minute", type=click.IntRange(min=1), help="More requests than this get a 429.")
@click.option(
    "--unrecorded", is_flag=True, help="Keep the questions asked with it, and their answers, out of the record."
)
@as_json
def create_key(
    name: str,
    role: str,
    collections: tuple[str, ...],
    expires: str | None,
    requests_per_minute: int | None,
    unrecorded: bool,
    as_json: bool,
) -> None:
    """Make a key and print its secret, once. Without --collection it may read every collection."""
    from datetime import UTC, datetime

    from api.wire import key_json
    from rag.keys import create
    from rag.types import LOCAL_ADMIN, Role

    try:
        ends = datetime.strptime(expires, "%Y-%m-%d").replace(tzinfo=UTC) if expires else None
    except ValueError:
        raise click.BadParameter("write a day such as 2027-01-31", param_hint="--expires") from None
    with open_records() as database, database.writing() as session:
        key, secret = create(
            session,
            LOCAL_ADMIN,
            name or role,
            Role(role),
            collections or None,
            recorded=not unrecorded,
            requests_per_minute=requests_per_minute,
            expires_at=ends,
        )
    if as_json:
        print_json([{**key_json(key), "key": secret}])
        return
    click.echo(secret)
    click.echo(f"Key {key.id} ({key.name}, {key.role}). Keep the line above: it is not shown again.", err=True)


@keys.command("list")
@as_json
def list_keys(as_json: bool) -> None:
    """The keys, newest first, without their secrets."""
    from api.wire import key_json
    from rag.keys import listing
    from rag.types import LOCAL_ADMIN

    with open_records() as database, database.reading() as session:
        found = listing(session, LOCAL_ADMIN)
    if as_json:
        print_json(key_json(key) for key in found)
        return
    for key in found:
        may = "every collection" if key.collections is None else ", ".join(key.collections)
        click.echo(f"{key.id}  {key.state:<8}  {key.role:<6}  {key.created_at[:10]}  {key.name}: {may}")
    if not found:
        click.echo("No keys yet: the service answers at this machine only. Make one with: taiyi-rag keys create")


@keys.command("revoke")
@click.argument("key_id")
@as_json
def revoke_key(key_id: str, as_json: bool) -> None:
    """End a key by its id, from the next call on in every process, and who signed in with it."""
    from api.wire import key_json
    from rag.keys import revoke
    from rag.types import LOCAL_ADMIN

    with open_records() as database, database.writing() as session:
        key = revoke(session, LOCAL_ADMIN, key_id)
    if as_json:
        print_json([key_json(key)])
    else:
        click.echo(f"Key {key.id} ({key.name}) holds no more.")
