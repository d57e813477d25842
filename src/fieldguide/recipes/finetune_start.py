"""Where fine-tuning starts, and whether it got anywhere: the linear probe of the images learned from."""

from dataclasses import dataclass

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
from fieldguide.recipes.common import Setting
from fieldguide.recipes.finetune_cache import Fresh, Keep, Variants
from fieldguide.recipes.finetune_layers import Adapted
from fieldguide.recipes.finetune_network import FineTuned
from fieldguide.recipes.finetune_task import RATE, Source, Way, class_weights
from fieldguide.recipes.learned import FeatureNetwork, Images, Promised
from fieldguide.recipes.material import learn_from

Z = 1.6448536269514722
"""Standard normal quantile of 95 %: chance of preferring fine-tuning that changed nothing is at most 5 %."""


@dataclass(frozen=True)
class Start:
    """The linear probe of the images learned from."""

    probe: Probe
    table: Table
    """The features it was fitted to."""


def probe_of(dataset: Dataset, images: Images, backbone: ExportedBackbone, setting: Setting) -> Start:
    """Fit the linear probe to the images that are not held out.

    Raises
    ------
    DataError
        If no class has two separate images among them.
    """
    material = learn_from(dataset.take(images.table.rows[images.learn]), backbone, setting)
    table = material.table()
    return Start(fit_probe(table, backbone.depths, setting.seed), table)


def way_of(images: Images, augmentation: Augmentation, plan: Plan, setting: Setting) -> Way:
    """Choose rate and class weights; the rate grows with the root of the batch, as suits Adam."""
    rate = float(setting.options.get("learning_rate") or RATE) * (plan.batch_size / 32) ** 0.5
    return Way(rate, class_weights(images.shares()), augmentation)


def network_of(start: Start, backbone: ExportedBackbone, layers: float, way: Way) -> FineTuned:
    """Build the network that answers as the probe does.

    Parameters
    ----------
    layers
        Share of the backbone that learns.
    way
        Where it weighs the classes, the shares that the probe's scores hold are taken out of them.
    """
    tapped = build_tapped(
        backbone.timm_name, backbone.preprocessing, backbone.weights, taps=backbone.taps, head=False
    )
    shares = np.bincount(start.table.labels, minlength=start.table.n_classes) / len(start.table.labels)
    weighs = start.probe.uses_shares and way.weights.min() < way.weights.max()
    held = np.log(shares * way.weights) if weighs else np.zeros(len(shares))
    return FineTuned(Adapted(tapped, layers), start.table, start.probe.head, held)


def source_of(
    network: FineTuned, images: Images, backbone: ExportedBackbone, plan: Plan, keep: Keep
) -> Source:
    """Serve what frozen layers gave, unless none are frozen or images are mixed before them."""
    features = FeatureNetwork(network.body, backbone.preprocessing)
    augmentation = keep.augmentation
    mixed = augmentation.mixup or augmentation.cutmix
    if mixed or not network.body.frozen_steps or not keep.variants:
        return Fresh(images, features, augmentation)
    return Variants(network, images, features, plan, keep)


def compare(
    before: NDArray[np.float64], promised: Promised, shares: NDArray[np.float64] | None
) -> tuple[bool, str]:
    """Decide whether the fine-tuned network beats the probe on the images held out.

    It does if it gets no fewer right, and its mean log loss is lower by more than :data:`Z` standard errors
    of the differences, image by image; both are calibrated on these images. With one error a single image of
    40 decided.

    Parameters
    ----------
    before
        The probe's scores of the images held out, of shape (n_held, n_classes).
    promised
        With the fine-tuned network's answers to the same images.
    shares
        As for :func:`fieldguide.recipes.learned.promise`.
    """
    truth, after = promised.out_of_fold.labels, promised.out_of_fold.probabilities
    even = np.full(before.shape[1], 1 / before.shape[1])
    calibrated = calibration.calibrate(before, truth, even if shares is None else shares)
    probed = calibrated.probabilities(before)
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
