"""The passages and questions of ``against.py``: real ones where there are some, else those of the sample."""

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingestion.parsing import parse
from ingestion.splitting import token_counter
from rag.errors import TaiyiError
from rag.packaged_embedder import load_tokenizer

PROJECT = Path(__file__).parent.parent
REAL = ("medquad", "openstax", "nigeria_stg")
SHORTEST, LONGEST = 150, 900
"""Characters: what is shorter is no passage to speak of, what is longer might be parted when it is read in."""
_SENTENCE = re.compile(r"(?<=[.!?]) +|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Texts:
    """Passages under their ids, each of them one passage to this project too, and questions, each but once."""

    source: str
    passages: tuple[tuple[str, str], ...]
    questions: tuple[str, ...]


def read_texts(shared: Path | None, home: Path, passages: int, questions: int) -> Texts:
    """Up to so many. Passages are split as this project splits, each on one line. Questions are the titles of texts
    that are questions, filled up with sentences of passages."""
    files = [shared / name / "corpus.jsonl.gz" for name in REAL] if shared else []
    files = [file for file in files if file.is_file()]
    source = ", ".join(file.parent.name for file in files) if files else "the sample documents"
    files = files or sorted((PROJECT / "corpora" / "sample").iterdir())
    found: dict[str, None] = {}
    for text in _passages(files, home):
        if SHORTEST <= len(text) <= LONGEST:
            found[text] = None
        if len(found) == passages:
            break
    texts = list(found)
    asked = dict.fromkeys(title for file in files if file.suffix == ".gz" for title in _titles(file))
    asked |= dict.fromkeys(sentence for text in texts for sentence in _SENTENCE.split(text) if len(sentence) > 30)
    return Texts(
        source,
        tuple((f"passage-{number}", text) for number, text in enumerate(texts)),
        tuple(list(asked)[:questions]),
    )


def _passages(files: list[Path], home: Path) -> Iterator[str]:
    count_tokens = token_counter(load_tokenizer(home))
    for file in files:
        try:
            for document in parse(file, count_tokens):
                for passage in document.passages:
                    yield " ".join(document.text[passage.char_start : passage.char_end].split())
        except TaiyiError:
            continue  # of the sample, what is no document


def _titles(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            title = json.loads(line).get("title") or ""
            if title.endswith("?"):
                yield " ".join(title.split())
