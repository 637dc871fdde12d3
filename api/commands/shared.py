"""What the commands share: opening the home, printing JSON."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rag.system import System

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, an object a line, and nothing else.")


@contextmanager
def open_home() -> Iterator["System"]:
    from rag.settings import read_settings
    from rag.system import open_system

    with open_system(read_settings()) as system:
        yield system


def say_waiting() -> None:
    click.echo("Another process is writing to this home; waiting for it to finish.", err=True)


def print_json(objects: Iterable[Any]) -> None:
    for one in objects:
        click.echo(json.dumps(one, ensure_ascii=False))
