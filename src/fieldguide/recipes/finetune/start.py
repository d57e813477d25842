"""Where fine-tuning starts, and whether it got anywhere: the linear probe of the images learned from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone
from fieldguide.backbones.timm_networks.build import build_tapped
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.data.dataset import Dataset
from fieldguide.heads.linear_head import Probe, fit_probe
from fieldguide.heads.ridge import TagTable
from fieldguide.heads.tag_probe import TagProbe, fit_tag_probe
from fieldguide.heads.training_table import TrainingTable
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.metrics import intervals
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune.cache import ActivationCache, Fresh, Variants
from fieldguide.recipes.finetune.course import Course
from fieldguide.recipes.finetune.layers import Adapted
from fieldguide.recipes.finetune.network import FineTuned
from fieldguide.recipes.finetune.presets import FinetunePreset
from fieldguide.recipes.finetune.statistics import Statistics, put, reestimated, statistics_of
from fieldguide.recipes.finetune.task import RATED_BATCH, Hyperparameters, Source, class_weights
from fieldguide.recipes.labelled_features import learn_from
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.network import FeatureNetwork
from fieldguide.recipes.tagged_features import learn_tags_from
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators
from fieldguide.tasks.task import Task
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan

BATCH, MEASURED = 32, 512
"""Images that pass together, and most whose statistics are measured."""
LEAST_ERROR = 0.004
"""Share of mistakes up to which a probe is left alone."""


@dataclass(frozen=True)
class Start:
    """The linear probe of the images learned from."""

    backbone: ExportedBackbone
    probe: Probe | TagProbe
    table: TrainingTable
    """The features it was fitted to."""
    tags: Indicators | None = None
    """What it was fitted to, of shape (n_learned, n_tags), if images have tags."""
    statistics: Statistics | None = None
    """Of batch normalisation, where not those that the backbone came with."""


@dataclass(frozen=True)
class ProbeBaseline:
    """What `linear-probe` makes of the images learned from, with the same preset, backbone and size."""

    options: Options
    """Its own."""
    backbone: ExportedBackbone
    scores: NDArray[np.float64]
    """Of the images held out, of shape (n_held, n_classes)."""


def probe_of(
    dataset: Dataset, images: Images, backbone: ExportedBackbone, options: Options, run: Run
) -> Start:
    """Fit the linear probe to the images that are not held out.

    Raises
    ------
    DataError
        If no class has two separate images among them.
    """
    own = dataset.take(images.table.rows[images.learn])
    if images.task is Task.MULTIPLE:
        tagged = learn_tags_from(own, backbone, options, run).table()
        found = fit_tag_probe(tagged, backbone.depths, options.seed)
        return Start(backbone, found, tagged.table, tagged.indicators)
    table = learn_from(own, backbone, options, run).table()
    return Start(backbone, fit_probe(table, backbone.depths, options.seed), table)


def baseline_of(dataset: Dataset, images: Images, start: Start, options: Options, run: Run) -> ProbeBaseline:
    """Fit what fine-tuning has to beat: the probe as `linear-probe` comes, which may see larger photos.

    Raises
    ------
    DataError
        If no class has two separate images among those learned from.
    """
    settings = {name: value for name, value in options.settings.items() if name == "size"}
    own = replace(options, settings=settings)
    backbone = linear_probe.body(own, run)
    if (backbone.name, backbone.preprocessing) != (start.backbone.name, start.backbone.preprocessing):
        start = probe_of(dataset, images, backbone, own, run)
    held = run.extract([images.paths[row] for row in images.held], backbone)
    head = start.probe.head
    return ProbeBaseline(own, backbone, held.vectors.astype(np.float64) @ head.weights + head.bias)


def hyperparameters_of(
    images: Images, augmentation: Augmentation, batch: int, preset: FinetunePreset
) -> Hyperparameters:
    """Choose rate and class weights; the rate grows with the root of the batch, as suits Adam."""
    rate = preset.rate * (batch / RATED_BATCH) ** 0.5
    shares = images.shares()
    weights = np.ones(len(shares)) if images.task is Task.MULTIPLE else class_weights(shares)
    return Hyperparameters(
        rate, preset.head_rate * rate, preset.layer_decay, weights, augmentation, images.task
    )


def network_of(start: Start, layers: float, way: Hyperparameters) -> FineTuned:
    """Build the network that answers as the probe does.

    Parameters
    ----------
    layers
        Share of the backbone that learns.
    way
        Where it weighs the classes, the shares that the probe's scores hold are taken out of them.
    """
    return FineTuned(
        Adapted(tapped_of(start), layers), start.table, start.probe.head, _held_priors(start, way)
    )


def tapped_of(start: Start) -> TappedNetwork:
    """Build the backbone that the probe's features come from."""
    backbone = start.backbone
    tapped = build_tapped(
        backbone.timm_name, backbone.preprocessing, backbone.weights, taps=backbone.taps, head=False
    )
    if start.statistics is not None:
        put(tapped.network, start.statistics, 1.0)
    return tapped


def passed_through(
    tapped: TappedNetwork, images: Images, rows: NDArray[np.int64]
) -> Iterator[NDArray[np.float32]]:
    """Features of some images, a batch after the other."""
    for first in range(0, len(rows), BATCH):
        pixels = torch.from_numpy(images.table.images[rows[first : first + BATCH]])
        with torch.no_grad():
            yield tapped(pixels)[0].float().numpy()


def features_with_own_statistics(
    start: Start, images: Images, rows: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.float32], Statistics]:
    """Features of images by a backbone whose batch normalisation is moved towards their own statistics.

    Parameters
    ----------
    rows
        Of the table of images; at most :data:`MEASURED` of them are measured.
    share
        Of the way from the statistics that the backbone came with to the photos' own, more than 0, at most 1.
    seed
        Of the order in which images are measured.

    Returns
    -------
    ndarray of shape (n_rows, n_features), Statistics
        The features, and the statistics behind them.
    """
    tapped = tapped_of(start)
    order = np.random.default_rng(seed).permutation(rows)[:MEASURED]
    whole = order[: len(order) // BATCH * BATCH] if len(order) >= BATCH else order
    own = reestimated(tapped.network, lambda: sum(map(len, passed_through(tapped, images, whole))))
    put(tapped.network, own, share)
    return np.concatenate(list(passed_through(tapped, images, rows))), statistics_of(tapped.network)


def with_own_statistics(start: Start, images: Images, share: float, seed: int) -> Start:
    """Fit the probe anew to :func:`features_with_own_statistics`; a share of 0 changes nothing."""
    if not share:
        return start
    vectors, statistics = features_with_own_statistics(start, images, images.learn, share, seed)
    table, depths = TrainingTable.of(vectors, start.table.labels, start.table.folds), start.backbone.depths
    probe = (
        fit_probe(table, depths, seed)
        if start.tags is None
        else fit_tag_probe(TagTable(table, start.tags), depths, seed)
    )
    return replace(start, table=table, probe=probe, statistics=statistics)


def _held_priors(start: Start, way: Hyperparameters) -> NDArray[np.float64]:
    if isinstance(start.probe, TagProbe):
        return np.zeros(len(way.weights))
    shares = np.bincount(start.table.labels, minlength=start.table.n_classes) / len(start.table.labels)
    weighs = start.probe.promises.uses_shares and way.weights.min() < way.weights.max()
    return np.log(shares * way.weights) if weighs else np.zeros(len(shares))


def source_of(
    network: FineTuned,
    images: Images,
    preprocessing: Preprocessing,
    plan: Plan,
    keep: ActivationCache,
    course: Course,
) -> Source:
    """Serve what frozen layers gave, unless none are frozen or images are mixed before them."""
    features = FeatureNetwork(network.body, preprocessing)
    augmentation = keep.augmentation
    mixed = augmentation.mixup or augmentation.cutmix
    if mixed or not network.body.frozen_steps or not keep.variants:
        return Fresh(images, features, augmentation, course.stages)
    return Variants(network, images, features, plan, keep)


def nothing_to_gain(start: Start) -> str | None:
    """Say that the probe's out-of-fold answers leave nothing to be won; None where they do.

    So it is where it errs in at most :data:`LEAST_ERROR` of the images learned from, by a label or by any of
    their tags. The bound is that of
    the exact interval (Clopper and Pearson, 1934).
    """
    errs = _errs(start)
    wrong = int(errs.sum())
    if wrong > LEAST_ERROR * len(errs):
        return None
    most = intervals.share(wrong, len(errs)).high
    what = "" if start.tags is None else "tags of "
    return (
        f"linear probe handed back without fine-tuning: of {len(errs)} images that it had not seen it gets "
        f"{what}{wrong} wrong, so at most {most:.1%} of new photos could be won (95 % bound)"
    )


def _errs(start: Start) -> NDArray[np.bool_]:
    """Which images the probe gets wrong out of fold: the label, or any of the tags."""
    probe, judged = start.probe, start.probe.judged
    if not isinstance(probe, TagProbe) or start.tags is None:
        return np.asarray(probe.promises.probabilities.argmax(1) != start.table.labels[judged])
    own, promises = start.tags[judged], probe.promises
    given = promises.probabilities >= promises.thresholds
    return np.asarray(((given != (own == PRESENT)) & (own != NOT_KNOWN)).any(1))
