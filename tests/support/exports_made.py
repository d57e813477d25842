"""A tiny backbone exported, and what tests ask of it."""

import numpy as np
import onnxruntime

from fieldguide.backbones.taps import Taps

SIZE = 64
MEANS = Taps(since=0.42, pooling=("mean",), final_pooling=("mean",), channels=5120)  # whatever the default is


def pixels(count, size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def run(exported, images, outputs=("features",)):
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    return session.run(list(outputs), {"pixels": images})


COUNT = 21  # not a multiple of any batch
