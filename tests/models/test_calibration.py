import numpy as np
import pytest

from playbill.models.calibration import fit_platt, fit_shift, shifts_of, sigmoid


def drawn(scale, shift, rows=20_000, seed=0):
    """Logits, and labels that happen as often as scale x logit + shift says."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, rows).astype(np.float32)
    return logits, random.random(rows) < sigmoid(scale * logits.astype(np.float64) + shift)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7)])
def test_the_line_that_made_the_labels_is_found(scale, shift):
    assert fit_platt(*drawn(scale, shift)) == pytest.approx((scale, shift), abs=0.1)


def test_what_is_promised_then_comes():
    logits, labels = drawn(0.6, -2.0)
    scale, shift = fit_platt(logits, labels)
    assert sigmoid(scale * logits + shift).sum() == pytest.approx(labels.sum(), rel=0.01)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_changes_nothing(label):
    assert fit_platt(np.zeros(5, np.float32), np.full(5, label)) == (1.0, 0.0)


def test_few_rows_hardly_move_the_line():
    logits = np.array([0.1, -0.1], np.float32)
    scale, shift = fit_platt(logits, np.array([True, False]))
    assert (scale, shift) == pytest.approx((1.0, 0.0), abs=0.2)


def test_order_is_never_turned_round():
    logits, labels = drawn(-1.0, 0.0)
    assert fit_platt(logits, labels) == (1.0, 0.0)


def test_rare_positives_and_large_logits_stay_finite():
    logits = np.linspace(-60, 60, 1_000).astype(np.float32)
    labels = np.zeros(1_000, np.bool_)
    labels[[3, 990]] = True
    assert np.isfinite(fit_platt(logits, labels)).all()
    assert np.isfinite(sigmoid(np.array([-1e3, 1e3]))).all()


@pytest.mark.parametrize("shift", [-1.5, 0.0, 0.8])
def test_the_shift_of_a_segment_is_found(shift):
    assert fit_shift(*drawn(1.0, shift)) == pytest.approx(shift, abs=0.05)


def test_a_segment_of_few_rows_hardly_moves_and_one_of_none_does_not():
    logits, labels = drawn(1.0, 3.0, rows=5)
    assert 0.0 < fit_shift(logits, labels) < 0.5
    assert fit_shift(logits[:0], labels[:0]) == 0.0


@pytest.mark.parametrize("label", [True, False])
def test_a_segment_of_one_class_stays_finite(label):
    shift = fit_shift(np.full(10_000, -40.0 if label else 40.0), np.full(10_000, label))
    assert np.isfinite(shift)
    assert (shift > 10.0) if label else (shift < -10.0)


def test_each_segment_is_made_to_say_what_comes():
    parts = [drawn(1.0, shift, rows=8_000, seed=seed) for seed, shift in enumerate((0.5, -1.0))]
    logits, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    segments = np.repeat([1, 2], 8_000)
    shifts = shifts_of(logits, labels, segments, 4)
    assert shifts.dtype == np.float32
    assert shifts[[0, 3]].tolist() == [0.0, 0.0]
    for segment in (1, 2):
        here = segments == segment
        promised = sigmoid(logits[here].astype(np.float64) + shifts[segment]).sum()
        assert promised == pytest.approx(labels[here].sum(), rel=0.01)
