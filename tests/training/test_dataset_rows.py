import numpy as np
import pyarrow.parquet
from deltalake import DeltaTable
from training_worlds import SETTINGS, STARTED_AT_MS, LivingLog, exposed_world, foreign, video

from playbill.contracts import EventType
from playbill.core import MINUTE_MS, SECOND_MS
from playbill.events import encode_videos
from playbill.features import FEATURE_NAMES, USER_RECORD
from playbill.training import Dataset, build_dataset
from playbill.training.snapshots import snapshots_of


def served_world():
    """A log of feeds that we served, with the features that ranked each of them."""
    world, at_ms, ranked = LivingLog(), STARTED_AT_MS, {}
    world.close([encode_videos([video(n) for n in range(20)])], at_ms)
    for number in range(30):
        at_ms += MINUTE_MS
        user, shown = number % 4, [(number * 3 + k) % 20 for k in range(5)]
        batch, features = world.serve(1_000 + number, user, shown, at_ms)
        ranked[1_000 + number] = features
        world.close([batch], at_ms + SECOND_MS)
        click = world.event(
            EventType.CLICK, user, shown[1], at_ms + 2 * SECOND_MS, request=1_000 + number
        )
        watch = world.event(
            EventType.WATCH, user, shown[1], at_ms + 30 * SECOND_MS, watch_ms=25_000,
            request=1_000 + number,
        )  # fmt: skip
        world.events([click, watch], at_ms + 31 * SECOND_MS)
    return world, ranked


def read(folder, *columns):
    table = DeltaTable(str(folder / "training_rows")).to_pyarrow_dataset().to_table()
    table = table.sort_by("row_id")
    return [table.column(name).to_pylist() for name in columns]


def test_rows_hold_the_features_that_ranked_each_feed_bit_for_bit(tmp_path):
    world, ranked = served_world()
    report = build_dataset(world.log, SETTINGS, tmp_path)
    rows = Dataset.open(tmp_path).rows()
    expected = np.concatenate(list(ranked.values()))
    assert report.rows == report.served_rows == len(expected) == 150
    assert report.unread_requests == report.unsettled_rows == 0
    assert rows.dense.tobytes() == expected.tobytes()


def test_rows_say_where_and_how_each_video_was_shown(tmp_path):
    world, _ = served_world()
    build_dataset(world.log, SETTINGS, tmp_path)
    names = ("request", "position", "source", "tier", "bundle", "surface", "region", "user", "day")
    columns = dict(zip(names, read(tmp_path, *names), strict=True))
    assert columns["request"][:6] == [1_000] * 5 + [1_001]
    assert columns["position"][:6] == [0, 1, 2, 3, 4, 0]
    assert set(columns["source"]) == {3}
    assert set(columns["tier"]) == {0}
    assert set(columns["bundle"]) == {99}
    assert set(columns["region"]) == {1, 2}
    assert {len(user) for user in columns["user"]} == {16}
    assert set(columns["day"]) == {STARTED_AT_MS // 86_400_000}


def test_histories_are_the_viewers_rows_that_ranked_each_feed(tmp_path):
    world, _ = served_world()
    build_dataset(world.log, SETTINGS, tmp_path)
    dataset = Dataset.open(tmp_path)
    rows, histories = dataset.rows(), dataset.histories()
    assert (histories.actions[rows.snapshots[0]] == 0).all()
    stored = world.users.read_many([key for key, _ in world.users.rows()])
    last = snapshots_of(np.frombuffer(b"".join(stored), USER_RECORD), 0)
    before_last = histories.items[rows.snapshots[-1]]
    viewer = (len(rows) // 5 - 1) % 4
    assert before_last[0] != last["items"][viewer][0]
    known = (histories.actions[rows.snapshots[-1]] > 0).sum()
    assert known > 0
    assert (before_last[: known - 1] == last["items"][viewer][1:known]).all()


def test_a_reported_impression_is_read_before_the_epoch_that_holds_it(tmp_path):
    world, at_ms = LivingLog(), STARTED_AT_MS
    world.close([encode_videos([video(0), video(1)])], at_ms)
    shown = world.event(EventType.IMPRESSION, 1, 0, at_ms + 1, request=foreign(1))
    liked = world.event(EventType.CLICK, 1, 0, at_ms + 2, request=foreign(1))
    world.events([shown, liked], at_ms + MINUTE_MS)
    build_dataset(world.log, SETTINGS, tmp_path)
    rows = Dataset.open(tmp_path).rows()
    column = FEATURE_NAMES.index("item_impressions_14d")
    assert rows.dense[0, column] == 0.0
    assert rows.labels[0].tolist() == [True, False, False, False]


def test_an_impression_sent_twice_is_one_row_and_one_of_our_own_feeds_is_none(tmp_path):
    world, at_ms = LivingLog(), STARTED_AT_MS
    world.close([encode_videos([video(0)])], at_ms)
    first = world.event(EventType.IMPRESSION, 1, 0, at_ms + 1, request=foreign(1), event=900)
    again = world.event(EventType.IMPRESSION, 1, 0, at_ms + 1, request=foreign(1), event=900)
    ours = world.event(EventType.IMPRESSION, 1, 0, at_ms + 1, request=7)
    world.events([first, again, ours], at_ms + MINUTE_MS)
    assert build_dataset(world.log, SETTINGS, tmp_path).rows == 1
    position, source, propensity, tier = read(tmp_path, "position", "source", "propensity", "tier")
    assert [position, source, propensity, tier] == [[None]] * 4


def test_each_build_is_a_new_version_and_the_report_names_it(tmp_path):
    world = exposed_world(days=1)
    first = build_dataset(world.log, SETTINGS, tmp_path)
    second = build_dataset(world.log, SETTINGS, tmp_path)
    assert (first.table_version, second.table_version) == (0, 1)
    assert Dataset.open(tmp_path).report == second
    assert not (tmp_path / ".building").exists()
    old, new = (DeltaTable(str(tmp_path / "training_rows"), version=v) for v in (0, 1))
    tables = [version.to_pyarrow_dataset().to_table().sort_by("row_id") for version in (old, new)]
    assert tables[0].equals(tables[1])


def test_a_replay_may_stop_at_an_epoch(tmp_path):
    world = exposed_world(days=2)
    whole = build_dataset(world.log, SETTINGS, tmp_path / "whole")
    half = build_dataset(world.log, SETTINGS, tmp_path / "half", up_to=12)
    assert half.epoch == 12
    assert 0 < half.rows < whole.rows
    early = Dataset.open(tmp_path / "whole").rows().dense[: half.rows]
    assert (Dataset.open(tmp_path / "half").rows().dense == early).all()


def test_rows_from_an_instant_on_can_be_read_alone(dataset):
    rows = dataset.rows()
    middle = int(np.median(rows.at_ms))
    later = dataset.rows(from_ms=middle)
    assert len(later) == int((rows.at_ms >= middle).sum())
    assert later.at_ms.min() >= middle


def test_progress_is_told_stage_by_stage_and_ends_at_one(tmp_path):
    told: dict[str, list[float]] = {}
    build_dataset(
        exposed_world(days=1).log,
        SETTINGS,
        tmp_path,
        on_progress=lambda stage, share: told.setdefault(stage, []).append(share),
    )
    assert list(told) == ["read served feeds", "replay", "join labels", "write rows"]
    assert all(shares[-1] == 1.0 for shares in list(told.values())[1:])
    assert all(0.0 <= share <= 1.0 for shares in told.values() for share in shares)


def test_tables_are_plain_parquet_that_anything_can_read(tables):
    path = next((tables / "training_items").glob("*.parquet"))
    found = pyarrow.parquet.read_table(path)
    assert found.num_rows == 60
    assert found.column("topics").to_pylist()[:5] == [[0], [1], [2], [3], [0]]
