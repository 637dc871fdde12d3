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
from rag.feedback import Feedback
from rag.keys import Key
from rag.ledger import KeptRun
from rag.proposals import Proposal
from rag.removal import Receipt
from rag.replaying import Replay
from rag.retirement import Retirement
from rag.types import Answer, Document, Edition, Hit, Passage, SearchResult
from rag.verification import Problem

Json = dict[str, Any]
SAYS: tuple[CorpusSays, ...] = get_args(CorpusSays)


def passage_json(passage: Passage) -> Json:
    return asdict(passage)


def hit_json(hit: Hit) -> Json:
    return {
        **passage_json(hit.passage),
        "score": round(hit.score, 6),
        "rank": hit.rank,
        "dense_rank": hit.dense_rank,
        "lexical_rank": hit.lexical_rank,
        "cosine": None if hit.cosine is None else round(hit.cosine, 4),
        "also": [asdict(other) for other in hit.also],
        "evidence": asdict(hit.evidence) if hit.evidence else None,
    }


def search_json(result: SearchResult) -> Json:
    return {
        "hits": [hit_json(hit) for hit in result.hits],
        "index_generation": result.index_generation,
        "undated_left_out": result.undated_left_out,
        "query": result.query,
        "notices": list(result.notices),
    }


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


def answer_summary_json(answer: Answer) -> Json:
    """What a list shows of an answer."""
    shown = ("id", "question", "language", "mode", "status", "text", "confidence", "created_at")
    return {name: getattr(answer, name) for name in shown}


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
