"""What lies where, to the byte; and what the definitions compile to."""

import numpy as np
import pytest

from playbill.core import content_digest
from playbill.features import (
    GROUP_RECORD,
    ITEM_RECORD,
    NO_ROW,
    NO_TOPIC,
    USER_RECORD,
    assemble_kernel,
    empty_user,
    user_kernel,
)
from playbill.features.definitions import (
    FEATURES,
    LAYOUT_VERSION,
    VIEWER_FEATURES,
    Fact,
    FactKind,
    Rate,
    Scope,
    Slot,
)
from playbill.features.layout import HALF_LIVES_MS, SLOTS, Detail, compile_program, scope_tables


def _described(record: np.dtype) -> str:
    places = [(name, str(record.fields[name][0]), record.fields[name][1]) for name in record.names]
    return content_digest(repr((places, record.itemsize)).encode())[:23]


def test_records_have_the_sizes_that_the_machines_were_planned_with():
    assert ITEM_RECORD.itemsize == 128
    assert GROUP_RECORD.itemsize == 64
    assert USER_RECORD.itemsize == 1_168


def test_slots_fit_into_their_records():
    for record in (ITEM_RECORD, GROUP_RECORD):
        kind, offset = record.fields["slots"][:2]
        assert offset + kind.itemsize <= record.itemsize
        assert offset % 4 == 0
    assert ITEM_RECORD.fields["slots"][0].shape == (len(SLOTS[Scope.ITEM]),)


def test_no_two_fields_of_a_record_share_a_byte():
    for record in (ITEM_RECORD, GROUP_RECORD, USER_RECORD):
        taken = np.zeros(record.itemsize, int)
        for name in record.names:
            kind, offset = record.fields[name][:2]
            taken[offset : offset + kind.itemsize] += 1
        assert taken.max() == 1


GOLDEN = {
    1: ("sha256:e3b1a5df5a5c88ae", "sha256:a8408e8c090ceaaf", "sha256:fcdf59fb0cb97ba0"),
    2: ("sha256:e3b1a5df5a5c88ae", "sha256:a8408e8c090ceaaf", "sha256:fcdf59fb0cb97ba0"),
    3: ("sha256:f10e0111d4b3b965", "sha256:a8408e8c090ceaaf", "sha256:ac8703eea4ddbc4c"),
    4: ("sha256:2ec04875c553ca3d", "sha256:a8408e8c090ceaaf", "sha256:ac8703eea4ddbc4c"),
}


def test_a_changed_layout_has_a_new_version():
    """State of another layout must not be read: raise LAYOUT_VERSION, then write the golden."""
    layouts = tuple(_described(record) for record in (ITEM_RECORD, GROUP_RECORD, USER_RECORD))
    assert GOLDEN[LAYOUT_VERSION] == layouts


def test_nobody_we_have_not_met_has_anything():
    row = empty_user()[0]
    assert row["age"] == 255
    assert row["history_count"] == row["follow_count"] == row["seen_count"] == 0
    assert (row["topics"] == NO_TOPIC).all()
    assert (row["authors"] == NO_ROW).all()
    assert not row["slots"].any()
    assert not row["seen"].any()


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_remembers_each_sum_that_a_feature_reads_once(scope):
    wanted = {slot for feature in FEATURES for slot in feature.slots() if slot.scope is scope}
    assert sorted(wanted) == list(SLOTS[scope])
    tables = scope_tables(scope)
    for slot, signal, decay in zip(SLOTS[scope], tables.signal, tables.decay, strict=True):
        assert signal == slot.signal
        assert HALF_LIVES_MS[decay] == slot.half_life_s * 1000.0


def test_the_program_reads_each_feature_from_its_own_slots():
    program = compile_program()
    order = [slot for scope in Scope for slot in SLOTS[scope]]
    assert program.base.tolist() == [order.index(SLOTS[scope][0]) for scope in Scope]
    for place, feature in enumerate(FEATURES):
        assert program.code[place] == feature.code
        if isinstance(feature, Fact):
            assert program.a[place] == feature.fact
            continue
        assert order[program.a[place]] == Slot(feature.scope, feature.half_life_s, feature.of)
        if isinstance(feature, Rate):
            assert order[program.b[place]] == Slot(feature.scope, feature.half_life_s, feature.per)
            assert program.prior[place] == feature.prior
            assert program.strength[place] == feature.strength
    for slot, decay in zip(order, program.decay, strict=True):
        assert HALF_LIVES_MS[decay] == slot.half_life_s * 1000.0


@pytest.mark.parametrize(
    ("kernel", "names"),
    [(assemble_kernel, FactKind), (assemble_kernel, Scope), (user_kernel, Detail)],
)
def test_a_kernel_knows_every_name_by_its_number(kernel, names):
    """Numba freezes plain numbers: a new name that no kernel reads must not pass unseen."""
    assert {name: getattr(kernel, f"_{name}", None) for name in names.__members__} == {
        name: int(number) for name, number in names.__members__.items()
    }


def test_what_is_the_viewers_is_read_by_no_candidate():
    candidates = {FactKind.ITEM_AGE, FactKind.ITEM_DURATION, FactKind.FOLLOWS_AUTHOR,
                  FactKind.IN_HISTORY, FactKind.RECENT_SAME_TOPIC, FactKind.RECENT_SAME_AUTHOR,
                  FactKind.LANGUAGE_MATCH}  # fmt: skip
    assert len(VIEWER_FEATURES) == len(FEATURES)
    for feature, viewers in zip(FEATURES, VIEWER_FEATURES, strict=True):
        if isinstance(feature, Fact):
            assert viewers == (feature.fact not in candidates)
        else:
            assert viewers == (feature.scope is Scope.USER)
