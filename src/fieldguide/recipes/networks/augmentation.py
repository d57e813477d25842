"""Which augmentation a recipe uses: the strength asked for, mirrored only where that is safe."""

import io
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from fieldguide.backbones.classical.export import export_classical
from fieldguide.backbones.export import export
from fieldguide.data.dataset import Dataset
from fieldguide.errors import BackboneError
from fieldguide.files import atomic_write
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks.flip_evidence import mirror_evidence
from fieldguide.recipes.networks.flips import flip_is_safe
from fieldguide.tasks.tags import Tags
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.augment.preview import preview

PROBE, PROBE_SIZE = "efficientnet_lite0", 160
"""The network that is asked whether mirror images are harder; it comes with the installation."""
UNTRAINED_PROBE = "a linear probe on edges, texture and colour"
"""What is asked by recipes that promise to use no pretrained network."""
PREVIEWED = 12
"""Images in the picture of augmentation."""
OPTIONS = frozenset({"augment", "augment_with"})
"""`augment` is one of :data:`fieldguide.training.augment.pipeline.STRENGTHS`, `augment_with` sets single
switches."""


def augmentation_for(
    dataset: Dataset, options: Options, run: Run, usual: str, *, pretrained: bool = True
) -> tuple[Augmentation, tuple[str, ...]]:
    """Choose the augmentation of a training run.

    Parameters
    ----------
    dataset
        Training images; some are looked at to see whether they may be mirrored.
    options
        The settings `augment` and `augment_with`.
    run
        Cache and progress.
    usual
        The strength where none is asked for.
    pretrained
        Whether a pretrained network may be asked if mirror images are harder; if not, a probe on classical
        features is, which were learned from nothing.

    Returns
    -------
    tuple of Augmentation and tuple of str
        With a sentence for each choice.

    Raises
    ------
    OptionError
        If the strength or a switch is unknown, or out of its range.
    """
    strength = options.settings.get("augment", usual)
    switches = options.settings.get("augment_with", "")
    asked = Augmentation.named(strength, flip=True).with_switches(switches)
    summary: tuple[str, ...] = ()
    if asked.flip and "flip" not in switches:
        mirror, reason = _mirror(dataset, run, pretrained)
        asked = Augmentation.named(strength, flip=mirror).with_switches(switches)
        summary = (reason,)
    why = "asked for" if "augment" in options.settings else "usual for this recipe"
    return asked, (*summary, f"augmentation {strength}, {why}: {asked.summary()}")


def write_preview(images: NDArray[np.uint8], augmentation: Augmentation, options: Options, run: Run) -> None:
    """Write the picture that the run asks for, if it asks for one.

    Parameters
    ----------
    images
        Of shape (n_images, size, size, 3); some of them, spread evenly, are shown.
    augmentation
        What is shown.
    options
        The seed.
    run
        Where the picture goes: its `preview`.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    if run.preview is None:
        return
    shown = np.linspace(0, len(images) - 1, min(len(images), PREVIEWED)).round().astype(np.int64)
    picture = io.BytesIO()
    batch = torch.from_numpy(images[shown]).permute(0, 3, 1, 2)
    preview(batch, augmentation, options.seed).save(picture, "PNG")
    with atomic_write(run.preview) as file:
        file.write(picture.getvalue())


def _mirror(dataset: Dataset, run: Run, pretrained: bool) -> tuple[bool, str]:
    by_name = flip_is_safe(dataset.classes)
    if not by_name[0]:
        return by_name
    try:
        backbone = export(PROBE, size=PROBE_SIZE, progress=run.progress) if pretrained else export_classical()
    except BackboneError:  # an installation without the packaged weights: names alone decide
        return by_name
    evidence = mirror_evidence(
        dataset.paths,
        dataset.labels if dataset.tags is None else [tags or Tags() for tags in dataset.tags],
        backbone,
        dataset.groups,
        cache=run.cache,
        progress=run.progress,
    )
    if not pretrained:
        evidence = replace(evidence, probe=UNTRAINED_PROBE)
    return flip_is_safe(dataset.classes, evidence)
