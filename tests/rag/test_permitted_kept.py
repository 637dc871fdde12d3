import numpy as np

from rag.permitted import KEPT, Permitted, PermittedKept


def permitted(*ids: int) -> dict:
    return {"en": Permitted(np.array(ids, np.int64))}


def test_what_is_permitted_is_read_once_a_generation() -> None:
    kept, read = PermittedKept(), []

    def get(generation: int) -> list[int]:
        found = kept.get("filters", generation, lambda: read.append(generation) or permitted(generation))
        return found["en"].ids.tolist()

    assert [get(1), get(1), get(2), get(2)] == [[1], [1], [2], [2]]
    assert read == [1, 2]


def test_the_filters_longest_not_used_are_forgotten() -> None:
    kept, read = PermittedKept(), []
    for key in [*range(KEPT), 0, KEPT, 0, 1]:
        kept.get(key, 1, lambda key=key: read.append(key) or permitted(key))
    assert read == [*range(KEPT), KEPT, 1]
