"""From passages to citations: the exact words that a sentence rests on, with page and edition."""

from collections.abc import Iterable
from dataclasses import replace

from rag import catalog
from rag.pages import page_of
from rag.system import System
from rag.types import Citation, Hit

Span = tuple[Hit, int, int]
"""A hit, and where a quote from it begins and ends in its passage's text."""


def citations(spans: Iterable[tuple[int, Span]], system: System) -> tuple[Citation, ...]:
    """The citation of each ``(marker, span)``."""
    spans = list(spans)
    if not spans:
        return ()
    with system.database.reading() as session:
        editions = {hit.passage.edition_id for _, (hit, _, _) in spans}
        pages = {edition: catalog.page_starts(session, edition) for edition in editions}
        ended = {hit.passage.edition_id for _, (hit, _, _) in spans if hit.passage.superseded}
        retracted = {edition for edition, is_so in catalog.ended_editions(session, ended).items() if is_so}
    cited = (_citation(marker, span, pages[span[0].passage.edition_id]) for marker, span in spans)
    return tuple(replace(one, retracted=one.edition_id in retracted) for one in cited)


def _citation(marker: int, span: Span, page_starts: tuple[int, ...]) -> Citation:
    hit, start, end = span
    passage = hit.passage
    return Citation(
        marker=marker,
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        edition_id=passage.edition_id,
        external_id=passage.external_id,
        title=passage.title,
        publisher=passage.publisher,
        edition=passage.edition,
        published=passage.published,
        url=passage.url,
        language=passage.language,
        section=passage.section,
        page=page_of(page_starts, passage.char_start + start),
        quote=passage.text[start:end],
        char_start=passage.char_start + start,
        char_end=passage.char_start + end,
        superseded=passage.superseded,
    )
