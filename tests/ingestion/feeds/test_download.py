import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from literature_server import Site, quick_client, serving

from ingestion.feeds.client import NoConnection, PoliteClient, Refused, refuse_unsafe
from ingestion.feeds.download import Remote, download
from ingestion.feeds.folder import Kept, open_folder
from ingestion.manifest import read_manifest
from ingestion.types import Metadata
from rag.errors import InvalidRequest, TooLarge, Unavailable

CONTENT = os.urandom(400_000)
MD5 = f"md5:{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        opened.files["/f.xml.gz"] = CONTENT
        yield opened


def fetched(site: Site, to: Path, checksum: str | None = MD5, max_bytes: int = 2**20) -> tuple[Kept, bool]:
    with open_folder(to) as folder:
        return download(Remote("f.xml.gz", f"{site.address}/f.xml.gz", max_bytes, checksum), folder, quick_client())


def ranges_asked(site: Site) -> list[str | None]:
    return [asked.headers.get("Range") for asked in site.asked_for("/f.xml.gz")]


def test_a_file_is_fetched_whole_and_stated_with_its_sha256(site: Site, tmp_path: Path) -> None:
    metadata = Metadata(title='A "title"\nwith \u7a7a', licence="CC0", published="2024-05", authors=("B. C", "D. E"))
    with open_folder(tmp_path / "to") as folder:
        download(Remote("f.xml.gz", f"{site.address}/f.xml.gz", 2**20, MD5, metadata), folder, quick_client())
    path = tmp_path / "to" / "f.xml.gz"
    assert path.read_bytes() == CONTENT
    stated = read_manifest(tmp_path / "to")[path]
    assert stated.metadata == metadata
    assert stated.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert list((tmp_path / "to" / ".fetch").glob("*.part*")) == []
    assert site.asked[0].headers["User-Agent"].startswith("taiyi-rag/")


def test_a_connection_that_breaks_is_continued_where_it_broke(site: Site, tmp_path: Path) -> None:
    site.cut_at["/f.xml.gz"] = [150_000, 100_000]
    assert fetched(site, tmp_path)[1]
    assert (tmp_path / "f.xml.gz").read_bytes() == CONTENT
    assert ranges_asked(site) == [None, "bytes=150000-", "bytes=250000-"]


def test_a_later_run_continues_what_an_earlier_one_left(site: Site, tmp_path: Path) -> None:
    site.cut_at["/f.xml.gz"] = [100_000] + [0] * 5
    with pytest.raises(Unavailable, match="broke off"):
        fetched(site, tmp_path)
    assert not (tmp_path / "f.xml.gz").exists()
    assert (tmp_path / ".fetch" / "f.xml.gz.part").stat().st_size == 100_000
    site.asked.clear()
    fetched(site, tmp_path)
    assert ranges_asked(site) == ["bytes=100000-"]
    assert (tmp_path / "f.xml.gz").read_bytes() == CONTENT


def test_a_file_that_changed_between_two_attempts_is_fetched_from_its_start(site: Site, tmp_path: Path) -> None:
    site.cut_at["/f.xml.gz"] = [100_000] + [0] * 5
    with pytest.raises(Unavailable):
        fetched(site, tmp_path, None)
    site.files["/f.xml.gz"] = changed = os.urandom(300_000)
    site.asked.clear()
    fetched(site, tmp_path, None)
    assert (tmp_path / "f.xml.gz").read_bytes() == changed
    assert ranges_asked(site) == ["bytes=100000-"]


def test_a_server_without_ranges_is_asked_for_the_whole_again(site: Site, tmp_path: Path) -> None:
    site.ranges, site.cut_at["/f.xml.gz"] = False, [100_000]
    fetched(site, tmp_path)
    assert (tmp_path / "f.xml.gz").read_bytes() == CONTENT


def test_without_validator_and_checksum_nothing_is_continued(site: Site, tmp_path: Path) -> None:
    site.etags, site.cut_at["/f.xml.gz"] = False, [100_000]
    fetched(site, tmp_path, None)
    assert ranges_asked(site) == [None, None]


def test_a_part_that_is_already_whole_is_only_checked(site: Site, tmp_path: Path) -> None:
    site.cut_at["/f.xml.gz"] = [399_999] + [0] * 5
    with pytest.raises(Unavailable):
        fetched(site, tmp_path)
    with (tmp_path / ".fetch" / "f.xml.gz.part").open("ab") as part:
        part.write(CONTENT[-1:])
    fetched(site, tmp_path)
    assert (tmp_path / "f.xml.gz").read_bytes() == CONTENT


def test_what_is_there_and_unchanged_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    fetched(site, tmp_path)
    assert fetched(site, tmp_path)[1] is False
    assert len(site.asked) == 1


def test_without_checksum_the_server_is_asked_whether_it_changed(site: Site, tmp_path: Path) -> None:
    fetched(site, tmp_path, None)
    assert fetched(site, tmp_path, None)[1] is False
    site.files["/f.xml.gz"] = b"a new edition"
    assert fetched(site, tmp_path, None)[1] is True
    assert (tmp_path / "f.xml.gz").read_bytes() == b"a new edition"


@pytest.mark.parametrize("damage", [b"", b"other bytes", CONTENT[:-1] + b"?"])
def test_a_file_that_was_damaged_on_disk_is_fetched_again(site: Site, tmp_path: Path, damage: bytes) -> None:
    fetched(site, tmp_path)
    (tmp_path / "f.xml.gz").write_bytes(damage)
    assert fetched(site, tmp_path)[1] is True
    assert (tmp_path / "f.xml.gz").read_bytes() == CONTENT


def test_a_wrong_checksum_is_refused_after_a_second_try_and_nothing_is_kept(site: Site, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"f\.xml\.gz came damaged twice: its md5 is \w+, the source states 0000"):
        fetched(site, tmp_path, "md5:" + "0" * 32)
    assert len(site.asked) == 2
    assert list(tmp_path.rglob("f.xml*")) == []


def test_a_damaged_beginning_is_made_good_by_the_second_try(site: Site, tmp_path: Path) -> None:
    site.cut_at["/f.xml.gz"] = [100_000] + [0] * 5
    with pytest.raises(Unavailable):
        fetched(site, tmp_path)
    (tmp_path / ".fetch" / "f.xml.gz.part").write_bytes(bytes(100_000))
    fetched(site, tmp_path)
    assert (tmp_path / "f.xml.gz").read_bytes() == CONTENT


def test_503_is_tried_again_and_429_waits_as_long_as_it_says(site: Site, tmp_path: Path) -> None:
    site.refusals["/f.xml.gz"] = [(503, {}), (429, {"Retry-After": "1"})]
    begun = time.monotonic()
    fetched(site, tmp_path)
    assert time.monotonic() - begun >= 1
    assert len(site.asked) == 3


def test_a_wait_of_hours_is_reported_instead_of_waited_for(site: Site, tmp_path: Path) -> None:
    site.refusals["/f.xml.gz"] = [(503, {"Retry-After": "7200"})]
    with pytest.raises(Unavailable, match="asks to wait 7200 s"):
        fetched(site, tmp_path)
    assert len(site.asked) == 1


def test_404_is_not_tried_again(site: Site, tmp_path: Path) -> None:
    del site.files["/f.xml.gz"]
    with pytest.raises(Refused, match=r"/f\.xml\.gz answers 404"):
        fetched(site, tmp_path)
    assert len(site.asked) == 1


@pytest.mark.parametrize("max_bytes", [1000, len(CONTENT) - 1])
def test_a_file_over_the_limit_is_not_fetched(site: Site, tmp_path: Path, max_bytes: int) -> None:
    with pytest.raises(TooLarge, match=r"f\.xml\.gz is larger"):
        fetched(site, tmp_path, max_bytes=max_bytes)
    assert not (tmp_path / "f.xml.gz").exists()


def test_an_answer_over_the_limit_is_not_read_to_its_end(site: Site) -> None:
    with pytest.raises(TooLarge):
        quick_client().get(f"{site.address}/f.xml.gz", max_bytes=1000)


@pytest.mark.parametrize("to", ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd"])
def test_a_redirect_to_what_is_not_https_is_refused(site: Site, to: str) -> None:
    site.redirects["/moved"] = to
    with pytest.raises(Refused, match="which is not https"):
        quick_client().get(f"{site.address}/moved")
    assert len(site.asked) == 1


def test_no_redirect_leads_from_https_to_this_machine() -> None:
    with pytest.raises(Refused, match="is not https"):
        refuse_unsafe(httpx.URL("http://127.0.0.1/x"), httpx.URL("https://example.org/x"))
    with pytest.raises(Refused, match="is not https"):
        refuse_unsafe(httpx.URL("http://example.org/x"))
    refuse_unsafe(httpx.URL("https://cdn.example.org/x"), httpx.URL("https://example.org/x"))


def test_redirects_are_followed_but_not_for_ever(site: Site) -> None:
    site.redirects["/moved"] = f"{site.address}/f.xml.gz"
    site.redirects["/round"] = f"{site.address}/round"
    assert quick_client().get(f"{site.address}/moved") == CONTENT
    with pytest.raises(Refused, match="redirects more than 5 times"):
        quick_client().get(f"{site.address}/round")


def test_a_host_is_asked_no_faster_than_its_pace(site: Site) -> None:
    with PoliteClient(pause_s=0.1) as client:
        begun = time.monotonic()
        for _ in range(4):
            client.get(f"{site.address}/f.xml.gz")
    assert time.monotonic() - begun >= 0.3


def test_a_host_that_cannot_be_reached_is_named() -> None:
    with pytest.raises(NoConnection, match=r"no connection to 127\.0\.0\.1"):
        quick_client().get("http://127.0.0.1:9/x?api_key=secret")


@pytest.mark.parametrize("name", ["../f", "a/b", "..", ".hidden", "manifest.toml", "", "a\\b", "a\x00", "x" * 200])
def test_a_name_from_a_server_never_leads_out_of_the_folder(site: Site, tmp_path: Path, name: str) -> None:
    with open_folder(tmp_path / "to") as folder, pytest.raises(InvalidRequest, match="name"):
        download(Remote(name, f"{site.address}/f.xml.gz", 2**20), folder, quick_client())
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_a_line_of_the_record_that_a_kill_cut_short_costs_only_its_file(site: Site, tmp_path: Path) -> None:
    fetched(site, tmp_path)
    record = tmp_path / ".fetch" / "record.jsonl"
    whole = record.read_bytes()
    record.write_bytes(whole + whole[: len(whole) // 2])
    assert fetched(site, tmp_path)[1] is False
    record.write_bytes(whole[:-20])
    assert fetched(site, tmp_path)[1] is True
    assert fetched(site, tmp_path)[1] is False


def test_two_runs_do_not_write_to_one_folder(tmp_path: Path) -> None:
    with open_folder(tmp_path), pytest.raises(InvalidRequest, match="Another corpus fetch"), open_folder(tmp_path):
        pass


def test_a_manifest_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text("# mine\n")
    with pytest.raises(InvalidRequest, match="was not written by corpus fetch"), open_folder(tmp_path):
        pass
    assert (tmp_path / "manifest.toml").read_text() == "# mine\n"
