"""Vectors of passages, in immutable segments: files that FAISS searches, or collections of a Milvus server."""

from rag.vectors.opening import open_vectors
from rag.vectors.types import SegmentGoneError, SegmentShape, VectorSegments

__all__ = ["SegmentGoneError", "SegmentShape", "VectorSegments", "open_vectors"]
