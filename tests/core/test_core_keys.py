import hashlib
import itertools
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import (
    FOREIGN_REQUEST,
    KEY_ABSENT,
    InvalidInput,
    RequestIds,
    key64,
    key128,
    request_key,
    request_name,
)

laws = settings(max_examples=100, deadline=None, derandomize=True)
HEX = "0123456789abcdef"
STARTED_AT_MS = 1_700_000_000_000
LAST_MS = 1_577_836_800_000 + (1 << 41) - 1
"""In 2089 the milliseconds of a request id begin anew."""


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("", 0xB4B2797457A0A6E4),
        ("v1", 0xDA0BFE4035078A1C),
        ("video-1", 0x74080739EF0F6C30),
        ("größe", 0xE99A32C955E1F8F4),
        ("😀", 0x70E72AE2EB8BF0F5),
        ("a" * 128, 0xDA187E9CFE4366F0),
    ],
)
def test_the_key_of_a_public_name_never_changes(name, key):
    assert key64(name) == key


def test_the_keyed_key_of_a_name_never_changes():
    assert key128("v1", b"k" * 32).hex() == "eb809d499b25f87248c2d5999b078573"
    assert key128("", b"k" * 32).hex() == "53ca8e54b7edcd85c46e1a2915abd2f0"


@laws
@given(names=st.sets(st.text(max_size=40), min_size=2, max_size=20))
def test_keys_are_64_bits_apart_for_apart_names_and_never_the_key_of_nothing(names):
    keys = {key64(name) for name in names}
    assert len(keys) == len(names)
    assert all(KEY_ABSENT < key < 1 << 64 for key in keys)


@laws
@given(name=st.text(max_size=40), secrets=st.sets(st.binary(min_size=16, max_size=64), min_size=2))
def test_a_keyed_key_depends_on_the_secret_and_not_on_the_public_hash(name, secrets):
    keys = {key128(name, secret) for secret in secrets}
    assert len(keys) == len(secrets)
    assert all(len(key) == 16 for key in keys)
    assert hashlib.blake2b(name.encode(), digest_size=16).digest() not in keys


def test_the_first_request_ids_of_a_worker_are_these():
    ids = RequestIds(3)
    assert [request_name(ids.issue(STARTED_AT_MS)) for _ in range(2)] == [
        "071c5fa000003000",
        "071c5fa000003001",
    ]


@laws
@given(
    worker=st.integers(0, 1_023),
    started_at_ms=st.sampled_from([STARTED_AT_MS, LAST_MS - 60 * 50]),
    steps_ms=st.lists(st.integers(0, 50), min_size=1, max_size=60),
)
def test_request_ids_of_a_worker_are_unique_ours_and_sorted_by_time(
    worker, started_at_ms, steps_ms
):
    ids, at_ms, issued = RequestIds(worker), started_at_ms, []
    for step_ms in steps_ms:
        at_ms += step_ms
        issued.append((at_ms, ids.issue(at_ms)))
    keys = [key for _, key in issued]
    assert len(set(keys)) == len(keys)
    assert all(0 < key < FOREIGN_REQUEST for key in keys)
    for (earlier_ms, earlier), (later_ms, later) in itertools.pairwise(issued):
        assert earlier_ms == later_ms or earlier < later


def test_4096_requests_in_one_millisecond_have_4096_ids():
    ids = RequestIds(0)
    assert len({ids.issue(STARTED_AT_MS) for _ in range(4_096)}) == 4_096


@laws
@given(at_ms=st.integers(0, 1 << 45), worker=st.integers(0, 1 << 12))
def test_a_request_id_is_ours_at_any_instant_and_of_any_worker(at_ms, worker):
    assert 0 <= RequestIds(worker).issue(at_ms) < FOREIGN_REQUEST
    assert 0 <= RequestIds(worker).issue(LAST_MS + at_ms) < FOREIGN_REQUEST


@laws
@given(
    workers=st.sets(st.integers(0, 1_023), min_size=2, max_size=8), at_ms=st.integers(0, 1 << 42)
)
def test_workers_with_their_own_numbers_never_share_an_id(workers, at_ms):
    issued = [RequestIds(worker).issue(at_ms) for worker in workers]
    assert len(set(issued)) == len(workers)


@laws
@given(key=st.integers(0, (1 << 64) - 1))
def test_a_request_id_reads_back_as_it_was_written(key):
    name = request_name(key)
    assert len(name) == 16
    assert set(name) <= set(HEX)
    assert request_key(name) == key


@laws
@given(
    name=st.one_of(
        st.text(min_size=16, max_size=16),
        st.text(alphabet=string.hexdigits + "_+-x \u0661", min_size=16, max_size=16),
        st.builds(
            lambda mark, digits: mark + digits[len(mark) :],
            st.sampled_from(["-", "+", " ", "0x", "0b", "1_", "\n"]),
            st.text(alphabet=HEX, min_size=16, max_size=16),
        ),
    )
)
def test_sixteen_characters_are_a_request_id_only_when_all_are_hex_digits(name):
    if set(name) <= set(string.hexdigits):
        assert request_name(request_key(name)) == name.lower()
    else:
        with pytest.raises(InvalidInput, match="not hexadecimal"):
            request_key(name)


@pytest.mark.parametrize("name", ["-00000000000000f", "0x00000000000001", " 123456789abcdef"])
def test_what_python_takes_for_a_number_is_not_a_request_id(name):
    with pytest.raises(InvalidInput, match="not hexadecimal") as caught:
        request_key(name)
    assert caught.value.field == "request_id"
    assert "as it was" in caught.value.hint


@laws
@given(name=st.text(alphabet=HEX, max_size=40).filter(lambda name: len(name) != 16))
def test_a_request_id_of_another_length_is_refused_with_its_length(name):
    with pytest.raises(InvalidInput, match=rf"has {len(name)} characters") as caught:
        request_key(name)
    assert (caught.value.code, caught.value.field) == ("invalid_input", "request_id")
