"""The record of answers: each one is stored with everything it saw, and read back as it was given."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import aliased

from rag import catalog
from rag.abstention import told
from rag.audit import between
from rag.database import ReadSession, WriteSession
from rag.errors import NotFound
from rag.tables import AnswerPassageRow, AnswerRow
from rag.types import Answer, Caller, Hit, Nearest, OtherSource, Passage, Query, Role, Sentence, Turn

ERASED = "(erased)"
_ANSWER: TypeAdapter[Answer] = TypeAdapter(Answer)


@dataclass(frozen=True, slots=True)
class Sought:
    """Which answers are looked for; what is None is not looked at. ``text`` is part of the question, in any case of its
    letters; ``collection`` one that the answer drew on; ``model`` what wrote it; ``caller_id`` who asked. From
    ``since`` on and before ``until``, both in UTC where they name no time zone. ``conversation_id`` is that of the
    conversation that the answer is a turn of."""

    text: str | None = None
    mode: str | None = None
    status: str | None = None
    collection: str | None = None
    model: str | None = None
    caller_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    conversation_id: str | None = None


ALL = Sought()


def save(session: WriteSession, caller: Caller, answer: Answer) -> None:
    session.add(
        AnswerRow(
            id=answer.id,
            caller_id=caller.id,
            question=answer.question,
            mode=answer.mode,
            status=answer.status,
            conversation_id=answer.conversation_id,
            body=_ANSWER.dump_python(answer, mode="json"),
            created_at=datetime.fromisoformat(answer.created_at),
        )
    )
    session.flush()
    named: list[Passage | OtherSource] = [hit.passage for hit in answer.passages]
    named += [other for hit in answer.passages for other in hit.also]
    session.add_all(
        AnswerPassageRow(
            answer_id=answer.id,
            rank=rank,
            passage_id=int(one.passage_id),
            edition_id=one.edition_id,
            collection=one.collection,
        )
        for rank, one in enumerate(named, start=1)
    )


def told_of(answer: Answer) -> dict[str, Any]:
    """What the audit record says of an answer: what it was made with, and no word of question or answer."""
    query = answer.query or Query("")
    settings = json.dumps(answer.settings, sort_keys=True)
    return {
        "mode": answer.mode,
        "status": answer.status,
        "model": answer.model,
        "prompt": answer.prompt,
        "generation": answer.index_generation,
        "settings": hashlib.sha256(settings.encode()).hexdigest()[:16],
        "sampling": asdict(answer.sampling) if answer.sampling else None,
        "collections": list(query.collections),
        "as_of": query.as_of,
        "passages": len(answer.passages),
        "recorded": answer.recorded,
    }


def load(session: ReadSession, caller: Caller, answer_id: str) -> Answer:
    """A stored answer; its citations say which of their editions have been superseded or retracted since. Raises
    NotFound for an answer that is not the caller's, or that drew on a collection the caller may no longer read."""
    row = session.scalars(select(AnswerRow).where(AnswerRow.id == answer_id, *seen_by(caller))).one_or_none()
    if row is None:
        raise NotFound(f"There is no answer {answer_id!r}")
    return _restored(session, row)


def latest(
    session: ReadSession, caller: Caller, limit: int = 50, offset: int = 0, sought: Sought = ALL
) -> list[Answer]:
    """The answers that the caller may see, newest first."""
    found = select(AnswerRow).where(*_fitting(caller, sought))
    newest = found.order_by(AnswerRow.created_at.desc(), AnswerRow.id)
    return [_restored(session, row) for row in session.scalars(newest.limit(limit).offset(offset))]


def count(session: ReadSession, caller: Caller, sought: Sought = ALL) -> int:
    """How many answers there are that the caller may see."""
    return session.scalar(select(func.count()).select_from(AnswerRow).where(*_fitting(caller, sought))) or 0


def askers(session: ReadSession, answers: Sequence[Answer]) -> dict[str, str]:
    """Who asked for stored answers, by the answers' ids."""
    ids = [answer.id for answer in answers]
    rows = session.execute(select(AnswerRow.id, AnswerRow.caller_id).where(AnswerRow.id.in_(ids)))
    return {row.id: row.caller_id for row in rows}


def _fitting(caller: Caller, sought: Sought) -> list[ColumnElement[bool]]:
    wanted = seen_by(caller)
    wanted += [AnswerRow.question.icontains(sought.text, autoescape=True)] if sought.text else []
    wanted += [AnswerRow.mode == sought.mode] if sought.mode else []
    wanted += [AnswerRow.status == sought.status] if sought.status else []
    wanted += [AnswerRow.conversation_id == sought.conversation_id] if sought.conversation_id else []
    wanted += [AnswerRow.caller_id == sought.caller_id] if sought.caller_id else []
    wanted += [AnswerRow.body["model"].as_string() == sought.model] if sought.model else []
    if sought.collection:
        drew = select(AnswerPassageRow.answer_id).where(AnswerPassageRow.collection == sought.collection)
        wanted.append(AnswerRow.id.in_(drew))
    return wanted + between(AnswerRow.created_at, sought.since, sought.until)


def turns(session: ReadSession, caller: Caller, conversation_id: str, limit: int) -> tuple[Turn, ...]:
    """The last ``limit`` turns of a conversation, oldest first. Raises NotFound for a conversation that is not the
    caller's own, or that drew on a collection the caller may no longer read."""
    rows = session.scalars(
        select(AnswerRow)
        .where(AnswerRow.conversation_id == conversation_id, AnswerRow.caller_id == caller.id)
        .order_by(AnswerRow.created_at.desc(), AnswerRow.id)
        .limit(limit)
    ).all()
    newest = select(AnswerRow.id).where(AnswerRow.id == rows[0].id, *seen_by(caller)) if rows else None
    if newest is None or session.scalars(newest).first() is None:
        raise NotFound(f"There is no conversation {conversation_id!r}")
    return tuple(Turn(row.body["question"], row.body["text"]) for row in reversed(rows))


def seen_by(caller: Caller) -> list[ColumnElement[bool]]:
    """Which answers a caller may see: their own, an administrator all; but only while they may read every collection
    that an answer, or a turn before it in its conversation, drew on."""
    whose = [] if caller.role is Role.ADMIN else [AnswerRow.caller_id == caller.id]
    if caller.collections is None:
        return whose
    turn = aliased(AnswerRow)
    before = and_(turn.conversation_id == AnswerRow.conversation_id, turn.created_at <= AnswerRow.created_at)
    drew_on_others = (
        select(AnswerPassageRow.answer_id)
        .join(turn, turn.id == AnswerPassageRow.answer_id)
        .where(or_(turn.id == AnswerRow.id, before), AnswerPassageRow.collection.not_in(caller.collections))
        .correlate(AnswerRow)
        .exists()
    )
    return [*whose, ~drew_on_others]


def _restored(session: ReadSession, row: AnswerRow) -> Answer:
    answer = _ANSWER.validate_python(row.body)
    ended = catalog.ended_editions(session, (citation.edition_id for citation in answer.citations))
    citations = tuple(
        replace(citation, superseded=True, retracted=citation.retracted or ended[citation.edition_id])
        if citation.edition_id in ended
        else citation
        for citation in answer.citations
    )
    return replace(answer, citations=citations)


def erase_quotes(session: WriteSession, edition_ids: Sequence[str]) -> list[str]:
    """Erases what stored answers hold of editions: passages, quotes, titles, and the sentences that cite them; which
    answers those were. Ids, places and verdicts stay."""
    answer_ids = select(AnswerPassageRow.answer_id).where(AnswerPassageRow.edition_id.in_(edition_ids)).distinct()
    rows = session.scalars(select(AnswerRow).where(AnswerRow.id.in_(answer_ids))).all()
    for row in rows:
        erased = _without(_ANSWER.validate_python(row.body), frozenset(edition_ids))
        row.body = _ANSWER.dump_python(erased, mode="json")
    return [row.id for row in rows]


def _without(answer: Answer, edition_ids: frozenset[str]) -> Answer:
    nothing: dict[str, Any] = {"title": ERASED, "external_id": None, "publisher": None, "edition": None, "url": None}
    nothing |= {"section": None}
    citations = [
        replace(one, quote="", **nothing) if one.edition_id in edition_ids else one for one in answer.citations
    ]
    hits = [_hit_without(hit, edition_ids, nothing) for hit in answer.passages]
    markers = {one.marker for one in citations if one.edition_id in edition_ids}
    text, sentences = _with_sentences_erased(answer, markers)
    abstained = answer.abstention
    if abstained is not None:
        nearest = (_nearest_without(one, edition_ids) for one in abstained.nearest)
        abstained = replace(abstained, nearest=tuple(nearest))
        text = told(abstained, answer.language)
    return replace(
        answer,
        text=text,
        sentences=sentences,
        withheld=tuple(
            replace(one, text=ERASED, issues=()) if not one.citations or markers & set(one.citations) else one
            for one in answer.withheld
        ),
        conflicts=tuple(one for one in answer.conflicts if not markers & set(one.citations)),
        citations=tuple(citations),
        passages=tuple(hits),
        abstention=abstained,
    )


def _nearest_without(nearest: Nearest, edition_ids: frozenset[str]) -> Nearest:
    if nearest.edition_id not in edition_ids:
        return nearest
    return replace(nearest, title=ERASED, sentence=ERASED)


def _hit_without(hit: Hit, edition_ids: frozenset[str], nothing: dict[str, Any]) -> Hit:
    place = {name: nothing[name] for name in ("title", "external_id", "section")}
    also = tuple(replace(one, **place) if one.edition_id in edition_ids else one for one in hit.also)
    if hit.passage.edition_id not in edition_ids:
        return replace(hit, also=also)
    kind: dict[str, Any] = {"study_design": None, "publication_types": (), "evidence_grade": None}
    return replace(hit, passage=replace(hit.passage, text="", **nothing, **kind), evidence=None, also=also)


def _with_sentences_erased(answer: Answer, markers: set[int]) -> tuple[str, tuple[Sentence, ...]]:
    text, at = "", 0
    sentences = []
    for sentence in answer.sentences:
        text += answer.text[at : sentence.start]
        is_erased = bool(markers & set(sentence.citations))
        kept, issues = (ERASED, ()) if is_erased else (sentence.text, sentence.issues)
        sentences.append(replace(sentence, text=kept, start=len(text), end=len(text) + len(kept), issues=issues))
        text += kept
        at = sentence.end
    return text + answer.text[at:], tuple(sentences)
