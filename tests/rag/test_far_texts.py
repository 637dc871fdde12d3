import itertools
import random

import pytest
from sqlalchemy import select, update

from rag import catalog
from rag.far_texts import FAR
from rag.system import System
from rag.tables import EditionRow, PassageRow
from rag.types import LOCAL_ADMIN, Metadata, NewPassage
from rag.writing import NewEdition, add_edition, ensure_collection

CHARACTERS = "abc é肾😀\n"
"""One, two, three and four bytes long in UTF-8."""


def long_text(seed: int, length: int) -> str:
    return "".join(random.Random(seed).choices(CHARACTERS, k=length))


@pytest.mark.parametrize("length", [FAR - 1, FAR + 1_500, 2 * FAR + 1_000])
def test_a_passage_has_its_words_wherever_it_stands_in_a_long_text(system: System, length: int) -> None:
    chance, text = random.Random(length), long_text(length, length)
    bounds = sorted({0, length, length - 1, *chance.sample(range(length), 60), *range(0, length, 20_000)})
    spans = list(itertools.pairwise(bounds))
    passages = tuple(NewPassage(start, end, None, None) for start, end in spans)
    edition = NewEdition("here", "here", "0" * 64, "text", Metadata(title="A book"), text, (), passages)
    with system.database.writing() as session:
        add_edition(session, ensure_collection(session, "books").id, edition)
    with system.database.reading() as session:
        ids = session.scalars(select(PassageRow.id).order_by(PassageRow.ordinal)).all()
        assert catalog.passages(session, LOCAL_ADMIN, ids) == {}, "what is not live yet is not there"
    with system.database.writing() as session:
        session.execute(update(EditionRow).values(state="live"))
    for _ in range(2):
        with system.database.reading() as session:
            found = catalog.passages(session, LOCAL_ADMIN, ids)
        assert [found[identifier].text for identifier in ids] == [text[start:end] for start, end in spans]
