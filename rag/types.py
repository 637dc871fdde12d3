"""The vocabulary of the product, as frozen values. Nothing here touches a file, a database or a model.

A *document* is a work (a guideline, an article) in one *collection*; it has one or more *editions*, each with its own
text. A *passage* is a span of an edition's text. A *hit* is a passage that a query found. A *citation* points from a
sentence of an *answer* to the exact words of an edition.

Offsets are 0-based, end-exclusive Unicode code points into the edition's text. Pages are 1-based physical pages.
Dates are ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``. Ids are opaque strings, except that a passage's id is the decimal
form of the int64 under which its vector is stored.
"""

from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from typing import Literal

RetrievalMode = Literal["hybrid", "dense", "lexical"]
AnswerMode = Literal["grounded", "ungrounded", "extractive"]
Fallback = Literal["extractive"]
AnswerStatus = Literal["answered", "abstained", "partial", "failed"]
Verdict = Literal["supported", "partial", "unsupported", "contradicted", "uncited"]
ConflictKind = Literal["number", "polarity", "statement"]
Language = Literal["en", "zh"]

FilterValue = str | int | bool | None
Filters = dict[str, FilterValue | list[FilterValue] | dict[str, FilterValue]]


class Role(StrEnum):
    READER = "reader"
    EDITOR = "editor"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and from where. Every read takes one. ``collections`` names those the caller may read; None means all
    of them. Where not ``recorded``, what is asked leaves no question and no answer behind. ``address`` and
    ``request_id`` are for the audit record; None: at this machine's command line."""

    id: str
    role: Role
    collections: frozenset[str] | None = None
    recorded: bool = True
    address: str | None = None
    request_id: str | None = None

    def may_read(self, collection: str) -> bool:
        return self.collections is None or collection in self.collections

    @property
    def may_edit(self) -> bool:
        """Whether the caller may change what they may read: load, retire and remove documents, decide proposals."""
        return self.role is not Role.READER

    @property
    def administers_all(self) -> bool:
        """Whether the caller is an administrator of every collection, who alone sees what is of the whole service."""
        return self.role is Role.ADMIN and self.collections is None


LOCAL_ADMIN = Caller(id="local", role=Role.ADMIN)
"""The caller where no keys exist: the person at this machine."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a document besides its text. A date is ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``.

    ``publication_types`` and ``study_design`` are in the words of MeSH where the source uses them ("Randomized
    Controlled Trial"). ``retraction`` is the notice of a text that was retracted, as the source words it. A text holds
    until the day before ``withdrawn`` and to the end of ``review_by``. ``supersedes`` is the external id or DOI of the
    document of which this is a newer edition.
    """

    external_id: str | None = None
    title: str | None = None
    authors: tuple[str, ...] = ()
    publisher: str | None = None
    journal: str | None = None
    edition: str | None = None
    published: str | None = None
    effective: str | None = None
    language: str | None = None
    url: str | None = None
    doi: str | None = None
    pmid: str | None = None
    pmcid: str | None = None
    licence: str | None = None
    publication_types: tuple[str, ...] = ()
    study_design: str | None = None
    evidence_grade: str | None = None
    retraction: str | None = None
    withdrawn: str | None = None
    review_by: str | None = None
    supersedes: str | None = None

    def updated_by(self, other: "Metadata") -> "Metadata":
        """These values, replaced by each value that ``other`` states."""
        stated = {f.name: value for f in fields(other) if (value := getattr(other, f.name))}
        return Metadata(**{f.name: stated.get(f.name, getattr(self, f.name)) for f in fields(self)})


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A span of a text that is to be a passage. ``boxes`` are ``(page, left, top, right, bottom)`` in PDF points from
    the page's top left corner, one a line; ``flags`` are what screening found."""

    char_start: int
    char_end: int
    section: str | None
    page: int | None
    boxes: tuple[tuple[int, float, float, float, float], ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edition:
    """One text of a document. ``standing`` says whether it holds today and why not; ``superseded`` is that it no
    longer does. It holds from ``in_force_from`` (None: undated) until the day before ``in_force_until``. ``flagged``
    counts the passages that screening found something in."""

    id: str
    document_id: str
    metadata: Metadata
    format: str
    source: str
    passages: int
    flagged: int
    standing: str
    superseded: bool
    in_force_from: str | None
    in_force_until: str | None
    retired_on: str | None
    ingested_at: str


@dataclass(frozen=True, slots=True)
class Document:
    """A work and its editions, newest first. ``text`` is that of the edition asked for, None in listings."""

    id: str
    collection: str
    external_id: str | None
    title: str
    publisher: str | None
    language: str | None
    editions: tuple[Edition, ...]
    edition_id: str
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of an edition with what a reader needs to recognise it. ``section`` is the path of headings, outermost
    first; ``flags`` are what screening found in the passage; ``superseded`` is that its edition no longer holds."""

    passage_id: str
    document_id: str
    edition_id: str
    external_id: str | None
    collection: str
    title: str
    publisher: str | None
    edition: str | None
    published: str | None
    url: str | None
    language: str | None
    section: str | None
    page: int | None
    text: str
    char_start: int
    char_end: int
    superseded: bool
    flags: tuple[str, ...] = ()
    study_design: str | None = None
    publication_types: tuple[str, ...] = ()
    evidence_grade: str | None = None


@dataclass(frozen=True, slots=True)
class OtherSource:
    """Where else a passage stands in the same words; ``whole`` is that all of it does, else it is most of it."""

    passage_id: str
    document_id: str
    edition_id: str
    external_id: str | None
    collection: str
    title: str
    section: str | None
    page: int | None
    whole: bool


@dataclass(frozen=True, slots=True)
class EvidenceStrength:
    """How strong the evidence of a text is by its kind. ``level`` is 1 (strongest) to 5, None where the kind is not
    known or says nothing; ``label`` is the kind as the source states it; ``reason`` says it all for a reader."""

    level: int | None
    label: str | None
    year: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage with its place among the results. ``score`` orders the hits of one search, higher is better, unless
    they were asked to be diverse; it compares with no other search. The ranks count from 1 in each arm, None where
    that arm did not find the passage. ``cosine`` is that of the passage to the question, ``match`` how well its words
    match, 0 to 1; None where vectors or words were not searched. ``also`` are the copies of the passage that this hit
    stands for, best first."""

    passage: Passage
    score: float
    rank: int
    dense_rank: int | None = None
    lexical_rank: int | None = None
    cosine: float | None = None
    match: float | None = None
    also: tuple[OtherSource, ...] = ()
    evidence: EvidenceStrength | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the index. No ``collections`` means all that the caller may read. With ``as_of`` the editions in
    force on that day are searched; without, today's together with undated texts.

    ``diversity`` is 0 (by relevance alone) to 1 (each hit as unlike those before it as can be). ``prefer_evidence``
    puts the stronger and newer evidence first among passages of nearly the same relevance. ``collapse`` makes one hit
    of passages in the same words. ``translation`` is the question in the other language, where one better than by
    dictionary is known.
    """

    text: str
    collections: tuple[str, ...] = ()
    retrieval: RetrievalMode = "hybrid"
    top_k: int = 10
    filters: Filters = field(default_factory=dict)
    as_of: date | None = None
    diversity: float = 0.0
    prefer_evidence: bool = False
    collapse: bool = True
    translation: str | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a language model draws its next token. The defaults are those of Taiyi2's authors; ``seed`` makes a draw
    repeatable as far as the server's batching allows, None leaves it to the server. ``temperature`` 0 is greedy."""

    temperature: float = 0.3
    top_p: float = 0.7
    top_k: int = 20
    repetition_penalty: float = 1.05
    max_tokens: int = 500
    seed: int | None = None


GREEDY = Sampling(temperature=0.0, top_p=1.0, top_k=-1)
"""For evaluation, and for what has one right wording."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer, earlier in a conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to be answered.

    No ``mode`` means ``grounded`` where a language model is configured, else ``extractive``. ``language`` is that of
    the answer, None means that of the question. ``fallback`` is the mode to fall back on when the language model does
    not answer. A question goes on after the conversation ``conversation_id``, which is the id of its first answer, or
    after ``history``, oldest first. No ``sampling`` means the defaults, and a seed drawn by chance where it is safe.
    """

    query: Query
    mode: AnswerMode | None = None
    language: Language | None = None
    fallback: Fallback | None = None
    conversation_id: str | None = None
    history: tuple[Turn, ...] = ()
    sampling: Sampling | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """``index_generation`` grows by one with every change to one of the collections searched. ``undated_left_out``
    counts the documents that an ``as_of`` search could not place in time. For a query that somebody typed, ``query`` is
    what of it was searched for, ``notices`` tell what was taken out."""

    hits: tuple[Hit, ...]
    index_generation: int
    undated_left_out: int = 0
    query: str | None = None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Issue:
    kind: str
    value: str
    message: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """``answer.text[start:end] == text``, unless it was withheld from the text; ``citations`` are markers.
    ``probability`` is the calibrated probability, 0 to 1, that what it cites supports it; None where nothing was
    checked."""

    index: int
    text: str
    start: int
    end: int
    citations: tuple[int, ...]
    verdict: Verdict
    issues: tuple[Issue, ...] = ()
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """``quote`` is exactly ``text[char_start:char_end]`` of the edition's text; ``page`` is that of ``char_start``.
    ``superseded`` is that the edition no longer holds, for whatever reason; ``retracted`` that its text was
    retracted."""

    marker: int
    passage_id: str
    document_id: str
    edition_id: str
    external_id: str | None
    title: str
    publisher: str | None
    edition: str | None
    published: str | None
    url: str | None
    language: str | None
    section: str | None
    page: int | None
    quote: str
    char_start: int
    char_end: int
    superseded: bool
    retracted: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sources that disagree. ``kind`` is what they disagree on: a ``number``, the ``polarity`` of what they
    recommend, or a ``statement`` as a whole. ``citations`` are the markers of both, that of the answer's own source
    first; ``newer`` is the marker of the later published one, None where their dates do not tell. ``message`` says it
    all to a reader."""

    kind: ConflictKind
    message: str
    citations: tuple[int, int]
    newer: int | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """What came closest where nothing answers: ``sentence`` stands so in the passage."""

    passage_id: str
    document_id: str
    edition_id: str
    title: str
    published: str | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Abstention:
    """Why there is no answer: what was looked for, which words of it no passage has, and what came nearest."""

    looked_for: str
    missing: tuple[str, ...]
    nearest: tuple[Nearest, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and everything it rests on.

    ``passages`` are all that were considered, those shown to a language model with what was shown around them.
    ``confidence`` is the calibrated probability, 0 to 1, that the answer rests on a source that answers the question
    (``rag.confidence``), None where no calibration applies; ``confidence_reasons`` say what it rests on.
    ``evidence`` is the calibrated probability that what was found answers the question, on which it is decided whether
    anything is answered.
    ``abstention`` says what was looked for where nothing is answered. ``standalone_question`` is what was searched for,
    where that is not the question itself.
    ``query`` has the options of the search and the collections by name, without the text; ``settings`` are what else
    decides how an answer comes out. ``rag.replaying`` makes it again from them; answers from before have neither.
    ``documents_searched`` counts the documents that were searched, of those that the asker might read; None where
    nothing was.
    ``notices`` tell the reader what is unusual about the answer, ``failure`` why there is none. ``prompt`` is the
    version of the prompt, ``sampling`` how the model drew; both None where no model was asked. One that is not
    ``recorded`` is given once and leaves nothing behind.
    """

    id: str
    question: str
    language: Language
    mode: AnswerMode
    status: AnswerStatus
    text: str
    sentences: tuple[Sentence, ...]
    withheld: tuple[Sentence, ...]
    conflicts: tuple[Conflict, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Hit, ...]
    confidence: float | None
    model: str
    index_generation: int
    usage: dict[str, int]
    timings_ms: dict[str, float]
    created_at: str
    conversation_id: str | None = None
    standalone_question: str | None = None
    notices: tuple[str, ...] = ()
    failure: str | None = None
    prompt: str | None = None
    sampling: Sampling | None = None
    confidence_reasons: tuple[str, ...] = ()
    evidence: float | None = None
    abstention: Abstention | None = None
    query: Query | None = None
    settings: dict[str, str] = field(default_factory=dict)
    recorded: bool = True
    documents_searched: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not agree. ``what`` names the kind, ``where`` the thing, ``message`` what to do."""

    what: str
    where: str
    message: str
