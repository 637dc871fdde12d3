"""What lies outside the database so that it can be told whether the record in it is whole: the key of its digests, and
how far the record had come.

Who can write to the database but has not the key cannot make a digest that fits. The file of the head shows that the
end of the record was cut off, unless it was put back as well; an exported head (``taiyi-rag audit head``) shows it in
any case.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rag.errors import Inconsistent, Unavailable

_KEY = re.compile(r"[0-9a-f]{64}")
_HEAD = re.compile(r"(\d{1,18})[ :]([0-9a-f]{64})")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of the record."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


def head_from(text: str) -> Head | None:
    """A head as ``str`` writes it, None for what is none."""
    found = _HEAD.fullmatch(text.strip())
    return Head(int(found[1]), found[2]) if found else None


def keyed(secret: bytes, *parts: object) -> str:
    """HMAC-SHA-256 over ``parts`` as JSON, hexadecimal."""
    return hmac.new(secret, json.dumps(parts, default=repr).encode(), hashlib.sha256).hexdigest()


def fingerprint(secret: bytes) -> str:
    """By what the record knows its key, without telling it."""
    return keyed(secret, "fingerprint")[:16]


@dataclass(frozen=True, slots=True)
class AuditKey:
    """``path`` is the file of the key, ``head_path`` that of the head. Both are read anew each time, since other
    processes write them too."""

    path: Path
    head_path: Path

    def read(self) -> bytes:
        """The key. Raises Unavailable where there is none or it may not be read."""
        try:
            text = self.path.read_text(encoding="ascii", errors="replace").strip()
        except FileNotFoundError:
            raise Unavailable(
                f"The audit key {self.path} is missing, and the record was written with one: put it back from the "
                "backup, or name its place in RAG_AUDIT_KEY_FILE"
            ) from None
        except OSError as error:
            raise Unavailable(
                f"The audit key {self.path} cannot be read ({error.strerror}): let the service's user read it"
            ) from None
        if not _KEY.fullmatch(text):
            raise Inconsistent(f"{self.path} is no audit key (64 hexadecimal digits): put back the one from the backup")
        return bytes.fromhex(text)

    def made(self) -> bytes:
        """The key, which is made where there is none. Of several processes that make it at once one succeeds, and all
        read the same."""
        if not self.path.exists():
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                _put(self.path, secrets.token_hex(32), replace=False)
            except OSError as error:
                raise Unavailable(
                    f"The audit key {self.path} cannot be made ({error.strerror}): let the service's user write there, "
                    "or name another place in RAG_AUDIT_KEY_FILE"
                ) from None
        return self.read()

    def noted_head(self) -> Head | None:
        """How far the record had come when last written to from here, None where that is not known. Raises
        Inconsistent for a file that says something else."""
        try:
            text = self.head_path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"{self.head_path} cannot be read ({error.strerror})") from None
        head = head_from(text)
        if head is None:
            raise Inconsistent(f"{self.head_path} does not name a row of the record and its digest")
        return head

    def note(self, head: Head) -> None:
        """Keeps how far the record has come. What was written stays written where that does not succeed."""
        try:
            noted = head_from(self.head_path.read_text(encoding="ascii")) if self.head_path.exists() else None
            if noted is None or head.number > noted.number:
                _put(self.head_path, f"{head}\n", replace=True)
        except (OSError, UnicodeError) as error:
            log.warning("How far the record has come could not be noted in %s: %s", self.head_path, error)


def _put(path: Path, text: str, replace: bool) -> None:
    """Writes a file that only its owner may read, whole or not at all; without ``replace`` one that is there stays."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            if not replace:
                file.flush()
                os.fsync(file.fileno())
        if replace:
            os.replace(beside, path)
        else:
            with suppress(FileExistsError):
                os.link(beside, path)
    finally:
        beside.unlink(missing_ok=True)
