"""Records that a PubMed search finds, some hundred a file. A later run fetches only the records it has not got."""

import hashlib
from functools import partial
from urllib.parse import quote_plus

from ingestion.feeds.client import Refused
from ingestion.feeds.entrez import Entrez, History, parsed
from ingestion.feeds.fetching import Run
from ingestion.types import Metadata

PAGE_RECORDS = 200


def fetch_pubmed(run: Run) -> None:
    """Searches, then fetches what is missing by pages. Records that are found and not given are left out by number."""
    entrez = Entrez(run.corpus.address, "pubmed", run.client, run.ncbi)
    query = run.wanted.query or ""
    found = entrez.search(query, run.wanted.limit)
    had = {number for kept in run.folder.kept if run.folder.intact(kept.name) for number in kept.covers}
    missing = [number for number in found.ids if number not in had]
    history = found.history if len(missing) == len(found.ids) or not missing else entrez.post(missing)
    undelivered = set(missing)
    for start in range(0, len(missing), PAGE_RECORDS):
        wanted = min(PAGE_RECORDS, len(missing) - start)
        run.attempt(
            f"records {start + 1} to {start + wanted}",
            partial(_page, run, entrez, history, start, wanted, undelivered),
        )
    if any(outcome.status == "failed" for outcome in run.outcomes):
        return
    for number in sorted(undelivered, key=int):
        run.leave_out(f"PMID {number}", "is found by the search and not given by PubMed; it may have been merged")


def _page(run: Run, entrez: Entrez, history: History, start: int, wanted: int, undelivered: set[str]) -> None:
    content = entrez.fetch(history, start, wanted, run.corpus.max_bytes)
    records = parsed(content, "NCBI efetch.fcgi")
    numbers = [
        (element.text or "").strip()
        for path in ("PubmedArticle/MedlineCitation/PMID", "PubmedBookArticle/BookDocument/PMID")
        for element in records.iterfind(path)
    ]
    if not numbers or not undelivered.issuperset(numbers):
        raise Refused("PubMed gives other records than the search found; run the same command again")
    undelivered.difference_update(numbers)
    name = f"pubmed-{hashlib.sha256(','.join(sorted(numbers)).encode()).hexdigest()[:16]}.xml"
    url = f"https://pubmed.ncbi.nlm.nih.gov/?term={quote_plus(run.wanted.query or '')}"
    metadata = Metadata(publisher=run.corpus.publisher, licence=run.corpus.licence, url=url)
    run.write(name, content, url, metadata, tuple(numbers))
