"""The product's values as JSON objects, the same on the command line and over HTTP."""

from dataclasses import asdict
from pathlib import PurePath
from typing import Any, get_args

from ingestion.jobs import Job
from ingestion.pipeline import FileResult
from rag.audit import Entry
from rag.catalog import CollectionCounts, FlaggedPassage
from rag.comparing import Comparison
from rag.differences import CorpusSays
from rag.explaining import Explanation
from rag.feedback import Feedback
from rag.keys import Key
from rag.ledger import KeptItem, KeptQuestion, KeptRun
from rag.listing import Facet, Listed
from rag.proposals import Proposal
from rag.reading import Reading
from rag.removal import Receipt
from rag.replaying import Replay
from rag.retirement import Retirement
from rag.types import Answer, Document, Edition, EvidenceStrength, Hit, OtherSource, Passage, SearchResult
from rag.verification import Problem

Json = dict[str, Any]
SAYS: tuple[CorpusSays, ...] = get_args(CorpusSays)


def passage_json(passage: Passage) -> Json:
    return _plain(passage)


def hit_json(hit: Hit) -> Json:
    return {
        **passage_json(hit.passage),
        "score": round(hit.score, 6),
        "rank": hit.rank,
        "dense_rank": hit.dense_rank,
        "lexical_rank": hit.lexical_rank,
        "cosine": None if hit.cosine is None else round(hit.cosine, 4),
        "also": [_plain(other) for other in hit.also],
        "evidence": _plain(hit.evidence) if hit.evidence else None,
    }


def _plain(value: Passage | OtherSource | EvidenceStrength) -> Json:
    """As ``asdict`` gives it for a value that holds no other, in a tenth of the time: it was half of what the service's
    loop computed for a search."""
    return {name: getattr(value, name) for name in value.__match_args__}


def search_json(result: SearchResult) -> Json:
    return {
        "hits": [hit_json(hit) for hit in result.hits],
        "index_generation": result.index_generation,
        "undated_left_out": result.undated_left_out,
        "query": result.query,
        "notices": list(result.notices),
    }


def explanation_json(explanation: Explanation) -> Json:
    """What a search gives, and the arms beside it."""
    return {**search_json(explanation.result), "arms": [asdict(arm) for arm in explanation.arms]}


def answer_json(answer: Answer) -> Json:
    query = answer.query and {**asdict(answer.query), "as_of": answer.query.as_of and answer.query.as_of.isoformat()}
    return {**asdict(answer), "passages": [hit_json(hit) for hit in answer.passages], "query": query}


def comparison_json(comparison: Comparison) -> Json:
    """Both answers, and the statements of each by what became of them, as indices of sentences."""
    found = comparison.difference
    memory = {says: [one.index for one in found.ungrounded if one.corpus and one.corpus.says == says] for says in SAYS}
    return {
        "id": comparison.id,
        "question": comparison.question,
        "grounded": answer_json(comparison.grounded),
        "ungrounded": answer_json(comparison.ungrounded),
        "difference": {
            **asdict(found),
            "agree": [one.index for one in found.ungrounded if one.other_side == "agrees"],
            "disagree": [one.index for one in found.ungrounded if one.other_side == "disagrees"],
            "only_ungrounded": [one.index for one in found.ungrounded if one.other_side == "absent"],
            "only_grounded": [one.index for one in found.grounded if one.other_side == "absent"],
            "corpus_supports": memory["supports"],
            "corpus_contradicts": memory["contradicts"],
            "corpus_does_not_mention": memory["does_not_mention"],
        },
    }


def answer_summary_json(answer: Answer, caller_id: str) -> Json:
    """What a list shows of an answer, and who asked for it."""
    shown = ("id", "question", "language", "mode", "status", "text", "confidence", "model", "created_at")
    return {**{name: getattr(answer, name) for name in shown}, "caller_id": caller_id}


def replay_json(replayed: Replay) -> Json:
    """What came out otherwise, and the answer as it was made again."""
    return {**asdict(replayed), "answer": answer_json(replayed.answer) if replayed.answer else None}


def feedback_json(given: Feedback) -> Json:
    return asdict(given)


def entry_json(entry: Entry) -> Json:
    return asdict(entry)


def run_json(run: KeptRun) -> Json:
    """A run over a question set, without its items."""
    return {name: value for name, value in asdict(run).items() if name != "items"}


def run_summary_json(run: KeptRun) -> Json:
    """What a list shows of a run: the figures of each arm without their intervals."""
    arms = {arm: {name: one[name] for name in one["intervals"]} for arm, one in run.figures["arms"].items()}
    asked = max(one["questions"] for one in run.figures["arms"].values())
    shown = {name: getattr(run, name) for name in ("id", "name", "fingerprint", "created_at")}
    return {**shown, "model": run.configuration["model"], "questions": asked, "arms": arms}


def kept_question_json(question: KeptQuestion) -> Json:
    """A question of a run with what came of it; without words where none were kept."""
    first, body = question.items[0], question.items[0].body or {}
    trials = [_trial_json(one) for one in question.items]
    asked = {name: body.get(name) for name in ("question", "options", "exact_answers")}
    return {"id": question.id, **asked, "gold": first.gold, "trials": trials}


def _trial_json(item: KeptItem) -> Json:
    """``sentences`` counts those of a free answer, ``held`` those of them that the evidence supports."""
    body = item.body or {}
    sentences = (body.get("judgement") or {}).get("sentences")
    return {
        "arm": item.arm,
        "chosen": item.chosen,
        **{name: body.get(name) for name in ("reply", "error", "answers")},
        "shown": [{"document": one["document"], "title": one["title"]} for one in body.get("passages", ())],
        "sentences": None if sentences is None else len(sentences),
        "held": None if sentences is None else sum(bool(one["is_held"]) for one in sentences),
    }


def edition_json(edition: Edition) -> Json:
    """``source`` is the name of the file, without the folders of this machine."""
    described = asdict(edition)
    return {**described.pop("metadata"), **described, "source": PurePath(edition.source).name}


def document_json(document: Document) -> Json:
    """A document with its editions; with its text where it was read."""
    described = asdict(document)
    described["editions"] = [edition_json(edition) for edition in document.editions]
    if document.text is None:
        del described["text"]
    return described


def listing_json(found: Listed, counted: dict[Facet, dict[str, int]] | None) -> Json:
    """A page of documents; with what the facets count where that was asked for."""
    described: Json = {"documents": [document_json(document) for document in found.documents], "total": found.total}
    return described if counted is None else {**described, "facets": counted}


def reading_json(reading: Reading) -> Json:
    return asdict(reading)


def key_json(key: Key) -> Json:
    """A key; its secret is not part of it."""
    return asdict(key)


def collection_json(counts: CollectionCounts) -> Json:
    return asdict(counts)


def file_result_json(result: FileResult) -> Json:
    return asdict(result)


def receipt_json(receipt: Receipt) -> Json:
    return asdict(receipt)


def retirement_json(retirement: Retirement) -> Json:
    return asdict(retirement)


def proposal_json(proposal: Proposal) -> Json:
    """The two documents without their editions' texts."""
    return {
        "document": document_json(proposal.document),
        "like": document_json(proposal.like),
        "created_at": proposal.created_at,
    }


def flagged_json(flagged: FlaggedPassage) -> Json:
    return asdict(flagged)


def verification_json(problems: list[Problem]) -> Json:
    return {"ok": not problems, "problems": [asdict(problem) for problem in problems]}


def job_json(job: Job) -> Json:
    """A job; with ``files`` where they were read."""
    described = asdict(job)
    if job.files is None:
        del described["files"]
    progress = {"files_done": job.files_done, "files_total": job.files_total, "passages": job.passages}
    return {**described, "job_id": job.id, "filename": job.filename, "progress": progress}
