import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.core import DependencyUnavailable
from playbill.privacy import Sealer

laws = settings(max_examples=80, deadline=None, derandomize=True)
SECRET = bytes(range(32))
texts = st.binary(max_size=200)
REFUSED = "does not open; it was altered, or sealed with another key"


@laws
@given(text=texts, context=texts)
def test_what_was_sealed_opens_to_what_it_was(text, context):
    sealed = Sealer(SECRET).seal(text, context)
    assert Sealer(SECRET).open(sealed, context) == text
    assert len(sealed) == len(text) + 12 + 16


@laws
@given(text=st.binary(min_size=8, max_size=200))
def test_a_sealed_text_shows_nothing_of_it_and_is_never_the_same_twice(text):
    sealer = Sealer(SECRET)
    one, other = sealer.seal(text, b"c"), sealer.seal(text, b"c")
    assert text[:8] not in one
    assert one[12:] != other[12:]


@laws
@given(text=texts, place=st.integers(0), flip=st.integers(1, 255))
def test_one_altered_bit_and_it_stays_closed(text, place, flip):
    sealed = bytearray(Sealer(SECRET).seal(text, b"c"))
    sealed[place % len(sealed)] ^= flip
    with pytest.raises(DependencyUnavailable, match=REFUSED):
        Sealer(SECRET).open(bytes(sealed), b"c")


@laws
@given(text=texts, kept=st.integers(0, 300))
def test_a_torn_text_stays_closed(text, kept):
    sealed = Sealer(SECRET).seal(text, b"c")
    with pytest.raises(DependencyUnavailable, match=REFUSED) as caught:
        Sealer(SECRET).open(sealed[: kept % len(sealed)], b"c")
    assert "restore the key folder" in caught.value.hint


@laws
@given(
    text=texts, other=st.binary(min_size=32, max_size=32).filter(lambda secret: secret != SECRET)
)
def test_another_key_does_not_open_it(text, other):
    with pytest.raises(DependencyUnavailable, match=REFUSED):
        Sealer(other).open(Sealer(SECRET).seal(text, b"c"), b"c")


@laws
@given(text=texts, one=texts, other=texts)
def test_it_opens_only_where_it_was_sealed(text, one, other):
    sealed = Sealer(SECRET).seal(text, one)
    if one == other:
        assert Sealer(SECRET).open(sealed, other) == text
    else:
        with pytest.raises(DependencyUnavailable, match=REFUSED):
            Sealer(SECRET).open(sealed, other)
