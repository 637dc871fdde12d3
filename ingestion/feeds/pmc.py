"""Full texts of the PMC Open Access Subset that a search finds, from the PMC Cloud Service.

The bucket holds ``PMC<id>.<version>/`` with the JATS XML, and ``metadata/PMC<id>.<version>.json`` with the licence, the
address of the XML and its MD5 (https://pmc-oa-opendata.s3.amazonaws.com/README.txt). The OA web service ``oa.fcgi`` and
the FTP packages, which this takes the place of, were announced to end in August 2026.
"""

import json
import re
from functools import partial
from typing import Any

from ingestion.feeds.client import Refused
from ingestion.feeds.download import Remote
from ingestion.feeds.entrez import Entrez, parsed
from ingestion.feeds.fetching import Run
from ingestion.types import Metadata

_VERSION = re.compile(r"(PMC\d+)\.(\d+)/")
_XML_ADDRESS = re.compile(r"s3://[a-z0-9.-]+/(PMC\d+\.\d+/PMC\d+\.\d+\.xml)(?:\?md5=([0-9a-f]{32}))?")


def fetch_pmc(run: Run) -> None:
    """Searches, then fetches article by article. What has no open licence, or not one of the corpus, is left out."""
    entrez = Entrez(run.corpus.address, "pmc", run.client, run.ncbi)
    found = entrez.search(f"({run.wanted.query}) AND {run.corpus.search_filter}", run.wanted.limit)
    for number in found.ids:
        run.attempt(f"PMC{number}", partial(_article, run, f"PMC{number}"))


def _article(run: Run, pmcid: str) -> None:
    record = _record(run, pmcid)
    if record is None:
        run.leave_out(pmcid, "is not in the Open Access Subset of the PMC Cloud Service")
        return
    licence = str(record.get("license_code") or "")
    if not licence or (run.corpus.licences and licence not in run.corpus.licences):
        run.leave_out(pmcid, f"its licence is {licence or 'not stated'}")
        return
    address = _XML_ADDRESS.fullmatch(str(record.get("xml_url") or ""))
    if address is None:
        run.leave_out(pmcid, "has no XML there, as older articles that were scanned")
        return
    path, md5 = address.groups()
    run.download(
        Remote(
            name=path.rpartition("/")[2],
            url=f"{run.corpus.files_address}{path}",
            max_bytes=run.corpus.max_bytes,
            checksum=f"md5:{md5}" if md5 else None,
            metadata=Metadata(
                url=f"https://pmc.ncbi.nlm.nih.gov/articles/{pmcid}/",
                pmcid=pmcid,
                licence=licence,
                retraction="Retracted, as PubMed Central records it" if record.get("is_retracted") is True else None,
            ),
        )
    )


def _record(run: Run, pmcid: str) -> dict[str, Any] | None:
    """What PMC states of the article's last published version that is open, else of its last manuscript that is."""
    base = run.corpus.files_address
    listed = parsed(run.client.get(base, {"list-type": "2", "prefix": f"{pmcid}.", "delimiter": "/"}), "The PMC bucket")
    prefixes = [element.text or "" for element in listed.iterfind("{*}CommonPrefixes/{*}Prefix")]
    versions = sorted(int(match[2]) for text in prefixes if (match := _VERSION.fullmatch(text)) and match[1] == pmcid)
    manuscript = None
    for version in reversed(versions):
        record = _json(run, f"{base}metadata/{pmcid}.{version}.json")
        if record.get("is_pmc_openaccess") is True:
            if record.get("is_manuscript") is not True:
                return record
            manuscript = manuscript or record
    return manuscript


def _json(run: Run, url: str) -> dict[str, Any]:
    try:
        record = json.loads(run.client.get(url))
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise Refused(f"{url} is no JSON object; try again later")
    return record
