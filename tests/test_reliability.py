"""reliability.py: bins, the calibration error's interval, and what chance alone would show."""

import numpy as np
import pytest

from fieldguide.metrics import expected_calibration_error
from fieldguide.reliability import reliability


def drawn(n, seed, gap=0.0):
    """Answers that are right as often as stated, or less often by `gap`."""
    rng = np.random.default_rng(seed)
    certain = rng.uniform(0.5, 1, n)
    return certain, rng.random(n) < certain - gap


def test_bins_hold_every_image_once_and_state_their_means():
    certain, right = drawn(500, 0)
    told = reliability(certain, right)
    assert sum(part.images for part in told.bins) == 500
    assert sum(part.images * part.stated for part in told.bins) == pytest.approx(certain.sum())
    assert sum(part.images * part.reached.value for part in told.bins) == pytest.approx(right.sum())
    assert told.ece.value == expected_calibration_error(certain, right)


def test_a_calibrated_model_stays_below_what_chance_shows_in_about_95_of_100_sets():
    below = [
        told.ece.value <= told.by_chance for told in (reliability(*drawn(400, seed)) for seed in range(60))
    ]
    assert 0.85 <= np.mean(below) <= 1.0


def test_a_miscalibrated_model_does_not():
    told = reliability(*drawn(2000, 1, gap=0.15))
    assert told.ece.value > 2 * told.by_chance


def test_the_interval_holds_a_true_error_that_is_known():
    inside = []
    for seed in range(40):
        ece = reliability(*drawn(1500, seed, gap=0.1)).ece
        inside.append(ece.low <= 0.1 <= ece.high)
    assert np.mean(inside) >= 0.85


def test_one_image_is_enough():
    told = reliability(np.array([0.8]), np.array([True]))
    assert len(told.bins) == 1 and told.ece.low <= told.ece.value <= told.ece.high
