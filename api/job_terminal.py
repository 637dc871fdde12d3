"""How jobs look in a terminal."""

from collections.abc import Sequence

import click

from ingestion.jobs import Job


def print_jobs(jobs: Sequence[Job]) -> None:
    for job in jobs:
        click.echo(f"{job.id}  {job.created_at[:19]}  {job.state:<9}  {job.collection}  {', '.join(job.paths)}")
        click.echo(f"    {_progress(job)}")
    if not jobs:
        click.echo("No jobs yet. Load documents with: taiyi-rag ingest PATH")


def print_job(job: Job) -> None:
    asked = ", will end after the present file" if job.cancel_requested and not job.finished else ""
    click.secho(f"{job.id} {job.state}{asked}", bold=True)
    click.echo(f"{', '.join(job.paths)} into {job.collection}: {_progress(job)}")
    if job.error:
        click.echo(job.error)
    for file in job.files or ():
        click.echo(f"{file.status:<9} {file.path}{f': {file.reason}' if file.reason else ''}")
    if not job.finished:
        click.echo("Jobs are run by `taiyi-rag serve` or `taiyi-rag jobs run`.", err=True)


def _progress(job: Job) -> str:
    counts = ", ".join(f"{count} {status}" for status, count in job.counts.items()) or "no files yet"
    return f"{counts}; {job.passages} passage(s) embedded" + (f", {job.flagged} flagged" if job.flagged else "")
