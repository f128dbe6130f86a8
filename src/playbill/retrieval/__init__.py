"""Where candidates come from: the vector index, the newest, the trending, the followed, chance."""

from playbill.retrieval.derived import DerivedLists
from playbill.retrieval.sources import (
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
)
from playbill.retrieval.vector_index import VectorIndex, quantise
from playbill.retrieval.view import ItemView, SharedView, view_of

__all__ = [
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
    "quantise",
    "view_of",
]
