"""``evaluate``: retrieval, claims, qa, taiyi2."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from api.commands.evaluating_qa import evaluate_qa
from api.commands.evaluating_taiyi import evaluate_taiyi2
from api.commands.shared import as_json, print_json, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from api.claims_evaluation import ClaimsEvaluation
    from api.retrieval_evaluation import RetrievalEvaluation

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_out = click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the report."
)


@click.group()
def evaluate() -> None:
    """Measure this installation on test collections."""


evaluate.add_command(evaluate_qa)
evaluate.add_command(evaluate_taiyi2)


@evaluate.command("retrieval")
@click.option("--corpus", required=True, type=_file, help='JSON lines {"id","title","text"}; may be gzip.')
@click.option("--queries", required=True, type=_file, help='JSON lines {"id","text"}; may be gzip.')
@click.option("--qrels", required=True, type=_file, help="Lines of query id, document id, grade, with tabs between.")
@_out
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many queries that have judgements.")
@click.option(
    "--retrieval",
    type=click.Choice(["hybrid", "dense", "lexical"]),
    help="Only this; without it hybrid, with its arms beside it.",
)
@as_json
def evaluate_retrieval(
    corpus: Path, queries: Path, qrels: Path, out: Path, limit: int | None, retrieval: Any, as_json: bool
) -> None:
    """How well the right documents are found: nDCG@10, recall@10, recall@100, MRR, with 95 % intervals.

    Writes metrics.json, items.jsonl (a query a line) and report.html. The corpus is read into a library of its own
    under RAG_HOME/evaluation; the next run on the same corpus only searches.
    """
    from tqdm import tqdm

    from api import retrieval_evaluation as evaluation
    from api.report import write_json
    from api.retrieval_report import write_retrieval_report
    from ingestion.corpus_homes import corpus_home
    from rag.settings import read_settings

    judged = evaluation.read_judged_queries(queries, qrels, limit)
    out.mkdir(parents=True, exist_ok=True)
    with reading(corpus) as listener, corpus_home(corpus, read_settings(), listener) as home:
        measured = evaluation.evaluate_retrieval(
            home,
            judged,
            [retrieval] if retrieval else ["hybrid", "dense", "lexical"],
            lambda asked: cast("Iterator[Any]", tqdm(asked, unit="query", desc="Searching", disable=None)),
        )
        metrics = evaluation.metrics_json(measured)
        write_json(metrics, evaluation.items_json(measured), out)
        write_retrieval_report(measured, out / "report.html")
    if measured.unknown:
        click.echo(
            f"{measured.unknown} document(s) judged relevant in {qrels.name} are not in {measured.corpus.name}; "
            "they count as not found",
            err=True,
        )
    if as_json:
        print_json([metrics])
    else:
        _print_retrieval(measured, out)


@evaluate.command("claims")
@click.option(
    "--claims", required=True, type=_file, help='JSON lines {"id","text","cited_doc_ids","evidence"}; may be gzip.'
)
@click.option("--corpus", required=True, type=_file, help='JSON lines {"id","title","text"}; may be gzip.')
@_out
@click.option("--limit", type=click.IntRange(min=1), help="Only the first so many claims.")
@as_json
def evaluate_claims(claims: Path, corpus: Path, out: Path, limit: int | None, as_json: bool) -> None:
    """How well the check tells what an article supports from what it contradicts or leaves open.

    Every claim is put to the check with each article that it cites; the files are as SciFact writes them. Measured are
    precision, recall and F1 of each class, macro F1 and accuracy with 95 % intervals, and how far the probability of
    support can be believed. Writes metrics.json, items.jsonl (a claim and an article a line) and report.html. Needs no
    library.
    """
    from tqdm import tqdm

    from api import claims_evaluation as evaluation
    from api.claims_report import write_claims_report
    from api.report import write_json
    from rag.checking.entailment import open_entailment
    from rag.settings import read_settings

    judged = evaluation.read_judged_claims(claims, corpus, limit)
    out.mkdir(parents=True, exist_ok=True)
    entailment = open_entailment(read_settings())
    with tqdm(total=len(judged.pairs), unit="pair", desc="Checking", disable=None) as bar:
        measured = evaluation.evaluate_claims(judged, entailment, bar.update)
    metrics = evaluation.metrics_json(measured)
    write_json(metrics, evaluation.items_json(measured), out)
    write_claims_report(measured, out / "report.html")
    if judged.left_out:
        click.echo(
            f"{judged.left_out} claim(s) cite a document that {corpus.name} lacks or has without text; such pairs are "
            "left out",
            err=True,
        )
    if as_json:
        print_json([metrics])
    else:
        _print_claims(measured, out)


def _print_retrieval(measured: "RetrievalEvaluation", out: Path) -> None:
    from rag.measures import MEASURES

    corpus, judged = measured.corpus, measured.judged
    read = f"read before, in {corpus.seconds:.1f} s" if corpus.cached else f"read in {corpus.seconds:.1f} s"
    read += "; word index written anew" if corpus.renewed else ""
    empty = f", {corpus.empty} without text left out" if corpus.empty else ""
    left_out = f", {judged.left_out} without a relevant judgement left out" if judged.left_out else ""
    click.echo(f"{corpus.name}: {corpus.documents} documents ({read}){empty}")
    click.echo(f"{judged.name}: {len(judged.queries)} queries (searched in {measured.search_seconds:.1f} s){left_out}")
    click.echo(f"\n{'':<8}" + "".join(f"  {measure:<20}" for measure in MEASURES).rstrip())
    for result in measured.results:
        shown = (result.figures[measure] for measure in MEASURES)
        click.echo(f"{result.mode:<8}" + "".join(f"  {f.mean:.3f} [{f.low:.3f}, {f.high:.3f}]" for f in shown))
    click.echo(f"\n95 % bootstrap intervals over queries. Report: {out / 'report.html'}")


def _print_claims(measured: "ClaimsEvaluation", out: Path) -> None:
    figures, judged = measured.figures, measured.judged
    limited = f", limited to the first {judged.limit} claims" if judged.limit else ""
    click.echo(
        f"{judged.claims_file.name}: {judged.claims} claims in {len(measured.items)} pairs with an article of "
        f"{judged.corpus_file.name}{limited}"
    )
    click.echo(f"\n{'':<12}{'precision':>10}{'recall':>10}{'F1':>10}{'pairs':>10}")
    for label, of in zip(figures.classes, figures.of_class, strict=True):
        shown = "".join(f"{'-' if one is None else f'{one:.3f}':>10}" for one in (of.precision, of.recall, of.f1))
        click.echo(f"{label:<12}{shown}{of.support:>10}")
    for name, one in (("macro F1", figures.macro_f1), ("accuracy", figures.accuracy)):
        click.echo(f"{name:<12}{one.value:>10.3f} [{one.low:.3f}, {one.high:.3f}]")
    click.echo(f"\nP(supported): expected calibration error {measured.ece:.3f}, Brier score {measured.brier:.3f}")
    click.echo(f"{measured.ms_per_pair:.0f} ms a pair (median), model {measured.model}")
    click.echo(f"95 % bootstrap intervals over cited documents. Report: {out / 'report.html'}")
