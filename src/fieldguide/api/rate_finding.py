"""The learning rate that suits photos, from a script: `find_rate`."""

from collections.abc import Mapping
from pathlib import Path

from fieldguide.api.architectures import Network
from fieldguide.api.data import Splits, opened
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.runs import run_with
from fieldguide.api.training import Augment, Preset
from fieldguide.api.values import FilePath, as_path, whole_number
from fieldguide.data.dataset import Data
from fieldguide.data.options import DataOptions
from fieldguide.learning.rate_finding import find_rate as find
from fieldguide.learning.rate_plot import draw
from fieldguide.recipes.common import Options
from fieldguide.recipes.rate_sweep import RateSweep
from fieldguide.recipes.settings import settings_for
from fieldguide.tasks.task import EITHER


def find_rate(
    data: Data,
    *,
    recipe: str = "finetune",
    backbone: str | None = None,
    preset: Preset = "balanced",
    seed: int = 0,
    weights: FilePath | None = None,
    batch_size: int | None = None,
    augment: Augment | None = None,
    augment_with: str | None = None,
    size: int | None = None,
    architecture: Network | None = None,
    set: Mapping[str, float] | None = None,
    splits: Splits = None,
    plot: FilePath | None = None,
    progress: ProgressChoice = None,
) -> RateSweep:
    """Take 100 steps at growing learning rates, and suggest one; no model is made.

    The suggestion is where the running mean of the loss falls fastest, or a tenth of the rate where it is
    lowest if that is less (Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017). The
    same photos, options and seed give the same sweep.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    recipe : {"finetune", "cnn"}, default="finetune"
        The way to train whose rate is looked for.
    backbone, preset, seed, weights, batch_size, augment, augment_with, size, architecture, set : optional
        As in :func:`fieldguide.train`. For `finetune` all layers learn unless ``set={"layers": …}`` says
        less.
    splits
        As in :func:`fieldguide.open_dataset`.
    plot : path, optional
        A PNG of the sweep.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    RateSweep
        ``suggested`` (None where no rate lowered the loss), ``rates``, ``losses``, ``smoothed``,
        ``sentence()``; ``as_dict()`` is what ``fieldguide train --find-rate --json`` writes.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used, or the recipe takes no steps.

    Examples
    --------
    >>> import fieldguide
    >>> sweep = fieldguide.find_rate("photos", recipe="cnn")                             # doctest: +SKIP
    >>> fieldguide.train("photos", recipe="cnn", learning_rate=sweep.suggested)          # doctest: +SKIP
    """
    given = {
        "batch_size": batch_size,
        "augment": augment,
        "augment_with": augment_with,
        "size": size,
        "architecture": architecture,
    }
    settings = settings_for(recipe, given, (set or {}).items())
    options = Options(backbone, preset, whole_number("seed", seed), as_path(weights), settings)
    with shown(progress) as callback:
        dataset = opened(data, DataOptions(), splits, callback, tasks=EITHER)
        found = find(dataset, recipe, options, run_with(callback))
    if plot is not None:
        draw(found, Path(plot))
    return found
