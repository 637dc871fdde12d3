"""NCBI's E-utilities (https://www.ncbi.nlm.nih.gov/books/NBK25499/): a search kept on the server, fetched by pages.

Requests are forms, so that the key never stands in an address. NCBI asks for ``tool`` and ``email``, and for at most 3
requests a second, or 10 with a key. PubMed gives the first 9,999 records of a search and no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree
from pydantic import SecretStr

from ingestion.feeds.client import PoliteClient, Refused
from rag.errors import InvalidRequest

MAX_RECORDS = 9_999
_TOOL = "taiyi-rag"


@dataclass(frozen=True, slots=True)
class NcbiAccess:
    """Who asks: the e-mail address that requests name as contact, and the key of an NCBI account."""

    email: str = ""
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))

    @property
    def pause_s(self) -> float:
        return 0.11 if self.api_key.get_secret_value() else 0.35


@dataclass(frozen=True, slots=True)
class History:
    """A set of records that the server keeps for a while."""

    web_env: str
    query_key: str


@dataclass(frozen=True, slots=True)
class Found:
    """The first ids of a search, how many it has in all, and the set on the server in the same order."""

    ids: tuple[str, ...]
    count: int
    history: History


class Entrez:
    """The E-utilities at ``address``, for one database."""

    def __init__(self, address: str, database: str, client: PoliteClient, access: NcbiAccess) -> None:
        self._address, self._database, self._client, self._access = address, database, client, access

    def search(self, term: str, limit: int | None) -> Found:
        """Raises InvalidRequest where the search finds more than can be fetched, and Refused for a bad search."""
        asked = min(limit or MAX_RECORDS, MAX_RECORDS)
        answer = self._xml("esearch.fcgi", {"term": term, "usehistory": "y", "retmax": str(asked)})
        count = int(answer.findtext("Count") or 0)
        if limit is None and count > MAX_RECORDS:
            raise InvalidRequest(
                f"The search finds {count} records and NCBI gives the first {MAX_RECORDS} of a search; search year by "
                f"year (add: AND 2024[dp]), or fetch some of them with --limit"
            )
        ids = tuple(element.text or "" for element in answer.iterfind("IdList/Id"))
        if not all(one.isdecimal() for one in ids):
            raise Refused("NCBI answers a search with something else than record numbers; try again later")
        return Found(ids, count, _history(answer) if ids else History("", ""))

    def post(self, ids: Sequence[str]) -> History:
        """Puts records of known number into a set on the server."""
        return _history(self._xml("epost.fcgi", {"id": ",".join(ids)}))

    def fetch(self, history: History, start: int, count: int, max_bytes: int) -> bytes:
        """Some records of a set as XML."""
        form = {"WebEnv": history.web_env, "query_key": history.query_key, "retmode": "xml"}
        return self._ask("efetch.fcgi", {**form, "retstart": str(start), "retmax": str(count)}, max_bytes)

    def _xml(self, utility: str, form: dict[str, str]) -> etree._Element:
        answer = parsed(self._ask(utility, form, 16 * 2**20), utility)
        if (error := answer.findtext(".//ERROR")) is not None:
            raise Refused(f"NCBI {utility} answers: {error.strip()[:300]}")
        return answer

    def _ask(self, utility: str, form: dict[str, str], max_bytes: int) -> bytes:
        who = {"db": self._database, "tool": _TOOL}
        if self._access.email:
            who["email"] = self._access.email
        if key := self._access.api_key.get_secret_value():
            who["api_key"] = key
        return self._client.post(f"{self._address}{utility}", {**who, **form}, max_bytes)


def parsed(content: bytes, what: str) -> etree._Element:
    """The root of an XML answer. Raises Refused where it is none."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise Refused(f"{what} answers with what is no XML ({error}); try again later") from None


def _history(answer: etree._Element) -> History:
    web_env, query_key = answer.findtext("WebEnv"), answer.findtext("QueryKey")
    if not web_env or not query_key:
        raise Refused("NCBI did not keep the search on its server; try again later")
    return History(web_env, query_key)
