"""``jobs``: list, show, cancel, retry, run."""

from typing import TYPE_CHECKING

import click

from api.commands.shared import as_json, open_home, print_json

if TYPE_CHECKING:
    from ingestion.jobs import Job


@click.group()
def jobs() -> None:
    """Follow, cancel and retry the loading of documents."""


@jobs.command("list")
@click.option("--state", help="Only queued, running, succeeded, partial, failed or cancelled ones.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@as_json
def list_jobs(state: str | None, limit: int, as_json: bool) -> None:
    """The latest jobs, newest first."""
    from api.job_terminal import print_jobs
    from api.wire import job_json
    from ingestion.jobs import listing
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        found, _ = listing(system, LOCAL_ADMIN, state, limit)
    if as_json:
        print_json(job_json(job) for job in found)
    else:
        print_jobs(found)


@jobs.command("show")
@click.argument("job_id")
@as_json
def show_job(job_id: str, as_json: bool) -> None:
    """A job with what became of its files, the failed ones first."""
    from ingestion.jobs import job
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        _print(job(system, LOCAL_ADMIN, job_id), as_json)


@jobs.command("cancel")
@click.argument("job_id")
@as_json
def cancel_job(job_id: str, as_json: bool) -> None:
    """End a job after the file it is at; what was read stays."""
    from ingestion.jobs import cancel
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        _print(cancel(system, LOCAL_ADMIN, job_id), as_json)


@jobs.command("retry")
@click.argument("job_id")
@as_json
def retry_job(job_id: str, as_json: bool) -> None:
    """Queue a job again, for its failed files and those it never read."""
    from ingestion.jobs import retry
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        _print(retry(system, LOCAL_ADMIN, job_id), as_json)


@jobs.command("run")
@as_json
def run_jobs(as_json: bool) -> None:
    """Run queued jobs until Ctrl-C, as `taiyi-rag serve` does beside itself. Prints nothing to stdout."""
    from ingestion import worker
    from rag.settings import read_settings

    if not as_json:
        click.echo("Running jobs as they come; Ctrl-C ends after the present file.", err=True)
    worker.run_jobs(read_settings(), worker.stop_on_signals())


def _print(job: "Job", as_json: bool) -> None:
    from api.job_terminal import print_job
    from api.wire import job_json

    if as_json:
        print_json([job_json(job)])
    else:
        print_job(job)
