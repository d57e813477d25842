"""What frozen layers make of each image, computed once for each of a few augmented variants."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fieldguide.large_arrays import in_file
from fieldguide.progress import Progress, silent
from fieldguide.recipes.finetune.network import FineTuned
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.network import Batches, FeatureNetwork
from fieldguide.training.augment.pipeline import Augmentation
from fieldguide.training.plan import Plan
from fieldguide.training.share import BatchPart

IN_MEMORY_BYTES = 1_000_000_000
LARGEST = 65504.0
"""Of the numbers of half the length that are kept."""
BATCH = 32
_STAGE = "frozen layers"


class FrozenActivations:
    """The output of a network's frozen layers for some images, in half precision.

    Parameters
    ----------
    count
        Rows there is room for.
    values, early
        Shapes of one row of each of the two outputs.
    folder
        Where a file may lie if they are too many for memory.
    """

    def __init__(
        self, count: int, values: tuple[int, ...], early: tuple[int, ...], folder: Path | None
    ) -> None:
        self._values, self._early = _room((count, *values), folder), _room((count, *early), folder)

    def put(self, start: int, values: Tensor, early: Tensor) -> None:
        """Write rows from `start` on."""
        for array, rows in ((self._values, values), (self._early, early)):
            half = rows.float().clamp(-LARGEST, LARGEST).to(torch.float16).contiguous()
            array[start : start + len(rows)] = half.cpu().numpy()

    def get(self, rows: Tensor | slice, device: torch.device) -> tuple[Tensor, Tensor]:
        """Read rows."""
        places = rows.numpy() if isinstance(rows, Tensor) else rows
        values, early = (
            torch.from_numpy(array[places]).to(device).float() for array in (self._values, self._early)
        )
        if values.ndim == 4:
            values = values.contiguous(memory_format=torch.channels_last)
        return values, early


class Variants:
    """What the frozen layers make of a few augmented variants of each image, and of the images held out.

    Filled when first asked, since only then the network is where it computes.

    Parameters
    ----------
    network
        Its frozen layers are run.
    images
        Learned from and held out.
    features
        How pixels are normalised.
    augmentation
        Makes the variants, without `mixup` and `cutmix`.
    plan
        Its seed decides the variants.
    keep
        How many, and where.
    """

    def __init__(
        self,
        network: FineTuned,
        images: Images,
        features: FeatureNetwork,
        plan: Plan,
        keep: "ActivationCache",
    ) -> None:
        self._body, self._features, self._plan, self._keep = network.body, features, plan, keep
        self._batches = Batches(images)
        self._counts = (len(images.learn), len(images.held))
        self._learned: list[FrozenActivations] = []
        self._held: FrozenActivations | None = None

    def side(self, at_end_of_pass: float) -> int:
        """Side in pixels: always the whole, since frozen layers saw it so."""
        return self._features.size

    def see(self, side: int) -> None:
        """There is only one side."""

    def learn(
        self, rows: Tensor, epoch: int, chance: tuple[torch.Generator, BatchPart], device: torch.device
    ) -> tuple[tuple[Tensor, Tensor], Tensor]:
        """What the learning layers take of a part of a batch, and the labels of all of it, at `rows`."""
        if not self._learned:
            self._learned = [self._filled(device, number) for number in range(self._keep.variants)]
        own = rows[chance[1].rows]
        return self._learned[epoch % len(self._learned)].get(own, device), self._batches.labels(rows, device)

    def held(self, device: torch.device) -> Iterator[tuple[tuple[Tensor, Tensor], Tensor]]:
        """The same of all images held out, as they are, a batch after the other."""
        if self._held is None:
            self._held = self._filled(device, None)
        for number, (_, labels) in enumerate(self._batches.held(device, BATCH)):
            rows = slice(number * BATCH, number * BATCH + len(labels))
            yield self._held.get(rows, device), labels

    def _filled(self, device: torch.device, variant: int | None) -> FrozenActivations:
        kept, start = None, 0
        count = self._counts[variant is None]
        with torch.no_grad():
            for images in self._images(device, variant):
                inputs = self._features.to(device).normalised(images)
                values, early = self._body.first(inputs.contiguous(memory_format=torch.channels_last))
                kept = kept or FrozenActivations(
                    count, tuple(values.shape[1:]), tuple(early.shape[1:]), self._keep.folder
                )
                kept.put(start, values, early)
                start += len(images)
                self._keep.progress(
                    _STAGE if variant is None else f"{_STAGE}, variant {variant + 1}", start, count
                )
        assert kept is not None  # nothing is trained without images
        return kept

    def _images(self, device: torch.device, variant: int | None) -> Iterator[Tensor]:
        if variant is None:
            yield from (images for images, _ in self._batches.held(device, BATCH))
            return
        generator = torch.Generator().manual_seed(self._plan.seed * 1_000_003 + variant)
        for start in range(0, self._counts[0], BATCH):
            rows = torch.arange(start, min(start + BATCH, self._counts[0]))
            yield self._keep.augmentation.images(self._batches.learn(rows, device)[0], generator)


@dataclass(frozen=True)
class ActivationCache:
    """What is kept of frozen layers, and where."""

    augmentation: Augmentation
    variants: int
    """Augmented variants of each image; epochs take turns at them."""
    folder: Path | None = None
    """Where a file may lie if they are too many for memory."""
    progress: Progress = silent


class Fresh:
    """Images augmented anew each time, for a network whose layers all learn, or whose images are mixed.

    Parameters
    ----------
    images
        Learned from and held out.
    features
        How pixels are normalised.
    augmentation
        Of the images to learn from.
    stages
        Until which share of training images have which side in pixels, growing: small ones cost little, and
        what is learned from them holds for large ones (Howard, "Training Imagenet in 3 hours for 25 minutes",
        2018; Touvron et al., "Fixing the train-test resolution discrepancy", NeurIPS 2019). None: the whole.
    """

    def __init__(
        self,
        images: Images,
        features: FeatureNetwork,
        augmentation: Augmentation,
        stages: tuple[tuple[float, int], ...] = (),
    ) -> None:
        self._batches, self._features, self._augmentation = Batches(images), features, augmentation
        self._stages, self._side = stages, features.size

    def side(self, at_end_of_pass: float) -> int:
        """Side in pixels of the images to learn from, by the share of training done at the end of a pass."""
        return next((side for until, side in self._stages if at_end_of_pass <= until), self._features.size)

    def see(self, side: int) -> None:
        """Give images to learn from of this side from now on."""
        self._side = side

    def learn(
        self, rows: Tensor, epoch: int, chance: tuple[torch.Generator, BatchPart], device: torch.device
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """Normalised images of a part of a batch, and the labels of all of it, at `rows`."""
        generator, part = chance
        images, _ = self._batches.learn(rows[part.rows], device)
        images = self._augmentation.images(shrunk(images, self._side), generator, part)
        return (self._normalised(images),), self._batches.labels(rows, device)

    def held(self, device: torch.device) -> Iterator[tuple[tuple[Tensor, ...], Tensor]]:
        """The same of all images held out, as they are, a batch after the other."""
        for images, labels in self._batches.held(device, BATCH):
            yield (self._normalised(images),), labels

    def _normalised(self, images: Tensor) -> Tensor:
        return (
            self._features.to(images.device).normalised(images).contiguous(memory_format=torch.channels_last)
        )


def shrunk(images: Tensor, side: int) -> Tensor:
    """Shrink uint8 images (batch, 3, size, size) to (batch, 3, side, side)."""
    if side >= images.shape[-1]:
        return images
    smaller = nn.functional.interpolate(images.float(), size=side, mode="bilinear", antialias=True)
    return smaller.round().clamp(0, 255).to(torch.uint8)


def _room(shape: tuple[int, ...], folder: Path | None) -> NDArray[Any]:
    if int(np.prod(shape)) * 2 <= IN_MEMORY_BYTES:
        return np.zeros(shape, np.float16)
    return in_file(shape, np.float16, folder, "frozen layers' output")
