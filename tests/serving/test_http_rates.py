"""How fast a key may ask: laws of one bucket, and whose request counts where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.contracts import Rate, RateSettings
from playbill.core import FixedClock
from playbill.serving.http.rates import Bucket, Rates
from playbill.serving.http.refusals import RateLimited

laws = settings(max_examples=80, deadline=None, derandomize=True)
rates = st.builds(Rate, per_s=st.floats(0.1, 1_000), burst=st.integers(1, 50))
pauses = st.lists(st.floats(0.0, 3.0), min_size=1, max_size=120)


def taken(bucket, now_s):
    """Tell whether a request at an instant is taken."""
    try:
        bucket.take(now_s)
    except RateLimited:
        return False
    return True


def instants(gaps):
    now_s = 100.0
    for gap in gaps:
        now_s += gap
        yield now_s


@laws
@given(rate=rates, gaps=pauses)
def test_no_span_of_time_holds_more_than_the_burst_and_what_came_back(rate, gaps):
    bucket = Bucket("feed", rate)
    times = [now_s for now_s in instants(gaps) if taken(bucket, now_s)]
    for first, begin_s in enumerate(times):
        for count, end_s in enumerate(times[first:], start=1):
            assert count <= rate.burst + rate.per_s * (end_s - begin_s) + 2e-3


@laws
@given(rate=rates, count=st.integers(1, 100))
def test_whoever_asks_no_faster_than_the_rate_is_never_refused(rate, count):
    bucket = Bucket("feed", rate)
    step_s = 1.0 / rate.per_s
    assert all(taken(bucket, 100.0 + place * step_s * (1 + 1e-9)) for place in range(count))


@laws
@given(rate=rates, gaps=pauses)
def test_a_caller_who_waits_as_long_as_it_was_told_is_taken(rate, gaps):
    bucket = Bucket("feed", rate)
    refused_s = next((now_s for now_s in instants(gaps) if not taken(bucket, now_s)), None)
    if refused_s is None:
        return
    with pytest.raises(RateLimited) as refused:
        bucket.take(refused_s)
    assert refused.value.retry_after_s >= 1
    assert taken(bucket, refused_s + refused.value.retry_after_s)


@laws
@given(rate=rates, gaps=pauses)
def test_what_a_reply_says_is_left_can_be_taken_at_once_and_no_more(rate, gaps):
    bucket = Bucket("feed", rate)
    now_s = 100.0
    for now_s in instants(gaps):
        taken(bucket, now_s)
    policy, state = (value.decode() for _, value in bucket.headers(now_s))
    assert policy.startswith(f'"feed";q={rate.burst};w=')
    left = int(state.partition("r=")[2].partition(";")[0])
    assert 0 <= left <= rate.burst
    assert all(taken(bucket, now_s) for _ in range(left))
    assert not taken(bucket, now_s)


@laws
@given(rate=rates)
def test_a_refused_request_takes_nothing(rate):
    bucket = Bucket("feed", rate)
    while taken(bucket, 100.0):
        pass
    before = bucket.full_at_s
    assert not any(taken(bucket, 100.0) for _ in range(50))
    assert bucket.full_at_s == before


def limits(callers, **said):
    clock = FixedClock(1_000_000)
    return Rates(RateSettings(**said), callers, clock)


def test_callers_and_scopes_have_a_bucket_each():
    one = Rate(per_s=1.0, burst=1)
    held = limits(2, feed=one, events=one)
    for caller in (0, 1):
        for scope in ("feed", "events"):
            held.take(caller, scope)
            with pytest.raises(RateLimited, match=f"more than 1 requests a second of '{scope}'"):
                held.take(caller, scope)


def test_a_scope_without_a_rate_has_no_limit_and_no_headers():
    held = limits(1, feed=Rate(per_s=1.0, burst=1))
    assert all(held.take(0, "events") == [] for _ in range(1_000))


def test_without_keys_all_callers_are_one_and_nobody_is_without_a_key():
    held = limits(0, feed=Rate(per_s=1.0, burst=1), anonymous=Rate(per_s=1.0, burst=1))
    held.take(0, "feed")
    with pytest.raises(RateLimited):
        held.take(0, "feed")
    for _ in range(10):
        held.take_without_key()


def test_memory_is_one_bucket_for_each_key_and_rate_however_many_ask():
    held = limits(3, feed=Rate(per_s=1e6, burst=1_000_000), anonymous=Rate(per_s=1e6, burst=99_999))
    for _ in range(1_000):
        held.take(1, "feed")
        held.take_without_key()
    assert len(held._buckets) == 4
