"""``kill -9`` in the middle of a file, then the same command again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from literature_server import corpus_at, quick_client, serving

from ingestion.feeds.fetching import Wanted, fetch
from ingestion.manifest import read_manifest

FETCH = """
import sys
from pathlib import Path
from ingestion.feeds.catalogue import Corpus
from ingestion.feeds.client import PoliteClient
from ingestion.feeds.fetching import Wanted, fetch
fetch(Corpus.model_validate_json(sys.argv[1]), Wanted(), Path(sys.argv[2]), client=PoliteClient(0))
"""


def test_a_killed_fetch_is_continued_from_where_it_was(tmp_path: Path) -> None:
    contents = {f"pubmed26n000{number}.xml.gz": os.urandom(2_000_000) for number in (1, 2)}
    second = "pubmed26n0001.xml.gz"
    with serving() as site:
        for name, content in contents.items():
            site.publish(f"/b/{name}", content)
        site.files["/b/"] = "".join(f'<a href="{name}">x</a>' for name in contents).encode()
        site.chunk_pause_s = 0.02
        corpus = corpus_at(site, "listing", "/b/", pattern=r"pubmed\d\dn\d{4}\.xml\.gz")
        process = subprocess.Popen([sys.executable, "-c", FETCH, corpus.model_dump_json(by_alias=True), tmp_path])
        part = tmp_path / ".fetch" / f"{second}.part"
        deadline = time.monotonic() + 20
        while not (part.is_file() and part.stat().st_size > 200_000) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        written = part.stat().st_size
        assert 0 < written < 2_000_000
        assert not (tmp_path / second).exists()

        site.chunk_pause_s = 0
        site.asked.clear()
        outcomes = fetch(corpus, Wanted(), tmp_path, client=quick_client())

        assert [(one.name, one.status) for one in outcomes] == [
            ("pubmed26n0002.xml.gz", "unchanged"),
            (second, "fetched"),
        ]
        assert site.asked_for("/b/pubmed26n0002.xml.gz") == []
        assert site.asked_for(f"/b/{second}")[0].headers["Range"] == f"bytes={written}-"
    for name, content in contents.items():
        assert (tmp_path / name).read_bytes() == content
    assert {path.name for path in read_manifest(tmp_path)} == set(contents)
