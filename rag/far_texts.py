"""The words of passages that begin far into a long text.

To cut a span out of a text, SQLite walks to it from the text's beginning, a character at a time: a millisecond for a
passage at the end of a book, and a search reads dozens. Cut out of bytes, it costs next to nothing, but where a
character stands in bytes has to be known. That is noted for every thousandth character when a book is first read.
"""

import json
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import func, select, text

from rag.database import ReadSession
from rag.tables import EditionRow, PassageRow

FAR = 100_000
"""A passage that begins so many characters into a text is better read here."""
_EVERY = 1_000
_MOST_TEXTS = 5_000
_CUT = text(
    "SELECT place.key, substr(CAST(editions.text AS BLOB), place.value ->> 1, place.value ->> 2)"
    " FROM json_each(:places) AS place JOIN editions ON editions.id = place.value ->> 0"
)
_marks: dict[str, list[int]] = {}
"""By edition, whose text never changes, where every thousandth character stands in bytes, and where the text ends."""
_counting = threading.Lock()


def far_texts(session: ReadSession, rows: Sequence[Any]) -> dict[int, str]:
    """By passage id, the texts of ``rows``, which have ``id``, ``edition_id``, ``char_start`` and ``char_end``."""
    if not rows:
        return {}
    if session.get_bind().dialect.name != "sqlite":
        cut = func.substr(EditionRow.text, PassageRow.char_start + 1, PassageRow.char_end - PassageRow.char_start)
        statement = select(PassageRow.id, cut).join(EditionRow).where(PassageRow.id.in_([row.id for row in rows]))
        return {identifier: words for identifier, words in session.execute(statement)}  # noqa: C416
    places = {}
    for row in rows:
        marks = _byte_marks(session, row.edition_id)
        start, end = marks[row.char_start // _EVERY], marks[min(-(-row.char_end // _EVERY), len(marks) - 1)]
        places[row.id] = (row.edition_id, start + 1, end - start)
    cuts = {int(key): cut.decode() for key, cut in session.execute(_CUT, {"places": json.dumps(places)})}
    found = {}
    for row in rows:
        start = row.char_start % _EVERY
        found[row.id] = cuts[row.id][start : start + row.char_end - row.char_start]
    return found


def _byte_marks(session: ReadSession, edition_id: str) -> list[int]:
    if (known := _marks.get(edition_id)) is not None:
        return known
    words = session.scalars(select(EditionRow.text).where(EditionRow.id == edition_id)).one().encode()
    begins = np.flatnonzero((np.frombuffer(words, np.uint8) & 0xC0) != 0x80)  # the other bytes continue a character
    marks = [*begins[::_EVERY].tolist(), len(words)]
    with _counting:
        while len(_marks) >= _MOST_TEXTS:
            del _marks[next(iter(_marks))]
        _marks[edition_id] = marks
    return marks
