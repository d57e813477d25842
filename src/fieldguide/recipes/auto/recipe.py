"""`auto`: tries the other recipes while minutes are left and something can be won, and ends with one file.

    linear probe, a finished model → another input size, by a sample → a second backbone side by side
       → a network from scratch, where images are small → fine-tuning
       → support vectors and trees on classical features → a third backbone → one of another family
       → a network from scratch, where images are unlike photos
       → the one of the lowest log loss on images not seen, or a pool of a few in one file

The dial is the minutes. After each step there is a finished model; the end of the minutes and Ctrl-C write
the best so far.
"""

import dataclasses
import time

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.feature_memory import FeatureMemory
from fieldguide.data.dataset import Dataset
from fieldguide.recipes import linear_probe
from fieldguide.recipes.auto.candidates import CandidateMaterial
from fieldguide.recipes.auto.choice import choose
from fieldguide.recipes.auto.pool import fitted_pool
from fieldguide.recipes.auto.search import CandidateSearch, asked_steps
from fieldguide.recipes.common import Fitted, Options, Run
from fieldguide.recipes.networks.budget import TimeBudget
from fieldguide.tasks.task import EITHER

__all__ = ["OPTIONS", "PRESETS", "SUMMARY", "body", "fit"]

SUMMARY = "tries the others within minutes that you give; ends with the best, or a pool of a few, in one file"
OPTIONS = frozenset({"minutes", "size", "candidates", "download"})
"""`minutes` from the photos to the model (5, 15 or 60, by preset); `size` of the probe's input in pixels;
`download`: whether a backbone of another family may be fetched; `candidates`: which of the ways are looked at
after the first probe, their numbers as digits (124: the first, second and fourth; 0: none), in place of those
that there is time for, which repeats a run whose clock decided so."""
TASKS = EITHER
"""What it learns: one label a photo, or any number of tags; of these it ends with the best, not a pool."""
PRESETS = linear_probe.PRESETS


def body(options: Options, run: Run) -> ExportedBackbone:
    """The network of the probe that it begins with: that of :func:`fieldguide.recipes.linear_probe.body`."""
    return linear_probe.body(options, run)


def fit(dataset: Dataset, options: Options, run: Run) -> Fitted:
    """Learn from a data set.

    Parameters
    ----------
    dataset
        Training images only.
    options
        Preset, backbone and seed; the settings are :data:`OPTIONS`.
    run
        Cache and progress. Its validation images are left alone: they measure what was chosen.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or no class has two separate images.
    OptionError
        If the preset is unknown or an option is out of range.
    BackboneError
        If the first backbone's weights cannot be had.
    """
    started = time.perf_counter()
    budget = TimeBudget.of(options, started)
    asked = asked_steps(options)
    memory = run.memory or FeatureMemory(dataset.paths, run.cache)
    shared = dataclasses.replace(run, memory=memory)
    search = CandidateSearch(CandidateMaterial(dataset, options, shared, budget.left, by_clock=asked is None))
    search.run(asked)
    choice = choose(search.trials, dataset.groups, options.seed)
    taken = search.trials[choice.trial].fitted
    fitted = taken if choice.pool is None else fitted_pool(search.trials, choice.pool)
    return dataclasses.replace(
        fitted,
        choices=(budget.summary(), *search.summary(), choice.sentence, *fitted.choices),
        seconds={**search.trials[0].fitted.seconds, "auto": time.perf_counter() - started},
        interrupted=search.interrupted,
    )
