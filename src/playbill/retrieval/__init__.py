"""Where candidates come from: the vector index, the newest, the trending, the followed, chance."""

from playbill.retrieval.catalogue_vectors import (
    NEAR_AMONG,
    CatalogueVectors,
    inverted,
    rows_of_keys,
)
from playbill.retrieval.derived import DerivedLists
from playbill.retrieval.sources import (
    EVERY_ROW,
    SIMILAR_SEEDS,
    SOURCE_CODES,
    SOURCES,
    ExploreSource,
    FollowedSource,
    FreshSource,
    NextSource,
    Query,
    SimilarSource,
    Source,
    TrendingSource,
    VectorSource,
    VectorTable,
    first_of_each,
    merged,
)
from playbill.retrieval.transitions import Transitions
from playbill.retrieval.vector_index import VectorIndex, best_rows, gate_of, quantise
from playbill.retrieval.view import EVERY_REGION, ItemView, SharedView, region_bit, view_of

__all__ = [
    "EVERY_REGION",
    "EVERY_ROW",
    "NEAR_AMONG",
    "SIMILAR_SEEDS",
    "SOURCES",
    "SOURCE_CODES",
    "CatalogueVectors",
    "DerivedLists",
    "ExploreSource",
    "FollowedSource",
    "FreshSource",
    "ItemView",
    "NextSource",
    "Query",
    "SharedView",
    "SimilarSource",
    "Source",
    "Transitions",
    "TrendingSource",
    "VectorIndex",
    "VectorSource",
    "VectorTable",
    "best_rows",
    "first_of_each",
    "gate_of",
    "inverted",
    "merged",
    "quantise",
    "region_bit",
    "rows_of_keys",
    "view_of",
]
