"""Augmentation: every image of a batch changed a little, each time a network sees it.

The batch is one uint8 tensor and so is the result. The generator alone decides what happens: in the same
state it gives the same bytes, so a step of training can be replayed, and no other random numbers are touched.
"""

from dataclasses import asdict, dataclass, replace

import torch

from fieldguide.errors import OptionError
from fieldguide.training.augment import switches
from fieldguide.training.augment.colour import blurred, coloured, draw_colouring, erased
from fieldguide.training.augment.geometry import Placement, draw_crop, place, uniform
from fieldguide.training.augment.policies import mixed, rand_augmented
from fieldguide.training.share import BatchPart


@dataclass(frozen=True)
class Augmentation:
    """What may happen to an image; with the defaults nothing does.

    Raises
    ------
    OptionError
        If a switch is out of its range.
    """

    flip: float = 0.0
    """Probability that left and right are exchanged, 0 to 1."""
    rotate: float = 0.0
    """Largest turn either way, in degrees, 0 to 180; any angle up to it is as likely."""
    crop: float = 1.0
    """Smallest share of the area that a random crop keeps, 0.05 to 1; the crop fills the image again, and is
    up to 4/3 wider or higher than the image's shape. 1 crops nothing."""
    shift: float = 0.0
    """Largest move to each of the four sides, as a share of width and height, 0 to 0.5; a reflection
    fills the gap."""
    colour: float = 0.0
    """Strength of changes to brightness, contrast and saturation (each multiplied by 1 - 0.9 × colour to
    1 + 0.9 × colour) and hue (turned by up to 45° × colour), 0 to 1."""
    blur: float = 0.0
    """Probability of a Gaussian blur, 0 to 1."""
    erase: float = 0.0
    """Probability that a rectangle of 2 to 33 % of the area is filled with the image's mean colour, 0 to 1
    (random erasing, Zhong et al. 2017)."""
    rand_augment: float = 0.0
    """Magnitude of two operations picked by RandAugment (Cubuk et al. 2019), 0 to 10; 0 is off."""
    mixup: float = 0.0
    """Alpha of MixUp (Zhang et al. 2017), 0 to 10: two images are blended, in a ratio drawn from
    Beta(alpha, alpha). 0 is off."""
    cutmix: float = 0.0
    """Alpha of CutMix (Yun et al. 2019), 0 to 10: a rectangle comes from another image. 0 is off; with
    `mixup` on too a coin decides for each batch."""

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            switches.check(name, value)

    @staticmethod
    def named(strength: str, *, flip: bool) -> "Augmentation":
        """Return a set of switches by its name.

        Parameters
        ----------
        strength
            One of :data:`STRENGTHS`.
        flip
            Whether images may be mirrored; :func:`fieldguide.recipes.networks.flips.flip_is_safe` chooses.

        Raises
        ------
        OptionError
            If there is no such strength.
        """
        if strength not in STRENGTHS:
            raise OptionError(
                f"augmentation: must be one of {', '.join(STRENGTHS)}, got {strength!r}; medium suits photos"
            )
        chosen = STRENGTHS[strength]
        return chosen if flip else replace(chosen, flip=0.0)

    def with_switches(self, text: str) -> "Augmentation":
        """Set single switches, as a command line has them.

        Parameters
        ----------
        text
            Such as ``rotate=10,erase=0``; spaces are allowed, an empty text changes nothing.

        Raises
        ------
        OptionError
            If a switch is unknown, set twice, no number or out of its range.
        """
        return replace(self, **switches.parse(text))

    @property
    def needs_neighbours(self) -> bool:
        """Whether an image's changes cannot be known without working on the others of its batch."""
        return bool(self.rand_augment or self.mixup or self.cutmix)

    def images(
        self, batch: torch.Tensor, generator: torch.Generator, part: BatchPart | None = None
    ) -> torch.Tensor:
        """Change the images of a batch, each in its own way.

        Parameters
        ----------
        batch : tensor of shape (n_images, 3, height, width), uint8
            On any device; left as it is.
        generator
            Decides, and moves on. On the CPU it makes the same choices for batches of any device.
        part
            Where `batch` is a part of one: choices are drawn for all of it, and `generator` moves on as far.
            Does not go with :attr:`needs_neighbours`. None: it is all of it.

        Returns
        -------
        tensor of the same shape, uint8
            With everything off the batch itself.

        Raises
        ------
        ValueError
            If the batch has another shape or type.
        """
        if batch.dtype != torch.uint8 or batch.ndim != 4 or batch.shape[1] != 3:
            raise ValueError(
                f"batch must be uint8 of shape (n_images, 3, height, width), got {batch.dtype} of shape "
                f"{tuple(batch.shape)}"
            )
        if len(batch) == 0:
            return batch
        part = part or BatchPart.whole(len(batch))
        if self.flip or self.rotate or self.shift or self.crop < 1:
            batch = place(batch, self._placement(part.count, generator).part(part))
        if self.rand_augment:
            batch = rand_augmented(batch, self.rand_augment, generator)
        if self.colour:
            batch = coloured(batch, draw_colouring(part.count, self.colour, generator).part(part))
        if self.blur:
            batch = blurred(batch, self.blur, generator, part)
        return erased(batch, self.erase, generator, part) if self.erase else batch

    def mix(
        self, images: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mix the images of a batch and their targets, if `mixup` or `cutmix` is on.

        Parameters
        ----------
        images : tensor of shape (n_images, 3, height, width), float
            In shuffled order: neighbours are mixed.
        targets : tensor of shape (n_images, n_classes), float
            One-hot, or soft with rows that sum to 1.
        generator
            Decides.

        Returns
        -------
        tuple of tensors of the same shapes
            New ones, or with both switches off those given.
        """
        return mixed(images, targets, (self.mixup, self.cutmix), generator)

    def summary(self) -> str:
        """The switches that are on, for a person: ``flip 0.5, shift 0.078``, or ``nothing``."""
        on = [
            f"{name} {value:g}"
            for name, value in asdict(self).items()
            if value != switches.SWITCHES[name].off
        ]
        return ", ".join(on) or "nothing"

    def _placement(self, count: int, generator: torch.Generator) -> Placement:
        mirrored = uniform((count,), 0.0, 1.0, generator) < self.flip
        degrees = uniform((count,), -self.rotate, self.rotate, generator)
        width, height = draw_crop(count, self.crop, generator)
        across, along = uniform((2, count), -1.0, 1.0, generator)
        shifts = uniform((2, count), -self.shift, self.shift, generator)
        return Placement(
            mirrored=mirrored,
            degrees=degrees,
            width=width,
            height=height,
            right=across * (1 - width) / 2 + shifts[0],  # where the crop is taken, and the shift
            down=along * (1 - height) / 2 + shifts[1],
        )


STRENGTHS = {
    "none": Augmentation(),
    "light": Augmentation(flip=0.5, shift=0.078),  # by up to 2 of 32 pixels, each as often
    "medium": Augmentation(flip=0.5, rotate=10, crop=0.6, colour=0.3, erase=0.1),
    # No rotate and no colour, which RandAugment has among its operations (as timm leaves out colour then).
    "strong": Augmentation(flip=0.5, crop=0.35, blur=0.1, erase=0.25, rand_augment=6, mixup=0.2, cutmix=1),
}
"""`light` suits small images and short runs, `medium` photos and pretrained networks, `strong` long runs."""
