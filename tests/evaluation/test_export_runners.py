"""Pixels for small boards; that each form is run as its users run it is seen in test_export_check."""

import numpy as np

from fieldguide.evaluation.export_check import LIMITS
from fieldguide.evaluation.export_runners import RUNNERS, less_128


def test_pixels_less_128():
    pixels = np.array([[[0, 1, 127]], [[128, 200, 255]]], np.uint8)
    found = less_128(pixels)
    assert found.dtype == np.int8
    assert found.tolist() == (pixels.astype(int) - 128).tolist()


def test_every_form_with_limits_is_run():
    assert set(RUNNERS) == set(LIMITS)
