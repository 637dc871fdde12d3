"""Every file of a folder of real documents loads or is refused with a reason; set TAIYI_SHARED_DATA to its parent."""

import os
import unicodedata
from pathlib import Path

import pytest

from ingestion.loaders import load
from ingestion.types import BlockKind
from rag.errors import UnreadableFile, UnsupportedFormat

ROOT = Path(os.environ.get("TAIYI_SHARED_DATA", "")) / "documents"
FILES = sorted(path for path in ROOT.glob("*/*") if path.is_file()) if "TAIYI_SHARED_DATA" in os.environ else []

pytestmark = pytest.mark.skipif(not FILES, reason="TAIYI_SHARED_DATA is not set")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_real_file_gives_clean_blocks_or_a_reason(path: Path) -> None:
    try:
        documents = list(load(path))
    except (UnreadableFile, UnsupportedFormat) as error:
        message = str(error)
        documents = []
    else:
        message = ""

    assert documents or (message.startswith(path.name) and "\n" not in message)
    for document in documents:
        assert document.blocks
        assert sum(block.kind is BlockKind.TITLE for block in document.blocks) <= 1
        for block in document.blocks:
            assert block.text == " ".join(block.text.split())
            assert unicodedata.is_normalized("NFC", block.text)
            assert (block.level > 0) == (block.kind is BlockKind.HEADING)
