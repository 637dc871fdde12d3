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
    ``lexical`` names the directory of the lexical index that belongs to this generation."""

    __tablename__ = "collections"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    generation: Mapped[int] = mapped_column(default=0)
    lexical: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(Moment)


class DocumentRow(Base):
    """``key`` is what the document is recognised by: its external id, else its DOI, else where it was read from."""

    __tablename__ = "documents"
    __table_args__ = (Index("ix_documents_collection_id_key", "collection_id", "key", unique=True),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    key: Mapped[str] = mapped_column(Text)
    external_id: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)


class EditionRow(Base):
    """One text of a document.

    ``state`` is ``pending`` until its passages are in every index, then ``live``; ``replaced`` once the same file was
    read again with other content; ``removed`` with its document. A dated edition is in force from ``in_force_from``
    until the day before ``in_force_until``; an undated one has neither. ``page_starts[i]`` is the offset at which page
    i + 1 begins.
    """

    __tablename__ = "editions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    in_force_from: Mapped[date | None] = mapped_column(Date)
    in_force_until: Mapped[date | None] = mapped_column(Date)
    source: Mapped[str] = mapped_column(Text)
    source_sha256: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(16))
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
    text: Mapped[str] = mapped_column(Text)
    page_starts: Mapped[list[int]] = mapped_column(JSON)
    ingested_at: Mapped[datetime] = mapped_column(Moment)


class PassageRow(Base):
    __tablename__ = "passages"
    __table_args__ = (
        Index("ix_passages_edition_id_ordinal", "edition_id", "ordinal", unique=True),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    edition_id: Mapped[str] = mapped_column(ForeignKey("editions.id"))
    ordinal: Mapped[int]
    char_start: Mapped[int]
    char_end: Mapped[int]
    section: Mapped[str | None] = mapped_column(Text)
    page: Mapped[int | None]


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
    """An upload on its way in. ``result`` has one entry a file, as ``ingest`` prints it."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    caller_id: Mapped[str] = mapped_column(Text)
    collection: Mapped[str] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(16), index=True)
    filename: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
    stated_metadata: Mapped[dict[str, Any]] = mapped_column(JSON)
    result: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(Moment)
    finished_at: Mapped[datetime | None] = mapped_column(Moment)


class AnswerRow(Base):
    """A stored answer; ``body`` is the whole Answer as it was given."""

    __tablename__ = "answers"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    caller_id: Mapped[str] = mapped_column(Text, index=True)
    question: Mapped[str] = mapped_column(Text)
    mode: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
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
