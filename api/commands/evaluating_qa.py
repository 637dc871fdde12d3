"""``evaluate qa``, which ``compare --questions`` is too."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from api.commands.shared import as_json, open_home, open_records, print_json
from rag.errors import InvalidRequest

if TYPE_CHECKING:
    from api.qa_evaluation import QaEvaluation
    from ingestion.corpus_homes import CorpusHome
    from rag.system import System

Command = Callable[..., Any]
SEED = 7
_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_ARMS = ("ungrounded", "grounded", "oracle", "wrong", "leave_one_out", "extractive")
_FORMATS = (
    "jsonl", "mirage", "pubmedqa", "medqa", "medmcqa", "medmcqa-from-0", "medmcqa-from-1", "mmlu", "cmexam", "cmb",
    "bioasq", "kqa",
)  # fmt: skip


def qa_options(command: Command) -> Command:
    """The options of a run over a question set, but for the set, the folder and the seed."""
    for option in (
        click.option(
            "--orders", type=click.IntRange(1, 26), default=1, show_default=True, help="Orders of a question's options."
        ),
        click.option(
            "--passages", type=click.IntRange(1, 100), default=3, show_default=True, help="Passages shown, at most."
        ),
        click.option("--limit", type=click.IntRange(min=1), help="Only the first so many questions."),
        click.option("--arms", metavar="ARM,ARM", help=f"Of {', '.join(_ARMS)}; by default all that apply."),
        click.option("--answers", type=_file, help="A test set's answers, for pubmedqa and cmb."),
        click.option("--format", "form", type=click.Choice(_FORMATS), help="By default told by what the file holds."),
        click.option("--corpus", type=_file, help="JSON lines to search; by default the library is searched."),
    ):
        command = option(command)
    return command


@click.command("qa")
@click.option("--questions", type=_file, help="A question set in its published format; see docs/evaluation.md.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the report.")
@click.option(
    "--rescore",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Reckon the figures in this folder anew from its items.jsonl; asks and searches nothing.",
)
@click.option("--seed", type=click.IntRange(0), default=SEED, show_default=True, help="Of the order of options.")
@qa_options
@as_json
def evaluate_qa(questions: Path | None, out: Path | None, rescore: Path | None, as_json: bool, **options: Any) -> None:
    """How much the evidence changes: a question set answered with and without passages.

    Choice and yes/no questions are scored by accuracy, free answers by the check of sentences; every arm answers the
    same questions, and the differences between arms have intervals and exact tests. Writes metrics.json, items.jsonl
    (every prompt and reply), report.html, figures.csv and comparisons.csv. A run that was cut short goes on where it
    was. Without a language model only quotes are scored.
    """
    if rescore is not None:
        from api.qa_evaluation import rescored

        _write(rescored(rescore), rescore, as_json)
    elif questions is None or out is None:
        raise click.UsageError("State --questions and --out, or --rescore.")
    else:
        run_question_set(questions, out, as_json, **options)


def run_question_set(
    questions: Path,
    out: Path,
    as_json: bool,
    corpus: Path | None,
    form: Any,
    answers: Path | None,
    arms: str | None,
    limit: int | None,
    passages: int,
    orders: int,
    seed: int,
) -> None:
    """Runs a set and writes what came of it."""
    from api import qa_evaluation as evaluation

    chosen: Any = _arms(arms)
    exam = evaluation.read_exam(questions, form, answers, limit)
    out.mkdir(parents=True, exist_ok=True)
    with _library(corpus) as (system, home):
        measured = evaluation.evaluate_qa(exam, system, home, chosen, out / "items.jsonl", passages, orders, seed, _bar)
    _write(measured, out, as_json)
    _keep(measured, out, texts=corpus is not None)


def _arms(stated: str | None) -> list[str]:
    chosen = [one.strip() for one in stated.split(",")] if stated else []
    if unknown := [one for one in chosen if one not in _ARMS]:
        raise InvalidRequest(f"--arms: there is no arm {unknown[0]!r}; use some of {', '.join(_ARMS)}")
    return chosen


@contextmanager
def _library(corpus: Path | None) -> "Iterator[tuple[System, CorpusHome | None]]":
    """A corpus of its own, else the library as it is."""
    if corpus is None:
        with open_home() as system:
            yield system, None
        return
    from api.commands.shared import reading
    from ingestion.corpus_homes import corpus_home
    from rag.settings import read_settings

    with reading(corpus) as listener, corpus_home(corpus, read_settings(), listener) as home:
        yield home.system, home


@contextmanager
def _bar(total: int, unit: str, what: str) -> Iterator[Callable[[int], object]]:
    from tqdm import tqdm

    with tqdm(total=total, unit=unit, desc=what, disable=None) as shown:
        yield shown.update


def _keep(measured: "QaEvaluation", out: Path, texts: bool) -> None:
    """Enters the run in the home's ledger; ``texts`` is that the words of its items may be kept there."""
    from api.qa_evaluation import items_to_keep, metrics_json
    from rag.ledger import keep

    figures = metrics_json(measured)
    configuration = figures.pop("run")
    name = configuration["questions"]["name"]
    with open_records() as database, database.writing() as session:
        run = keep(session, name, str(out.absolute()), configuration, figures, items_to_keep(measured, texts))
    click.echo(f"Kept as run {run}; compare list shows all.", err=True)


def _write(measured: "QaEvaluation", out: Path, as_json: bool) -> None:
    from api import qa_evaluation as evaluation
    from api.qa_report import write_qa_report
    from api.report import write_json

    metrics = evaluation.metrics_json(measured)
    write_json(metrics, evaluation.items_json(measured), out)
    evaluation.write_csv(measured, out)
    write_qa_report(measured, out / "report.html")
    if as_json:
        print_json([metrics])
    else:
        _print(measured, out)


def _print(measured: "QaEvaluation", out: Path) -> None:
    from api.qa_evaluation import estimates_of
    from api.qa_report import NAMES, verdict_on

    run, figures = measured.run, measured.figures
    model = f"{run['model']}, {run['asked']} prompts asked in {run['seconds']:.1f} s" if run["model"] else "no model"
    asked, stated = figures.whole.arms[0].questions, run["questions"]
    click.echo(f"{stated['name']}: {asked} of {stated['available']} questions, {model}\n")
    for name, label in NAMES.items():
        for one in figures.whole.arms:
            if (found := estimates_of(one).get(name)) is not None:
                interval = f"[{found.low:.3f}, {found.high:.3f}]"
                click.echo(f"{label:<21}{one.arm:<15}{found.value:.3f} {interval}  of {one.counts[name]}")
    for difference in figures.comparisons:
        gap, test = difference.difference, difference.test
        if test is not None:
            part = f"{difference.subset}: " if difference.subset else ""
            click.echo(
                f"\n{part}{difference.arm} - {difference.against}: {gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}], "
                f"only one right {test.only_first} and {test.only_second}, p {test.p:.2g}, after Holm "
                f"{difference.p_holm:.2g}: {verdict_on(difference)}",
                nl=False,
            )
    for one in figures.whole.arms:
        for count, what in (
            (one.refused, "prompt(s) were refused by the model and count as wrong"),
            (one.without_answer, "question(s) have no stated answer and are not scored"),
        ):
            if count:
                click.echo(f"\n{one.arm}: {count} {what}", err=True, nl=False)
    click.echo(f"\n\n95 % intervals. Report: {out / 'report.html'}")
