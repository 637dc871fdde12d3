"""``documents``: list, show, history; delete, retire; proposals of what may be editions of one."""

import click

from api.commands.shared import as_json, open_home, print_json


@click.group()
def documents() -> None:
    """List, show and remove documents."""


@documents.command("list")
@click.option("--collection", "collections", multiple=True, help="Only this one; may be repeated.")
@as_json
def list_documents(collections: tuple[str, ...], as_json: bool) -> None:
    """The documents, one a line."""
    from api.terminal import print_documents
    from api.wire import document_json
    from rag import catalog
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        found = catalog.documents(session, LOCAL_ADMIN, collections)
    if as_json:
        print_json(document_json(document) for document in found)
    else:
        print_documents(found)


@documents.command("show")
@click.argument("document_id")
@click.option("--edition-id", help="Show this edition instead of the current one.")
@as_json
def show_document(document_id: str, edition_id: str | None, as_json: bool) -> None:
    """A document with its text and its editions."""
    from api.terminal import print_document
    from api.wire import document_json, flagged_json
    from rag import catalog
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        document = catalog.document(session, LOCAL_ADMIN, document_id, edition_id)
        flagged = catalog.flagged_passages(session, LOCAL_ADMIN, document_id)
    if as_json:
        print_json([{**document_json(document), "flagged": [flagged_json(one) for one in flagged]}])
    else:
        print_document(document, flagged)


@documents.command("history")
@click.argument("document_id")
@as_json
def show_history(document_id: str, as_json: bool) -> None:
    """The editions of a document, newest first."""
    from api.terminal import print_editions
    from api.wire import edition_json
    from rag import catalog
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        document = catalog.document(session, LOCAL_ADMIN, document_id)
    if as_json:
        print_json(edition_json(edition) for edition in document.editions)
    else:
        print_editions(document)


@documents.command("delete")
@click.argument("document_id")
@click.option("--edition-id", help="Remove this edition only.")
@click.option("--purge", is_flag=True, help="Also erase its text, original file and quotes in answers, for good.")
@as_json
def delete_document(document_id: str, edition_id: str | None, purge: bool, as_json: bool) -> None:
    """Remove a document from every search, at once. It comes back only with ingest --restore."""
    from api.wire import receipt_json
    from rag.removal import Tidying
    from rag.removal import delete_document as delete
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        receipt = delete(system, LOCAL_ADMIN, document_id, edition_id, purge)
        Tidying(system).run()
    if as_json:
        print_json([receipt_json(receipt)])
        return
    click.echo(
        f"Removed {receipt.title or receipt.document_id} with {receipt.editions} edition(s) and "
        f"{receipt.passages} passage(s) from {receipt.collection}; gone from generation {receipt.generation} on. "
        f"Receipt {receipt.id}."
    )
    if purge:
        click.echo(
            "Text, quotes and original file are erased."
            if receipt.original_erased
            else "Text and quotes are erased. The original file stays, because other documents came from it too."
        )


@documents.command("removed")
@click.argument("document_id", required=False)
@as_json
def list_removals(document_id: str | None, as_json: bool) -> None:
    """The receipts of what was removed, newest first."""
    from api.wire import receipt_json
    from rag.removal import receipts
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        found = receipts(session, LOCAL_ADMIN, document_id)
    if as_json:
        print_json(receipt_json(receipt) for receipt in found)
        return
    for receipt in found:
        what = "purged " if receipt.purged else "removed"
        click.echo(f"{receipt.id}  {receipt.deleted_at[:19]}  {what}  {receipt.document_id}  {receipt.title or '-'}")
    if not found:
        click.echo("Nothing was removed.")


@documents.command("retire")
@click.argument("document_id")
@click.option("--on", "day", metavar="DATE", help="The first day on which it no longer holds; by default today.")
@click.option("--undo", is_flag=True, help="Take a retirement back.")
@as_json
def retire_document(document_id: str, day: str | None, undo: bool, as_json: bool) -> None:
    """Take a document out of default answers from a day on, without deleting it."""
    from api.wire import retirement_json
    from rag.editions import first_day
    from rag.retirement import retire_document as retire
    from rag.retirement import unretire_document
    from rag.types import LOCAL_ADMIN

    if day and undo:
        raise click.UsageError("--on and --undo exclude each other")
    with open_home() as system:
        if undo:
            retirement = unretire_document(system, LOCAL_ADMIN, document_id)
        else:
            retirement = retire(system, LOCAL_ADMIN, document_id, first_day(day) if day else None)
    if as_json:
        print_json([retirement_json(retirement)])
    elif undo:
        click.echo(f"{retirement.title} is no longer retired.")
    else:
        click.echo(f"{retirement.title} no longer holds from {retirement.retired_on} on; --as-of finds it before.")


@documents.command("proposals")
@as_json
def list_proposals(as_json: bool) -> None:
    """Pairs of documents of a like title and publisher that may be editions of one."""
    from api.wire import proposal_json
    from rag import proposals
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        found = proposals.waiting(session, LOCAL_ADMIN)
    if as_json:
        print_json(proposal_json(proposal) for proposal in found)
        return
    for proposal in found:
        click.echo(f"{proposal.document.id} may be an edition of {proposal.like.id}: {proposal.document.title}")
    if found:
        click.echo("Decide each with: taiyi-rag documents accept|reject DOCUMENT_ID LIKE_ID")
    else:
        click.echo("No proposal waits.")


@documents.command("accept")
@click.argument("document_id")
@click.argument("like_id")
@as_json
def accept_proposal(document_id: str, like_id: str, as_json: bool) -> None:
    """Make a proposed pair the editions of one document; their dates say which is current."""
    from rag import proposals
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        kept = proposals.accept(system, LOCAL_ADMIN, document_id, like_id)
    if as_json:
        print_json([{"document_id": kept}])
    else:
        click.echo(f"Both are editions of {kept} now. See: taiyi-rag documents history {kept}")


@documents.command("reject")
@click.argument("document_id")
@click.argument("like_id")
@as_json
def reject_proposal(document_id: str, like_id: str, as_json: bool) -> None:
    """Leave a proposed pair apart for good."""
    from rag import proposals
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        proposals.reject(system, LOCAL_ADMIN, document_id, like_id)
    if as_json:
        print_json([{"document_id": document_id}])
    else:
        click.echo("They stay two documents.")
