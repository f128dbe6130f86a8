"""Where candidates come from: the vector index, the newest, the trending, the followed, chance."""

from playbill.retrieval.derived import DerivedLists
from playbill.retrieval.sources import (
    EVERY_ROW,
    SOURCE_CODES,
    SOURCES,
    ExploreSource,
    FollowedSource,
    FreshSource,
    Query,
    SimilarSource,
    Source,
    TrendingSource,
    VectorSource,
    VectorTable,
    first_of_each,
)
from playbill.retrieval.vector_index import VectorIndex, gate_of, quantise
from playbill.retrieval.view import ItemView, SharedView, region_bit, view_of

__all__ = [
    "EVERY_ROW",
    "SOURCES",
    "SOURCE_CODES",
    "DerivedLists",
    "ExploreSource",
    "FollowedSource",
    "FreshSource",
    "ItemView",
    "Query",
    "SharedView",
    "SimilarSource",
    "Source",
    "TrendingSource",
    "VectorIndex",
    "VectorSource",
    "VectorTable",
    "first_of_each",
    "gate_of",
    "quantise",
    "region_bit",
    "view_of",
]
