"""What a build of the data set found: written beside the tables, and into every bundle's card."""

import msgspec


class LabelCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that carry a label, by kind."""

    click: int
    long_view: int
    like: int
    negative: int
    """Hidden or reported."""
    watched: int
    """Any watch joined, long or not."""


class LongViews(msgspec.Struct, frozen=True, kw_only=True):
    """Which watches are long views, where that goes by the length of the video."""

    longest: float
    """Share of the watches of videos about as long."""
    up_to_ms: list[int]
    """Ends of the groups of lengths, the end itself included; the last group has none."""
    needed_ms: list[int]
    """How long a view must be, by group."""


class DatasetReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One build. Every outcome of the log is in exactly one of joined, late and unmatched."""

    rows: int
    """Impressions with features."""
    requests: int
    """Distinct request ids among them."""
    served_rows: int
    """Rows that our own feeds showed."""
    exposure_rows: int
    """Rows that clients or an import reported."""
    labels: LabelCounts
    outcomes: int
    """Clicks, watches, likes, hides and reports in the log, repeated event ids left out."""
    joined: int
    """Of these, within their attribution window after their impression."""
    late: int
    """Of these, after the window: counted, never joined."""
    unmatched: int
    """Of these, without an impression to belong to."""
    immature_rows: int
    """Rows of which some attribution window was still open when the log ended."""
    unsettled_rows: int
    """Served rows whose item state was read amid an epoch: features within one epoch of exact."""
    unread_requests: int
    """Served requests without a row: from a fallback list, or of an epoch not in this replay."""
    first_at_ms: int
    last_at_ms: int
    epoch: int
    """The last epoch replayed."""
    table_version: int
    """Delta version of ``training_rows``."""
    histories_version: int
    items_version: int
    features: str
    """Digest of the feature definitions the columns were read with."""
    windows_s: dict[str, int]
    """How long after its impression an outcome still belongs to it, by label."""
    ended_at_ms: int
    """When the log ended."""
    long_view_ms: int
    long_views: LongViews | None
    """How long a view must be by the length of the video; None where ``long_view_ms`` says."""
    regions: list[str]
    """Declared regions; region code r is the r-th."""
