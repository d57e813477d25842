"""reliability.py: bins, the calibration error's interval, and what chance alone would show."""

import numpy as np
import pytest

from fieldguide.metrics.calibration_curve import binned, reliability, tag_reliability
from fieldguide.metrics.classification import expected_calibration_error


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
    told = [reliability(*drawn(400, seed)) for seed in range(60)]
    below = [one.ece.value <= one.by_chance for one in told]
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


def drawn_tags(count, seed, gap=0.0):
    """Stated probabilities of three tags, true up to a gap, and what is known of four fifths."""
    rng = np.random.default_rng(seed)
    stated = rng.uniform(0.2, 0.8, (count, 3))
    return stated, rng.random((count, 3)) < stated + gap, rng.random((count, 3)) < 0.8


def test_all_tags_together_are_as_single_answers_would_be():
    stated, shown, known = drawn_tags(300, 0)
    tags, single = tag_reliability(stated, shown, known), reliability(stated[known], shown[known])
    assert tags.ece.value == pytest.approx(single.ece.value)
    assert tags.by_chance == pytest.approx(single.by_chance, rel=0.15)
    for one, other in zip(tags.bins, single.bins, strict=True):
        assert (one.images, one.stated) == (other.images, pytest.approx(other.stated))
        assert one.reached.value == pytest.approx(other.reached.value)


def test_photos_are_redrawn_whole():
    stated, shown, _ = drawn_tags(300, 1)
    copies = np.ones((300, 30), bool)
    once = tag_reliability(stated[:, :1], shown[:, :1], copies[:, :1], seed=5)
    often = tag_reliability(np.tile(stated[:, :1], 30), np.tile(shown[:, :1], 30), copies, seed=5)
    assert often.ece.high - often.ece.low == pytest.approx(once.ece.high - once.ece.low)
    for one, two in zip(once.bins, often.bins, strict=True):
        assert two.reached.high - two.reached.low > 0.7 * (one.reached.high - one.reached.low)


def test_the_interval_holds_a_true_error_of_tags_that_is_known():
    found = [tag_reliability(*drawn_tags(600, seed, gap=0.1)).ece for seed in range(30)]
    assert np.mean([ece.low <= 0.1 <= ece.high for ece in found]) >= 0.85


def test_bins_with_their_counts():
    stated, shown, known = drawn_tags(300, 2)
    bins = tag_reliability(stated, shown, known).bins
    counted = binned(stated[known], shown[known])
    assert [n for n, _, _ in counted] == [one.images for one in bins]
    assert [share for _, _, share in counted] == pytest.approx([one.reached.value for one in bins])
