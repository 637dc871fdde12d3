"""Short exact answers of a factoid or a list question: read from a reply, and measured as BioASQ measures them.

The measures are those of BioASQ task B, phase B (Balikas et al., "Evaluation framework specifications", BioASQ D4.1,
2013; github.com/BioASQ/Evaluation-Measures, ``QuestionAnswerEvaluator``), of one question each, 0 to 1, to be averaged
over questions:

- factoid, with up to five answers, best first: *strict accuracy* is 1 where the first is right, *lenient accuracy*
  where any is, the *reciprocal rank* is one over the place of the first that is right, 0 where none is (their mean is
  MRR).
- list: *precision*, the part of the answers that are right; *recall*, the part of the entries wanted that were given;
  *F1*, their harmonic mean. An entry that is named again, by whichever synonym, is wrong the second time.

An answer is right where it is a wording that people gave. They are compared without case, with ordinary width and
single spaces, and without quotes, full stops and commas at the ends.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Literal

ExactKind = Literal["factoid", "list"]
MOST_ANSWERS: Mapping[ExactKind, int] = {"factoid": 5, "list": 50}
"""BioASQ takes up to five answers to a factoid, up to a hundred in a list; more than fifty fit into no reply here."""
LONGEST_ANSWER = 100
"""Characters, as BioASQ allows."""
EXACT_MEASURES = ("strict_accuracy", "lenient_accuracy", "reciprocal_rank", "list_precision", "list_recall", "list_f1")

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_ENDS = " \t\"'“”‘’.,;:。，；："


def answers_schema(most: int) -> dict[str, Any]:
    """The JSON schema of a reply with at most ``most`` answers."""
    answer = {"type": "string", "minLength": 1, "maxLength": LONGEST_ANSWER}
    answers = {"type": "array", "items": answer, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "properties": {"answers": answers},
        "required": ["answers"],
        "additionalProperties": False,
    }


def answers_of(reply: str, most: int) -> tuple[str, ...]:
    """The first ``most`` answers of a reply in that form, without repetitions; of one that was cut, those that are
    whole. Empty where it is of another form."""
    stated = _json(reply)
    listed = stated.get("answers") if isinstance(stated, dict) else None
    if stated is None:
        listed = [_json(one) for one in _TEXT.findall(reply.partition('"answers"')[2])]
    if not isinstance(listed, list):
        return ()
    first = {normal(one): one.strip() for one in reversed(listed) if isinstance(one, str) and normal(one)}
    in_order = dict.fromkeys(normal(one) for one in listed if isinstance(one, str) and normal(one))
    return tuple(first[one] for one in in_order)[:most]


def _json(text: str) -> Any:
    """None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def normal(answer: str) -> str:
    """A wording as it compares."""
    return " ".join(unicodedata.normalize("NFKC", answer).casefold().split()).strip(_ENDS)


def exact_measures(kind: ExactKind, answers: Sequence[str], wanted: Sequence[Sequence[str]]) -> dict[str, float]:
    """``wanted`` are the entries, each in every wording that is right: of a factoid its one. There must be one."""
    said = [normal(one) for one in answers]
    entries = [{normal(wording) for wording in entry} for entry in wanted]
    if kind == "factoid":
        right = set[str]().union(*entries)
        place = next((place for place, one in enumerate(said, start=1) if one in right), None)
        return {
            "strict_accuracy": float(place == 1),
            "lenient_accuracy": float(place is not None),
            "reciprocal_rank": 1 / place if place else 0.0,
        }
    left = list(entries)
    for one in said:
        if (named := next((entry for entry in left if one in entry), None)) is not None:
            left.remove(named)
    found = len(entries) - len(left)
    precision = found / len(said) if said else 0.0
    recall = found / len(entries)
    f1 = 2 * precision * recall / (precision + recall) if found else 0.0
    return {"list_precision": precision, "list_recall": recall, "list_f1": f1}
