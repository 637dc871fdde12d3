"""``compare``: one question, or a set of them, and the runs over sets that were kept."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from api.commands.asking import query_of, retrieval_options
from api.commands.evaluating_qa import SEED, qa_options, run_question_set
from api.commands.shared import as_json, open_home, open_records, print_json

_OF_A_SET = ("corpus", "form", "answers", "arms", "limit", "passages", "orders")
_OF_BOTH = ("asked", "questions", "out", "seed", "as_json")


class _Comparing(click.Group):
    """``compare QUESTION`` is short for ``compare question QUESTION``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = [question.name or "", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Comparing, subcommand_metavar="QUESTION | --questions FILE --out DIR | COMMAND ...")
def compare() -> None:
    """Answer a question, or a set of them, with evidence and without it, and show what the evidence changes.

    compare QUESTION is short for compare question QUESTION, whose --help names the options. The other commands are for
    the runs over question sets that this home remembers.
    """


@compare.command("question")
@click.argument("asked", metavar="[QUESTION]", required=False)
@click.option(
    "--questions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A set of questions in its place, as evaluate qa takes it; then --out is needed.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report on a set.")
@retrieval_options
@click.option("--conversation", "conversation_id", metavar="ID", help="Goes on after the answer with that id.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Makes the draw, or the order of options, repeatable.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="The answer's language; by default the question's.")
@qa_options
@as_json
@click.pass_context
def question(
    ctx: click.Context,
    /,
    asked: str | None,
    questions: Path | None,
    out: Path | None,
    seed: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer a question with evidence and without it.

    Both answers come from the same model with the same sampling. For each statement from the model's memory it says
    whether the passages found support it, contradict it or do not mention it, and which statements and numbers the
    answers share. With --questions a whole set is answered and scored, as by evaluate qa.
    """
    of_a_set = {name: options.pop(name) for name in _OF_A_SET}
    if (asked is None) == (questions is None) or (questions is None) != (out is None):
        raise click.UsageError("State either a QUESTION, or --questions and --out.")
    unused = set(_OF_A_SET) if questions is None else set(ctx.params) - {*_OF_A_SET, *_OF_BOTH}
    for name in sorted(unused):
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            stated = next(one for one in ctx.command.params if one.name == name).opts[0]
            raise click.UsageError(f"{stated} is for {'a set of questions' if questions is None else 'one question'}.")
    if questions is not None and out is not None:
        run_question_set(questions, out, as_json, seed=SEED if seed is None else seed, **of_a_set)
    elif asked is not None:
        _compare_one(asked, seed, as_json, **options)


def _compare_one(
    text: str, seed: int | None, as_json: bool, language: Any, conversation_id: str | None, **options: Any
) -> None:
    from api.comparison_terminal import print_comparison
    from api.wire import comparison_json
    from rag.comparing import compare as compared
    from rag.types import LOCAL_ADMIN, Ask, Sampling

    sampling = None if seed is None else Sampling(seed=seed)
    asked = Ask(query_of(text, **options), None, language, None, conversation_id, sampling=sampling)
    with open_home() as system:
        comparison = compared(asked, LOCAL_ADMIN, system)
    if as_json:
        print_json([comparison_json(comparison)])
    else:
        print_comparison(comparison)


@compare.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many, newest first.")
@as_json
def list_runs(limit: int, as_json: bool) -> None:
    """The runs over question sets that this home remembers, newest first."""
    from api.ledger_terminal import print_runs
    from api.wire import run_json
    from rag.ledger import runs

    with open_records() as database, database.reading() as session:
        found = runs(session, limit)
    if as_json:
        print_json(run_json(one) for one in found)
    else:
        print_runs(found)


@compare.command("show")
@click.argument("run")
@as_json
def show_run(run: str, as_json: bool) -> None:
    """The configuration and the figures of a run; with --json also every item that is kept."""
    from api.ledger_terminal import print_run
    from api.wire import run_json
    from rag.ledger import load

    with open_records() as database, database.reading() as session:
        found = load(session, run)
    if as_json:
        print_json([{**run_json(found), "items": [one.body for one in found.items if one.body is not None]}])
    else:
        print_run(found)


@compare.command("diff")
@click.argument("one")
@click.argument("other")
@as_json
def diff_runs(one: str, other: str, as_json: bool) -> None:
    """What changed between two runs: settings, figures, and the choices that came out otherwise."""
    from dataclasses import asdict

    from api.ledger_terminal import print_difference
    from rag.ledger import difference_of_runs, load

    with open_records() as database, database.reading() as session:
        found = difference_of_runs(load(session, one), load(session, other))
    if as_json:
        print_json([{"one": one, "other": other, **asdict(found)}])
    else:
        print_difference(found)
