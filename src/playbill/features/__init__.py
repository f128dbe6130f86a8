"""One definition per feature, folded from the log, read at an instant, replayed bit for bit."""

from playbill.features.assembler import Assembler, ItemTables, hours_of_day
from playbill.features.batched_users import BatchedUsers
from playbill.features.checkpoint import (
    NoCheckpoint,
    load_checkpoint,
    save_checkpoint,
    state_digest,
)
from playbill.features.definitions import (
    FEATURE_NAMES,
    FEATURES,
    VIEWER_FEATURES,
    features_digest,
)
from playbill.features.expand import is_long_view
from playbill.features.fold import Fold, Folded
from playbill.features.layout import (
    GROUP_RECORD,
    ITEM_RECORD,
    NO_ROW,
    NO_TOPIC,
    USER_RECORD,
    VIDEO_NAME,
    VISIBLE,
    empty_user,
)
from playbill.features.memory_users import MemoryUserState
from playbill.features.pages import Rest, fetch_one_by_one, touch
from playbill.features.parity import Mismatch, ParityReport, ServedTrace, check_parity
from playbill.features.point_in_time import (
    Block,
    ExposureFeatures,
    ServedFeatures,
    tables_of,
)
from playbill.features.replay import Replay
from playbill.features.state import FeatureState
from playbill.features.texts import (
    Caption,
    CaptionEntry,
    CatalogueEntry,
    author_text_key,
    decode_caption,
    decode_entry,
    topic_text_key,
    video_text_key,
)
from playbill.features.trending import TRENDING_LIST
from playbill.features.updater import Publisher, Updater
from playbill.features.user_kernel import seen_before
from playbill.features.words import NO_WORD, WORD_CODES, WORDS_PER_ITEM, title_words

__all__ = [
    "FEATURES",
    "FEATURE_NAMES",
    "GROUP_RECORD",
    "ITEM_RECORD",
    "NO_ROW",
    "NO_TOPIC",
    "NO_WORD",
    "TRENDING_LIST",
    "USER_RECORD",
    "VIDEO_NAME",
    "VIEWER_FEATURES",
    "VISIBLE",
    "WORDS_PER_ITEM",
    "WORD_CODES",
    "Assembler",
    "BatchedUsers",
    "Block",
    "Caption",
    "CaptionEntry",
    "CatalogueEntry",
    "ExposureFeatures",
    "FeatureState",
    "Fold",
    "Folded",
    "ItemTables",
    "MemoryUserState",
    "Mismatch",
    "NoCheckpoint",
    "ParityReport",
    "Publisher",
    "Replay",
    "Rest",
    "ServedFeatures",
    "ServedTrace",
    "Updater",
    "author_text_key",
    "check_parity",
    "decode_caption",
    "decode_entry",
    "empty_user",
    "features_digest",
    "fetch_one_by_one",
    "hours_of_day",
    "is_long_view",
    "load_checkpoint",
    "save_checkpoint",
    "seen_before",
    "state_digest",
    "tables_of",
    "title_words",
    "topic_text_key",
    "touch",
    "video_text_key",
]
