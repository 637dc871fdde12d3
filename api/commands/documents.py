"""``documents``: list, show, history, delete."""

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
    from api.wire import document_json
    from rag import catalog
    from rag.types import LOCAL_ADMIN

    with open_home() as system, system.database.reading() as session:
        document = catalog.document(session, LOCAL_ADMIN, document_id, edition_id)
    if as_json:
        print_json([document_json(document)])
    else:
        print_document(document)


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
@as_json
def delete_document(document_id: str, edition_id: str | None, as_json: bool) -> None:
    """Remove a document from every search, at once."""
    from api.wire import receipt_json
    from rag.types import LOCAL_ADMIN
    from rag.writing import delete_document as delete

    with open_home() as system:
        receipt = delete(system, LOCAL_ADMIN, document_id, edition_id)
    if as_json:
        print_json([receipt_json(receipt)])
    else:
        click.echo(
            f"Removed {receipt.title!r} with {receipt.editions} edition(s) and {receipt.passages} passage(s) "
            f"from {receipt.collection}; gone from generation {receipt.generation} on."
        )
