"""By what a document is recognised when its next edition comes.

An external id or a DOI recognises it wherever it is read from; where it has neither, the place it was read from does.
``supersedes`` says that a document is the next edition of one with another id. Each of these is a key; all keys of a
document are kept, so that it is recognised whichever edition comes first.
"""

import hashlib

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from rag.database import ReadSession, WriteSession
from rag.sealing import touch
from rag.tables import DocumentKeyRow, DocumentRow, EditionRow
from rag.types import Metadata

_DOI_PREFIXES = ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "http://dx.doi.org/", "doi:")


def derived_id(*parts: str) -> str:
    """An id that follows from ``parts``: the same on every machine and in every run."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def own_keys(metadata: Metadata) -> list[str]:
    """The keys that a document states of itself, the surest first."""
    keys = [f"id:{metadata.external_id}"] if metadata.external_id else []
    return [*keys, f"doi:{_plain_doi(metadata.doi)}"] if metadata.doi else keys


def find_document(session: WriteSession, collection_id: int, metadata: Metadata, place: str) -> tuple[str, bool]:
    """The document that a text with this metadata, read at ``place``, is an edition of; whether it is a new one.

    Makes its row and its keys. Where ``supersedes`` names another document than the text's own id, the two become one.
    """
    own = own_keys(metadata)
    document_id = _first_known(session, collection_id, own) or _at_place(session, collection_id, place, bool(own))
    superseded = _first_known(session, collection_id, _keys_of(metadata.supersedes)) if metadata.supersedes else None
    if document_id and superseded and superseded != document_id:
        merge_documents(session, document_id, superseded)
    found = superseded or document_id
    if found is None:
        found = derived_id(f"{collection_id}", own[0] if own else place)
        session.add(DocumentRow(id=found, collection_id=collection_id))
        session.flush()
    for key in (*(own or [place]), *(_keys_of(metadata.supersedes) if metadata.supersedes else ())):
        _keep_key(session, collection_id, key, found)
    return found, not (superseded or document_id)


def merge_documents(session: WriteSession, merged_id: str, into_id: str) -> None:
    """Makes the editions of one document those of another. The merged document's id goes on leading to them."""
    touch(session, merged_id, into_id)
    merged = session.get_one(DocumentRow, merged_id)
    into = session.get_one(DocumentRow, into_id)
    for table in (EditionRow, DocumentKeyRow):
        session.execute(update(table).where(table.document_id == merged_id).values(document_id=into_id))
    if merged.deleted_at is None:
        into.deleted_at = None
    _keep_key(session, into.collection_id, f"document:{merged_id}", into_id)
    session.flush()
    session.execute(delete(DocumentRow).where(DocumentRow.id == merged_id))
    session.expire_all()


def current_id(session: ReadSession | WriteSession, document_id: str) -> str:
    """The id under which a document is kept: that given, or that of the document it was merged into."""
    while True:
        into = session.scalars(
            select(DocumentKeyRow.document_id).where(DocumentKeyRow.key == f"document:{document_id}").limit(1)
        ).first()
        if into is None:
            return document_id
        document_id = into


def _first_known(session: WriteSession, collection_id: int, keys: list[str]) -> str | None:
    known = (session.get(DocumentKeyRow, (collection_id, key)) for key in keys)
    return next((row.document_id for row in known if row), None)


def _at_place(session: WriteSession, collection_id: int, place: str, states_id: bool) -> str | None:
    """The document that was read at this place. A text that states an id is another document than one that has one."""
    row = session.get(DocumentKeyRow, (collection_id, place))
    if row is None:
        return None
    if not states_id:
        return row.document_id
    named = session.scalars(
        select(DocumentKeyRow.key)
        .where(
            DocumentKeyRow.document_id == row.document_id,
            DocumentKeyRow.key.startswith("id:") | DocumentKeyRow.key.startswith("doi:"),
        )
        .limit(1)
    ).first()
    return None if named else row.document_id


def _keep_key(session: WriteSession, collection_id: int, key: str, document_id: str) -> None:
    """Records a key unless it is known already."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(DocumentKeyRow)
        .values(collection_id=collection_id, key=key, document_id=document_id)
        .on_conflict_do_nothing(index_elements=["collection_id", "key"])
    )


def _keys_of(name: str) -> list[str]:
    """The keys under which a document may be named that is called by its id or DOI."""
    return [f"id:{name}", f"doi:{_plain_doi(name)}"] if _plain_doi(name).startswith("10.") else [f"id:{name}"]


def _plain_doi(doi: str) -> str:
    plain = doi.strip().lower()
    for prefix in _DOI_PREFIXES:
        plain = plain.removeprefix(prefix)
    return plain
