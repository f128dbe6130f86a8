"""Every setting, with its meaning and range. Only ``app`` reads the file and the environment."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from playbill.contracts.budgets import check_budgets
from playbill.contracts.events import MAX_REGIONS, MAX_SURFACES, Name
from playbill.contracts.http_settings import HttpSettings, RateSettings
from playbill.contracts.policies import (
    Gap,
    Hours,
    Showings,
    SurfacePolicy,
    check_policies,
    check_slate,
)
from playbill.core import InvalidInput, canonical_json, content_digest

Seconds = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1 << 31)]
Width = Annotated[int, msgspec.Meta(ge=1, le=4_096)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Milliseconds = Annotated[float, msgspec.Meta(gt=0.0, le=60_000.0)]


class AdmissionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an event must satisfy."""

    max_ahead_s: Seconds = 300
    """Events whose ``at`` is further ahead of the server are refused; nearer ones count as now."""
    max_age_s: Seconds = 3 * 86_400
    """Events whose ``at`` is further back are refused."""
    idempotence_s: Annotated[int, msgspec.Meta(ge=86_400, le=30 * 86_400)] = 86_400
    """An event_id that returns within this time counts once. Fixed once the log has begun."""
    max_event_bytes: Count = 16_384
    """Largest JSON text of a refused event that is kept for repair."""
    queue_events: Count = 100_000
    """Events waiting for the disk in one process; beyond it clients get 429."""


class EpochSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often state moves."""

    interval_ms: Annotated[int, msgspec.Meta(ge=10, le=60_000)] = 100
    """An epoch closes at the latest this long after its first event arrived."""
    max_records: Count = 200_000
    """Records in one epoch at most; more wait for the next. Where many wait, an epoch holds what is
    folded in a quarter of a second, but for new videos and take-downs, which go first."""
    checkpoint_s: Seconds = 30
    """Item state is written to disk this often, and when the updater stops."""


class StateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How large the shared state may grow."""

    item_capacity: Count = 1 << 20
    """Videos, taken-down ones included: 168 bytes of shared memory each. Never lowered."""
    group_capacity: Count = 1 << 18
    """Authors, and as many topics up to 65,535: 64 bytes each. Authors that are followed before
    they post a video take up half of it at most. Never lowered."""
    user_store_gib: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    """Largest size of the user store's file, which grows as needed."""
    resident_gib: Annotated[int, msgspec.Meta(ge=0, le=4096)] | None = None
    """Most of the bundle that serves and of the user store's file that is kept in memory, so that
    no request waits for a disk; without it half of the machine's memory, 0 for none."""


class LabelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an impression is taught to predict."""

    attribution_window_s: Seconds = 1_800
    """An outcome this long after its impression still belongs to it; later ones are counted. Until
    it has passed, or a twentieth of what the log covers, an impression does not teach that task."""
    click_window_s: Seconds | None = None
    """The same for clicks alone."""
    watch_window_s: Seconds | None = None
    """The same for watches, and so for long views."""
    like_window_s: Seconds | None = None
    """The same for likes."""
    negative_window_s: Seconds | None = None
    """The same for hides and reports."""
    long_view_ms: Count = 18_000
    """A watch this long, or of the whole video if that is shorter, is a long view. Fixed once the
    log has begun."""
    long_view_longest: Annotated[float, msgspec.Meta(ge=0.01, le=0.99)] | None = None
    """With it, rankers are taught another long view: a watch that is among so large a share of the
    longest, of videos about as long, whatever its event said. Then no video is better for being
    long. Features and what viewers are said to have taken to go on by ``long_view_ms``."""

    def windows_s(self) -> dict[str, int]:
        """Return how long after an impression each label may still come."""
        own = {
            "click": self.click_window_s,
            "long_view": self.watch_window_s,
            "like": self.like_window_s,
            "negative": self.negative_window_s,
        }
        return {label: window or self.attribution_window_s for label, window in own.items()}


class ServingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request."""

    promise_ms: Milliseconds = 180.0
    """Time from a client's request to its reply, for 95 of 100 feeds. Nothing waits for it: it is
    what ``way_ms``, ``pressure_ms`` and ``budget_ms`` must fit into, or nothing starts."""
    way_ms: Milliseconds = 20.0
    """Time for the way there and back, proxies and TLS included; not measured here."""
    budget_ms: Milliseconds = 120.0
    """Time for one feed inside the worker, once it has its turn. What ``user_store_ms``,
    ``source_budget_ms`` and ``scorer_budget_ms`` must fit into, with 5 for the rest."""
    source_budget_ms: Milliseconds = 30.0
    """Time for all candidate sources; those not reached are left out and named."""
    user_store_ms: Milliseconds = 30.0
    """Time for reading a viewer's row; a store that takes longer three times in a row, or ten of
    the last 20 times, is left alone for a second."""
    scorer_budget_ms: Milliseconds = 50.0
    """Time for the heavy scorer; it ranks as many candidates as fit."""
    ann_quota: Count = 300
    """Candidates from the vector index."""
    fresh_quota: Count = 60
    """Candidates from the newest videos."""
    trending_quota: Count = 60
    """Candidates from the region's list."""
    similar_quota: Count = 60
    """Candidates near the videos last watched."""
    followed_quota: Count = 40
    """Candidates from authors the viewer follows."""
    explore_quota: Count = 30
    """Candidates drawn at random among little-shown videos."""
    next_quota: Count = 60
    """Candidates that others took after the videos last watched."""
    heavy_rows: Count = 200
    """Candidates that the light scorer passes on to the heavy one."""
    author_cap: Count = 2
    """Videos of one author in one feed."""
    topic_cap: Count = 8
    """Videos of one first topic in one feed."""
    author_gap: Gap = 1
    """Places of others between two videos of one author, while the caps leave any; 0 for none."""
    diversity: Share = 0.1
    """How much unlike the places before it counts beside utility; 0 is by utility alone."""
    explore_share: Share = 0.05
    """Share of a feed's places given to exploration, by chance, with the propensity recorded."""
    creator_floor: Share = 0.0
    """Share of places kept for authors who were shown little, as far as caps and candidates go."""
    creator_impressions: Count = 1_000
    """Impressions, decayed with a half-life of 14 days, below which an author was shown little."""
    repeat_showings: Showings = 1
    """A video shown this often, of the last 100 to 200, is held back: once, or on two visits apart.
    One that was also acted upon is held back at once."""
    repeat_rest_h: Hours = 72
    """After as long without an event a viewer may be shown again what was not acted upon."""
    repeat_penalty: Share = 0.3
    """What a video that was shown lately loses where it is not held back, in the unit that the
    best and the last of two pages are apart in utility."""
    cursor_age_s: Seconds = 6 * 3_600
    """A cursor is good for this long after its first page; then the first page is due again."""
    trace_share: Share = 0.02
    """Share of requests whose feature vectors are kept for ``playbill parity``."""
    fresh_s: Seconds = 2 * 86_400
    """A video younger than this is fresh."""
    pressure_ms: Milliseconds = 40.0
    """A request may wait this long for its turn; beyond it feeds are made with less work."""
    cool_down_s: Seconds = 2
    """After a step to less or more work there is none to more for this long; after one to more that
    did not hold, up to eight times as long."""
    stale_state_s: Seconds = 5
    """An updater silent for longer than this is named in the reply's reasons."""
    policies: dict[Name, SurfacePolicy] = {}
    """What is otherwise on one surface; a table for each of the ``surfaces`` that differs."""
    bulk_budget_s: Annotated[int, msgspec.Meta(ge=1, le=600)] = 15
    """Time for one ``POST /v1/feeds``, the waiting under pressure included; entries that were not
    begun by then are named in its reply."""


class PrecomputeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Lists made ahead for the lower tiers."""

    every_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] = 0
    """Under ``playbill up`` the lists are made anew this often, on otherwise idle cores; 0 leaves
    that to ``playbill precompute``."""
    viewers: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 100_000
    """The most active viewers get a list, as many as this."""
    size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30
    """Videos of a viewer's list."""
    region_size: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    """Videos of a region's list on one surface."""
    budget_s: Seconds = 1_800
    """Time for one run; viewers not reached by then have no list."""
    stale_s: Seconds = 6 * 3_600
    """Lists older than this are served on, and named in the reply's reasons."""


class RetrainingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Training again while serving."""

    every_s: Annotated[int, msgspec.Meta(ge=0, le=30 * 86_400)] = 0
    """Under ``playbill up`` a model is trained this often, on otherwise idle cores, and serves
    unless it is worse than the champion on rows that neither has learned from; 0 leaves that to
    ``playbill train``."""
    fewest_new: Annotated[int, msgspec.Meta(ge=0)] = 1_000
    """Fewer impressions than this since the champion's data set are not worth a training."""
    warm_in_a_row: Annotated[int, msgspec.Meta(ge=0, le=1_000)] = 0
    """So many trainings in a row begin with the champion's networks and learn what came since; then
    one learns from everything. 0 lets all learn from everything."""


class ValueSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Utility of one action, a click being 1; negative for harm."""

    click: float = 1.0
    """Utility of a click."""
    long_view: float = 2.0
    """Utility of a long view."""
    like: float = 4.0
    """Utility of a like."""
    negative: float = -12.0
    """Utility of a hide or a report."""


class TrainingSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How models are made."""

    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 7
    """Every random choice of a run follows from it."""
    epochs: Annotated[int, msgspec.Meta(ge=1, le=100)] = 4
    """Passes over the rows, up to 30 where there are few; the one that validates best is kept."""
    batch_rows: Count = 256
    """Rows of one step of the ranker; a step of the towers has sixteen videos for each."""
    hidden: Annotated[tuple[Width, ...], msgspec.Meta(min_length=1, max_length=6)] = (256, 256, 128)
    """Units of the ranker's hidden layers, the first one first. Wider ones cost every request."""
    learning_rate: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 1e-3
    """Of the ranker's AdamW."""
    tower_epochs: Annotated[int, msgspec.Meta(ge=1, le=100)] = 6
    """Passes of the retrieval towers."""
    holdout: Annotated[float, msgspec.Meta(gt=0.0, lt=0.5)] = 0.1
    """Share of the rows held out at the end for the report, and as many before them to validate,
    where they are of fewer than four days. From four days on it has no effect: the last day
    reports and the one before validates. A last day that has hardly begun is not counted."""
    day_offset_h: Annotated[int, msgspec.Meta(ge=-12, le=14)] = 0
    """When days begin, in hours before midnight UTC."""
    rows_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    """Impressions before it fill histories and teach nothing; for a past with made-up times."""
    threads: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    """Threads of the numeric libraries; part of what makes weights repeatable."""
    explored_weight: Annotated[float, msgspec.Meta(ge=0.01, le=100.0)] | None = None
    """How much an impression that chance placed counts beside one that merit did, on average; the
    less likely chance was to place it, the more. None: all count alike."""
    rows_in_memory_gib: Annotated[float, msgspec.Meta(ge=0.0, le=65_536.0)] = 8.0
    """Features of the rows are held in memory up to so much; more lie in a file beside the tables,
    and are read from there. Changes no weight."""
    workers: Annotated[int, msgspec.Meta(ge=1, le=256)] = 1
    """Processes that train the retrieval towers together; 1 trains them in this one."""
    plan: Literal["data", "rows", "tables", "hybrid"] = "hybrid"
    """How workers share tables: all copied, all cut into rows, each whole on one, or large ones cut
    and small ones copied. ``playbill train --advise`` compares them."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings. ``playbill.toml`` in the home folder; every key has a default."""

    regions: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=MAX_REGIONS)] = (
        "world",
    )
    """Declared regions; the first stands in where none is given. Once the log has begun, add at
    the end only."""
    surfaces: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=MAX_SURFACES)] = (
        "home",
    )
    """Declared surfaces; the first stands in where none is given. Once the log has begun, add at
    the end only."""
    api_keys: dict[str, tuple[str, ...]] = {}
    """SHA-256 of a key, in hex, to its scopes: feed, events, catalogue, control, metrics."""
    drills: bool = False
    """Lets ``playbill drill`` break parts of this server on purpose."""
    example_users: tuple[str, ...] = ()
    """Ids that the console offers to pick from; leave empty where ids are personal."""
    admission: AdmissionSettings = AdmissionSettings()
    """What an event must satisfy."""
    epochs: EpochSettings = EpochSettings()
    """How often state moves."""
    state: StateSettings = StateSettings()
    """How large the shared state may grow."""
    labels: LabelSettings = LabelSettings()
    """What an impression is taught to predict."""
    serving: ServingSettings = ServingSettings()
    """One request."""
    precompute: PrecomputeSettings = PrecomputeSettings()
    """Lists made ahead for the lower tiers."""
    retraining: RetrainingSettings = RetrainingSettings()
    """Training again while serving."""
    http: HttpSettings = HttpSettings()
    """The listening side."""
    rates: RateSettings = RateSettings()
    """How fast one API key may ask."""
    value: ValueSettings = ValueSettings()
    """Utility of one action."""
    training: TrainingSettings = TrainingSettings()
    """How models are made."""

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        A name that is declared twice: the log keeps places in these lists. Numbers of a slate.
        Budgets that do not fit into the one they are part of.
        """
        for field, names in (("regions", self.regions), ("surfaces", self.surfaces)):
            twice = next((name for n, name in enumerate(names) if name in names[:n]), None)
            if twice is not None:
                raise InvalidInput(
                    f"{field} declares {twice!r} twice", field=field, hint="name each one once"
                )
        check_budgets(self.serving, self.http.hang_s)
        check_slate(self.serving, "serving")
        check_policies(self.serving, self.serving.policies, self.surfaces)


def settings_digest(settings: Settings) -> str:
    """Return the digest that impression records and bundles carry."""
    return content_digest(canonical_json(msgspec.to_builtins(settings)))
