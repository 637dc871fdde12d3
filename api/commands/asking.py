"""``search`` and ``ask``."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from api.commands.shared import as_json, open_home, print_json
from rag.errors import InvalidRequest

if TYPE_CHECKING:
    from rag.types import Query

Command = Callable[..., Any]


def retrieval_options(command: Command) -> Command:
    """The options of ``search``, ``ask`` and ``compare``, gathered into a Query given as ``query``."""
    for option in (
        click.option(
            "--no-collapse", "collapse", flag_value=False, default=True, help="Keep copies of a passage apart."
        ),
        click.option(
            "--prefer-evidence", is_flag=True, help="Of like passages, put stronger and newer evidence first."
        ),
        click.option("--diversity", type=click.FloatRange(0, 1), default=0.0, help="Up to 1: prefer unlike passages."),
        click.option("--as-of", metavar="DATE", help="Search the editions in force on that day (YYYY-MM-DD)."),
        click.option("--filter", "filters", metavar="KEY=VALUE", multiple=True, help="Also KEY>=DATE and KEY<=DATE."),
        click.option("--retrieval", type=click.Choice(["hybrid", "dense", "lexical"]), default="hybrid"),
        click.option("--top-k", type=int, default=10, show_default=True, help="How many passages, 1 to 100."),
        click.option("--collection", "collections", multiple=True, help="Search this one; may be repeated."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("question")
@retrieval_options
@as_json
def search(question: str, as_json: bool, **options: Any) -> None:
    """Find the passages that fit a question, best first."""
    from api.terminal import print_hits
    from api.wire import search_json
    from rag.llm import run
    from rag.searching import searched
    from rag.types import LOCAL_ADMIN

    with open_home() as system:
        result = run(searched(query_of(question, **options), LOCAL_ADMIN, system), system.llm)
    if as_json:
        print_json([search_json(result)])
    else:
        print_hits(result)


@click.command()
@click.argument("question")
@retrieval_options
@click.option(
    "--mode",
    type=click.Choice(["grounded", "ungrounded", "extractive"]),
    help="By default grounded where RAG_LLM_URL is set, else extractive.",
)
@click.option(
    "--fallback", type=click.Choice(["extractive"]), help="What to do when the language model does not answer."
)
@click.option("--conversation", "conversation_id", metavar="ID", help="Goes on after the answer with that id.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), help="Makes the language model's draw repeatable.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="The answer's language; by default the question's.")
@as_json
def ask(
    question: str,
    mode: Any,
    language: Any,
    fallback: Any,
    conversation_id: str | None,
    seed: int | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Answer a question, each sentence with its source, or say that the documents do not answer it."""
    from api.terminal import print_answer
    from api.wire import answer_json
    from rag.answering import answer
    from rag.types import LOCAL_ADMIN, Ask, Sampling

    sampling = None if seed is None else Sampling(seed=seed)
    asked = Ask(query_of(question, **options), mode, language, fallback, conversation_id, sampling=sampling)
    with open_home() as system:
        given = answer(asked, LOCAL_ADMIN, system)
    if as_json:
        print_json([answer_json(given)])
    else:
        print_answer(given)


def query_of(
    question: str,
    collections: tuple[str, ...],
    top_k: int,
    retrieval: Any,
    filters: tuple[str, ...],
    as_of: str | None,
    diversity: float,
    prefer_evidence: bool,
    collapse: bool,
) -> "Query":
    """What the retrieval options state."""
    from rag.editions import first_day
    from rag.types import Query

    return Query(
        text=question,
        collections=collections,
        retrieval=retrieval,
        top_k=top_k,
        filters=_filters(filters),
        as_of=first_day(as_of) if as_of else None,
        diversity=diversity,
        prefer_evidence=prefer_evidence,
        collapse=collapse,
    )


def _filters(stated: Iterable[str]) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    for one in stated:
        key, operator, value = _parted(one)
        if operator == "=":
            filters[key] = [*filters.get(key, []), value]
        else:
            filters.setdefault(key, {})["gte" if operator == ">=" else "lte"] = value
    return filters


def _parted(stated: str) -> tuple[str, str, str]:
    for operator in (">=", "<=", "="):
        key, found, value = stated.partition(operator)
        if found and key and value:
            return key, operator, value
    raise InvalidRequest(f"--filter {stated!r}: write KEY=VALUE, KEY>=DATE or KEY<=DATE")
