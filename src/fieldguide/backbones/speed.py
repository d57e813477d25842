"""How long a pretrained network takes for a photo on this machine."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.runner import Runner, best_runner

ROUNDS = 5
"""Measured one after the other, of which the median counts: other work on the machine comes and goes."""


def milliseconds_an_image(backbone: ExportedBackbone) -> float:
    """Measure one forward pass an image, with all cores at work as in training; decoding is not counted.

    Parameters
    ----------
    backbone
        An exported backbone.

    Returns
    -------
    float
        Milliseconds on the clock for each image: the median of five rounds, after one that is not counted.
    """
    runner, side = best_runner(backbone), backbone.preprocessing.size
    shape = (runner.batch, side, side, 3)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with ThreadPoolExecutor(runner.at_once) as pool:
        rounds = [_round(runner, pixels, pool) for _ in range(ROUNDS + 1)]
    return 1000 * statistics.median(rounds[1:])


def _round(runner: Runner, pixels: NDArray[np.uint8], pool: ThreadPoolExecutor) -> float:
    """Seconds an image where each core has two batches."""
    calls = 2 * runner.at_once
    started = time.perf_counter()
    for _ in pool.map(runner, [pixels] * calls):
        pass
    return (time.perf_counter() - started) / (calls * runner.batch)
