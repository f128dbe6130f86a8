"""The file of lists made ahead: what is found in it, and what is refused."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laws.feature_stories import law
from laws.feature_worlds import PSEUDONYMS
from playbill.core import InvalidInput
from playbill.serving.lists_ahead import ListsAhead, write_lists

SIZE, REGION_SIZE = 4, 6
BUNDLE = "sha256:" + "a" * 64

users = st.binary(min_size=16, max_size=16) | st.integers(0, 3).map(
    lambda n: bytes(8) + n.to_bytes(8, "big")
)
videos = st.lists(st.integers(1, 2**64 - 1), max_size=SIZE + 2)


def write(path, viewers, regions=(((7, 8), ()), ((9,), (10,)))):
    """Write lists given as numbers; each source is its video's number, cut to a byte."""
    write_lists(
        path,
        created_at_ms=5,
        bundle=BUNDLE,
        size=SIZE,
        viewers={
            user: (np.array(keys, np.uint64), np.array([key % 256 for key in keys], np.uint8))
            for user, keys in viewers.items()
        },
        regions=[[np.array(keys, np.uint64) for keys in surfaces] for surfaces in regions],
        region_size=REGION_SIZE,
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ahead.lists"


@law(60)
@given(viewers=st.dictionaries(users, videos, max_size=12), strangers=st.lists(users, max_size=4))
def test_every_viewer_finds_the_own_list_and_nobody_else_s(tmp_path_factory, viewers, strangers):
    path = tmp_path_factory.mktemp("lists") / "ahead.lists"
    write(path, viewers)
    lists = ListsAhead.open(path)
    assert lists.head.viewers == len(viewers)
    for user, keys in viewers.items():
        found, sources = lists.find(user)
        assert found.tolist() == keys[:SIZE]
        assert sources.tolist() == [key % 256 for key in keys[:SIZE]]
    for stranger in strangers:
        assert (lists.find(stranger) is not None) == (stranger in viewers)


def test_regions_lists_come_back_by_the_codes_of_region_and_surface(path):
    write(path, {})
    found = ListsAhead.open(path).by_place()
    assert {place: keys.tolist() for place, keys in found.items()} == {
        (1, 1): [7, 8],
        (1, 2): [],
        (2, 1): [9],
        (2, 2): [10],
    }


def test_no_name_of_a_viewer_is_in_it(path):
    names = [f"viewer-with-a-name-{n}" for n in range(20)]
    write(path, {PSEUDONYMS.user(name): [1, 2] for name in names})
    data = path.read_bytes()
    assert not any(name.encode() in data for name in names)
    assert path.stat().st_mode & 0o077 == 0


def replaced(path, data: bytes) -> None:
    draft = path.with_suffix(".new")
    draft.write_bytes(data)
    draft.replace(path)


@law(80)
@given(place=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7))
def test_a_file_with_any_bit_altered_is_refused(tmp_path_factory, place, bit):
    path = tmp_path_factory.mktemp("lists") / "ahead.lists"
    write(path, {bytes([n] * 16): [n, n + 1] for n in range(1, 9)})
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    replaced(path, bytes(data))
    with pytest.raises(
        InvalidInput, match=r"the lists in ahead\.lists are not served: "
    ) as refusal:
        ListsAhead.open(path)
    assert "playbill precompute" in refusal.value.hint


@law(60)
@given(share=st.floats(0.0, 1.0, exclude_max=True))
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path_factory, share):
    path = tmp_path_factory.mktemp("lists") / "ahead.lists"
    write(path, {bytes([n] * 16): [n] for n in range(1, 9)})
    data = path.read_bytes()
    replaced(path, data[: int(share * len(data))])
    with pytest.raises(InvalidInput, match="are not served"):
        ListsAhead.open(path)


def test_a_file_of_another_version_says_so(path):
    write(path, {})
    data = bytearray(path.read_bytes())
    data[8] = 2
    replaced(path, bytes(data))
    with pytest.raises(InvalidInput, match="its version is 2; this one reads 1"):
        ListsAhead.open(path)


def test_lists_that_are_mapped_outlive_the_file_that_takes_their_place(path):
    write(path, {b"a" * 16: [1]})
    mapped = ListsAhead.open(path)
    write(path, {b"a" * 16: [2]})
    assert mapped.find(b"a" * 16)[0].tolist() == [1]
    assert ListsAhead.open(path).find(b"a" * 16)[0].tolist() == [2]
    assert os.listdir(path.parent) == [path.name]
