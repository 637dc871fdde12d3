"""What the packaged entailment model is trained on: pairs of a text and a sentence or question, made from open data.

    python benchmarks/entailment_pairs.py DATA OUT.jsonl

Two tasks. ``entailment``: whether the text supports the sentence, contradicts it, or neither. ``answers``: whether the
text answers the question. Texts are cut by ``rag.checking.alignment.excerpt``, as in use. Left out, so that the model
can be measured on them: every abstract that a SciFact claim cites, and a third of the questions of every set (the hash
of the id decides, ``is_held_out``).
"""

import argparse
import gzip
import hashlib
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer

from benchmarks.flips import flipped, renamed
from rag import glossary
from rag.analysis import terms
from rag.checking.alignment import align, excerpt
from rag.checking.types import Evidence
from rag.languages import language_of
from rag.sentences import sentence_spans, split_sentences

SEED = 20
SUPPORT, CONTRADICT, NEITHER = 0, 1, 2
YES, NO = 1, 0
_STATES = re.compile(
    r"\b(?:is|are|was|were|has|have|can|does|do|not|\w+(?:ates|ises|izes|uces|eases|ents|otes|bits|ects|ires|ves|ols|uts"
    r"|ults|ses|tes|ers|ances|airs|ins))\b"
)
_MARKS = re.compile(
    r"[（(]\s*(?:[A-E]\s*[、，,]?\s*)+(?:对|错|正确|错误|选项)?\s*[)）]|[（(]人卫[^）)]*[)）]|故?本题选[A-E]。?|[A-E][对错]"
)
_EXCEPT = re.compile(r"不|错误|除|非|不属于|except|not|incorrect|false", re.IGNORECASE)
_YES_NO = re.compile(r"^(?:yes|no)\b[,.;: ]*", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """``label`` of ``entailment``: 0 supports, 1 contradicts, 2 neither; of ``answers``: 1 answers, 0 does not."""

    task: str
    source: str
    text: str
    said: str
    label: int


def is_held_out(question: str) -> bool:
    """Whether a question is left out of the training: a third are."""
    return int(hashlib.sha256(question.encode()).hexdigest(), 16) % 3 == 0


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines, which may be gzip-compressed."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def scifact_pairs(data: Path) -> list[tuple[str, Pair]]:
    """The labelled claims: ``(cited document, pair)``."""
    corpus = {one["id"]: one for one in lines(data / "scifact/corpus.jsonl.gz")}
    found = []
    for claim in lines(data / "scifact/claims.jsonl"):
        for document in claim["cited_doc_ids"]:
            judged = claim["evidence"].get(document)
            label = NEITHER if not judged else SUPPORT if judged[0]["label"] == "SUPPORT" else CONTRADICT
            abstract = corpus[document]
            text = _read(claim["text"], Evidence(abstract["text"], abstract["title"]))
            found.append((document, Pair("entailment", "scifact", text, claim["text"], label)))
    return found


def seeded_pairs(path: Path) -> list[Pair]:
    """What ``seeded_errors.py`` wrote: altered sentences are contradicted by their passage, the others supported."""
    return [
        Pair(
            "entailment",
            "seeded",
            _read(one["sentence"], Evidence(one["evidence"])),
            one["sentence"],
            CONTRADICT if one["altered"] else SUPPORT,
        )
        for one in lines(path)
    ]


def translated_pairs(data: Path, held_out: bool = False) -> list[tuple[str, Pair]]:
    """XLingHealth's questions beside their translation, a changed one and another's: the only texts in both languages,
    from which the model learns to read across them. ``(whole text, pair)``."""
    chance = random.Random(SEED)
    chinese = {one["id"]: one["text"] for one in lines(data / "xlingeval/queries_zh.jsonl")}
    both = [
        (one["text"], chinese[one["id"]])
        for one in lines(data / "xlingeval/queries_en.jsonl")
        if one["id"] in chinese and is_held_out(one["id"]) is held_out
    ]
    found: list[tuple[str, str, int]] = []
    for languages in (both, [(zh, en) for en, zh in both]):
        neighbours = Neighbours([text for text, _ in languages])
        for at, (text, said) in enumerate(languages):
            found.append((text, said, SUPPORT))
            other = flipped(said, chance, language_of(said) == "zh")
            if other is not None:
                found.append((text, other, CONTRADICT))
            close = [number for number in neighbours.of(text, 4) if number != at]
            found.append((languages[chance.choice(close[:3])][0], said, NEITHER))
    pairs = [
        (text, Pair("entailment", "translated", _read(said, Evidence(text)), said, label))
        for text, said, label in found
    ]
    return [(text, pair) for text, pair in pairs if pair.text]


class Neighbours:
    """Texts that are about nearly the same, by their rare words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, min_df=1)
        self._matrix = self._vectorizer.fit_transform(texts)

    def of(self, text: str, count: int) -> list[int]:
        """The positions of the ``count`` closest texts, closest first."""
        scores = (self._matrix @ self._vectorizer.transform([text]).T).toarray()[:, 0]
        order: list[int] = (-scores).argsort(kind="stable")[:count].tolist()
        return order


def _read(sentence: str, *evidence: Evidence) -> str:
    return excerpt(align(sentence, evidence), evidence)


class Maker:
    def __init__(self, data: Path, chance: random.Random) -> None:
        self._data, self._chance = data, chance
        self._names = {
            "zh": list(glossary.entries()),
            "en": [name for names in glossary.entries().values() for name in names[:1] if name.islower()],
        }

    def all(self) -> Iterator[Pair]:
        yield from self._titles(1100)
        yield from self._ideal_answers()
        yield from self._statements(700)
        yield from self._exams(1300)
        yield from self._medical_exams()
        for name, count in (("medquad", 450), ("nigeria_stg", 400), ("openstax", 350), ("covidqa", 250)):
            yield from self._sentences(name, count)
        yield from self._sentences("cmexam_zh", 700)
        yield from self._sentences("csl_zh", 250)
        yield from self._answers()

    def _claims(
        self, source: str, said: str, evidence: Evidence, near: Evidence | None, flips: float
    ) -> Iterator[Pair]:
        """A sentence that the evidence supports; one that it contradicts; and the sentence beside other evidence."""
        yield Pair("entailment", source, _read(said, evidence), said, SUPPORT)
        other = self._flipped(said) if self._chance.random() < flips else None
        if other is not None:
            yield Pair("entailment", source, _read(other, evidence), other, CONTRADICT)
        if near is not None:
            yield Pair("entailment", source, _read(said, near), said, NEITHER)

    def _flipped(self, said: str) -> str | None:
        language = language_of(said)
        other = flipped(said, self._chance, language == "zh") if self._chance.random() < 0.85 else None
        return other or renamed(said, self._names[language], self._chance)

    def _titles(self, count: int) -> Iterator[Pair]:
        """Titles of abstracts that state a finding, each with its abstract and with the closest other one."""
        cited = {
            document for claim in lines(self._data / "scifact/claims.jsonl") for document in claim["cited_doc_ids"]
        }
        abstracts = [one for one in lines(self._data / "scifact/corpus.jsonl.gz") if one["id"] not in cited]
        neighbours = Neighbours([one["text"] for one in abstracts])
        stating = [
            at
            for at, one in enumerate(abstracts)
            if _STATES.search(one["title"])
            and not re.search(r"[?:]", one["title"])
            and 6 <= len(one["title"].split()) <= 25
        ]
        for at in self._chance.sample(stating, min(count, len(stating))):
            said, text = abstracts[at]["title"].rstrip("."), abstracts[at]["text"]
            close = [other for other in neighbours.of(said, 4) if other != at]
            near = abstracts[self._chance.choice(close[:3])]
            yield from self._claims("titles", f"{said}.", Evidence(text), Evidence(near["text"], near["title"]), 1.0)

    def _ideal_answers(self) -> Iterator[Pair]:
        """BioASQ's written answers, each with the snippets that it was written from and with another question's."""
        snippets = {one["id"]: one["text"] for one in lines(self._data / "bioasq/corpus.jsonl.gz")}
        asked = [one for one in lines(self._data / "bioasq/queries.jsonl.gz") if not is_held_out(one["id"])]
        joined = [
            " ".join(snippets[one] for one in question["gold_snippets"][:6] if one in snippets) for question in asked
        ]
        neighbours = Neighbours(joined)
        for at, question in enumerate(asked):
            for said in split_sentences(_YES_NO.sub("", question["ideal_answer"][0]))[:2]:
                if not 5 <= len(said.split()) <= 45:
                    continue
                said = said[0].upper() + said[1:]
                close = [other for other in neighbours.of(f"{question['text']} {said}", 3) if other != at]
                near = Evidence(joined[close[0]]) if self._chance.random() < 0.7 else None
                yield from self._claims("bioasq", said, Evidence(joined[at]), near, 0.8)

    def _statements(self, count: int) -> Iterator[Pair]:
        """K-QA's statements, each with the physician's answer that it was taken from and with another's."""
        answers = [one for one in lines(self._data / "kqa/qa.jsonl") if not is_held_out(one["id"])]
        neighbours = Neighbours([one["answer"] for one in answers])
        every = [(at, said) for at, one in enumerate(answers) for said in one["must_have"] + one["nice_to_have"]]
        for at, said in self._chance.sample(every, min(count, len(every))):
            close = [other for other in neighbours.of(said, 3) if other != at]
            near = Evidence(answers[close[0]]["answer"]) if self._chance.random() < 0.6 else None
            yield from self._claims("kqa", said.strip(), Evidence(answers[at]["answer"]), near, 0.7)

    def _exams(self, count: int) -> Iterator[Pair]:
        """CMExam's questions with the right and a wrong option, beside the explanation and beside another's."""
        texts = {one["id"]: _MARKS.sub("", one["text"]) for one in lines(self._data / "cmexam_zh/corpus.jsonl.gz")}
        asked = [
            one
            for one in lines(self._data / "cmexam_zh/qa.jsonl.gz")
            if not is_held_out(one["id"])
            and one["answer"] in one["options"]
            and one["evidence_ids"]
            and one["evidence_ids"][0] in texts
            and not _EXCEPT.search(one["question"])
            and len(one["question"]) < 120
            and len(texts[one["evidence_ids"][0]]) > 25
        ]
        neighbours = Neighbours([texts[one["evidence_ids"][0]] for one in asked])
        for at in self._chance.sample(range(len(asked)), min(count, len(asked))):
            one, text = asked[at], texts[asked[at]["evidence_ids"][0]]
            stem = re.sub(r"[（(]\s*[)）]|[：:？?。]\s*$", "", one["question"]).strip()
            right = f"{stem}{one['options'][one['answer']]}。"
            yield Pair("entailment", "cmexam", _read(right, Evidence(text)), right, SUPPORT)
            wrong = [option for letter, option in one["options"].items() if letter != one["answer"]]
            named = [option for option in wrong if option in text] or wrong
            said = f"{stem}{self._chance.choice(named)}。"
            yield Pair("entailment", "cmexam", _read(said, Evidence(text)), said, CONTRADICT)
            if self._chance.random() < 0.5:
                close = [other for other in neighbours.of(right, 3) if other != at]
                near = Evidence(texts[asked[close[0]]["evidence_ids"][0]])
                yield Pair("entailment", "cmexam", _read(right, near), right, NEITHER)

    def _medical_exams(self) -> Iterator[Pair]:
        """MedMCQA's questions with the right and a wrong option, beside the explanation."""
        for one in lines(self._data / "medmcqa/qa.jsonl"):
            explained = one.get("explanation") or ""
            if is_held_out(one["id"]) or len(explained) < 80 or _EXCEPT.search(one["question"]):
                continue
            for letter, option in one["options"].items():
                if letter == one["answer"] or (option.lower() in explained.lower()):
                    said = f"{one['question'].rstrip(' ?:.')}: {option}."
                    label = SUPPORT if letter == one["answer"] else CONTRADICT
                    yield Pair("entailment", "medmcqa", _read(said, Evidence(explained)), said, label)

    def _sentences(self, name: str, count: int) -> Iterator[Pair]:
        """Sentences of passages: as they stand, changed, and with the passage that lacks them."""
        passages = [one for one in lines(self._data / name / "corpus.jsonl.gz") if len(one["text"]) > 150]
        for one in self._chance.sample(passages, min(count, len(passages))):
            text = _MARKS.sub("", one["text"])[:2500]
            spans = [
                (start, end)
                for start, end in sentence_spans(text)
                if (14 <= end - start <= 110 if language_of(text) == "zh" else 45 <= end - start <= 300)
            ]
            if not spans:
                continue
            start, end = self._chance.choice(spans)
            said, evidence = text[start:end], Evidence(text, one["title"])
            other = self._flipped(said)
            if other is not None and other not in text:
                yield Pair("entailment", name, _read(other, evidence), other, CONTRADICT)
            if self._chance.random() < 0.7:
                yield Pair("entailment", name, _read(said, evidence), said, SUPPORT)
            if self._chance.random() < 0.5 and len(text) - len(said) > 100:
                rest = Evidence(text[:start] + text[end:], one["title"])
                yield Pair("entailment", name, _read(said, rest), said, NEITHER)

    def _answers(self) -> Iterator[Pair]:
        yield from self._bioasq_answers()
        yield from self._judged_answers("covidqa", "qa.jsonl", 500)
        yield from self._judged_answers("cmexam_zh", "qa.jsonl.gz", 700)
        yield from self._judged_answers("xlingeval", "queries_en.jsonl", 200)
        yield from self._judged_answers("xlingeval", "queries_zh.jsonl", 200)
        yield from self._judged_answers("pubmedqa", "qa.jsonl", 150)
        yield from self._medquad_answers(700)

    def _asked(self, source: str, question: str, text: str, title: str, label: int) -> Pair:
        return Pair("answers", source, _read(question, Evidence(text, title)), question, label)

    def _bioasq_answers(self) -> Iterator[Pair]:
        """Questions with a gold snippet and with close snippets of articles that are not gold."""
        snippets = lines(self._data / "bioasq/corpus.jsonl.gz")
        by_id = {one["id"]: one for one in snippets}
        neighbours = Neighbours([one["text"] for one in snippets])
        for question in lines(self._data / "bioasq/queries.jsonl.gz"):
            gold = [by_id[one]["text"] for one in question["gold_snippets"] if one in by_id]
            if is_held_out(question["id"]) or not gold:
                continue
            for text in self._chance.sample(gold, min(2, len(gold))):
                yield self._asked("bioasq", question["text"], text, "", YES)
            others = [
                snippets[at]["text"]
                for at in neighbours.of(question["text"], 25)
                if snippets[at]["pmid"] not in question["gold_pmids"]
            ]
            for text in others[:2] + self._chance.sample(others[2:], min(1, len(others[2:]))):
                yield self._asked("bioasq", question["text"], text, "", NO)

    def _judged_answers(self, name: str, questions: str, count: int) -> Iterator[Pair]:
        """Questions with a passage judged relevant and with a close one that is not."""
        corpus = lines(next((self._data / name).glob("corpus.jsonl*")))
        at_id = {one["id"]: at for at, one in enumerate(corpus)}
        texts = [_MARKS.sub("", one["text"]) for one in corpus]
        neighbours = Neighbours(texts)
        gold: dict[str, list[int]] = defaultdict(list)
        for line in (self._data / name / "qrels.tsv").read_text(encoding="utf-8").splitlines():
            question, document, grade = line.split("\t")
            if float(grade) > 0 and document in at_id:
                gold[question].append(at_id[document])
        asked = [
            one for one in lines(self._data / name / questions) if gold.get(one["id"]) and not is_held_out(one["id"])
        ]
        for one in self._chance.sample(asked, min(count, len(asked))):
            question, right = one.get("text") or one["question"], gold[one["id"]]
            at = self._chance.choice(right)
            yield self._asked(name, question, texts[at], _title(corpus[at]), YES)
            close = [other for other in neighbours.of(question, 8) if other not in right]
            other = self._chance.choice(close)
            yield self._asked(name, question, texts[other], _title(corpus[other]), NO)

    def _medquad_answers(self, count: int) -> Iterator[Pair]:
        """Questions of patients with their answer and with the answer to another question about the same disease."""
        by_subject: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for one in lines(self._data / "medquad/corpus.jsonl.gz"):
            by_subject[one["id"].rsplit("-", 1)[0]].append(one)
        several = sorted(subject for subject, answers in by_subject.items() if len(answers) > 1)
        for subject in self._chance.sample(several, min(count, len(several))):
            one, other = self._chance.sample(by_subject[subject], 2)
            if is_held_out(one["title"]) or one["title"] == other["title"]:
                continue
            yield self._asked("medquad", one["title"], one["text"][:1500], "", YES)
            yield self._asked("medquad", one["title"], other["text"][:1500], "", NO)


def _title(passage: dict[str, Any]) -> str:
    """The title, unless it is but the number of the article."""
    title: str = passage.get("title") or ""
    return "" if title.startswith("PMID") else title


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    chance = random.Random(SEED)
    made = [pair for pair in Maker(arguments.data, chance).all() if pair.text and pair.said]
    chance.shuffle(made)
    with arguments.out.open("w", encoding="utf-8") as file:
        for pair in made:
            file.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
    for (task, source, label), count in sorted(Counter((one.task, one.source, one.label) for one in made).items()):
        print(f"{task:<11} {source:<12} {label}  {count}")
    print(len(made), "pairs")


if __name__ == "__main__":
    main()
