"""The network before it has learned anything."""

from types import SimpleNamespace

import numpy as np
import pytest

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn.untrained import network_for
from fieldguide.recipes.common import Options
from fieldguide.tasks.task import Task


def test_tags_begin_as_likely_as_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)
    images = SimpleNamespace(
        table=SimpleNamespace(images=pixels),
        classes=("a", "b"),
        learn=np.arange(20),
        task=Task.MULTIPLE,
        shares=lambda: np.array([0.25, 0.0]),
    )
    bias = network_for(images, Preprocessing(16), Options(), mirrored=False).linear.bias
    assert bias.sigmoid().tolist() == pytest.approx([0.25, 1e-3])
