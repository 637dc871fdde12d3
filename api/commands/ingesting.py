"""``ingest``."""

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.commands.shared import as_json, open_home, print_json

if TYPE_CHECKING:
    from ingestion.running import Run

INTERRUPTED = 130


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--collection", default="default", show_default=True, help="The collection to read into.")
@click.option("--restore", is_flag=True, help="Bring back documents that were deleted.")
@click.option("--detach", is_flag=True, help="Leave it to the worker of `serve` or `jobs run`, and print the job's id.")
@click.option("--watch", is_flag=True, help="Go on reading files as they come or change, until Ctrl-C.")
@click.option(
    "--ray",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value="auto",
    help="Parse and embed on the Ray cluster whose head is HOST:PORT, without it on that of this machine.",
)
@as_json
def ingest(
    paths: tuple[Path, ...],
    collection: str,
    restore: bool,
    detach: bool,
    watch: bool,
    ray: str | None,
    as_json: bool,
) -> None:
    """Read files and folders into a collection.

    Ctrl-C ends after the file it is at; what was read by then is searchable.
    """
    if detach and watch:
        raise click.UsageError("--detach and --watch exclude each other")
    if ray and (detach or watch):
        raise click.UsageError("--ray is for a run of this command alone, without --detach and --watch")
    if ray and ray != "auto" and ":" not in ray:
        raise click.UsageError(f"--ray {ray}: is no HOST:PORT; to name none, put --ray after the paths")
    if detach:
        _queue(paths, collection, restore, as_json)
    elif watch:
        _keep_reading(paths, collection, restore, as_json)
    else:
        _read(paths, collection, restore, ray, as_json)


def _read(paths: tuple[Path, ...], collection: str, restore: bool, ray: str | None, as_json: bool) -> None:
    from api.terminal import ingest_progress
    from ingestion.pipeline import discover
    from ingestion.running import run_now
    from rag.types import LOCAL_ADMIN

    with open_home() as system, ExitStack() as opened:
        reader = None
        if ray:
            from ingestion.cluster import on_cluster

            system, reader = opened.enter_context(on_cluster(system, ray))
        files = discover(paths)
        with ingest_progress(len(files)) as shown, _interruptible() as interruption:

            def on_waiting() -> None:
                interruption.waiting()
                shown.on_waiting()

            listener = replace(shown, on_waiting=on_waiting, should_stop=interruption.should_stop)
            run = run_now(system, LOCAL_ADMIN, collection, paths, files, restore, listener, reader)
    _print(run, as_json)
    if run.state == "cancelled":
        sys.exit(INTERRUPTED)
    if run.error or any(result.status == "failed" for result in run.results):
        sys.exit(1)


def _queue(paths: tuple[Path, ...], collection: str, restore: bool, as_json: bool) -> None:
    from api.wire import job_json
    from ingestion.jobs import detach
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        job = detach(system, LOCAL_ADMIN, collection, paths, restore)
    if as_json:
        print_json([job_json(job)])
    else:
        click.echo(job.id)


def _keep_reading(paths: tuple[Path, ...], collection: str, restore: bool, as_json: bool) -> None:
    from ingestion.pipeline import Listener
    from ingestion.running import run_now
    from ingestion.watching import watch
    from rag.types import LOCAL_ADMIN

    with open_home() as system, _interruptible() as interruption:
        click.echo("Reading files as they come or change; Ctrl-C ends.", err=True)
        listener = Listener(on_waiting=interruption.waiting, should_stop=interruption.should_stop)
        for changes in watch(paths, interruption.asked):
            for path in changes.gone:
                click.echo(f"{path} is gone; its documents stay until they are deleted", err=True)
            if not changes.files:
                continue
            run = run_now(system, LOCAL_ADMIN, collection, paths, changes.files, restore, listener)
            _print(run, as_json)
            if run.state == "cancelled":
                sys.exit(INTERRUPTED)


def _print(run: "Run", as_json: bool) -> None:
    from api.terminal import print_file_results
    from api.wire import file_result_json

    if run.error:
        click.echo(f"taiyi-rag: {run.error}", err=True)
    if as_json:
        print_json([{"job_id": run.job_id, "files": [file_result_json(result) for result in run.results]}])
    else:
        print_file_results(run.results)


class _Interruption:
    """What Ctrl-C asks for: to end after the present file; while another process writes, or a second time, at once."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._is_waiting = False

    def waiting(self) -> None:
        self._is_waiting = True

    def should_stop(self) -> bool:
        self._is_waiting = False
        return self.asked.is_set()

    def interrupt(self, _number: int, _frame: object) -> None:
        if self._is_waiting or self.asked.is_set():
            raise KeyboardInterrupt
        self.asked.set()
        click.echo("Ending after the present file; Ctrl-C again ends at once.", err=True)


@contextmanager
def _interruptible() -> Iterator[_Interruption]:
    interruption = _Interruption()
    before = signal.signal(signal.SIGINT, interruption.interrupt)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, before)
