"""Which learning rate suits the photos: a sweep instead of a training."""

import dataclasses

from fieldguide import recipes
from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.rate_sweep import RateSweep


def find_rate(dataset: Dataset, recipe: str, options: Options, run: Run) -> RateSweep:
    """Sweep over learning rates on the images that `train` would learn from.

    Parameters
    ----------
    dataset
        Open; of its splits only `train` and `validation` are looked at.
    recipe
        One that trains a network step by step.
    options
        Of the training whose rate is looked for.
    run
        Cache and progress.

    Raises
    ------
    OptionError
        If the recipe is unknown or learns in no steps.
    """
    module = recipes.find(recipe)
    if not hasattr(module, "find_rate"):
        able = [name for name in recipes.usable() if hasattr(recipes.find(name), "find_rate")]
        takers = f"recipes that do: {', '.join(able)}" if able else "no recipe of this installation does"
        raise OptionError(f"--find-rate: the recipe {recipe} takes no steps of a learning rate; {takers}")
    labelled = dataset.labelled()
    splits = labelled.splits or ()
    if "validation" in splits:
        run = dataclasses.replace(run, validation=labelled.select("validation"))
    found: RateSweep = module.find_rate(labelled.select("train") if splits else labelled, options, run)
    return found
