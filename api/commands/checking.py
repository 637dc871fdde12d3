"""``check``: the check of a sentence against its sources, alone."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.commands.shared import as_json, print_json

if TYPE_CHECKING:
    from api.pair_checking import JudgedPair

_COLOURS = {"supported": "green", "partial": "yellow"}


@click.command()
@click.option(
    "--pairs",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True),
    help='JSON lines {"sentence","evidence"}, evidence a text or a list of texts; may be gzip; - for standard input.',
)
@as_json
def check(pairs: Path, as_json: bool) -> None:
    """Judge sentences against the texts that they should rest on.

    For each line a verdict, the probability that the evidence supports the sentence, what is wrong with it, and the
    sentences of the evidence that fit best. What else a line has, such as an id, is given back with it. Prints JSON,
    an object a line, unless it prints to a terminal. Needs no library.
    """
    from tqdm import tqdm

    from api.pair_checking import judged_json, judged_pairs, lines_of
    from rag.checking.entailment import open_entailment
    from rag.settings import read_settings

    for_people = sys.stdout.isatty() and not as_json
    entailment = open_entailment(read_settings())
    name = "standard input" if str(pairs) == "-" else pairs.name
    judged = judged_pairs(lines_of(pairs, sys.stdin.buffer), name, entailment)
    for one in tqdm(judged, unit="pair", desc="Checking", disable=for_people or None):
        if for_people:
            _print(one)
        else:
            print_json([judged_json(one)])


def _print(judged: "JudgedPair") -> None:
    found = judged.checked
    click.secho(f"{found.verdict:<12}", fg=_COLOURS.get(found.verdict, "red"), bold=True, nl=False)
    click.echo(f"{found.probability:4.2f}  {judged.pair.sentence}")
    for issue in found.issues:
        click.echo(f"{'':<18}- {issue.message}")
