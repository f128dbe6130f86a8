"""A catalogue entry over HTTP: there, not there, and nobody can say."""

import pytest
from http_asked import api_over, get

from playbill.app.clock import SystemClock
from playbill.contracts import PROBLEMS, StoredVideo
from playbill.core import DependencyUnavailable, key64
from playbill.features.texts import encode_entry, video_text_key
from playbill.serving import UserRows


def stored(video_id, key):
    return StoredVideo(
        key=key,
        video_id=video_id,
        author_id="ada",
        title="Tea",
        topics=[],
        language=None,
        duration_ms=1_000,
        regions=[],
        age_rating=0,
        created_at_ms=1,
        posted_at_ms=1,
    )


class OneVideo:
    """A user store that holds the words of one video."""

    def __init__(self, video):
        self.found = {video_text_key(video.key): encode_entry(0, video)}

    def texts(self, keys):
        return [self.found.get(key) for key in keys]


def no_store():
    raise DependencyUnavailable("there is no file")


@pytest.mark.parametrize("path", ["/v1/videos/v1", "/v1/videos/v1/similar"])
def test_while_the_store_is_gone_a_video_is_not_said_to_be_missing(path, tmp_path):
    status, headers, reply = get(api_over(UserRows(no_store, SystemClock(), 20.0), tmp_path), path)
    assert status == 503
    assert headers[b"retry-after"] == b"1"
    assert set(reply) == {"error"}
    assert reply["error"]["code"] == "user_store_unavailable"
    assert reply["error"]["code"] in PROBLEMS
    assert "rebuilds it" in reply["error"]["hint"]


def test_a_posted_video_is_found_and_another_is_not(tmp_path):
    api = api_over(OneVideo(stored("v1", key64("v1"))), tmp_path)
    status, _, reply = get(api, "/v1/videos/v1")
    assert (status, reply["video_id"]) == (200, "v1")
    status, headers, reply = get(api, "/v1/videos/v2")
    assert (status, reply["error"]["code"]) == (404, "not_found")
    assert b"retry-after" not in headers


def test_an_id_is_not_answered_with_the_video_that_took_its_key(tmp_path):
    api = api_over(OneVideo(stored("other", key64("v1"))), tmp_path)
    status, _, reply = get(api, "/v1/videos/v1")
    assert (status, reply["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("video_id", ["a/b", "a/b/", "../..", "/", "clips/2026/similarly"])
def test_an_id_may_have_slashes_in_it(video_id, tmp_path):
    """Servers hand paths over decoded: ``%2F`` has become a slash by then."""
    api = api_over(OneVideo(stored(video_id, key64(video_id))), tmp_path)
    status, _, reply = get(api, f"/v1/videos/{video_id}")
    assert (status, reply["video_id"]) == (200, video_id)
