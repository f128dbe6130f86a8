"""Where candidates come from: the vector index, the newest, the trending, the followed, chance."""

from playbill.retrieval.vector_index import VectorIndex, quantise

__all__ = ["VectorIndex", "quantise"]
