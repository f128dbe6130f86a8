import pytest

from playbill.training.steps import MOST_PASSES, StepPlan, plan_steps


def test_over_many_rows_the_settings_hold():
    assert plan_steps(10_000_000, 1_024, 2, fewest=1_000) == StepPlan(1_024, 9_766, 2)


@pytest.mark.parametrize("rows", [1, 31, 64, 500, 5_000, 100_000])
def test_few_rows_make_smaller_batches_and_more_passes(rows):
    plan = plan_steps(rows, 1_024, 2, fewest=1_000)
    assert 32 <= plan.batch_rows <= 1_024
    assert plan.per_pass * plan.batch_rows >= rows
    assert 2 <= plan.passes <= MOST_PASSES
    assert plan.steps >= min(1_000, MOST_PASSES * plan.per_pass)


def test_a_setting_beyond_the_most_passes_is_kept():
    assert plan_steps(100, 1_024, 80, fewest=1_000).passes == 80


def test_no_more_steps_than_allowed_whatever_the_rows():
    plan = plan_steps(50_000_000, 1_024, 6, most=1_500)
    assert plan.steps == 1_500
    assert plan.passes == 6
