"""``evaluate taiyi2``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from api.commands.shared import as_json, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.taiyi_evaluation import TaiyiEvaluation
    from rag.taiyi_tasks.types import Published, TaskSet

_folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command("taiyi2")
@click.option(
    "--data", required=True, type=_folder, help="Folder with the sets' files, as published; see docs/evaluation.md."
)
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the report.")
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many instances of each set.")
@as_json
def evaluate_taiyi2(data: Path, out: Path, limit: int | None, as_json: bool) -> None:
    """How well the language model does the thirteen tasks that the authors of Taiyi publish figures of.

    Entities, relations, classification and exam questions, each set of which the files are in the data folder, asked in
    the manner of Taiyi's instructions. Their published figures stand beside the measured ones. Writes metrics.json,
    items.jsonl (every prompt and reply) and report.html. A run that was cut short goes on where it was.
    """
    from tqdm import tqdm

    from api import taiyi_evaluation as evaluation
    from api.report import write_json
    from api.taiyi_report import write_taiyi_report
    from rag.llm import run
    from rag.settings import read_settings

    settings = read_settings()
    llm = evaluation.configured_model(settings)
    found = evaluation.read_data(data, limit)
    if not found.present:
        _print_missing(found.missing, to_stderr=as_json)
    out.mkdir(parents=True, exist_ok=True)
    with tqdm(unit="prompt", desc="Asking", disable=None) as bar:
        measured = run(
            evaluation.evaluate_taiyi(found, llm, settings.llm_concurrency, out / "items.jsonl", bar.reset, bar.update),
            llm,
        )
    metrics = evaluation.metrics_json(measured)
    write_json(metrics, evaluation.items_json(measured), out)
    write_taiyi_report(measured, out / "report.html")
    if as_json:
        print_json([metrics])
    else:
        _print(measured, out)


def _print(measured: "TaiyiEvaluation", out: Path) -> None:
    from rag.taiyi_tasks.scoring import measure_of
    from rag.taiyi_tasks.sets import published_means

    click.echo(f"{measured.served.model}: {measured.asked} prompts asked in {measured.seconds:.1f} s. In percent:\n")
    columns = ("Taiyi1", "Taiyi2", "GPT-3.5", "DeepSeek-14B", "best known")
    click.echo(_row("", "measured", "n", "".join(f"{name:>14}" for name in columns)))
    for result in measured.results:
        shown, count = "-", "0"
        if result.figures:
            value, count = result.figures.value, str(result.figures.documents)
            shown = f"{100 * value.value:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}]"
        label = f"{result.task.name}, {measure_of(result.task)}"
        click.echo(_row(label, shown, count, _published(result.task.published)))
    mean = "-" if measured.mean is None else f"{100 * measured.mean:.1f}"
    click.echo(_row("mean; published: of all 13", mean, str(len(measured.results)), _published(published_means())))
    if measured.data.limit:
        click.echo(f"\nThe first {measured.data.limit} instances of each set; the published figures are of all.")
    for result in measured.results:
        for count_, what in (
            (result.refused, "prompt(s) were refused by the model and count as unanswered"),
            (result.without_gold, "instance(s) have no stated answer and are not scored"),
        ):
            if count_:
                click.echo(f"{result.task.name}: {count_} {what}", err=True)
    _print_missing(measured.data.missing, to_stderr=False)
    click.echo(f"\n95 % intervals. Report: {out / 'report.html'}")


def _row(label: str, shown: str, count: str, published: str) -> str:
    return f"{label:<29}{shown:<20}{count:>6}{published}".rstrip()


def _published(figures: "Published") -> str:
    stated = (figures.taiyi1, figures.taiyi2, figures.gpt35, figures.deepseek14b, figures.sota)
    return "".join(f"{figure:>14.1f}" for figure in stated)


def _print_missing(missing: "Sequence[TaskSet]", to_stderr: bool) -> None:
    if missing:
        click.echo(f"\nMissing, {len(missing)} of 13 sets:", err=to_stderr)
    for task in missing:
        click.echo(f"  {task.name}: {task.source}. Terms: {task.terms}", err=to_stderr)
