"""The winner's luck is taken out."""

import numpy as np
import pytest

from fieldguide.metrics.selection_bias import corrected


def test_the_luck_of_the_winner_is_taken_out():
    """Fifty settings, all right with chance 0.7: the best shows more, the corrected score does not."""
    rng = np.random.default_rng(0)
    shown, told, held = [], [], 0
    for _ in range(20):
        right = rng.random((50, 150)) < 0.7
        errors = 1.0 - right
        shown.append(right.mean(axis=1).max())
        result = corrected(errors, right, errors, np.arange(150))
        told.append(result.accuracy.value)
        held += result.accuracy.low <= 0.7 <= result.accuracy.high
    assert np.mean(shown) > 0.76
    assert np.mean(told) == pytest.approx(0.7, abs=0.015)
    assert held >= 18


def test_a_setting_that_is_really_better_keeps_its_score():
    rng = np.random.default_rng(1)
    right = rng.random((20, 400)) < np.r_[0.9, np.full(19, 0.6)][:, None]
    result = corrected(1.0 - right, right, 1.0 - right, np.arange(400))
    assert result.accuracy.value == pytest.approx(right[0].mean(), abs=0.005)
    assert result.log_loss.value == pytest.approx(1 - right[0].mean(), abs=0.005)


def test_what_choosing_gains_is_more_than_nothing_only_where_a_setting_is_really_better():
    """The first setting is to be beaten by nineteen others: by alike ones on paper only, by a better one."""
    rng = np.random.default_rng(3)
    gains = []
    for _ in range(20):
        errors = 1.0 - (rng.random((20, 200)) < 0.7)
        assert errors.mean(axis=1).argmin() != 0
        gains.append(corrected(errors, errors == 0, errors, np.arange(200)).gain.value)
    assert np.mean(gains) == pytest.approx(0, abs=0.02)
    errors = 1.0 - (rng.random((20, 200)) < np.r_[0.7, 0.9, np.full(18, 0.7)][:, None])
    gain = corrected(errors, errors == 0, errors, np.arange(200)).gain
    assert gain.low > 0
    assert gain.value == pytest.approx(errors[0].mean() - errors[1].mean(), abs=0.01)


def test_copies_of_an_image_are_drawn_together():
    rng = np.random.default_rng(2)
    right = np.repeat(rng.random((50, 40)) < 0.7, 10, axis=1)
    together = corrected(1.0 - right, right, 1.0 - right, np.repeat(np.arange(40), 10))
    believed = corrected(1.0 - right, right, 1.0 - right, np.arange(400))
    assert believed.accuracy.value > together.accuracy.value + 0.05
