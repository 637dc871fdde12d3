"""The text of an answer as it grows, sentence by sentence, each quote that it rests on under a marker of its own."""

from dataclasses import dataclass, replace

from rag.quoting import Span
from rag.types import Issue, Sentence, Verdict


@dataclass(frozen=True, slots=True)
class Said:
    """A judged sentence and what it rests on. ``lead`` parts it from the one before; ``mark`` is what the text says of
    it behind its markers, nothing for one that is supported."""

    text: str
    spans: tuple[Span, ...]
    verdict: Verdict
    issues: tuple[Issue, ...] = ()
    probability: float | None = None
    lead: str = " "
    mark: str = ""


class Composition:
    """``text`` with its ``sentences``, the sentences ``withheld`` from it, and the ``spans`` under their markers, which
    count from 1 in the order of the text; those of withheld sentences come behind."""

    def __init__(self) -> None:
        self.text = ""
        self.sentences: list[Sentence] = []
        self.spans: list[tuple[int, Span]] = []
        self._withheld: list[tuple[Sentence, tuple[Span, ...]]] = []

    def keep(self, said: Said) -> tuple[Sentence, str]:
        """Adds a sentence to the text. The sentence, and what was added."""
        markers = tuple(self.marker(span) for span in said.spans)
        start = len(self.text) + len(said.lead) if self.text else 0
        sentence = Sentence(
            len(self.sentences),
            said.text,
            start,
            start + len(said.text),
            markers,
            said.verdict,
            said.issues,
            said.probability,
        )
        behind = ("".join(f"[{marker}]" for marker in markers), said.mark)
        marked = " ".join(part for part in (said.text, *behind) if part)
        added = said.lead + marked if self.text else marked
        self.text += added
        self.sentences.append(sentence)
        return sentence, added

    def withhold(self, said: Said) -> Sentence:
        """A sentence that is kept out of the text."""
        number = len(self._withheld)
        sentence = Sentence(number, said.text, 0, 0, (), said.verdict, said.issues, said.probability)
        self._withheld.append((sentence, said.spans))
        return sentence

    @property
    def count_withheld(self) -> int:
        return len(self._withheld)

    def withheld(self) -> tuple[Sentence, ...]:
        """The sentences withheld, with markers: to be called when the text is complete."""
        return tuple(
            replace(sentence, citations=tuple(self.marker(span) for span in spans))
            for sentence, spans in self._withheld
        )

    def marker(self, span: Span) -> int:
        """The marker of a span, which is a new one unless it was cited before."""
        for marker, known in self.spans:
            if _place(known) == _place(span):
                return marker
        self.spans.append((len(self.spans) + 1, span))
        return len(self.spans)


def _place(span: Span) -> tuple[str, int, int]:
    """Where a span stands in its edition: one hit may show more of it than another."""
    hit, start, end = span
    return hit.passage.edition_id, hit.passage.char_start + start, hit.passage.char_start + end
