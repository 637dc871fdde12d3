"""The text of an answer as it grows, sentence by sentence, each quote that it rests on under a marker of its own."""

from collections.abc import Sequence
from dataclasses import replace

from rag.quoting import Span
from rag.types import Issue, Sentence, Verdict


class Composition:
    """``text`` with its ``sentences``, the sentences ``withheld`` from it, and the ``spans`` under their markers, which
    count from 1 in the order of the text; those of withheld sentences come behind."""

    def __init__(self) -> None:
        self.text = ""
        self.sentences: list[Sentence] = []
        self.spans: list[tuple[int, Span]] = []
        self._withheld: list[tuple[Sentence, tuple[Span, ...]]] = []

    def keep(
        self, said: str, spans: Sequence[Span], verdict: Verdict, issues: tuple[Issue, ...] = (), lead: str = " "
    ) -> tuple[Sentence, str]:
        """Adds a sentence to the text; ``lead`` parts it from the one before. The sentence, and what was added."""
        markers = tuple(self._marker(span) for span in spans)
        start = len(self.text) + len(lead) if self.text else 0
        sentence = Sentence(len(self.sentences), said, start, start + len(said), markers, verdict, issues)
        marked = f"{said} {''.join(f'[{marker}]' for marker in markers)}" if markers else said
        added = lead + marked if self.text else marked
        self.text += added
        self.sentences.append(sentence)
        return sentence, added

    def withhold(self, said: str, spans: Sequence[Span], verdict: Verdict, issues: tuple[Issue, ...]) -> Sentence:
        """A sentence that is kept out of the text."""
        sentence = Sentence(len(self._withheld), said, 0, 0, (), verdict, issues)
        self._withheld.append((sentence, tuple(spans)))
        return sentence

    def withheld(self) -> tuple[Sentence, ...]:
        """The sentences withheld, with markers: to be called when the text is complete."""
        return tuple(
            replace(sentence, citations=tuple(self._marker(span) for span in spans))
            for sentence, spans in self._withheld
        )

    def _marker(self, span: Span) -> int:
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
