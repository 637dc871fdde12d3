"""BC5CDR, NCBI disease, CHEMDNER and CMeEE, and the relations of BC5CDR and CMeIE, as instances of Taiyi's tasks.

- CHEMDNER (Krallinger et al. 2015): ``evaluation.abstracts.txt``, PMID, title and abstract with tabs between, and
  ``evaluation.annotations.txt``, PMID, T or A, start, end, mention and type.
- CMeEE (Zhang et al. 2022, CBLUE): a JSON list of ``{"text", "entities": [{"start_idx", "end_idx", "type",
  "entity"}]}``, both ends included.
- CMeIE (Guan et al. 2020, CBLUE): JSON lines ``{"text", "spo_list": [{"subject", "predicate", "object": {"@value":
  ...}}]}``.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ingestion.annotated_texts.pubtator import Article, read_pubtator
from ingestion.json_lines import numbered_lines, objects_of_file
from ingestion.loaders.source import opened
from ingestion.question_sets.items import Item, json_document, json_objects
from rag.errors import UnreadableFile
from rag.taiyi_tasks.naming import label_of
from rag.taiyi_tasks.types import Fact, Instance, TaskSet
from rag.taiyi_tasks.wording import canonical, plain

CMEEE = '{"text": "...", "entities": [{"start_idx": 0, "end_idx": 1, "type": "dis", "entity": "..."}]}'
CMEIE = '{"text": "...", "spo_list": [{"subject": "...", "predicate": "...", "object": {"@value": "..."}}]}'
CMEEE_TYPES = {
    "dis": "疾病", "sym": "临床表现", "dru": "药物", "equ": "医疗设备", "pro": "医疗程序", "bod": "身体部位",
    "ite": "医学检验项目", "mic": "微生物类", "dep": "医院科室",
}  # fmt: skip


def chemicals(path: Path) -> list[Instance]:
    return [_with_mentions(article, ("Chemical",), "chemical") for article in read_pubtator(path)]


def diseases(path: Path) -> list[Instance]:
    """NCBI's corpus divides them further; all are diseases."""
    types = ("Disease", "SpecificDisease", "DiseaseClass", "CompositeMention", "Modifier")
    return [_with_mentions(article, types, "disease") for article in read_pubtator(path)]


def induced_diseases(path: Path) -> list[Instance]:
    """Between concepts, as BC5CDR marks them; what a mention names are all concepts that it is marked with anywhere in
    the article."""
    instances: list[Instance] = []
    for article in read_pubtator(path):
        concepts: dict[str, set[str]] = defaultdict(set)
        for mention in article.mentions:
            concepts[canonical(mention.text)] |= {f"{mention.type} {concept}" for concept in mention.concepts}
        gold = frozenset(
            (f"Chemical {chemical}", f"Disease {disease}")
            for kind, chemical, disease in article.relations
            if kind == "CID"
        )
        named = {mention: frozenset(of) for mention, of in concepts.items() if of}
        instances.append(Instance(article.id, article.text, gold, article.id, concepts=named))
    return instances


def chemdner(abstracts: Path, annotations: Path) -> list[Instance]:
    """Whatever the type of a mention, it is a chemical."""
    texts: dict[str, str] = {}
    for where, cells in _cells(abstracts, 3):
        if cells[0] in texts:
            raise UnreadableFile(f"{where}: the article {cells[0]} was there before")
        texts[cells[0]] = " ".join(part for part in cells[1:] if part)
    marked: dict[str, set[Fact]] = {identifier: set() for identifier in texts}
    for where, cells in _cells(annotations, 6):
        if cells[0] not in marked:
            raise UnreadableFile(f"{where}: {abstracts.name} has no article {cells[0]}")
        marked[cells[0]].add(("chemical", canonical(cells[4])))
    return [Instance(one, text, frozenset(marked[one]), one) for one, text in texts.items()]


def cmeee(path: Path) -> list[Instance]:
    instances: list[Instance] = []
    for number, item in enumerate(json_objects(path, json_document(path), CMEEE, "text")):
        text = item.text("text")
        gold = frozenset(_cmeee_entity(entity, text) for entity in _inner(item, "entities"))
        instances.append(Instance(str(number), text, gold, str(number)))
    return instances


def cmeie(task: TaskSet, path: Path) -> list[Instance]:
    """Relations that are no labels of the task stay as they are: no reply can state them."""
    instances: list[Instance] = []
    labels = label_of(task)
    for number, (_, where, stated) in enumerate(objects_of_file(path, CMEIE)):
        item = Item(where, stated, CMEIE)
        gold = frozenset(_cmeie_relation(relation, labels) for relation in _inner(item, "spo_list"))
        instances.append(Instance(str(number), item.text("text"), gold, str(number)))
    return instances


def _with_mentions(article: Article, types: Iterable[str], label: str) -> Instance:
    gold = frozenset((label, canonical(mention.text)) for mention in article.mentions if mention.type in types)
    return Instance(article.id, article.text, gold, article.id)


def _cmeee_entity(entity: Item, text: str) -> Fact:
    kind = entity.text("type")
    if kind not in CMEEE_TYPES:
        raise entity.wrong("type", f"is {kind!r} and not one of {', '.join(CMEEE_TYPES)}")
    mention = entity.optional_text("entity")
    if not mention:
        start, end = entity.fields.get("start_idx"), entity.fields.get("end_idx")
        if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end < len(text):
            raise entity.wrong("entity", 'is missing, and "start_idx" and "end_idx" do not tell it')
        mention = text[start : end + 1]
    return CMEEE_TYPES[kind], canonical(mention)


def _cmeie_relation(relation: Item, labels: Mapping[str, str]) -> Fact:
    stated = relation.fields.get("object")
    object_ = Item(relation.where, stated, relation.example) if isinstance(stated, dict) else None
    if object_ is None:
        raise relation.wrong("object", 'is not {"@value": "..."}')
    predicate = relation.text("predicate")
    label = labels.get(plain(predicate).casefold(), predicate)
    return canonical(relation.text("subject")), label, canonical(object_.text("@value"))


def _inner(item: Item, name: str) -> Iterator[Item]:
    stated = item.fields.get(name)
    if not isinstance(stated, list) or not all(isinstance(one, dict) for one in stated):
        raise item.wrong(name, "is missing or no list of objects")
    for one in stated:
        yield Item(item.where, one, item.example)


def _cells(path: Path, count: int) -> Iterator[tuple[str, list[str]]]:
    with opened(path) as stream:
        for _, where, line in numbered_lines(stream, path.name):
            cells = [cell.strip() for cell in line.split("\t")]
            if len(cells) != count:
                raise UnreadableFile(f"{where} has {len(cells)} cells with tabs between instead of {count}")
            yield where, cells
