import numpy as np
import pytest

from playbill.models.calibration import fit_platt, sigmoid


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
