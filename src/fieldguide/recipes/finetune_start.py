"""Where fine-tuning starts, and whether it got anywhere: the linear probe of the images learned from."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fieldguide import calibration
from fieldguide.augment import Augmentation
from fieldguide.backbone_build import build_tapped
from fieldguide.backbone_export import ExportedBackbone
from fieldguide.dataset import Dataset
from fieldguide.discriminant import Table
from fieldguide.loop import Plan
from fieldguide.probe import Probe, fit_probe
from fieldguide.recipes import linear_probe
from fieldguide.recipes.common import Setting
from fieldguide.recipes.finetune_cache import Fresh, Keep, Variants
from fieldguide.recipes.finetune_layers import Adapted
from fieldguide.recipes.finetune_network import FineTuned
from fieldguide.recipes.finetune_presets import Preset
from fieldguide.recipes.finetune_task import Source, Way, class_weights
from fieldguide.recipes.learned import FeatureNetwork, Images, Promised
from fieldguide.recipes.material import learn_from

Z = 1.6448536269514722
"""Standard normal quantile of 95 %: chance of preferring fine-tuning that changed nothing is at most 5 %."""


@dataclass(frozen=True)
class Start:
    """The linear probe of the images learned from."""

    backbone: ExportedBackbone
    probe: Probe
    table: Table
    """The features it was fitted to."""


@dataclass(frozen=True)
class Rival:
    """What `linear-probe` makes of the images learned from, with the same preset, backbone and size."""

    setting: Setting
    """Its own."""
    backbone: ExportedBackbone
    scores: NDArray[np.float64]
    """Of the images held out, of shape (n_held, n_classes)."""


def probe_of(dataset: Dataset, images: Images, backbone: ExportedBackbone, setting: Setting) -> Start:
    """Fit the linear probe to the images that are not held out.

    Raises
    ------
    DataError
        If no class has two separate images among them.
    """
    material = learn_from(dataset.take(images.table.rows[images.learn]), backbone, setting)
    table = material.table()
    return Start(backbone, fit_probe(table, backbone.depths, setting.seed), table)


def rival_of(dataset: Dataset, images: Images, start: Start, setting: Setting) -> Rival:
    """Fit what fine-tuning has to beat: the probe as `linear-probe` comes, which may see larger photos.

    Raises
    ------
    DataError
        If no class has two separate images among those learned from.
    """
    options = {name: value for name, value in setting.options.items() if name == "size"}
    own = replace(setting, options=options)
    backbone = linear_probe.body(own)
    if (backbone.name, backbone.preprocessing) != (start.backbone.name, start.backbone.preprocessing):
        start = probe_of(dataset, images, backbone, own)
    held = own.extract([images.paths[row] for row in images.held], backbone)
    head = start.probe.head
    return Rival(own, backbone, held.vectors.astype(np.float64) @ head.weights + head.bias)


def way_of(images: Images, augmentation: Augmentation, plan: Plan, preset: Preset) -> Way:
    """Choose rate and class weights; the rate grows with the root of the batch, as suits Adam."""
    rate = preset.rate * (plan.batch_size / 32) ** 0.5
    weights = class_weights(images.shares())
    return Way(rate, preset.head_rate * rate, preset.layer_decay, weights, augmentation)


def network_of(start: Start, layers: float, way: Way) -> FineTuned:
    """Build the network that answers as the probe does.

    Parameters
    ----------
    layers
        Share of the backbone that learns.
    way
        Where it weighs the classes, the shares that the probe's scores hold are taken out of them.
    """
    backbone = start.backbone
    tapped = build_tapped(
        backbone.timm_name, backbone.preprocessing, backbone.weights, taps=backbone.taps, head=False
    )
    shares = np.bincount(start.table.labels, minlength=start.table.n_classes) / len(start.table.labels)
    weighs = start.probe.uses_shares and way.weights.min() < way.weights.max()
    held = np.log(shares * way.weights) if weighs else np.zeros(len(shares))
    return FineTuned(Adapted(tapped, layers), start.table, start.probe.head, held)


def source_of(network: FineTuned, images: Images, start: Start, plan: Plan, keep: Keep) -> Source:
    """Serve what frozen layers gave, unless none are frozen or images are mixed before them."""
    features = FeatureNetwork(network.body, start.backbone.preprocessing)
    augmentation = keep.augmentation
    mixed = augmentation.mixup or augmentation.cutmix
    if mixed or not network.body.frozen_steps or not keep.variants:
        return Fresh(images, features, augmentation)
    return Variants(network, images, features, plan, keep)


def compare(rival: Rival, promised: Promised) -> tuple[bool, str]:
    """Decide whether the fine-tuned network beats the probe on the images held out.

    It does if it gets no fewer right, and its mean log loss is lower by more than :data:`Z` standard errors
    of the differences, image by image; both are calibrated on these images. With one error a single image of
    40 decided.

    Parameters
    ----------
    rival
        With the probe's scores of the images held out.
    promised
        With the fine-tuned network's answers to the same images.
    """
    truth, after = promised.out_of_fold.labels, promised.out_of_fold.probabilities
    even = np.full(after.shape[1], 1 / after.shape[1])
    probed = calibration.calibrate(rival.scores, truth, even).probabilities(rival.scores)
    right = int((after.argmax(1) == truth).sum()), int((probed.argmax(1) == truth).sum())
    losses = (
        -np.log(np.maximum(after[np.arange(len(truth)), truth], 1e-12)),
        -np.log(np.maximum(probed[np.arange(len(truth)), truth], 1e-12)),
    )
    gain = losses[1] - losses[0]
    error = float(gain.std(ddof=1) / len(gain) ** 0.5) if len(gain) > 1 else np.inf
    better = right[0] >= right[1] and float(gain.mean()) > Z * error
    verdict = "fine-tuned network" if better else "linear probe handed back"
    return better, (
        f"{verdict}: of {len(truth)} images held out fine-tuning gets {right[0]} right and the linear "
        f"probe of the same images {right[1]}, with log losses {losses[0].mean():.3f} and "
        f"{losses[1].mean():.3f} (difference {gain.mean():.3f} ± {error:.3f}); fine-tuning "
        f"must get no fewer right and lower the loss by more than {Z:.2f} such errors"
    )
