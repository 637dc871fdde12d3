"""Documents in the order in which a search finds their passages: the form in which retrieval is measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select

from rag.catalog import collections
from rag.retrieval import MAX_TOP_K, ranking
from rag.system import System
from rag.tables import DocumentRow, EditionRow, PassageRow
from rag.types import Caller, Query


@dataclass(frozen=True, slots=True)
class RankedDocument:
    """A document by its external id, and the passage that stands for it, its best."""

    external_id: str
    passage_id: int


def documents_of_passages(system: System, caller: Caller, collection: str) -> dict[int, str]:
    """By passage, in the order of the text: the external id of its document. Documents without one are left out."""
    with system.database.reading() as session:
        [searched] = collections(session, caller, [collection])
        statement = (
            select(PassageRow.id, EditionRow.external_id)
            .join(EditionRow, PassageRow.edition_id == EditionRow.id)
            .join(DocumentRow, EditionRow.document_id == DocumentRow.id)
            .where(
                DocumentRow.collection_id == searched.id,
                DocumentRow.deleted_at.is_(None),
                EditionRow.state == "live",
                EditionRow.external_id.is_not(None),
            )
            .order_by(PassageRow.id)
        )
        return {passage_id: str(external_id) for passage_id, external_id in session.execute(statement)}


def ranked_documents(
    query: Query, caller: Caller, system: System, document_of: Mapping[int, str], count: int
) -> list[RankedDocument]:
    """The ``count`` best documents, best first, each with its best passage; fewer where no more are found.

    The first of them are those that ``search`` finds; what it takes to have ``count`` of them is then looked for
    deeper and stands behind.
    """
    best: dict[str, int] = {}
    depth = max(MAX_TOP_K, count)
    while True:
        found = ranking(query, caller, system, depth)
        for passage_id, _ in found:
            if passage_id in document_of:
                best.setdefault(document_of[passage_id], passage_id)
        if len(best) >= count or len(found) < depth:
            return [RankedDocument(*one) for one in list(best.items())[:count]]
        depth *= 2
