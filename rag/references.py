"""An edition as a reference: a line in Vancouver style (ICMJE, after NLM's *Citing Medicine*), and a record in RIS.

Only what the source states goes in: no volume or page is guessed, and authors stand as they were given.
"""

import re
from collections.abc import Iterable

from rag.types import Edition, Metadata

AUTHORS_SHOWN = 6
"""As many as ICMJE lists before "et al."."""
_LINES = re.compile(r"\s+")


def vancouver(edition: Edition) -> str:
    """One line without a number: authors, title, journal or edition and publisher, date, identifiers; that it was
    retracted comes last."""
    stated = edition.metadata
    authors = ", ".join((*stated.authors[:AUTHORS_SHOWN], *(["et al"] if len(stated.authors) > AUTHORS_SHOWN else [])))
    if stated.journal:
        parts = [authors, stated.title, stated.journal, stated.published]
    else:
        imprint = "; ".join(part for part in (stated.publisher, stated.published) if part)
        parts = [authors, stated.title, stated.edition, imprint]
    parts += [f"doi: {stated.doi}" if stated.doi else None, f"PMID: {stated.pmid}" if stated.pmid else None]
    parts.append(f"Available from: {stated.url}" if stated.url and not stated.doi else None)
    parts.append(f"Retracted: {stated.retraction}" if stated.retraction else None)
    return " ".join(_ended(one_line(part)) for part in parts if part)


def ris(edition: Edition) -> str:
    """A record from ``TY`` to ``ER``, each line ended by CR LF."""
    stated = edition.metadata
    lines: list[tuple[str, str | None]] = [("TY", "JOUR" if stated.journal else "RPRT")]
    lines += [("AU", author) for author in stated.authors]
    lines += [("TI", stated.title), ("JO", stated.journal), ("PB", stated.publisher), ("ET", stated.edition)]
    lines += [("PY", (stated.published or "")[:4]), ("DA", (stated.published or "").replace("-", "/"))]
    lines += [("DO", stated.doi), ("AN", stated.pmid), ("UR", stated.url), ("LA", stated.language)]
    lines += [("N1", note) for note in _notes(edition)]
    said = [f"{tag}  - {one_line(value)}" for tag, value in lines if value]
    return "\r\n".join([*said, "ER  - ", ""])


def one_line(text: str) -> str:
    """Without line breaks, which would end a field."""
    return _LINES.sub(" ", text).strip()


def _notes(edition: Edition) -> Iterable[str]:
    stated: Metadata = edition.metadata
    if stated.retraction:
        yield f"Retracted: {stated.retraction}"
    elif edition.superseded:
        yield f"No longer current ({edition.standing})"


def _ended(part: str) -> str:
    return part if part.endswith((".", "?", "!", "。", "？", "！")) else f"{part}."
