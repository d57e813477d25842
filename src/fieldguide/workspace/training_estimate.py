"""How long a training run will take, before it starts: a range, narrower once this machine has run one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fieldguide.recipes.networks.budget import MINUTES

START_SECONDS = {"finetune": 10.0}
"""Before the first image is learned from: libraries, and the network prepared for training."""
OTHER_START_SECONDS = 2.0
"""Of all other recipes: starting Python and importing the libraries."""
REFERENCE_CORES = 2
TIMED = ("finetune", "cnn", "auto")
"""Recipes that keep to the minutes of their preset."""

# Milliseconds an image on two cores of a server: low and high. linear-probe: measured, docs/benchmarks.md.
# The others follow from passes and sizes (docs/training.md) and were not measured one by one, hence the
# wide ranges; cnn's also spans inputs of 32 to 128 pixels.
_MILLISECONDS = {
    ("linear-probe", "fast"): (3.5, 6.0),
    ("linear-probe", "balanced"): (9.0, 14.0),
    ("linear-probe", "best"): (36.0, 50.0),
    ("finetune", "fast"): (120.0, 400.0),
    ("finetune", "balanced"): (250.0, 1_200.0),
    ("finetune", "best"): (400.0, 2_000.0),
    ("auto", "fast"): (20.0, 1_000.0),
    ("auto", "balanced"): (50.0, 2_500.0),
    ("auto", "best"): (100.0, 5_000.0),
    ("svm", "fast"): (5.0, 20.0),
    ("svm", "balanced"): (10.0, 40.0),
    ("svm", "best"): (20.0, 80.0),
    ("extra-trees", "fast"): (5.0, 20.0),
    ("extra-trees", "balanced"): (10.0, 40.0),
    ("extra-trees", "best"): (20.0, 80.0),
}
# Passes through windows count as the share of a whole one that they cost.
_CNN_PASSES_OF_50_000 = {"fast": 5, "balanced": 14, "best": 28}
_CNN_MILLISECONDS = (1.2, 20.0)
_CNN_FEWEST, _CNN_MOST = 4, 64
# finetune passes over few images more often, until as many were seen as are learned from in 150 steps of 32.
# The recipe's own numbers (recipes/finetune/presets.py) would import torch here.
_FINETUNE_PASSES, _FINETUNE_FEWEST, _FINETUNE_MOST = {"fast": 6, "balanced": 12, "best": 20}, 4_800, 40


@dataclass(frozen=True)
class PastRun:
    """A training run that this machine has finished."""

    recipe: str
    preset: str
    images: int
    seconds: float
    """From the start of its process to its end."""


@dataclass(frozen=True)
class Estimate:
    """A range of seconds."""

    low: float
    high: float
    known: bool
    """Whether it rests on a run of the same recipe and preset on this machine."""


def estimate(images: int, recipe: str, preset: str, *, cores: int, past: Sequence[PastRun] = ()) -> Estimate:
    """Say how long training will take.

    Parameters
    ----------
    images
        How many there are to learn from.
    recipe, preset
        As for ``fieldguide train``.
    cores
        That training may use.
    past
        Finished runs. Of those of the same recipe and preset with at least a tenth of the images, the slowest
        decides: others may have found their features in the cache.

    Examples
    --------
    >>> first = estimate(1_000, "linear-probe", "balanced", cores=2)
    >>> round(first.low, 1), round(first.high, 1), first.known
    (6.5, 30.0, False)
    >>> past = [PastRun("linear-probe", "balanced", images=1_000, seconds=12.0)]
    >>> again = estimate(2_000, "linear-probe", "balanced", cores=2, past=past)
    >>> round(again.low, 1), round(again.high, 1), again.known
    (12.0, 28.0, True)
    """
    start = START_SECONDS.get(recipe, OTHER_START_SECONDS)
    alike = [
        max(run.seconds - start, 0.1) / max(_range(run.images, recipe, preset)[1], 1e-9)
        for run in past
        if (run.recipe, run.preset) == (recipe, preset) and run.images * 10 >= images
    ]
    low, high = _range(images, recipe, preset)
    most = 60 * MINUTES[preset] if recipe in TIMED else math.inf
    if alike:
        slowest = max(alike) * high
        low, high = start + 0.5 * slowest, start + 1.3 * slowest
    else:
        scale = REFERENCE_CORES / min(max(cores, 1), 8)
        low, high = start + 0.5 * scale * low, start + 2.0 * scale * high
    return Estimate(min(low, most), min(high, most), bool(alike))


def _range(images: int, recipe: str, preset: str) -> tuple[float, float]:
    """Seconds on the reference machine, without the start."""
    if recipe == "cnn":
        passes = min(max(_CNN_PASSES_OF_50_000[preset] * 50_000 / max(images, 1), _CNN_FEWEST), _CNN_MOST)
        low, high = (passes * milliseconds for milliseconds in _CNN_MILLISECONDS)
    else:
        low, high = _MILLISECONDS[recipe, preset]
    if recipe == "finetune":
        passes = _FINETUNE_PASSES[preset]
        images = max(images, round(min(_FINETUNE_MOST * images, _FINETUNE_FEWEST) / passes))
    return images * low / 1000, images * high / 1000
