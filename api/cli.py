"""The command line: ``taiyi-rag``. Nothing heavier than click is imported before a command runs.

Exit status 0 on success, 2 on wrong usage, 1 on failure with one line on stderr. With ``--json`` only JSON goes to
stdout, an object a line; progress and logs go to stderr.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag.errors import InvalidRequest, TaiyiError

if TYPE_CHECKING:
    from rag.system import System
    from rag.types import Query

Command = Callable[..., Any]


class _Group(click.Group):
    """Turns the product's errors into one line on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except TaiyiError as error:
            click.echo(f"taiyi-rag: {error}", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            ctx.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="taiyi-rag", prog_name="taiyi-rag")
@click.option("-v", "--verbose", is_flag=True, help="Say more on stderr.")
def main(verbose: bool) -> None:
    """Medical questions answered in the words of your own documents, each sentence with its source.

    Answers are quotations from the documents you load. They are no medical advice.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("sentence_transformers", "transformers", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("rag").setLevel(logging.INFO)


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and nothing else.")


def retrieval_options(command: Command) -> Command:
    """The options of ``search`` and ``ask``, gathered into a Query given as ``query``."""
    for option in (
        click.option("--as-of", metavar="DATE", help="Search the editions in force on that day (YYYY-MM-DD)."),
        click.option("--filter", "filters", metavar="KEY=VALUE", multiple=True, help="Also KEY>=DATE and KEY<=DATE."),
        click.option("--retrieval", type=click.Choice(["hybrid", "dense", "lexical"]), default="hybrid"),
        click.option("--top-k", type=int, default=10, show_default=True, help="How many passages, 1 to 100."),
        click.option("--collection", "collections", multiple=True, help="Search this one; may be repeated."),
    ):
        command = option(command)
    return command


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--collection", default="default", show_default=True, help="The collection to read into.")
@click.option("--restore", is_flag=True, help="Bring back documents that were deleted.")
@as_json
def ingest(paths: tuple[Path, ...], collection: str, restore: bool, as_json: bool) -> None:
    """Read files and folders into a collection."""
    from api.terminal import ingest_progress, print_file_results
    from api.wire import file_result_json
    from ingestion.pipeline import discover
    from ingestion.pipeline import ingest as ingest_files

    with _system() as system:
        files = discover(paths)
        with ingest_progress(len(files)) as listener:
            results = ingest_files(files, collection, system, listener, restore)
    if as_json:
        _print_json([{"files": [file_result_json(result) for result in results]}])
    else:
        print_file_results(results)
    if any(result.status == "failed" for result in results):
        sys.exit(1)


@main.command()
@click.argument("question")
@retrieval_options
@as_json
def search(question: str, as_json: bool, **options: Any) -> None:
    """Find the passages that fit a question, best first."""
    from api.terminal import print_hits
    from api.wire import search_json
    from rag.retrieval import search as search_passages
    from rag.types import LOCAL_ADMIN

    with _system() as system:
        result = search_passages(_query(question, **options), LOCAL_ADMIN, system)
    if as_json:
        _print_json([search_json(result)])
    else:
        print_hits(result)


@main.command()
@click.argument("question")
@retrieval_options
@click.option("--mode", type=click.Choice(["grounded", "ungrounded", "extractive"]), default="extractive")
@click.option("--language", type=click.Choice(["en", "zh"]), help="The answer's language; by default the question's.")
@as_json
def ask(question: str, mode: Any, language: Any, as_json: bool, **options: Any) -> None:
    """Answer a question, each sentence with its source, or say that the documents do not answer it."""
    from api.terminal import print_answer
    from api.wire import answer_json
    from rag.answering import answer
    from rag.types import LOCAL_ADMIN, Ask

    with _system() as system:
        given = answer(Ask(_query(question, **options), mode, language), LOCAL_ADMIN, system)
    if as_json:
        _print_json([answer_json(given)])
    else:
        print_answer(given)


@main.group()
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

    with _system() as system, system.database.reading() as session:
        found = catalog.documents(session, LOCAL_ADMIN, collections)
    if as_json:
        _print_json(document_json(document) for document in found)
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

    with _system() as system, system.database.reading() as session:
        document = catalog.document(session, LOCAL_ADMIN, document_id, edition_id)
    if as_json:
        _print_json([document_json(document)])
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

    with _system() as system, system.database.reading() as session:
        document = catalog.document(session, LOCAL_ADMIN, document_id)
    if as_json:
        _print_json(edition_json(edition) for edition in document.editions)
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

    with _system() as system:
        receipt = delete(system, LOCAL_ADMIN, document_id, edition_id)
    if as_json:
        _print_json([receipt_json(receipt)])
    else:
        click.echo(
            f"Removed {receipt.title!r} with {receipt.editions} edition(s) and {receipt.passages} passage(s) "
            f"from {receipt.collection}; gone from generation {receipt.generation} on."
        )


@main.group()
def answers() -> None:
    """List and show stored answers."""


@answers.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
def list_answers(limit: int, as_json: bool) -> None:
    """The latest answers, newest first."""
    from api.terminal import print_answers
    from api.wire import answer_summary_json
    from rag import record
    from rag.types import LOCAL_ADMIN

    with _system() as system, system.database.reading() as session:
        found = record.latest(session, LOCAL_ADMIN, limit)
    if as_json:
        _print_json(answer_summary_json(answer) for answer in found)
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

    with _system() as system, system.database.reading() as session:
        answer = record.load(session, LOCAL_ADMIN, answer_id)
    if as_json:
        _print_json([answer_json(answer)])
    else:
        print_answer(answer)


@main.command()
@as_json
def verify(as_json: bool) -> None:
    """Hold database, indexes and stored answers against each other; exit status 1 where they disagree."""
    from api.wire import verification_json
    from rag.verification import verify as find_problems

    with _system() as system:
        problems = find_problems(system)
    if as_json:
        _print_json([verification_json(problems)])
    else:
        for problem in problems:
            click.echo(f"{problem.what} {problem.where}: {problem.message}")
        click.echo("Everything agrees." if not problems else f"{len(problems)} problem(s).")
    if problems:
        sys.exit(1)


@main.command()
@as_json
def reindex(as_json: bool) -> None:
    """Build every index again from the database, with the configured embedder."""
    from rag import catalog
    from rag.indexing import compact, publish
    from rag.types import LOCAL_ADMIN
    from rag.writing import writing_turn

    with _system() as system, writing_turn(system, _say_waiting):
        with system.database.reading() as session:
            collections = catalog.collections(session, LOCAL_ADMIN)
        for collection in collections:
            compact(system, collection.id, embed_again=True)
            publish(system, collection.id)
    names = [collection.name for collection in collections]
    if as_json:
        _print_json([{"collections": names}])
    else:
        click.echo(f"Built anew: {', '.join(names) or 'there is no collection yet'}.")


@main.command()
@as_json
def doctor(as_json: bool) -> None:
    """What is installed and in use, and what is missing."""
    from api.doctor import examine
    from rag.settings import read_settings

    findings = examine(read_settings())
    if as_json:
        _print_json({"part": f.part, "ok": f.ok, "message": f.message} for f in findings)
    else:
        for finding in findings:
            click.echo(f"{'ok     ' if finding.ok else 'MISSING'}  {finding.part:<10} {finding.message}")
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def serve(host: str, port: int) -> None:
    """Serve the HTTP API and the web page until Ctrl-C."""
    from api.server import run

    run(host, port)


@contextmanager
def _system() -> Iterator["System"]:
    from rag.settings import read_settings
    from rag.system import open_system

    with open_system(read_settings()) as system:
        yield system


def _query(
    question: str,
    collections: tuple[str, ...],
    top_k: int,
    retrieval: Any,
    filters: tuple[str, ...],
    as_of: str | None,
) -> "Query":
    from rag.editions import first_day
    from rag.types import Query

    return Query(
        text=question,
        collections=collections,
        retrieval=retrieval,
        top_k=top_k,
        filters=_filters(filters),
        as_of=first_day(as_of) if as_of else None,
    )


def _filters(stated: Iterable[str]) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    for one in stated:
        key, operator, value = _parted(one)
        if operator == "=":
            filters[key] = [*filters.get(key, []), value]
        else:
            filters.setdefault(key, {})["gte" if operator == ">=" else "lte"] = value
    return filters


def _parted(stated: str) -> tuple[str, str, str]:
    for operator in (">=", "<=", "="):
        key, found, value = stated.partition(operator)
        if found and key and value:
            return key, operator, value
    raise InvalidRequest(f"--filter {stated!r}: write KEY=VALUE, KEY>=DATE or KEY<=DATE")


def _say_waiting() -> None:
    click.echo("Another process is writing to this home; waiting for it to finish.", err=True)


def _print_json(objects: Iterable[Any]) -> None:
    for one in objects:
        click.echo(json.dumps(one, ensure_ascii=False))
