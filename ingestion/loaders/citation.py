"""What PubMed XML, MEDLINE and RIS files state of an article in the same words: dates, names, retractions, labels."""

import re
from collections.abc import Iterable, Iterator

from ingestion.loaders.assemble import heading, paragraph
from ingestion.types import Block
from rag.editions import first_day
from rag.errors import InvalidRequest, UnreadableFile

NO_TITLE = frozenset({"[Not Available]", "[Not Available].", "Not Available", "Not Available."})
ABSENT_ABSTRACT = "Abstract available from the publisher."
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_UNLABELLED = frozenset({"UNLABELLED", "UNLABELED", "UNASSIGNED"})
_RETRACTED_KINDS = {"retracted publication", "retracted-article"}
_RETRACTED_TITLE = re.compile(r"(?:RETRACTED|WITHDRAWN)(?: ARTICLE)?:")
_LABEL = re.compile(r"(?:^|(?<=[.?!)] ))([A-Z][A-Z,/&() -]{2,60}[A-Z)]):(?= )")
_DOI = re.compile(r"(?:doi:\s*|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/\S+)", re.I)
_PMID = re.compile(r"\d{1,9}")


def partial_date(year: str, month: str = "", day: str = "") -> str | None:
    """``YYYY[-MM[-DD]]`` from parts such as "2020", "Mar" or "03", "5", as exact as they are; None without a year."""
    if not (len(year) == 4 and year.isdecimal()):
        return None
    name = month[:3].lower()
    number = _MONTHS.index(name) + 1 if name in _MONTHS else int(month) if month.isdecimal() else 0
    if not 1 <= number <= 12:
        return year
    return f"{year}-{number:02d}-{int(day):02d}" if day.isdecimal() and 1 <= int(day) <= 31 else f"{year}-{number:02d}"


def stated_date(stated: str) -> str | None:
    """The date that "2020 Mar 5", "2020/03/05/" or "2020-03-05" states; of a span as "1998 Dec-1999 Jan", its start."""
    parts = re.split(r"[\s/.-]+", stated.strip())
    return partial_date(*[*parts, "", ""][:3])


def valid_date(stated: str, where: str) -> str:
    """``stated`` if it is ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``. Raises UnreadableFile that begins with ``where``."""
    try:
        first_day(stated)
    except InvalidRequest as error:
        raise UnreadableFile(f"{where}: {error}") from None
    return stated


def given_name_first(name: str) -> str:
    """ "Wei Li" for "Li, Wei"; a name without a comma, such as a group's, as it is."""
    family, comma, given = name.partition(",")
    return f"{given.strip()} {family.strip()}".strip() if comma else name.strip()


def doi_in(stated: str) -> str | None:
    """The DOI in "doi:10.1/a", "https://doi.org/10.1/a" or "10.1/a [doi]", in the case it is written in."""
    match = _DOI.search(stated)
    return match[1].rstrip(".,;") if match else None


def pmid_in(stated: str) -> str | None:
    return stated if _PMID.fullmatch(stated) else None


def retraction_of(title: str, publication_types: Iterable[str], notices: Iterable[str]) -> str | None:
    """The notice of the article's retraction, else whatever marks it as retracted: its publication type or title.

    A title counts where it begins with "RETRACTED:" or "WITHDRAWN:" in capitals, as publishers write it.
    """
    if notice := "; ".join(notices):
        return notice
    if retracted := next((kind for kind in publication_types if kind.lower() in _RETRACTED_KINDS), None):
        return retracted
    return match[0].rstrip(":") if (match := _RETRACTED_TITLE.match(title)) else None


def labelled(label: str, text: str, level: int) -> Iterator[Block]:
    """A part of an abstract: its label, if it is one, as a heading, then its text."""
    label = label.rstrip(":")
    if label and label.upper() not in _UNLABELLED and text:
        yield from heading(label.capitalize() if label.isupper() else label, level)
    yield from paragraph(text)


def abstract_in_one(text: str, level: int) -> Iterator[Block]:
    """An abstract in one piece, parted at labels such as "METHODS: " where it begins with one."""
    parts = _LABEL.split(text)
    if parts[0].strip():
        yield from paragraph(text)
        return
    for label, part in zip(parts[1::2], parts[2::2], strict=True):
        yield from labelled(label, part, level)
