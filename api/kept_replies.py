"""The replies of a language model as an evaluation keeps them in ``items.jsonl``, so that one that was cut short goes
on where it was."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from rag.asking_many import Reply
from rag.errors import UnreadableFile
from rag.types import Sampling


def fingerprint_of(prompt: str, model: str, sampling: Sampling) -> str:
    """The same for what would be the same request."""
    stated = json.dumps([prompt, model, asdict(sampling)], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(stated.encode()).hexdigest()[:32]


class KeptReplies:
    """By fingerprint; what the model refused is asked again."""

    def __init__(self, path: Path) -> None:
        """Reads what is there. The last line may be half written, since the process may have been killed."""
        self._path = path
        self.items: dict[str, dict[str, Any]] = {}
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        for number, line in enumerate(lines, start=1):
            try:
                item = json.loads(line) if line.strip() else None
            except ValueError:
                if number < len(lines):
                    raise UnreadableFile(
                        f"{path.name}, line {number} is damaged: move the file away, or state another --out"
                    ) from None
                item = None
            if isinstance(item, dict) and isinstance(item.get("reply"), str) and not item.get("error"):
                self.items[str(item.get("fingerprint"))] = item
        self._whole = sum(len(line) + 1 for line in lines[:-1])

    def reply(self, fingerprint: str) -> Reply | None:
        item = self.items.get(fingerprint)
        if item is None:
            return None
        usage: Mapping[str, int] = item.get("usage") or {}
        return Reply(item["reply"], item.get("finish_reason", ""), usage, item.get("seconds", 0.0))

    def opened(self) -> IO[bytes]:
        """The file to write further lines to, behind the last whole one."""
        stream = self._path.open("ab")
        stream.truncate(self._whole)
        return stream


def write_line(stream: IO[bytes], item: Mapping[str, Any]) -> None:
    stream.write(json.dumps(item, ensure_ascii=False).encode() + b"\n")
    stream.flush()
