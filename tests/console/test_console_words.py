import pytest

from playbill.console.art import HUES, poster_of
from playbill.console.deployment import deployment_of
from playbill.console.rendering import STATIC_FOLDER
from playbill.console.tracing import MAX_CELL_CHARS, MAX_STAGES, trace_of
from playbill.console.viewer import viewer_of
from playbill.console.wording import (
    TIER_WORDS,
    age_words,
    bundle_words,
    clock_words,
    rate_words,
    reason_words,
    wait_words,
)
from playbill.contracts import Profile, Status, Tier, TopicShare
from playbill.core import DAY_MS, HOUR_MS, MINUTE_MS


@pytest.mark.parametrize(
    ("age_ms", "words"),
    [
        (-5, "0.0 s"),
        (900, "0.9 s"),
        (42_000, "42 s"),
        (90 * 1000, "1 min"),
        (5 * HOUR_MS + 59 * MINUTE_MS, "5 h"),
        (47 * HOUR_MS, "47 h"),
        (3 * DAY_MS, "3 days"),
        (90 * DAY_MS, "3 months"),
        (800 * DAY_MS, "2 years"),
    ],
)
def test_age_is_told_in_its_largest_unit(age_ms: int, words: str) -> None:
    assert age_words(age_ms) == words


def test_numbers_are_told_as_people_say_them() -> None:
    assert clock_words(65_000) == "1:05"
    assert clock_words(3_725_000) == "1:02:05"
    assert wait_words(4.23) == "4.2 ms"
    assert wait_words(184.0) == "184 ms"
    assert wait_words(1_500) == "1.5 s"
    assert rate_words(0.25) == "0.2"
    assert rate_words(120_000) == "120,000"
    assert bundle_words("sha256:0123456789abcdef") == "0123456789"
    assert reason_words("heavy_scorer_deadline") == "heavy scorer deadline"
    assert reason_words("Item state is 12 s old (item_state).") == (
        "Item state is 12 s old (item_state)."
    )


def test_every_tier_has_words_and_colours() -> None:
    style = (STATIC_FOLDER / "deployment.css").read_text()
    for tier in Tier:
        assert TIER_WORDS[tier]
        assert style.count(f".tier-{tier.value} {{") == 2


def test_every_hue_is_in_the_style_sheet() -> None:
    style = (STATIC_FOLDER / "feed.css").read_text()
    assert all(f".hue-{hue} {{" in style for hue in range(HUES))


def test_picture_depends_on_the_video_and_its_topic_only() -> None:
    poster = poster_of("v1", "astronomy")

    assert poster == poster_of("v1", "astronomy")
    assert poster.initial == "A"
    assert poster.discs != poster_of("v2", "astronomy").discs
    assert poster_of("v1", "…").initial == "?"
    assert all(0 <= disc.x <= 160 and 0 <= disc.y <= 90 for disc in poster.discs)


def test_viewer_bars_are_relative_to_the_widest() -> None:
    shares = [TopicShare(name=f"t{each}", impressions=10.0, long_views=each) for each in range(9)]
    profile = Profile(
        known=True, region=None, impressions=9, clicks=1, topics=shares, authors=[], recent=[]
    )

    bars = viewer_of("u", profile).topics

    assert [bar.name for bar in bars] == ["t8", "t7", "t6", "t5", "t4", "t3"]
    assert bars[0].shown_width == 100
    assert bars[0].watched_width == 80


def test_strip_of_a_server_that_has_done_nothing_yet() -> None:
    deployment = deployment_of(
        Status(
            at_ms=0,
            epoch=0,
            epoch_age_ms=0,
            epoch_lag_ms=0,
            videos=0,
            authors=0,
            topics=0,
            bundle=None,
            bundle_created_at_ms=None,
            requests_per_s=0.0,
            events_per_s=0.0,
            latency_p50_ms=None,
            latency_p95_ms=None,
            tiers={},
            workers=0,
            restarts=0,
        )
    )

    assert deployment.tiers == ()
    assert deployment.latency.value == "none yet"
    assert deployment.health == "No worker answers."
    assert not deployment.is_well


def test_trace_of_anything_is_bounded_text() -> None:
    trace = trace_of(
        {
            "reply": {"items": []},
            "stages": [{"name": "a", "in": 1}, "odd", {"name": None, "ok": True, "ms": 0.1234}]
            + [{"name": "x" * 9_999}] * 500,
            "took": 1.5,
            "deep": {"a": [1, {"b": object}]},
        }
    )

    assert trace.columns == ("name", "in", "ok", "ms")
    assert trace.rows[0] == ("a", "1", "", "")
    assert trace.rows[1] == ("", "", "yes", "0.123")
    assert len(trace.rows) == MAX_STAGES
    assert max(len(cell) for row in trace.rows for cell in row) == MAX_CELL_CHARS
    assert dict(trace.facts)["took"] == "1.500"


def test_trace_without_stages_is_empty() -> None:
    assert trace_of({}).rows == ()
