import string

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from playbill.core import key64
from playbill.privacy import Pseudonyms

laws = settings(max_examples=80, deadline=None, derandomize=True)
SECRET = bytes(range(32))
names = st.text(min_size=1, max_size=128)
secrets = st.binary(min_size=32, max_size=32)


def all_of(pseudonyms, name):
    return (pseudonyms.user(name), pseudonyms.event(name), pseudonyms.session(name))


def test_pseudonyms_are_these_for_ever():
    pseudonyms = Pseudonyms(SECRET)
    assert pseudonyms.user("u1").hex() == "a7d1f610c8e69ac8a9d89b794562cd23"
    assert pseudonyms.event("e1").hex() == "9a91008c113491f21cb5577faaa1933d"
    assert pseudonyms.session("s1") == 7288028132820413766


@laws
@given(secret=secrets, name=names)
def test_one_name_under_one_secret_has_one_pseudonym(secret, name):
    pseudonyms = Pseudonyms(secret)
    assert all_of(pseudonyms, name) == all_of(pseudonyms, name) == all_of(Pseudonyms(secret), name)


@laws
@given(one=secrets, other=secrets, name=names)
def test_another_secret_gives_other_pseudonyms(one, other, name):
    assume(one != other)
    for first, second in zip(
        all_of(Pseudonyms(one), name), all_of(Pseudonyms(other), name), strict=True
    ):
        assert first != second


@laws
@given(apart=st.sets(names, min_size=2, max_size=12))
def test_apart_names_have_apart_pseudonyms(apart):
    pseudonyms = Pseudonyms(SECRET)
    for taken in zip(*(all_of(pseudonyms, name) for name in apart), strict=True):
        assert len(set(taken)) == len(apart)


@laws
@given(name=names)
def test_a_user_an_event_a_session_and_a_public_name_are_never_told_from_each_other(name):
    pseudonyms = Pseudonyms(SECRET)
    user, event, session = all_of(pseudonyms, name)
    assert len({user, event}) == 2
    halves = {user[:8], user[8:], event[:8], event[8:]}
    assert session.to_bytes(8, "little") not in halves
    assert key64(name).to_bytes(8, "little") not in {*halves, session.to_bytes(8, "little")}


@laws
@given(name=st.text(string.ascii_letters + string.digits, min_size=4, max_size=32))
def test_a_pseudonym_has_16_bytes_and_nothing_of_the_name(name):
    pseudonyms = Pseudonyms(SECRET)
    for taken in (pseudonyms.user(name), pseudonyms.event(name)):
        assert len(taken) == 16
        assert name.encode()[:4] not in taken
    assert 0 < pseudonyms.session(name) < 1 << 64
