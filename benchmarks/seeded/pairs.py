"""Pairs of a sentence and the passage it stands in, some with an error seeded: chosen evenly, the same for a seed."""

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rag.sentences import split_sentences
from seeded import errors, faithful, polarity, swaps, times
from seeded.changes import Change, Seeding
from seeded.names import Names, names_of
from seeded.passages import COLLECTIONS, Passage, Sentence, overlaps, passages, statements

ERRORS: dict[str, Seeding] = {
    "dose_x10": errors.dose_x10,
    "unit_swapped": errors.unit_swapped,
    "number_changed": errors.number_changed,
    "comparator_flipped": errors.comparator_flipped,
    "negation_dropped": polarity.negation_dropped,
    "negation_added": polarity.negation_added,
    "drug_swapped": swaps.drug_swapped,
    "population_swapped": swaps.population_swapped,
    "frequency_changed": times.frequency_changed,
    "direction_flipped": polarity.direction_flipped,
    "disease_swapped": swaps.disease_swapped,
}


def _unaltered(sentence: Sentence, names: Names, chance: random.Random) -> Iterator[Change]:
    yield Change(sentence.text, "", "")


FAITHFUL: dict[str, Seeding] = {
    "unaltered": _unaltered,
    "unit_converted": faithful.unit_converted,
    "numbers_reordered": faithful.numbers_reordered,
    "items_reordered": faithful.items_reordered,
    "clauses_reordered": faithful.clauses_reordered,
    "frequency_worded": times.frequency_worded,
    "duration_worded": times.duration_worded,
    "numerals_worded": faithful.numerals_worded,
    "range_worded": faithful.range_worded,
    "comparator_worded": faithful.comparator_worded,
    "synonym": faithful.synonym,
}


@dataclass(frozen=True, slots=True)
class Pair:
    id: str
    lang: str
    source: str
    kind: str
    altered: bool
    sentence: str
    evidence: str
    original: str
    was: str
    now: str

    def row(self) -> dict[str, str | bool]:
        return asdict(self)


_DOSED = re.compile(
    r"(?:口服|服|注射|静注|肌注|静滴|滴注|皮下|用量|剂量|煎服)[^。；，]{0,16}?\d+(?:\.\d+)?\s?(?:mg|g|μg|ml|mL|片|粒|丸|万U|单位)(?=[，；。,;])"
)
_ONCE = re.compile("次|麻醉|注射针|苗|皮试|中毒|致死|每[日天周]|突发|患者")
_OFTEN = ("每日两次", "每日三次", "每日2次", "每天3次", "一日三次", "一日2次", "2次/日", "每8小时一次", "每12小时1次")


def pairs(data: Path, each: int, part: str, seed: int) -> list[Pair]:
    """``each`` altered and as many faithful pairs, spread evenly over kinds and languages as far as ``data`` has
    sentences for them. A passage gives one pair of a kind, and up to four where the kind is short of passages."""
    found: dict[tuple[str, str], list[Pair]] = {}
    shelves = {lang: passages(data, lang, part, seed) for lang in COLLECTIONS}
    names = names_of(passage.text for passage in shelves["en"])
    for lang, shelf in shelves.items():
        for kind, candidates in _candidates(shelf, names, seed, wanted=max(1, each // len(ERRORS))).items():
            found[lang, kind] = candidates
    chosen: list[Pair] = []
    for kinds in (ERRORS, FAITHFUL):
        for cell, take in _shares(
            {(lang, kind): len(found[lang, kind]) for kind in kinds for lang in COLLECTIONS}, each
        ).items():
            chosen.extend(found[cell][:take])
    return chosen


def _shares(held: dict[tuple[str, str], int], total: int) -> dict[tuple[str, str], int]:
    """How many of each cell: as even as the cells allow."""
    shares = dict.fromkeys(held, 0)
    while total > sum(shares.values()):
        open_cells = [cell for cell in held if shares[cell] < held[cell]]
        if not open_cells:
            break
        more = max(1, (total - sum(shares.values())) // len(open_cells))
        for cell in open_cells:
            shares[cell] += min(more, held[cell] - shares[cell], max(0, total - sum(shares.values())))
    return shares


def _candidates(shelf: Sequence[Passage], names: Names, seed: int, wanted: int) -> dict[str, list[Pair]]:
    """Up to ``wanted`` pairs of each kind from as many passages, then further ones of the same passages."""
    kinds = {**ERRORS, **FAITHFUL}
    first: dict[str, list[Pair]] = {kind: [] for kind in kinds}
    further: dict[str, list[Pair]] = {kind: [] for kind in kinds}
    for passage in shelf:
        open_kinds = [kind for kind in kinds if len(first[kind]) < wanted]
        if not open_kinds:
            break
        said = list(statements(passage))
        dosed = [one for one in map(_dosed, said) if one]
        for kind in open_kinds:
            chance = random.Random(f"{seed} {passage.id} {kind}")
            sentences = said + dosed if kind in ("frequency_changed", "frequency_worded") else said
            made = [
                pair
                for place, one in enumerate(sentences)
                for pair in _seeded(one, place, kind, kinds[kind], names, chance)
            ]
            chance.shuffle(made)
            first[kind].extend(made[:1])
            further[kind].extend(made[1:4])
    return {kind: first[kind] + further[kind][: max(0, wanted - len(first[kind]))] for kind in kinds}


def _dosed(sentence: Sentence) -> Sentence | None:
    """A Chinese sentence that tells a dose, with a frequency written behind it, there and in its passage: the
    collections tell hardly any. None for other sentences."""
    passage = sentence.passage
    dose = _DOSED.search(sentence.text) if passage.lang == "zh" and not _ONCE.search(sentence.text) else None
    if not dose or sentence.text not in passage.text:
        return None
    often = _OFTEN[int(hashlib.sha256(sentence.text.encode()).hexdigest(), 16) % len(_OFTEN)]
    text = f"{sentence.text[: dose.end()]}，{often}{sentence.text[dose.end() :]}"
    source = f"{passage.source}, frequency written in"
    return Sentence(text, Passage(passage.id, "zh", source, passage.text.replace(sentence.text, text)))


def _seeded(
    sentence: Sentence, place: int, kind: str, seeding: Seeding, names: Names, chance: random.Random
) -> Iterator[Pair]:
    passage = sentence.passage
    for number, change in enumerate(seeding(sentence, names, chance)):
        if (kind in ERRORS and _stands_in(change.text, sentence)) or (
            change.text == sentence.text and kind != "unaltered"
        ):
            continue
        yield Pair(
            f"{passage.id}/{place}/{kind}/{number}",
            passage.lang,
            passage.source,
            kind,
            kind in ERRORS,
            change.text,
            passage.text,
            sentence.text,
            change.was,
            change.now,
        )


def _stands_in(altered: str, sentence: Sentence) -> bool:
    """Whether the passage says the altered sentence too, in the same words or in about the same elsewhere."""
    others = [one for one in split_sentences(sentence.passage.text) if _flat(one) not in _flat(sentence.text)]
    return _flat(altered) in _flat(sentence.passage.text) or overlaps(altered, others, sentence.passage.lang)


def _flat(text: str) -> str:
    return re.sub(r"\s+", "", text).lower()
