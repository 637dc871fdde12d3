"""``compare``: one question, or a set of them."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from api.commands.asking import query_of, retrieval_options
from api.commands.evaluating_qa import SEED, qa_options, run_question_set
from api.commands.shared import as_json, open_home, print_json

_OF_A_SET = ("corpus", "form", "answers", "arms", "limit", "passages", "orders")
_OF_BOTH = ("question", "questions", "out", "seed", "as_json")


@click.command()
@click.argument("question", required=False)
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
def compare(
    ctx: click.Context,
    /,
    question: str | None,
    questions: Path | None,
    out: Path | None,
    seed: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer a question with evidence and without it, and show what the evidence changes.

    Both answers come from the same model with the same sampling. For each statement from the model's memory it says
    whether the passages found support it, contradict it or do not mention it, and which statements and numbers the
    answers share. With --questions a whole set is answered and scored, as by evaluate qa.
    """
    of_a_set = {name: options.pop(name) for name in _OF_A_SET}
    if (question is None) == (questions is None) or (questions is None) != (out is None):
        raise click.UsageError("State either a QUESTION, or --questions and --out.")
    unused = set(_OF_A_SET) if questions is None else set(ctx.params) - {*_OF_A_SET, *_OF_BOTH}
    for name in sorted(unused):
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            stated = next(one for one in ctx.command.params if one.name == name).opts[0]
            raise click.UsageError(f"{stated} is for {'a set of questions' if questions is None else 'one question'}.")
    if questions is not None and out is not None:
        run_question_set(questions, out, as_json, seed=SEED if seed is None else seed, **of_a_set)
    elif question is not None:
        _compare_one(question, seed, as_json, **options)


def _compare_one(
    question: str, seed: int | None, as_json: bool, language: Any, conversation_id: str | None, **options: Any
) -> None:
    from api.comparison_terminal import print_comparison
    from api.wire import comparison_json
    from rag.comparing import compare as compared
    from rag.types import LOCAL_ADMIN, Ask, Sampling

    sampling = None if seed is None else Sampling(seed=seed)
    asked = Ask(query_of(question, **options), None, language, None, conversation_id, sampling=sampling)
    with open_home() as system:
        comparison = compared(asked, LOCAL_ADMIN, system)
    if as_json:
        print_json([comparison_json(comparison)])
    else:
        print_comparison(comparison)
