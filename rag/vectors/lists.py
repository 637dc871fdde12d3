"""Lists around the centres of clusters, of which a search looks into those closest to the query: what Milvus is asked
to make of a large segment, and how an earlier version kept one in a FAISS file (``IndexIVFFlat``), which is still read.
"""

import math

LISTED_FROM = 10_000
MEASURED_DEPTH = 100
_TRAINED_PER_LIST = 40


def list_count(vectors: int) -> int:
    """The lists of a segment of so many vectors; 0 where it is scanned."""
    return 0 if vectors < LISTED_FROM else min(int(3 * math.sqrt(vectors)), vectors // _TRAINED_PER_LIST)


def lists_for(measured: int, lists: int, depth: int, part: float) -> int:
    """How many of ``lists`` to look into for the best ``depth`` where ``part`` of the segment is permitted: as many
    permitted vectors are then compared as when ``measured`` of them sufficed."""
    return min(lists, math.ceil(measured * max(1.0, depth / MEASURED_DEPTH) / part))
