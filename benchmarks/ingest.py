"""What it costs to read documents in: parsing, the whole against embedding alone, memory, and reading again.

    python benchmarks/ingest.py parse --synthetic          pages and records a second on one core
    python benchmarks/ingest.py pipeline --synthetic 300   the whole of an ingest against embedding the same passages
    python benchmarks/ingest.py memory --records 25000     memory over the ingest of a large corpus
    python benchmarks/ingest.py again --synthetic 5000     a second ingest with nothing changed

``parse``, ``pipeline`` and ``again`` take a folder of files instead. Ratios are of times within one run.
"""

import argparse
import os
import resource
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from synthetic import StandInEmbedder, write_pdf, write_pubmed, write_small

from ingestion.loaders import format_of
from ingestion.parsing import parse, prepare
from ingestion.pipeline import FileResult, Listener, discover, ingest
from ingestion.splitting import token_counter
from rag.embedding import Embedder, Vectors
from rag.errors import TaiyiError
from rag.packaged_embedder import ensure_packaged_embedder, load_tokenizer
from rag.settings import Settings
from rag.system import System, open_system

MIB = 1 << 20
PER_FILE = 10_000
PIPELINE_AT_MOST = 1.10
AGAIN_AT_MOST = 0.03


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("data"), help="where the packaged model is prepared")
    parser.add_argument("--threads", type=int, default=0, help="that embedding uses; 0 means one a core")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("parse", help="pages and records a second of processor time")
    one.add_argument("folder", type=Path, nargs="?")
    one.add_argument("--synthetic", action="store_true", help="a PDF of two columns and PubMed records, made up")
    one.add_argument("--pages", type=int, default=300)
    one.add_argument("--records", type=int, default=20_000)
    one.set_defaults(run=measure_parse)
    one = commands.add_parser("pipeline", help="an ingest against embedding its passages alone")
    one.add_argument("folder", type=Path, nargs="?")
    one.add_argument("--synthetic", type=int, metavar="RECORDS", help="PubMed records, made up")
    one.add_argument("--rounds", type=int, default=2)
    one.set_defaults(run=measure_pipeline)
    one = commands.add_parser("memory", help="memory over the ingest of a large corpus")
    one.add_argument("--records", type=int, default=25_000)
    one.set_defaults(run=measure_memory)
    one = commands.add_parser("again", help="a second ingest with nothing changed")
    one.add_argument("folder", type=Path, nargs="?")
    one.add_argument("--synthetic", type=int, metavar="DOCUMENTS", help="small documents, made up")
    one.add_argument("--stand-in", action="store_true", help="embed with a stand-in: the ratio is then an upper bound")
    one.set_defaults(run=measure_again)
    arguments = parser.parse_args()
    if "folder" in arguments and bool(arguments.folder) == bool(arguments.synthetic):
        parser.error("name a folder or --synthetic, one of them")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    arguments.run(arguments)


def measure_parse(arguments: argparse.Namespace) -> None:
    """In this process, by its processor time, all threads of it; what loads once is loaded before."""
    home = str(arguments.home)
    prepare(home)
    count_tokens = token_counter(load_tokenizer(arguments.home))
    with TemporaryDirectory() as made:
        folder = arguments.folder or Path(made)
        if arguments.synthetic:
            say(f"making up {arguments.pages} pages of PDF and {arguments.records} PubMed records")
            write_pdf(folder / "columns.pdf", arguments.pages)
            write_pubmed(folder / "records.xml.gz", 0, arguments.records)
        took: Counter[str] = Counter()
        files, pages, documents, passages = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        for file in discover([folder]):
            started = time.process_time()
            name = "refused"
            try:
                name = format_of(file.path)
                for document in parse(file.path, count_tokens):
                    pages[name] += len(document.page_starts)
                    documents[name] += 1
                    passages[name] += len(document.passages)
            except TaiyiError as error:
                say(f"{file.path.name}: {error}")
            files[name] += 1
            took[name] += time.process_time() - started
    for name, seconds in sorted(took.items()):
        paged = f"{pages[name]} pages, {pages[name] / seconds:.1f} pages/s, " if name == "pdf" else ""
        say(
            f"{name}: {files[name]} files in {seconds:.1f} s of processor time: {paged}{documents[name]} documents, "
            f"{documents[name] / seconds:.1f} documents/s, {passages[name]} passages"
        )


def measure_pipeline(arguments: argparse.Namespace) -> None:
    """Alternately a whole ingest into an empty home and the embedding of the very passages that it embedded, in the
    same batches and with the model loaded. Starting the processes that read files is part of the ingest."""
    with documents_of(arguments, write_records) as folder, fresh_home(arguments) as first:
        embedder = first.embedder
        embedder.embed_query("warm up")
        wholes, alones = [], []
        for number in range(arguments.rounds):
            recording = Recording(embedder)
            with fresh_home(arguments) as system:
                used = processor_time()
                whole, results = timed_ingest(folder, replace(system, embedder=recording))
                used = processor_time() - used
            started, alone_used = time.perf_counter(), processor_time()
            for batch in recording.batches:
                embedder.embed_passages(batch)
            alone, alone_used = time.perf_counter() - started, processor_time() - alone_used
            wholes.append(whole)
            alones.append(alone)
            passages = sum(map(len, recording.batches))
            say(
                f"round {number + 1}: {passages} passages; ingest {whole:.1f} s ({passages / whole:.1f} passages/s, "
                f"{used:.1f} s of processor time), embedding alone {alone:.1f} s ({passages / alone:.1f} passages/s, "
                f"{alone_used:.1f} s of processor time), ratio {whole / alone:.3f}, of processor time "
                f"{used / alone_used:.3f}"
            )
        say_failed(results)
        ratio = statistics.median(whole / alone for whole, alone in zip(wholes, alones, strict=True))
        judge(f"ingest / embedding alone = {ratio:.3f}", ratio, PIPELINE_AT_MOST)


def measure_memory(arguments: argparse.Namespace) -> None:
    """Resident memory of this process, which holds the pipeline and the indexes; the parsers have limits of their own.

    Each tenth of the passages, the whole and what of it is no file mapped in. The vectors' own size is taken off: what
    is left over has no business growing.
    """
    say(f"{arguments.records} PubMed records, embedded by a stand-in (hashed random unit vectors)")
    with TemporaryDirectory() as made, fresh_home(arguments) as opened:
        system = replace(opened, embedder=StandInEmbedder())
        for first in range(0, arguments.records, PER_FILE):
            records = min(PER_FILE, arguments.records - first)
            write_pubmed(Path(made) / f"records{first:09}.xml.gz", first, records)
        with Sampling() as sampling:
            seconds, results = timed_ingest(Path(made), system, Listener(on_embedded=sampling.on_embedded))
    say_failed(results)
    total = sampling.embedded
    say(f"{total} passages of {sum(result.documents for result in results)} documents in {seconds:.0f} s")
    per_passage = StandInEmbedder.dimension * 4 + 8
    beyond = []
    for tenth in range(1, 11):
        resident, anonymous = next(sample[1:] for sample in sampling.samples if sample[0] >= total * tenth / 10)
        beyond.append(resident - total * tenth // 10 * per_passage)
        say(f"{tenth * 10:>4} %: {resident / MIB:6.0f} MiB, of which no file {anonymous / MIB:6.0f} MiB")
    say(
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MIB:.0f} MiB; the vectors themselves "
        f"{total * per_passage / MIB:.0f} MiB; growth from 10 % to 100 % beyond them "
        f"{(beyond[-1] - beyond[0]) / MIB:+.0f} MiB, largest {(max(beyond) - beyond[0]) / MIB:+.0f} MiB"
    )


def measure_again(arguments: argparse.Namespace) -> None:
    with documents_of(arguments, write_small) as folder, fresh_home(arguments) as opened:
        system = replace(opened, embedder=StandInEmbedder()) if arguments.stand_in else opened
        system.embedder.embed_query("warm up")
        first, results = timed_ingest(folder, system)
        again, repeated = timed_ingest(folder, system)
        read = sum(result.status != "unchanged" for result in repeated)
        by = "a stand-in, so that the ratio is an upper bound" if arguments.stand_in else "the packaged model"
        say_failed(results)
        say(f"{len(results)} files, embedded by {by}: first {first:.1f} s, again {again:.2f} s ({read} read anew)")
        judge(f"again / first = {again / first:.4f}", again / first, AGAIN_AT_MOST)


class Recording:
    """An embedder that keeps the texts it was given, by batch."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.batches: list[list[str]] = []

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    def embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self.batches.append(list(texts))
        return self._embedder.embed_passages(texts)


class Sampling:
    """Passages embedded so far, and the memory at each of five moments a second; once more at the end."""

    def __init__(self) -> None:
        self.embedded = 0
        self.samples: list[tuple[int, int, int]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Sampling":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._take()

    def on_embedded(self, count: int) -> None:
        self.embedded += count

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self._take()

    def _take(self) -> None:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        of = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
        resident, anonymous = (int(of[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon"))
        self.samples.append((self.embedded, resident, anonymous))


@contextmanager
def documents_of(arguments: argparse.Namespace, write) -> Iterator[Path]:
    if arguments.folder:
        yield arguments.folder
        return
    with TemporaryDirectory() as made:
        write(Path(made), arguments.synthetic)
        yield Path(made)


def write_records(folder: Path, records: int) -> None:
    for first in range(0, records, 500):
        write_pubmed(folder / f"records{first:09}.xml.gz", first, min(500, records - first))


@contextmanager
def fresh_home(arguments: argparse.Namespace) -> Iterator[System]:
    """A system in an empty home, with the packaged model of ``--home``."""
    with TemporaryDirectory() as folder:
        models = ensure_packaged_embedder(arguments.home).parent
        Path(folder, "models").symlink_to(models.absolute())
        with open_system(Settings(home=Path(folder), threads=arguments.threads)) as system:
            yield system


def timed_ingest(folder: Path, system: System, listener: Listener | None = None) -> tuple[float, list[FileResult]]:
    started = time.perf_counter()
    results = ingest(discover([folder]), "default", system, listener)
    return time.perf_counter() - started, results


def processor_time() -> float:
    """Seconds, of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def say_failed(results: Sequence[FileResult]) -> None:
    for result in results:
        if result.status == "failed":
            say(f"failed: {result.path}: {result.reason}")


def judge(what: str, value: float, at_most: float) -> None:
    say(f"{what}, {'within' if value <= at_most else 'MISSES'} the {at_most:g} asked for")


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    say(f"$ python {' '.join(sys.argv)}    ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f})")
    main()
