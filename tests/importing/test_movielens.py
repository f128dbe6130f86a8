from collections import Counter

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from importing_worlds import RecordingSink

from playbill.contracts import Event, Video
from playbill.core import InvalidInput, NotFound
from playbill.importing import MovieLens, load

FILMS = (
    "1::Toy Story (1995)::Animation|Children's|Comedy\n"
    "2::Misérables, Les (1998)::Drama|Musical|Crime|War|Romance\n"
    "3::Sans titre::\n"
    "4::Nosferatu (1922)::Horror\n"
)


def _old(folder, ratings, films=FILMS):
    (folder / "ratings.dat").write_text("".join(f"{'::'.join(map(str, r))}\n" for r in ratings))
    (folder / "movies.dat").write_text(films, encoding="latin-1")
    (folder / "users.dat").write_text("1::F::1::10::48067\n")
    return MovieLens(folder)


def test_films_carry_title_genres_and_the_instant_of_their_first_rating(tmp_path):
    source = _old(tmp_path, [(1, 2, 5, 2_000), (2, 2, 3, 1_000)])
    toy, miserables, untitled, nosferatu = source.videos()
    assert miserables == {
        "video_id": "2",
        "author_id": "movielens",
        "title": "Misérables, Les (1998)",
        "topics": ["Drama", "Musical", "Crime", "War"],
        "duration_ms": 6_000_000,
        "created_at": 1_000_000,
    }
    assert toy["created_at"] == 788_918_400_000
    assert nosferatu["created_at"] == 0
    assert "created_at" not in untitled
    assert untitled["topics"] == []
    assert source.tally.count("videos").notes == [
        "1 films have more than 4 genres; the first stand"
    ]
    for body in (toy, miserables, untitled, nosferatu):
        msgspec.convert(body, Video, strict=True)


@pytest.mark.parametrize(
    ("stars", "types", "long_view"),
    [
        (5, ["impression", "click", "watch"], True),
        (4, ["impression", "click", "watch"], True),
        (3, ["impression", "click", "watch"], None),
        (2, ["impression", "click", "watch", "skip"], False),
        (1, ["impression", "click", "watch", "skip"], False),
    ],
)
def test_stars_become_a_showing_a_click_a_watch_and_a_skip(tmp_path, stars, types, long_view):
    events = list(_old(tmp_path, [(8, 1, stars, 978_300_760)]).events())
    assert [body["type"] for _, body in events] == types
    assert [at_ms - 978_300_760_000 for at_ms, _ in events] == [0] + [60_000] * (len(types) - 1)
    assert events[2][1].get("long_view") is long_view
    assert (events[0][1]["user_id"], events[0][1]["event_id"]) == ("8", "ml-1-i")
    assert len({body["request_id"] for _, body in events}) == 1
    for _, body in events:
        msgspec.convert(body, Event, strict=True)


def test_the_newer_layout_has_half_stars_and_quoted_titles(tmp_path):
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,31,2.5,1260759144\n1,31,4.5,1260759150\n"
    )
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n31,"Minds, Dangerous (1995)",(no genres listed)\n', encoding="utf-8"
    )
    source = MovieLens(tmp_path)
    (film,) = source.videos()
    assert (film["title"], film["topics"]) == ("Minds, Dangerous (1995)", [])
    verdicts = [body.get("long_view") for _, body in source.events() if body["type"] == "watch"]
    assert verdicts == [None, True]
    assert list(source.users()) == [{"user_id": "1"}]


def test_a_sequence_without_times_keeps_its_order_and_says_that_times_are_made_up(tmp_path):
    columns = ["user", "item", "position", "orig_user_id", "orig_movie_id", "rating"]
    rows = [(1, 1, 0, 90, 2, 4), (1, 2, 1, 90, 1, 2), (2, 1, 0, 80, 2, 5)]
    table = pa.table({name: [row[n] for row in rows] for n, name in enumerate(columns)})
    pq.write_table(table, tmp_path / "interactions.parquet")
    (tmp_path / "movies.dat").write_text(FILMS, encoding="latin-1")
    source = MovieLens(tmp_path)
    shown = [
        ((at_ms - 978_307_200_000) // 60_000, body["user_id"], body["video_id"])
        for at_ms, body in source.events()
        if body["type"] == "impression"
    ]
    assert shown == [(0, "90", "2"), (0, "80", "2"), (10, "90", "1")]
    assert "order within a user is real, times are made up" in source.tally.count("events").notes[0]
    assert list(source.users()) == [{"user_id": "80"}, {"user_id": "90"}]


def test_times_are_taken_from_the_ratings_where_both_are_there(tmp_path):
    source = _old(tmp_path, [(1, 1, 4, 1_000)])
    (tmp_path / "interactions.parquet").write_bytes(b"never opened")
    assert next(source.events())[0] == 1_000_000


def test_bad_ratings_are_rejected_with_their_reasons(tmp_path):
    ratings = [
        (1, 1, 4, 10),
        ("ann", 1, 4, 10),
        (1, 1, "x", 10),
        (1, 1, 9, 10),
        (1, 1, 4, 9_999_999_999),
        (1, 77, 4, 10),
        (1, 1, 2, 10),
    ]
    report = load(_old(tmp_path, ratings), RecordingSink())
    told = {one.code: one.examples[0].row for one in report.refusals}
    assert told == {
        "userId_unreadable": 2,
        "rating_unreadable": 3,
        "rating_out_of_range": 4,
        "instant_out_of_range": 5,
        "video_not_taken": 6,
    }
    assert (report.events.read, report.events.duplicates, report.events.rejected) == (7, 1, 5)
    assert "ann" not in "\n".join(report.lines())


def test_bad_films_are_rejected_with_their_reasons(tmp_path):
    films = "1::A::X\n2::B\nx::C::Y\n1::D::Z\n"
    source = _old(tmp_path, [(1, 1, 4, 10)], films)
    assert [body["title"] for body in source.videos()] == ["A"]
    count = source.tally.count("videos")
    assert (count.read, count.duplicates) == (4, 1)
    assert {code: reason.examples[0][0] for code, reason in count.reasons.items()} == {
        "row_broken": 2,
        "video_id_unreadable": 3,
    }


def test_a_torn_table_of_ratings_is_named_with_its_row(tmp_path):
    with pytest.raises(InvalidInput, match=r"ratings.dat is not a table of ratings, row 2 has 3"):
        _old(tmp_path, [(1, 1, 4, 10), (1, 1, 4)]).events()


def test_missing_files_and_columns_are_named(tmp_path):
    with pytest.raises(NotFound, match=r"holds neither movies.dat nor movies.csv"):
        MovieLens(tmp_path).events()
    (tmp_path / "movies.dat").write_text(FILMS, encoding="latin-1")
    with pytest.raises(NotFound, match=r"none of ratings.dat, ratings.csv, interactions.parquet"):
        MovieLens(tmp_path).events()
    (tmp_path / "ratings.csv").write_text("userID,movieId,rating,timestamp\n")
    with pytest.raises(InvalidInput, match=r"'userId'. Did you mean 'userID'"):
        MovieLens(tmp_path).events()


@settings(max_examples=30, deadline=None)
@given(
    ratings=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(0, 300)),
        min_size=1,
        max_size=30,
    )
)
def test_events_come_in_order_and_outcomes_a_minute_after_their_showing(tmp_path_factory, ratings):
    source = _old(tmp_path_factory.mktemp("ml"), ratings)
    events = list(source.events())
    assert [at_ms for at_ms, _ in events] == sorted(at_ms for at_ms, _ in events)
    shown = {body["request_id"]: at_ms for at_ms, body in events if body["type"] == "impression"}
    for at_ms, body in events:
        expected = 0 if body["type"] == "impression" else 60_000
        assert at_ms - shown[body["request_id"]] == expected
    first = {}
    for user, film, stars, at_s in ratings:
        first.setdefault((user, film, at_s), stars)
    types = Counter(body["type"] for _, body in events)
    assert types["impression"] == types["click"] == types["watch"] == len(first)
    assert types["skip"] == sum(stars <= 2 for stars in first.values())
    assert source.tally.count("events").expected == len(events)
