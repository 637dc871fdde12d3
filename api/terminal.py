"""How results look in a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from tqdm import tqdm

from ingestion.pipeline import FileResult, Listener
from rag.catalog import CollectionCounts, FlaggedPassage
from rag.types import Answer, Citation, Document, Hit, OtherSource, Passage, SearchResult, Sentence

NOTICE = "From the documents in this library; no medical advice."

NOTHING_FOUND = "Nothing was found to search in. Load documents with: taiyi-rag ingest PATH"


@contextmanager
def ingest_progress(files: int) -> Iterator[Listener]:
    """A progress bar over files on stderr, with the passages embedded so far."""
    passages = 0
    with tqdm(total=files, unit="file", desc="Reading", disable=None) as bar:

        def on_file(result: FileResult) -> None:
            bar.update()

        def on_embedded(count: int) -> None:
            nonlocal passages
            passages += count
            bar.set_postfix_str(f"{passages} passages embedded")

        def on_waiting() -> None:
            bar.write("Another process is writing to this home; waiting for it to finish.")

        yield Listener(on_file, on_embedded, on_waiting)


def print_file_results(results: Sequence[FileResult]) -> None:
    for result in results:
        if result.status == "failed" or result.reason:
            click.echo(f"{result.status:<9} {result.path}: {result.reason}")
    counts = {
        status: sum(r.status == status for r in results) for status in ("added", "updated", "unchanged", "failed")
    }
    click.echo(", ".join(f"{count} {status}" for status, count in counts.items() if count) or "No files found.")


def print_hits(result: SearchResult) -> None:
    for hit in result.hits:
        click.secho(f"{hit.rank:>2}. {_place(hit.passage)}", bold=True)
        _print_standing(hit)
        click.echo(_indented(hit.passage.text))
    if not result.hits:
        click.echo(NOTHING_FOUND)
    for notice in result.notices:
        click.secho(f"({notice})", fg="yellow")
    if result.undated_left_out:
        click.echo(f"{result.undated_left_out} document(s) without a date were left out.")


def _print_standing(hit: Hit) -> None:
    """How strong the evidence of a hit is, and where else it stands."""
    if hit.evidence and hit.evidence.label:
        click.secho(_indented(hit.evidence.reason), dim=True)
    for other in hit.also:
        click.secho(_indented(f"{'Also in' if other.whole else 'Most of it also in'}: {_where(other)}"), dim=True)


def print_answer(answer: Answer) -> None:
    click.secho(answer.question, bold=True)
    click.echo(_indented(answer.text))
    for notice in answer.notices:
        click.secho(f"  ({notice})", fg="yellow")
    for conflict in answer.conflicts:
        click.secho(f"  ! {conflict.message}", fg="yellow", bold=True)
    for sentence in answer.withheld:
        click.secho(f"  Kept out: {sentence.text} ({_judgement(sentence)})", fg="yellow")
    for sentence in answer.sentences:
        if sentence.verdict != "supported" and sentence.issues:
            click.secho(f"  In doubt: {sentence.text} ({_judgement(sentence)})", fg="yellow")
    if not answer.passages and answer.mode != "ungrounded":
        click.echo(NOTHING_FOUND)
    hits = {hit.passage.passage_id: hit for hit in answer.passages}
    for citation in answer.citations:
        click.echo(f"\n[{citation.marker}] {_source(citation)}")
        if citation.passage_id in hits:
            _print_standing(hits[citation.passage_id])
    if answer.confidence is not None:
        reasons = " ".join(answer.confidence_reasons)
        click.echo(f"\nConfidence {stated_probability(answer.confidence)}{': ' if reasons else ''}{reasons}")
    click.secho(f"\n{NOTICE} Answer {answer.id}", dim=True)


def stated_probability(probability: float) -> str:
    """For a reader: nothing is certain, so that none is rounded to 0 or 1."""
    if probability > 0.99:
        return "> 0.99"
    return "< 0.01" if probability < 0.01 else f"{probability:.2f}"


def _judgement(sentence: Sentence) -> str:
    """The verdict and what is wrong, in one line."""
    return "; ".join([sentence.verdict, *(issue.message for issue in sentence.issues)])


def print_answers(answers: Sequence[Answer]) -> None:
    for answer in answers:
        click.echo(f"{answer.id}  {answer.created_at[:19]}  {answer.status:<9}  {answer.question}")
    if not answers:
        click.echo("No answers yet. Ask something with: taiyi-rag ask QUESTION")


def print_collections(collections: Sequence[CollectionCounts]) -> None:
    for one in collections:
        threshold = "" if one.abstain_below is None else f", abstains below {one.abstain_below:g}"
        click.echo(f"{one.name}: {one.documents} documents, {one.passages} passages{threshold}")
    if not collections:
        click.echo("No collections yet. Load documents with: taiyi-rag ingest PATH")


def print_documents(documents: Sequence[Document]) -> None:
    for document in documents:
        click.echo(f"{document.id}  {document.collection}  {document.language or '-'}  {document.title}")
    if not documents:
        click.echo("No documents yet. Load some with: taiyi-rag ingest PATH")


def print_document(document: Document, flagged: Sequence[FlaggedPassage] = ()) -> None:
    click.secho(document.title, bold=True)
    click.echo(f"{document.id} in {document.collection}, external id {document.external_id or 'none'}")
    print_editions(document)
    for one in flagged:
        place = ", ".join(part for part in (one.section, f"page {one.page}" if one.page else None) if part)
        click.secho(f"Flagged {' and '.join(one.flags)} ({place or 'beginning'}): {one.text[:200]}", fg="yellow")
    click.echo(f"\n{document.text}")


def print_editions(document: Document) -> None:
    for edition in document.editions:
        known = edition.metadata
        ends = f" until {edition.in_force_until}" if edition.in_force_until else ""
        click.echo(
            f"{edition.id}  {edition.standing:<10}  {edition.in_force_from or 'undated':<10}{ends}  "
            f"{known.edition or '-'}  {edition.passages} passage(s)  {edition.source}"
        )


def _place(passage: Passage) -> str:
    parts = [passage.title, passage.edition, passage.section, f"page {passage.page}" if passage.page else None]
    return ", ".join(part for part in parts if part) + (" (superseded)" if passage.superseded else "")


def _where(other: OtherSource) -> str:
    parts = [other.title, other.section, f"page {other.page}" if other.page else None]
    return ", ".join(part for part in parts if part)


def _source(citation: Citation) -> str:
    parts = [
        citation.title,
        citation.publisher,
        citation.edition,
        citation.published,
        citation.section,
        f"page {citation.page}" if citation.page else None,
        f"characters {citation.char_start}-{citation.char_end}",
    ]
    return ", ".join(part for part in parts if part) + (" (superseded)" if citation.superseded else "")


def _indented(text: str) -> str:
    return textwrap.indent(text, "    ")
