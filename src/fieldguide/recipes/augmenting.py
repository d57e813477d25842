"""Which augmentation a recipe uses: the strength asked for, mirrored only where that is safe."""

import io

import numpy as np
import torch
from numpy.typing import NDArray

from fieldguide.augment import Augmentation
from fieldguide.augment_flips import flip_is_safe
from fieldguide.augment_preview import preview
from fieldguide.backbone_export import export
from fieldguide.dataset import Dataset
from fieldguide.errors import BackboneError
from fieldguide.files import atomic_write
from fieldguide.mirror import mirror_evidence
from fieldguide.recipes.common import Setting

PROBE, PROBE_SIZE = "efficientnet_lite0", 160
"""The network that is asked whether mirror images are harder; it comes with the installation."""
PREVIEWED = 12
"""Images in the picture of augmentation."""
OPTIONS = frozenset({"augment", "augment_with"})
"""`augment` is one of :data:`fieldguide.augment.STRENGTHS`, `augment_with` sets single switches."""


def augmentation_for(dataset: Dataset, setting: Setting, usual: str) -> tuple[Augmentation, tuple[str, ...]]:
    """Choose the augmentation of a training run.

    Parameters
    ----------
    dataset
        Training images; some are looked at to see whether they may be mirrored.
    setting
        The options `augment` and `augment_with`, cache and progress.
    usual
        The strength where none is asked for.

    Returns
    -------
    tuple of Augmentation and tuple of str
        With a sentence for each choice.

    Raises
    ------
    OptionError
        If the strength or a switch is unknown, or out of its range.
    """
    strength = setting.options.get("augment", usual)
    switches = setting.options.get("augment_with", "")
    asked = Augmentation.named(strength, flip=True).with_switches(switches)
    told: tuple[str, ...] = ()
    if asked.flip and "flip" not in switches:
        mirror, reason = _mirror(dataset, setting)
        asked = Augmentation.named(strength, flip=mirror).with_switches(switches)
        told = (reason,)
    why = "asked for" if "augment" in setting.options else "usual for this recipe"
    return asked, (*told, f"augmentation {strength}, {why}: {asked.told()}")


def write_preview(images: NDArray[np.uint8], augmentation: Augmentation, setting: Setting) -> None:
    """Write the picture that the setting asks for, if it asks for one.

    Parameters
    ----------
    images
        Of shape (n_images, size, size, 3); some of them, spread evenly, are shown.
    augmentation
        What is shown.
    setting
        Its `preview` and seed.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if setting.preview is None:
        return
    shown = np.linspace(0, len(images) - 1, min(len(images), PREVIEWED)).round().astype(np.int64)
    picture = io.BytesIO()
    batch = torch.from_numpy(images[shown]).permute(0, 3, 1, 2)
    preview(batch, augmentation, setting.seed).save(picture, "PNG")
    with atomic_write(setting.preview) as file:
        file.write(picture.getvalue())


def _mirror(dataset: Dataset, setting: Setting) -> tuple[bool, str]:
    by_name = flip_is_safe(dataset.classes)
    if not by_name[0]:
        return by_name
    try:
        backbone = export(PROBE, size=PROBE_SIZE, progress=setting.progress)
    except BackboneError:  # an installation without the packaged weights: names alone decide
        return by_name
    evidence = mirror_evidence(
        dataset.paths,
        dataset.labels,
        backbone,
        dataset.groups,
        cache=setting.cache,
        progress=setting.progress,
    )
    return flip_is_safe(dataset.classes, evidence)
