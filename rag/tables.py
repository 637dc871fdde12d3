"""The tables, as SQLAlchemy models. SQL is the truth; every index is derived from it.

A passage's primary key is also the id of its vector and of its entry in the lexical index. It is an int64 that is
never used again, also on SQLite.
"""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A point in time in UTC, also on SQLite, which keeps no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=_NAMES)


class CollectionRow(Base):
    """``generation`` grows by one in every transaction that changes what a search of the collection can find.
    ``lexical`` names the directory of the lexical index that belongs to this generation. ``abstain_below`` is the
    probability that the evidence answers, 0 to 1, below which nothing is answered from it; None: what the settings
    say."""

    __tablename__ = "collections"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    generation: Mapped[int] = mapped_column(default=0)
    lexical: Mapped[str | None] = mapped_column(String(64))
    abstain_below: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[datetime] = mapped_column(Moment)


class DocumentRow(Base):
    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), index=True)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


class DocumentKeyRow(Base):
    """What a document is recognised by: its external id, its DOI, where it was read from, what it supersedes."""

    __tablename__ = "document_keys"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)


class ProposalRow(Base):
    """Two documents of a like title and publisher, which may be editions of one. ``state`` is ``waiting`` until a
    librarian has said ``accepted`` or ``rejected``. No foreign key: accepting makes the two one."""

    __tablename__ = "proposals"

    document_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    like_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class EditionRow(Base):
    """One text of a document.

    ``state`` is ``pending`` until its passages are in every index, then ``live``; ``replaced`` once the same file was
    read again with other content; ``removed`` with its document; ``purged`` once its words were erased. It is in force
    from ``in_force_from`` (None: an undated text) until the day before ``in_force_until`` (None: no end is known), the
    first day of its successor, of its withdrawal or retirement, or after its review was due. ``page_starts[i]`` is the
    offset at which page i + 1 begins. Editions of one ``likeness`` have a like title and publisher. ``abbreviations``
    are those that the text defines, the long form by the short one.
    """

    __tablename__ = "editions"
    __table_args__ = (
        Index("ix_editions_document_id_content_sha256", "document_id", "content_sha256"),
        Index("ix_editions_document_id_state", "document_id", "state"),
        Index("ix_editions_source", "source"),
        Index("ix_editions_source_sha256", "source_sha256"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"))
    state: Mapped[str] = mapped_column(String(16), index=True)
    in_force_from: Mapped[date | None] = mapped_column(Date)
    in_force_until: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str] = mapped_column(Text)
    source_sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    authors: Mapped[list[str]] = mapped_column(JSON)
    publisher: Mapped[str | None] = mapped_column(Text)
    journal: Mapped[str | None] = mapped_column(Text)
    edition: Mapped[str | None] = mapped_column(Text)
    published: Mapped[str | None] = mapped_column(String(10))
    effective: Mapped[str | None] = mapped_column(String(10))
    language: Mapped[str | None] = mapped_column(String(16))
    url: Mapped[str | None] = mapped_column(Text)
    doi: Mapped[str | None] = mapped_column(Text)
    pmid: Mapped[str | None] = mapped_column(String(16))
    pmcid: Mapped[str | None] = mapped_column(String(16))
    licence: Mapped[str | None] = mapped_column(Text)
    publication_types: Mapped[list[str]] = mapped_column(JSON)
    study_design: Mapped[str | None] = mapped_column(Text)
    evidence_grade: Mapped[str | None] = mapped_column(Text)
    retraction: Mapped[str | None] = mapped_column(Text)
    withdrawn: Mapped[str | None] = mapped_column(String(10))
    review_by: Mapped[str | None] = mapped_column(String(10))
    retired_on: Mapped[date | None] = mapped_column(Date)
    supersedes: Mapped[str | None] = mapped_column(Text)
    content_sha256: Mapped[str] = mapped_column(String(64))
    likeness: Mapped[str] = mapped_column(String(32), index=True)
    text: Mapped[str] = mapped_column(Text, deferred=True)
    page_starts: Mapped[list[int]] = mapped_column(JSON)
    abbreviations: Mapped[dict[str, str]] = mapped_column(JSON)
    ingested_at: Mapped[datetime] = mapped_column(Moment)


class PassageRow(Base):
    """``boxes`` has ``[page, left, top, right, bottom]`` for each line, in PDF points from the page's top left corner.
    ``flags`` are words with a space around each, such as `` hidden instruction ``; empty where nothing was found.
    ``language`` is told by the passage's own letters (``rag.languages``), whatever its edition says."""

    __tablename__ = "passages"
    __table_args__ = (
        Index("ix_passages_edition_id_ordinal", "edition_id", "ordinal", unique=True),
        Index("ix_passages_flags", "flags"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"))
    ordinal: Mapped[int]
    char_start: Mapped[int]
    char_end: Mapped[int]
    section: Mapped[str | None] = mapped_column(Text)
    page: Mapped[int | None]
    boxes: Mapped[list[list[float]]] = mapped_column(JSON)
    flags: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(2))


class SegmentRow(Base):
    """An immutable file of vectors. ``embedder`` is the fingerprint of the model that made them."""

    __tablename__ = "segments"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), index=True)
    passages: Mapped[int]
    embedder: Mapped[str] = mapped_column(String(64))


class SourceRow(Base):
    """A file that was read to its end. With the same bytes and metadata it need not be read again."""

    __tablename__ = "sources"
    __table_args__ = (Index("ix_sources_collection_id_location", "collection_id", "location", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    location: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    metadata_sha256: Mapped[str] = mapped_column(String(64))
    document_id: Mapped[str | None] = mapped_column(String(32))


class JobRow(Base):
    """Files on their way in. ``source`` is ``upload``, ``folder`` or ``root``: of an upload, ``paths`` is the file's
    name; else they are the paths to read, of a ``root`` as a client named them. ``state`` is ``queued``, ``running``,
    ``succeeded``, ``partial``, ``failed`` or ``cancelled``; ``error`` says why a job failed as a whole."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    caller_id: Mapped[str] = mapped_column(Text)
    collection: Mapped[str] = mapped_column(String(100))
    source: Mapped[str] = mapped_column(String(16))
    paths: Mapped[list[str]] = mapped_column(JSON)
    stated_metadata: Mapped[dict[str, Any]] = mapped_column(JSON)
    restore: Mapped[bool]
    state: Mapped[str] = mapped_column(String(16), index=True)
    cancel_requested: Mapped[bool]
    error: Mapped[str | None] = mapped_column(Text)
    passages: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class JobFileRow(Base):
    """A file of a job. ``status`` is ``queued`` until it was read, then as ``ingest`` prints it."""

    __tablename__ = "job_files"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    location: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(Text)
    document_id: Mapped[str | None] = mapped_column(String(32))
    documents: Mapped[int]
    flagged: Mapped[int]


class RemovalRow(Base):
    """The receipt of a removal, kept for good; of a purge without the title."""

    __tablename__ = "removals"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    document_id: Mapped[str] = mapped_column(String(32), index=True)
    edition_ids: Mapped[list[str]] = mapped_column(JSON)
    title: Mapped[str | None] = mapped_column(Text)
    collection: Mapped[str] = mapped_column(String(100))
    passages: Mapped[int]
    generation: Mapped[int]
    purged: Mapped[bool]
    original_erased: Mapped[bool]
    caller_id: Mapped[str] = mapped_column(Text)
    removed_at: Mapped[datetime] = mapped_column(Moment)


class AnswerRow(Base):
    """A stored answer; ``body`` is the whole Answer as it was given. A conversation has the id of its first answer."""

    __tablename__ = "answers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    caller_id: Mapped[str] = mapped_column(Text, index=True)
    question: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[str | None] = mapped_column(String(32), index=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)


class AnswerPassageRow(Base):
    """A passage that an answer was made from. No foreign key: the record outlives the passage."""

    __tablename__ = "answer_passages"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id"), primary_key=True)
    rank: Mapped[int] = mapped_column(primary_key=True)
    passage_id: Mapped[int] = mapped_column(BigInteger)
    edition_id: Mapped[str] = mapped_column(String(32), index=True)
    collection: Mapped[str] = mapped_column(String(100))


class EvaluationRow(Base):
    """A run over a question set; ``configuration`` and ``figures`` as in its ``metrics.json``."""

    __tablename__ = "evaluations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    folder: Mapped[str] = mapped_column(Text)
    fingerprint: Mapped[str] = mapped_column(String(32), index=True)
    configuration: Mapped[dict[str, Any]] = mapped_column(JSON)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)


class EvaluationItemRow(Base):
    """A question in one arm; ``body`` is its line of ``items.jsonl``, where that may be kept."""

    __tablename__ = "evaluation_items"

    evaluation_id: Mapped[str] = mapped_column(ForeignKey("evaluations.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    question_id: Mapped[str] = mapped_column(Text)
    arm: Mapped[str] = mapped_column(String(32))
    chosen: Mapped[str | None] = mapped_column(Text)
    gold: Mapped[str | None] = mapped_column(Text)
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class KeyRow(Base):
    """An API key. ``digest`` is the SHA-256 of its secret, which is nowhere kept. ``collections`` names those that it
    may read, None: all. Where not ``recorded``, what is asked with it leaves no question and no answer behind. A key
    holds until it is revoked or has expired."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    collections: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    recorded: Mapped[bool]
    requests_per_minute: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class SessionRow(Base):
    """A person signed in at the page. ``digest`` is the SHA-256 of the cookie. Who signed in with a key (``key_id``)
    may what the key may, as long as it holds; who came from an OpenID provider may what the token said, until
    ``expires_at``."""

    __tablename__ = "sessions"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    caller_id: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(16))
    collections: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class SignInRow(Base):
    """A sign-in on its way through the OpenID provider: what has to come back, and what the code is redeemed with."""

    __tablename__ = "sign_ins"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    verifier: Mapped[str] = mapped_column(String(128))
    nonce: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[datetime] = mapped_column(Moment, index=True)


class AuditRow(Base):
    """Something that was done. ``digest`` is keyed, over the digest of the row before and all of this one; the key is
    outside the database. ``content`` is the keyed digest of what the row vouches for and which lives elsewhere, where
    it can be erased. Rows are numbered without a gap."""

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(Moment, index=True)
    caller_id: Mapped[str] = mapped_column(Text, index=True)
    address: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(40), index=True)
    subject: Mapped[str | None] = mapped_column(Text, index=True)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    content: Mapped[str | None] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class SealRow(Base):
    """The keyed digest of a stored thing (an edition with its passages, an answer) that the audit row vouches for in
    whose transaction it was written. It outlives the thing, which ``erased`` says is gone."""

    __tablename__ = "seals"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), index=True)
    digest: Mapped[str] = mapped_column(String(64))
    erased: Mapped[bool]


class FeedbackRow(Base):
    """What a reader said of an answer: ``rating`` is ``up`` or ``down``. Saying it again replaces it."""

    __tablename__ = "feedback"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id"), primary_key=True)
    caller_id: Mapped[str] = mapped_column(Text, primary_key=True)
    rating: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)


class HandledRow(Base):
    """An answer that an administrator has dealt with: what was said of it until then asks for nothing more."""

    __tablename__ = "handled"

    answer_id: Mapped[str] = mapped_column(ForeignKey("answers.id"), primary_key=True)
    caller_id: Mapped[str] = mapped_column(Text)
    handled_at: Mapped[datetime] = mapped_column(Moment)
