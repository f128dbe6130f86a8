import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbill.privacy import MemoryKeyStore, Pseudonyms, Tokens

laws = settings(max_examples=80, deadline=None, derandomize=True)
SECRET = bytes(range(32))
texts = st.binary(min_size=1, max_size=200)
contexts = st.binary(max_size=60)


@laws
@given(text=texts, context=contexts)
def test_what_was_sealed_opens_to_what_it_was(text, context):
    token = Tokens(SECRET).seal(text, context)
    assert Tokens(SECRET).open(token, context) == text
    assert len(token) == len(text) + 16


@laws
@given(text=texts, context=contexts, other=contexts)
def test_it_opens_in_its_context_only(text, context, other):
    token = Tokens(SECRET).seal(text, context)
    assert (Tokens(SECRET).open(token, other) is None) == (context != other)
    assert Tokens(bytes(32)).open(token, context) is None


@laws
@given(text=texts, place=st.integers(0), flip=st.integers(1, 255), cut=st.integers(1, 300))
def test_one_altered_bit_or_a_missing_end_and_it_stays_closed(text, place, flip, cut):
    token = Tokens(SECRET).seal(text, b"c")
    altered = bytearray(token)
    altered[place % len(altered)] ^= flip
    assert Tokens(SECRET).open(bytes(altered), b"c") is None
    assert Tokens(SECRET).open(token[:-cut], b"c") is None


@pytest.mark.parametrize("junk", [b"", b"x", bytes(15), bytes(16), bytes(17)])
def test_junk_is_no_token(junk):
    assert Tokens(SECRET).open(junk, b"c") is None


def test_a_text_is_not_in_its_token():
    text = b"forty videos of one viewer, in order"
    assert text[:6] not in Tokens(SECRET).seal(text, b"c")


def test_every_process_with_the_homes_key_reads_its_tokens():
    one, two, other = (
        Pseudonyms(MemoryKeyStore(seed).secret("pseudonym")).tokens for seed in (b"a", b"a", b"b")
    )
    token = one.seal(b"text", b"c")
    assert two.open(token, b"c") == b"text"
    assert other.open(token, b"c") is None
