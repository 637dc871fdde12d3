"""What ``against.py`` measured as a table: medians of the rounds, from the least to the most of them, who is ahead.

python benchmarks/against_table.py data/bench --into docs/performance.md    the table again, from its figures
"""

import argparse
import json
import os
import platform
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MIB = 1 << 20
BEGIN, END = "<!-- against.py writes from here -->", "<!-- against.py writes to here -->"
NAMES = {
    "taiyi": "Taiyi RAG",
    "taiyi_served": "Taiyi RAG, served",
    "langchain": "LangChain",
    "txtai": "txtai",
    "haystack": "Haystack",
}
Found = Mapping[str, Mapping[str, Sequence[dict[str, Any]]]]
WHY = {
    "ingest": "the processes that parse are started within the time, which few passages do not make up for",
    "memory": "the processes that parse the updates are counted in; they are not there while nothing is read",
    "ingest_memory": "the processes that parse are counted in",
    "disk": "the original file, the editions' texts, the record and the word index of the hybrid search are kept too",
    "update_memory": "the others only change their memory: what was changed is lost until all of it is written again; "
    "here it is parsed, screened, entered into SQL and two indexes, and published to every process before it returns",
    "update_disk": "one transaction in SQL, two indexes and the audit record, by a parser in a process of its own",
    "delete_memory": "the others only change their memory; here the removal has a receipt and an audited record on "
    "disk before it returns",
    "delete_disk": "the removal has a receipt and an audited record; the worker takes it out of the indexes then",
    **dict.fromkeys(
        ("query_8_50", "query_32_50"),
        "its clients are let in one at a time, and Python's lock mostly goes to the one that had it last: half of the "
        "questions are quick, and the others wait for seconds",
    ),
    "reload": "schema, record and indexes are looked over before the first answer",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of every system: by system, the value of each round. ``lower`` says that less is better."""

    key: str
    label: str
    lower: bool
    digits: int
    values: Mapping[str, Sequence[float]]


def measured(found: Found, bytes_a_passage: Mapping[str, float], nearest: Mapping[str, Sequence[str]]) -> list[Row]:
    """The rows of the table, in order."""

    def row(key: str, label: str, act: str, of: Callable[[dict[str, Any]], float], lower: bool, digits: int) -> Row:
        values = {system: [of(one) for one in acts[act]] for system, acts in found.items() if act in acts}
        return Row(key, label, lower, digits, values)

    def per_passage(one: dict[str, Any]) -> float:
        return float(one["processor_s"]) * 1000 / one["passages"]

    rows = [
        row("ingest", "passages read in a second", "ingest", lambda r: r["passages"] / r["ingest_s"], False, 1),
        row("ingest_cpu", "processor time of that, ms a passage", "ingest", per_passage, True, 1),
        row("ingest_memory", "memory of that, at most, MiB", "ingest", lambda r: r["peak_bytes"] / MIB, True, 0),
        Row("disk", "bytes on disk a passage", True, 0, {s: [b] for s, b in bytes_a_passage.items()}),
        row("start", "from starting the process to the first answer, s", "use", lambda r: r["first_answer_s"], True, 2),
    ]
    for clients in sorted({int(level) for acts in found.values() for level in acts["use"][0]["levels"]}):
        who = "1 client" if clients == 1 else f"{clients} clients"
        for part in (50, 95, 99):

            def latency(one: dict[str, Any], part: int = part, clients: int = clients) -> float:
                return percentile(one["levels"][str(clients)]["latencies_s"], part) * 1000

            rows.append(row(f"query_{clients}_{part}", f"question, {who}, p{part}, ms", "use", latency, True, 1))

        def rate(one: dict[str, Any], clients: int = clients) -> float:
            level = one["levels"][str(clients)]
            return len(level["latencies_s"]) / float(level["whole_s"])

        def computed(one: dict[str, Any], clients: int = clients) -> float:
            level = one["levels"][str(clients)]
            return float(level["processor_s"]) * 1000 / len(level["latencies_s"])

        rows.append(row(f"rate_{clients}", f"questions a second, {who}", "use", rate, False, 1))
        rows.append(row(f"cpu_{clients}", f"processor time of a question, {who}, ms", "use", computed, True, 1))
    rows.append(row("memory", "memory of that, at most, MiB", "use", lambda r: r["peak_bytes"] / MIB, True, 0))
    for act, word in (("update", "another text for one document"), ("delete", "one document deleted")):
        for where, told in (("memory", "found so"), ("disk", "and on disk")):
            name = "in_memory_s" if where == "memory" else "on_disk_s"

            def took(one: dict[str, Any], act: str = act, name: str = name) -> float:
                return statistics.median(change[name] for change in one["changed"][act]) * 1000

            rows.append(row(f"{act}_{where}", f"{word}, {told}, ms", "use", took, True, 0))
    rows += [
        row("reload", "opening what is on disk, to the first answer, s", "reload", lambda r: r["reload_s"], True, 2),
        row("agreement", "agreement with an exact scan", "use", lambda r: agreement(r["found"], nearest), False, 3),
    ]
    return rows


def agreement(found: Mapping[str, Sequence[str]], nearest: Mapping[str, Sequence[str]]) -> float:
    """The mean part of the truly closest that was found."""
    return statistics.mean(
        len(set(ids) & set(nearest[question])) / len(nearest[question]) for question, ids in found.items()
    )


def percentile(values: Sequence[float], part: int) -> float:
    """The smallest value that ``part`` percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * part // 100) - 1)]


def standing(row: Row) -> str:
    """Whether this project, called in-process, is ahead of every other, or by how much not, and why."""
    ours = row.values.get("taiyi")
    others = {system: values for system, values in row.values.items() if not system.startswith("taiyi") and values}
    if not ours or not others:
        return ""
    own = statistics.median(ours)
    parts = {system: statistics.median(values) / own for system, values in others.items() if values}
    behind = {system: (1 / part if row.lower else part) for system, part in parts.items()}
    if row.key == "agreement":
        best = max(behind.values())
        return (
            "as exact" if best <= 1.0005 else f"{1 - 1 / best:.1%} less exact than {NAMES[max(behind, key=behind.get)]}"
        )
    ahead = [1 / part for part in behind.values()]
    if max(behind.values()) <= 1:
        return f"ahead, {min(ahead):.2f} to {max(ahead):.2f} times"
    said = ", ".join(f"{NAMES[system]} {part:.2f}" for system, part in behind.items() if part > 1)
    return f"behind: times {said}; {WHY.get(row.key, 'not explained')}"


def cell(row: Row, system: str) -> str:
    values = row.values.get(system)
    if not values:
        return "–"
    told = f"{statistics.median(values):.{row.digits}f}"
    if len(values) == 1:
        return told
    return f"{told} ({min(values):.{row.digits}f}–{max(values):.{row.digits}f})"


def markdown(about: Mapping[str, Any], rows: Sequence[Row], versions: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    systems = [system for system in NAMES if system in versions]
    yield (
        f"Taken {about['date']} on {about['processor']}, {about['cores']} cores, {about['memory_gib']:.0f} GiB, Python "
        f"{about['python']}; load average {about['load_before']:.1f} before and {about['load_after']:.1f} after"
        f"{', so beside other work' if about['load_before'] > 0.7 else ''}. Medians of {about['rounds']} rounds (least–"
        f"most). {about['passages']} passages read in a round; a library of {about['library']} passages of "
        f"{about['source']}."
    )
    yield ""
    yield "| | " + " | ".join(NAMES[system] for system in systems) + " | Taiyi RAG against the others |"
    yield "|---|" + "---|" * (len(systems) + 1)
    for row in rows:
        yield f"| {row.label} | " + " | ".join(cell(row, system) for system in systems) + f" | {standing(row)} |"
    yield ""
    for system in systems:
        yield f"- {NAMES[system]}: " + ", ".join(f"{name} {number}" for name, number in versions[system].items())


def written(
    out: Path, about: dict[str, Any], rows: Sequence[Row], versions: Mapping[str, Mapping[str, str]], found: Found
) -> list[str]:
    """Writes ``table.md`` and ``measured.json`` into ``out``; the lines of the table."""
    out.mkdir(parents=True, exist_ok=True)
    lines = list(markdown(about, rows, versions))
    (out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    kept = {
        "about": about,
        "versions": versions,
        "rows": [asdict(row) for row in rows],
        "rounds": {
            system: {
                act: [{k: v for k, v in one.items() if k != "found"} for one in rounds] for act, rounds in acts.items()
            }
            for system, acts in found.items()
        },
    }
    (out / "measured.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return lines


def machine() -> dict[str, Any]:
    """What this runs on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": models[0] if models else platform.processor() or "an unnamed processor",
        "cores": os.cpu_count(),
        "memory_gib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30),
        "python": platform.python_version(),
        "system": platform.platform(),
        "load_before": os.getloadavg()[0],
    }


def put(file: Path, lines: Sequence[str]) -> None:
    """Writes the table between the marks of a page, in the place of the one before."""
    text = file.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{file} has no {BEGIN} followed by {END}")
    file.write_text("\n".join([before + BEGIN, "", *lines, "", END + after]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where against.py left measured.json")
    parser.add_argument("--into", type=Path, help="page to write the table into")
    arguments = parser.parse_args()
    kept = json.loads((arguments.folder / "measured.json").read_text(encoding="utf-8"))
    lines = list(markdown(kept["about"], [Row(**row) for row in kept["rows"]], kept["versions"]))
    print("\n".join(lines))
    if arguments.into:
        put(arguments.into, lines)


if __name__ == "__main__":
    main()
