"""``ingest``."""

import sys
from pathlib import Path

import click

from api.commands.shared import as_json, open_home, print_json


@click.command()
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

    with open_home() as system:
        files = discover(paths)
        with ingest_progress(len(files)) as listener:
            results = ingest_files(files, collection, system, listener, restore)
    if as_json:
        print_json([{"files": [file_result_json(result) for result in results]}])
    else:
        print_file_results(results)
    if any(result.status == "failed" for result in results):
        sys.exit(1)
