"""How good sets of statements are that were read out of texts: entities, relations, several labels a text.

What was given for a text is held against what people marked in it, as sets: a statement counts once, however often it
was said, and is right or wrong as a whole. Over all texts together (micro):

- precision: of the statements that were given, the part that is right; 0 where none was given.
- recall: of the statements that were marked, the part that was given; 0 where none was marked.
- F1: the harmonic mean of both, ``2 tp / (2 tp + fp + fn)``.

Each is 0 to 1, higher is better. Texts are drawn anew for the intervals, since the statements of one text hang
together. With one label a text, given for every text, micro F1 is the accuracy.
"""

from collections.abc import Hashable, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.classification_measures import Estimate, draws, estimate


@dataclass(frozen=True, slots=True)
class MicroFigures:
    """``right`` were given and marked, ``wrong`` only given, ``missed`` only marked."""

    precision: Estimate
    recall: Estimate
    f1: Estimate
    right: int
    wrong: int
    missed: int


def micro_figures(gold: Sequence[Set[Hashable]], given: Sequence[Set[Hashable]]) -> MicroFigures:
    """Measures what was ``given`` against ``gold``, text by text. There must be a text."""
    counted = np.array(
        [
            (len(marked & said), len(said - marked), len(marked - said))
            for marked, said in zip(gold, given, strict=True)
        ],
        dtype=np.int64,
    )
    total, drawn = counted.sum(axis=0), draws(counted)
    return MicroFigures(
        estimate(_share(total, (0,), (0, 1)), _share(drawn, (0,), (0, 1))),
        estimate(_share(total, (0,), (0, 2)), _share(drawn, (0,), (0, 2))),
        estimate(_share(total, (0, 0), (0, 0, 1, 2)), _share(drawn, (0, 0), (0, 0, 1, 2))),
        *(int(count) for count in total),
    )


def _share(counts: NDArray[np.int64], part: tuple[int, ...], whole: tuple[int, ...]) -> NDArray[np.float64]:
    """The sum of the columns ``part`` over that of ``whole``, 0 where there is nothing."""
    sums = counts[..., list(whole)].sum(axis=-1)
    return np.asarray(counts[..., list(part)].sum(axis=-1) / np.maximum(sums, 1))
