"""Every setting, read once from the environment (prefix ``RAG_``) or a ``.env`` file, then never changed."""

import ipaddress
import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag import flags
from rag.audit_key import AuditKey
from rag.errors import InvalidRequest
from rag.types import Role

_LLM_URL = re.compile(
    r"https?://(?:\[[0-9a-fA-F:.]+\]|[^\s?#/:@\[\]]+)(?::(?P<port>\d{1,5}))?(?:/[^\s?#@]*)?/v1/?", re.IGNORECASE
)
PACKAGED_EMBEDDER = "packaged:multilingual-e5-small"
PACKAGED_ENTAILMENT = "packaged:reader"


class Grant(BaseModel):
    """What a group of the OpenID provider may; ``collections`` None: all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    collections: tuple[str, ...] | None = None


class Settings(BaseSettings):
    """One field a setting; the description is what the README says of it."""

    model_config = SettingsConfigDict(env_prefix="RAG_", env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(default=Path("data"), description="Folder of the database, indexes, models and original files.")
    database_url: str = Field(
        default="", description="SQLAlchemy URL of the records; empty means SQLite under `RAG_HOME`."
    )
    index_url: str = Field(
        default="faiss:",
        description="Where vectors live: `faiss:` is files under `RAG_HOME`, `faiss+gpu:` the same with a copy on the "
        "GPU, `milvus:FILE.db` a file of Milvus Lite, `milvus:http://[user:password@]host:19530[/database]` a server.",
    )
    embedder: str = Field(
        default=PACKAGED_EMBEDDER,
        description="`packaged:multilingual-e5-small`, or the name or folder of a sentence-transformers model.",
    )
    reranker: str = Field(
        default="",
        description="Puts the best 20 passages of a search in a better order: empty for none, "
        "`packaged:late-interaction`, or the name or folder of a sentence-transformers cross-encoder, such as "
        "`BAAI/bge-reranker-v2-m3`.",
    )
    entailment: str = Field(
        default=PACKAGED_ENTAILMENT,
        description="Reads a sentence together with what it cites, to judge whether it follows: `packaged:reader`, or "
        "the name or folder of a sentence-transformers cross-encoder for natural language inference.",
    )
    llm_url: str = Field(
        default="",
        description="Address of a vLLM server that speaks the OpenAI protocol, such as `http://127.0.0.1:8001/v1`; "
        "empty means no language model: answers quote.",
    )
    llm_model: str = Field(default="", description="The model's name at that server; empty means the one it serves.")
    llm_api_key: SecretStr = Field(default=SecretStr(""), description="Key that the server asks for, if it does.")
    llm_timeout_s: float = Field(
        default=60, gt=0, description="Seconds without a word from the language model after which it counts as hanging."
    )
    llm_concurrency: int = Field(default=16, ge=1, description="Texts that the language model writes at one time.")
    llm_queue: int = Field(default=32, ge=0, description="Requests that may wait beyond that; further ones get a 503.")
    unsupported: Literal["withhold", "mark"] = Field(
        default="withhold",
        description="What becomes of a written sentence that its sources do not support: `withhold` keeps it out of "
        "the text and lists it apart, `mark` leaves it in the text and says so behind it.",
    )
    abstain_below: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Probability that what was found answers the question, 0 to 1, below which nothing is answered; "
        "empty means the packaged threshold. A collection may have one of its own (`taiyi-rag collections set`); of "
        "several asked the highest counts.",
    )
    query_translation: Literal["dictionary", "model"] = Field(
        default="dictionary",
        description="What puts a question into the other language to search it: the packaged `dictionary`, or the "
        "language `model`, at the cost of one more call before each search.",
    )
    mask_identifiers: bool = Field(
        default=True,
        description="Whether names, numbers, dates of birth and addresses that identify a person are taken out of what "
        "is asked before anything is done with it; `false` keeps questions as they were typed.",
    )
    threads: int = Field(default=0, ge=0, description="Threads that embedding and search use; 0 means one a core.")
    exclude_flagged: str = Field(
        default="hidden,instruction",
        description="Flags, comma-separated, that keep a passage out of searches: `hidden` (a reader of the source "
        "does not see it), `instruction` (speaks to a language model), `invisible_characters`.",
    )
    ncbi_email: str = Field(default="", description="E-mail address that requests to NCBI name as contact.")
    ncbi_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key of an NCBI account: 10 instead of 3 requests a second."
    )
    requests_per_minute: int = Field(
        default=600,
        ge=0,
        description="Requests a minute that one caller may send to one process, in bursts of as many; 0 means any "
        "number. A key may have a rate of its own. Who needs no key is not counted.",
    )
    search_concurrency: int = Field(default=8, ge=1, description="Searches that run at one time in one process.")
    search_queue: int = Field(
        default=64, ge=0, description="Searches that may wait beyond that; further ones get a 503."
    )
    answer_concurrency: int = Field(
        default=64, ge=1, description="Answers in the making at one time in one process; further questions get a 503."
    )
    client_timeout_s: float = Field(
        default=30,
        gt=0,
        description="Seconds that a client may take to send the head of a request, to send a body beyond what 10 kB a "
        "second allow, and to read what waits for it; then it is cut off.",
    )
    request_timeout_s: float = Field(
        default=300,
        gt=0,
        description="Seconds after which a request that was received whole is given up; a streamed answer too.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text",
        description="How `serve` and its worker write to stderr: `text`, or `json`, an object a line, with a line for "
        "each request.",
    )
    metrics_key: SecretStr = Field(
        default=SecretStr(""),
        description="Bearer token with which `GET /metrics` may be read, and nothing else; empty means that it takes "
        "an administrator.",
    )
    mcp_key: SecretStr = Field(
        default=SecretStr(""),
        description="API key with which `taiyi-rag mcp` reads; empty means as the person at this machine, who may read "
        "everything.",
    )
    audit_key_file: str = Field(
        default="",
        description="File of the key that the audit record is sealed with, made at first use; empty means `audit.key` "
        "under `RAG_HOME`. Keep a copy apart from the database's backups.",
    )
    retention_days: int = Field(
        default=0,
        ge=0,
        description="Days for which answers and rows of the audit record are kept; `0` keeps them for good. Once a day "
        "the worker removes what is older, and leaves a checkpoint that vouches for it.",
    )
    max_upload_mb: int = Field(default=100, ge=1, description="Largest file that an upload may have, in MB.")
    page_cache_mb: int = Field(
        default=500,
        ge=0,
        description="Room under `RAG_HOME/pages` for pages that were drawn, in MB; `0` keeps none and draws each anew.",
    )
    ingest_roots: str = Field(
        default="",
        description="Folders, separated by colons, below which a call over HTTP may have files and folders read.",
    )
    allowed_hosts: str = Field(
        default="localhost,127.0.0.1,[::1]",
        description="Host names, comma-separated, under which the service answers; others are refused.",
    )
    session_hours: float = Field(
        default=12, gt=0, le=720, description="Hours after which who signed in at the page has to do so again."
    )
    public_url: str = Field(
        default="",
        description="Address under which browsers reach the service, such as `https://taiyi.hospital.example`; empty "
        "means that of the request. The OpenID provider sends people back to `/v1/session/oidc/callback` below it.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks, comma-separated, of the proxies whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed; empty means that none is.",
    )
    oidc_issuer: str = Field(
        default="",
        description="OpenID provider whose tokens are accepted beside keys, as its tokens name it in `iss`; empty "
        "means none.",
    )
    oidc_audience: str = Field(
        default="", description="What a bearer token has to name in `aud`; empty means that none is accepted."
    )
    oidc_client_id: str = Field(
        default="", description="This service's name at the provider, to sign in at the page; empty means not offered."
    )
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="The secret that goes with that name, where the provider gave one."
    )
    oidc_groups_claim: str = Field(
        default="groups",
        description="Claim that lists somebody's groups; dots lead into it, as in `realm_access.roles`.",
    )
    oidc_groups: str = Field(
        default="{}",
        description='What each group may, as JSON: `{"cardiology": {"role": "editor", "collections": '
        '["heart"]}, "it": {"role": "admin"}}`; without `collections` all of them.',
    )

    @field_validator("abstain_below", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("index_url")
    @classmethod
    def _known_index(cls, value: str) -> str:
        if value not in ("faiss:", "faiss+gpu:") and not re.fullmatch(r"milvus:(https?://.+|.+\.db)", value):
            raise ValueError("write faiss:, faiss+gpu:, milvus:FILE.db or milvus:http://host:19530")
        return value

    @field_validator("llm_url")
    @classmethod
    def _base_of_the_protocol(cls, value: str) -> str:
        found = _LLM_URL.fullmatch(value)
        if value and (found is None or int(found["port"] or 0) > 65535):
            raise ValueError("write an address without a password that ends in /v1, such as http://127.0.0.1:8001/v1")
        return value.rstrip("/")

    @field_validator("exclude_flagged")
    @classmethod
    def _known_flags(cls, value: str) -> str:
        if unknown := set(_listed(value)) - set(flags.ALL):
            raise ValueError(f"unknown flag {', '.join(sorted(unknown))}; known are {', '.join(flags.ALL)}")
        return value

    @field_validator("public_url", "oidc_issuer")
    @classmethod
    def _safe_address(cls, value: str) -> str:
        """Tokens and cookies go there, so it is https, or this machine."""
        parts = urlsplit(value)
        if value and not (
            parts.hostname and (parts.scheme == "https" or (parts.scheme, _is_here(parts.hostname)) == ("http", True))
        ):
            raise ValueError("write an address that begins with https://, or with http:// on this machine")
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for one in _listed(value):
            ipaddress.ip_network(one)
        return value

    @field_validator("oidc_groups")
    @classmethod
    def _known_grants(cls, value: str) -> str:
        _grants(value)
        return value

    @property
    def grants(self) -> dict[str, Grant]:
        """What each group of the OpenID provider may."""
        return _grants(self.oidc_groups)

    @property
    def proxies(self) -> tuple[str, ...]:
        return _listed(self.trusted_proxies)

    @property
    def excluded_flags(self) -> tuple[str, ...]:
        return _listed(self.exclude_flagged)

    @property
    def sql_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home.absolute() / 'taiyi.db'}"

    @property
    def audit_key(self) -> AuditKey:
        home = self.home.absolute()
        return AuditKey(Path(self.audit_key_file) if self.audit_key_file else home / "audit.key", home / "audit.head")

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(host.lower() for host in _listed(self.allowed_hosts))


def _grants(value: str) -> dict[str, Grant]:
    return TypeAdapter(dict[str, Grant]).validate_json(value or "{}")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listed(value: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in value.split(",") if one.strip())


def read_settings() -> Settings:
    """The settings of this process. Raises InvalidRequest naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        variable = "RAG_" + "_".join(str(part) for part in first["loc"]).upper()
        raise InvalidRequest(f"{variable}: {first['msg']} (got {first['input']!r})") from None
