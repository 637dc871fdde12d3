"""``serve``."""

import gc

import click


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
@click.option("--no-worker", is_flag=True, help="Leave queued jobs to a worker elsewhere: taiyi-rag jobs run.")
def serve(host: str, port: int, no_worker: bool) -> None:
    """Serve the HTTP API and the web page until Ctrl-C."""
    gc.disable()  # what is made at the start stays: looking through it for garbage would be a tenth of the start
    try:
        from api.server import run

        run(host, port, with_worker=not no_worker)
    finally:
        gc.enable()
