"""A library of made-up documents that differ in everything that a search is bound by, and what was written of each.

Several collections, English and Chinese, documents in several editions in time, undated, withdrawn, due for review,
retracted, retired, superseded, read anew, deleted and restored ones, passages that give orders or are hidden, copies of
passages. What was written is kept as facts, against which ``permission_oracle`` and ``ranking_oracle`` hold searches.
"""

import random
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta

from mixed_texts import LONG, SHORT, Texts, Written
from sqlalchemy import select

from conftest import Library
from rag.indexing import compact
from rag.removal import delete_document
from rag.retirement import retire_document
from rag.tables import EditionRow
from rag.types import LOCAL_ADMIN, Metadata

COLLECTIONS = {"guidelines": 40, "papers": 25, "指南库": 15, "leaflets": 12, "archive": 8}
PUBLISHERS = ("WHO", "NICE", "中华医学会", 'Smith & "Sons"', "100%_press", "Who")
AUTHORS = ("Li Wei", "李伟", "O'Neil, A.", "Müller", "Li Wei Jun", 'Ann "Nan" Wu')
TYPES = ("Review", "Systematic Review", "Practice Guideline", "Randomized Controlled Trial", "Case Reports")


@dataclass(slots=True)
class Edition:
    """A text as it was written. ``metadata.edition`` names it alone. ``order`` grows with the time it was read;
    ``stays`` is that it was neither removed nor read anew with other content."""

    collection: str
    work: int
    file: str
    format: str
    title: str
    language: str
    metadata: Metadata
    passages: tuple[Written, ...]
    order: int = 0
    stays: bool = True
    retired_on: date | None = None
    edition_id: str = ""
    document_id: str = ""

    def indexed(self, passage: Written) -> str:
        """What of a passage is embedded: its title and its section go before it, unless it begins with the title."""
        begins = passage.text.startswith(self.title)
        return "\n".join([*([] if begins else [self.title]), passage.section, passage.text])

    def searched(self, passage: Written) -> str:
        """What of a passage is searched for words: the same, and the other form of an abbreviation that the document
        defines."""
        text = self.indexed(passage)
        defines = any(LONG in one.text for one in self.passages)
        if not defines or (SHORT in text) == (LONG.lower() in text.lower()):
            return text
        return f"{text}\n{LONG if SHORT in text else SHORT}"


class MixedLibrary:
    """``editions`` are all that were ever written, ``works`` the editions by document."""

    def __init__(self, library: Library, chance: random.Random, passages: int) -> None:
        self.library, self.system, self.chance = library, library.system, chance
        self.editions: list[Edition] = []
        self._texts = Texts(chance)
        self._empty = list(COLLECTIONS)
        self._first_wave(passages)
        self._second_wave()
        removed = self._take_away()
        self._third_wave(removed, max(6, passages // 50))

    @property
    def works(self) -> dict[int, list[Edition]]:
        found: dict[int, list[Edition]] = {}
        for edition in self.editions:
            found.setdefault(edition.work, []).append(edition)
        return found

    def _first_wave(self, passages: int) -> None:
        while sum(len(edition.passages) for edition in self.editions) < passages:
            self.editions += self._work()
        self._ingest(self.editions)

    def _work(self) -> list[Edition]:
        """The editions of one document, each with a file of its own."""
        first = self._edition(next(self._texts.numbers))
        kind = self.chance.choices(["one", "undated", "several", "supersedes", "both"], [40, 15, 25, 10, 10])[0]
        years = sorted(self.chance.sample(range(2005, 2025), 4))
        named = replace(first.metadata, external_id=f"work {first.work}")
        match kind:
            case "one":
                return [self._dated(first, first.metadata, years[0])]
            case "undated":
                return [first]
            case "several":
                count_of = self.chance.randint(2, 4)
                texts = [first, *(self._edition(first.work, first) for _ in range(count_of - 1))]
                return [self._dated(text, named, year) for text, year in zip(texts, years, strict=False)]
            case "supersedes":
                later = self._dated(self._edition(first.work, first), named, years[1])
                own = replace(later.metadata, external_id=f"next of {first.work}", supersedes=named.external_id)
                return [self._dated(first, named, years[0]), replace(later, metadata=own)]
        first.metadata = named
        return [first, self._dated(self._edition(first.work, first), named, years[0])]

    def _second_wave(self) -> None:
        """Editions of the same day as a former one, and files that were written anew."""
        later = []
        for editions in list(self.works.values()):
            last = editions[-1]
            if last.metadata.published and last.metadata.external_id and self.chance.random() < 0.15:
                same_day = self._edition(last.work, last)
                same_day.metadata = self._known(same_day, published=last.metadata.published, like=last.metadata)
                later.append(same_day)
            elif len(editions) == 1 and self.chance.random() < 0.12:
                again = self._edition(last.work, last, last.format)
                again.file = last.file
                published = self.chance.choice([last.metadata.published, "2016-07"])
                again.metadata = self._known(again, published=published, like=last.metadata)
                begins = [one.metadata.effective or one.metadata.published for one in (last, again)]
                last.stays = None not in begins and begins[0] != begins[1]
                later.append(again)
        for edition in later:
            edition.order = 1
        self.editions += later
        self._ingest(later)

    def _take_away(self) -> list[list[Edition]]:
        """Documents and editions are deleted, documents retired; the documents that are to be restored."""
        self._identify()
        to_restore = []
        for editions in self.works.values():
            one, fate = editions[0], self.chance.random()
            if fate < 0.12:
                delete_document(self.system, LOCAL_ADMIN, one.document_id)
                for edition in editions:
                    edition.stays = False
                if fate < 0.06 and all(edition.order == 0 for edition in editions):
                    to_restore.append(editions)
            elif fate < 0.2 and len(editions) > 1:
                gone = self.chance.choice([edition for edition in editions if edition.stays])
                delete_document(self.system, LOCAL_ADMIN, one.document_id, gone.edition_id)
                gone.stays = False
            elif fate < 0.25:
                on = self.chance.choice([date(2014, 2, 3), date(2020, 1, 1), date(2999, 1, 1)])
                retire_document(self.system, LOCAL_ADMIN, one.document_id, on)
                for edition in editions:
                    edition.retired_on = on
        return to_restore

    def _third_wave(self, to_restore: Iterable[list[Edition]], passages: int) -> None:
        """What was deleted comes back, and more documents are read: the indexes have several parts."""
        for collection_id in range(1, len({edition.collection for edition in self.editions}) + 1):
            compact(self.system, collection_id)
        for editions in to_restore:
            paths = [self.library.folder / edition.file for edition in editions]
            self.library.ingest(*paths, collection=editions[0].collection, restore=True)
            for edition in editions:
                edition.stays = True
        more: list[Edition] = []
        while sum(len(edition.passages) for edition in more) < passages:
            more += self._work()
        self.editions += more
        self._ingest(more)
        self._identify()

    def _ingest(self, editions: list[Edition]) -> None:
        for edition in editions:
            known = {name: value for name, value in asdict(edition.metadata).items() if value}
            self.library.write(edition.file, _laid_out(edition), **known)
        for collection in dict.fromkeys(edition.collection for edition in editions):
            paths = [self.library.folder / one.file for one in editions if one.collection == collection]
            results = self.library.ingest(*paths, collection=collection)
            assert {result.status for result in results.values()} <= {"added", "updated"}, results

    def _identify(self) -> None:
        with self.system.database.reading() as session:
            columns = (EditionRow.edition, EditionRow.id, EditionRow.document_id)
            known = {row[0]: row[1:] for row in session.execute(select(*columns))}
        for edition in self.editions:
            edition.edition_id, edition.document_id = known[edition.metadata.edition]

    def _edition(self, work: int, like: Edition | None = None, format_name: str = "") -> Edition:
        """An undated text; ``like`` is a former edition, of which some passages stay as they were."""
        number = work if like is None else next(self._texts.numbers)
        language = like.language if like else self.chance.choice(["en", "en", "zh"])
        title = like.title if like else self._texts.title(language, number)
        format_name = format_name or self.chance.choice(["markdown", "markdown", "html"])
        collection = like.collection if like else self._collection()
        passages = tuple(self._texts.passages(title, language, format_name, like.passages if like else ()))
        suffix = "html" if format_name == "html" else "md"
        edition = Edition(collection, work, f"{number:05}.{suffix}", format_name, title, language, Metadata(), passages)
        edition.metadata = self._known(edition, edition_name=f"edition {number}")
        return edition

    def _collection(self) -> str:
        return self._empty.pop() if self._empty else self.chance.choices(list(COLLECTIONS), COLLECTIONS.values())[0]

    def _dated(self, edition: Edition, like: Metadata, year: int) -> Edition:
        """With a publication date in a year, and at times a later or far day of coming into force."""
        month = self.chance.randint(1, 12)
        published = self.chance.choice([f"{year}", f"{year}-{month:02}", f"{year}-{month:02}-17"])
        metadata = self._known(edition, published=published, like=like)
        drawn = self.chance.random()
        if drawn < 0.1:
            metadata = replace(metadata, effective=f"{year}-12-31")
        elif drawn < 0.15:
            metadata = replace(metadata, effective="2999-01-01")
        return replace(edition, metadata=metadata)

    def _known(
        self,
        edition: Edition,
        edition_name: str | None = None,
        published: str | None = None,
        like: Metadata | None = None,
    ) -> Metadata:
        """Metadata drawn by chance, with the ids of ``like``."""
        chance = self.chance

        def sometimes(value: str, share: float = 0.5) -> str | None:
            return value if chance.random() < share else None

        end = str(date(2010, 1, 1) + timedelta(days=chance.randint(0, 7_000)))
        return Metadata(
            external_id=like.external_id if like else None,
            doi=like.doi if like else sometimes(f"10.1000/{edition.work}.{edition.collection[:1]}", 0.3),
            edition=edition_name or edition.metadata.edition,
            authors=tuple(chance.sample(AUTHORS, chance.randint(0, 3))),
            publisher=sometimes(chance.choice(PUBLISHERS), 0.8),
            journal=sometimes(chance.choice(["Lancet", "柳叶刀"])),
            language=edition.language if chance.random() < 0.5 or _is_bilingual(edition) else None,
            licence=sometimes("CC BY 4.0"),
            pmid=sometimes(f"{30_000_000 + next(self._texts.numbers)}"),
            pmcid=sometimes(f"PMC{next(self._texts.numbers)}", 0.2),
            publication_types=tuple(chance.sample(TYPES, chance.randint(0, 2))),
            study_design=sometimes(chance.choice(TYPES)),
            evidence_grade=sometimes(chance.choice(["A", "B", "a"])),
            published=published,
            retraction=sometimes("Retracted: the data were made up", 0.1),
            withdrawn=sometimes(chance.choice([end[:4], end[:7], end]), 0.08),
            review_by=sometimes(chance.choice([end[:4], end[:7], end]), 0.08),
        )


def _is_bilingual(edition: Edition) -> bool:
    return len({passage.language for passage in edition.passages}) > 1


def _laid_out(edition: Edition) -> str:
    """The file that is to be read as the edition's passages."""
    is_html = edition.format == "html"
    parts = [f"<title>{edition.title}</title><h1>{edition.title}</h1>" if is_html else f"# {edition.title}"]
    for passage in edition.passages:
        hidden = "hidden" in passage.flags
        if passage.text != passage.says:
            parts.append(f"<h2>{passage.section}</h2>" if is_html else f"## {passage.section}")
        elif not is_html or not hidden:
            separator = " " if passage.language == "en" else ""
            end = "</p>" if is_html else ""
            parts[-1] = parts[-1].removesuffix(end) + separator + passage.says + end
            continue
        body = passage.says
        parts.append((f"<p hidden>{body}</p>" if hidden else f"<p>{body}</p>") if is_html else body)
    return "\n\n".join([*parts, f"<!-- {edition.metadata.edition}: no two files are of the same bytes -->"]) + "\n"
