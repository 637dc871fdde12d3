"""MedQuAD (https://github.com/abachaa/MedQuAD): its archive, kept as JSON lines, a file for each collection."""

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ingestion.feeds.client import Refused
from ingestion.feeds.download import Remote, download
from ingestion.feeds.entrez import parsed
from ingestion.feeds.fetching import Run
from ingestion.feeds.folder import open_folder
from ingestion.types import Metadata

_MEMBER = re.compile(r"[^/]+/(\d+_[A-Za-z_]+)/\w+\.xml")
_MAX_MEMBER_BYTES = 8 * 2**20
_MAX_UNPACKED_BYTES = 2**30


def fetch_medquad(run: Run) -> None:
    """A document for each question that has an answer: the question as title, the page it was taken from as address."""
    with open_folder(run.folder.part("archive")) as archives:
        remote = Remote("medquad.zip", run.corpus.address, run.corpus.max_bytes)
        download(remote, archives, run.client)
        collections = _pairs_by_collection(archives.path / remote.name, run.corpus.licence)
    metadata = Metadata(publisher=run.corpus.publisher, licence=run.corpus.licence, language=run.corpus.language)
    for collection, lines in sorted(collections.items()):
        content = "".join(f"{line}\n" for line in lines).encode()
        run.write(f"medquad-{collection}.jsonl", content, run.corpus.address, metadata)


def _pairs_by_collection(path: Path, licence: str) -> dict[str, list[str]]:
    pairs: dict[str, list[str]] = defaultdict(list)
    unpacked = 0
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                matched = _MEMBER.fullmatch(member.filename)
                unpacked += member.file_size
                if member.file_size > _MAX_MEMBER_BYTES or unpacked > _MAX_UNPACKED_BYTES:
                    raise Refused(f"{path.name} unpacks to more than such an archive may have; it was left alone")
                if matched:
                    pairs[matched[1]] += _pairs(archive.read(member), member.filename, licence)
    except zipfile.BadZipFile as error:
        path.unlink()
        raise Refused(f"{path.name} is damaged ({error}); fetch it again") from None
    if not any(pairs.values()):
        raise Refused(f"{path.name} holds no question with an answer; its form may have changed")
    return {collection: lines for collection, lines in pairs.items() if lines}


def _pairs(content: bytes, name: str, licence: str) -> Iterator[str]:
    document = parsed(content, name)
    for pair in document.iterfind("QAPairs/QAPair"):
        question, answer = pair.find("Question"), " ".join((pair.findtext("Answer") or "").split())
        if question is None or not answer:
            continue
        yield json.dumps(
            {
                "id": f"medquad-{question.get('qid') or document.get('id')}",
                "title": " ".join((question.text or "").split()),
                "text": answer,
                "url": document.get("url"),
                "publisher": document.get("source"),
                "licence": licence,
                "language": "en",
            },
            ensure_ascii=False,
        )
