"""What the commands share: opening the home, printing JSON."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pathlib import Path

    from ingestion.pipeline import Listener
    from rag.database import Database
    from rag.system import System

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and nothing else.")


@contextmanager
def open_home() -> Iterator["System"]:
    from rag.settings import read_settings
    from rag.system import open_system

    with open_system(read_settings()) as system:
        yield system


@contextmanager
def open_records() -> Iterator["Database"]:
    """The database of the home alone."""
    from rag.database import open_database
    from rag.settings import read_settings

    settings = read_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database:
        yield database


def say_waiting() -> None:
    click.echo("Another process is writing to this home; waiting for it to finish.", err=True)


@contextmanager
def reading(corpus: "Path") -> "Iterator[Listener]":
    """A count on stderr of the passages that were embedded, which shows once there are any."""
    from tqdm import tqdm

    from ingestion.pipeline import Listener

    with tqdm(unit="passage", desc=f"Reading {corpus.name}", disable=None, delay=0.5) as bar:

        def on_embedded(count: int) -> None:
            bar.update(count)

        yield Listener(on_embedded=on_embedded, on_waiting=say_waiting)


def print_json(objects: Iterable[Any]) -> None:
    for one in objects:
        click.echo(json.dumps(one, ensure_ascii=False))
