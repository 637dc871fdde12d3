"""``corpus``: list and fetch open literature."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.commands.shared import as_json, print_json

if TYPE_CHECKING:
    from ingestion.feeds.fetching import Outcome


@click.group()
def corpus() -> None:
    """Open literature: what there is, and fetching it."""


@corpus.command("list")
@as_json
def list_corpora(as_json: bool) -> None:
    """The open corpora that can be fetched, with their licences."""
    from ingestion.feeds.catalogue import read_catalogue

    corpora = read_catalogue()
    if as_json:
        print_json(one.model_dump(exclude_defaults=True, by_alias=True) for one in corpora)
        return
    for one in corpora:
        click.secho(f"{one.name}: {one.title}", bold=True)
        click.echo(f"    {one.description}")
        click.echo(f"    Licence: {one.licence}\n             {one.licence_url}")
        if one.size:
            click.echo(f"    Size: {one.size}")
        click.echo(f"    taiyi-rag corpus fetch {one.name}" + (f" --query '{one.example_query}'" * one.is_query))


@corpus.command("fetch")
@click.argument("name")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="Folder; else RAG_HOME/corpora/NAME.")
@click.option("--query", help="What to search for, where the corpus is fetched by a search.")
@click.option("--limit", type=click.IntRange(1, 9999), help="At most so many records of a search.")
@click.option("--files", type=click.IntRange(min=1), help="At most so many files; of a dated series the newest.")
@as_json
def fetch_corpus(
    name: str, to: Path | None, query: str | None, limit: int | None, files: int | None, as_json: bool
) -> None:
    """Fetch a corpus into a folder that ``ingest`` reads; run it again to go on or to bring it up to date.

    What was fetched before and is unchanged is not fetched again. Read the licence first: taiyi-rag corpus list
    """
    from ingestion.feeds.catalogue import corpus_named, read_catalogue
    from ingestion.feeds.entrez import NcbiAccess
    from ingestion.feeds.fetching import Wanted, fetch
    from rag.settings import read_settings

    chosen = corpus_named(name, read_catalogue())
    settings = read_settings()
    folder = to or settings.home / "corpora" / name
    ncbi = NcbiAccess(settings.ncbi_email, settings.ncbi_api_key)
    click.echo(f"{chosen.title}. Licence: {chosen.licence} ({chosen.licence_url})", err=True)
    outcomes = fetch(chosen, Wanted(query, limit, files), folder, ncbi, on_outcome=_say)
    if as_json:
        print_json([{"corpus": name, "folder": str(folder), "files": [_outcome_json(one) for one in outcomes]}])
    else:
        counts = {
            status: sum(one.status == status for one in outcomes)
            for status in ("fetched", "unchanged", "left out", "failed")
        }
        click.echo(", ".join(f"{count} {status}" for status, count in counts.items() if count) or "Nothing was found.")
        if counts["fetched"] or counts["unchanged"]:
            click.echo(f"To read it: taiyi-rag ingest {folder}")
    if any(one.status == "failed" for one in outcomes):
        sys.exit(1)


def _say(outcome: "Outcome") -> None:
    size = f" ({outcome.size / 2**20:.1f} MB)" if outcome.size else ""
    reason = f": {outcome.reason}" if outcome.reason else ""
    click.echo(f"{outcome.status:<9} {outcome.name}{size}{reason}", err=True)


def _outcome_json(outcome: "Outcome") -> dict[str, str | int | None]:
    return {
        "file": outcome.name,
        "status": outcome.status,
        "reason": outcome.reason,
        "url": outcome.url,
        "sha256": outcome.sha256,
        "size": outcome.size,
    }
