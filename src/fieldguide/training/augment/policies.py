"""RandAugment, MixUp and CutMix as torchvision has them, without a trace in the global random numbers.

These classes draw from torch's global generator. Here it is set from the caller's generator and put back
afterwards, so that a step of training can be replayed and nothing else in the process is moved.
"""

import contextlib
from collections.abc import Iterator

import torch
from torchvision.transforms import v2  # type: ignore[import-untyped]

MIDDLE_GREY = 128
BINS = 31
"""Steps of RandAugment's magnitude, torchvision's default; magnitude 10 is the last of them."""


@contextlib.contextmanager
def borrowed(generator: torch.Generator) -> Iterator[None]:
    """Let the global generator continue from `generator`, and restore it afterwards."""
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the GPUs too, and they are not restored.
        torch.default_generator.manual_seed(seed)
        yield


def rand_augmented(images: torch.Tensor, magnitude: float, generator: torch.Generator) -> torch.Tensor:
    """Apply two random operations to each image (RandAugment, Cubuk et al. 2019).

    Parameters
    ----------
    images : tensor of shape (n_images, 3, height, width), uint8
    magnitude
        0 to 10, of all operations.
    generator
        Decides.

    Returns
    -------
    tensor of the same shape, uint8
    """
    augment = v2.RandAugment(
        magnitude=round(magnitude / 10 * (BINS - 1)),
        num_magnitude_bins=BINS,
        interpolation=v2.InterpolationMode.BILINEAR,
        fill=MIDDLE_GREY,
    )
    with borrowed(generator):
        # One call an image: a call for the batch would do the same two operations to all.
        return torch.stack([augment(image) for image in images])


def mixed(
    images: torch.Tensor, targets: torch.Tensor, alphas: tuple[float, float], generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mix each image with its neighbour in the batch, by MixUp or CutMix.

    Parameters
    ----------
    images : tensor of shape (n_images, 3, height, width), float
        In any order that has nothing to do with classes, since neighbours are mixed.
    targets : tensor of shape (n_images, n_classes), float
        One-hot or already soft.
    alphas
        Of MixUp and of CutMix; 0 turns one off. With both on a coin decides for the batch.
    generator
        Decides.

    Returns
    -------
    tuple of tensors of the same shapes
        Each row of the targets sums to what it did before. As in the papers, all images of a batch share one
        mixing ratio.
    """
    ways = [
        way(alpha=float(alpha)) for way, alpha in zip((v2.MixUp, v2.CutMix), alphas, strict=True) if alpha > 0
    ]
    if not ways or len(images) == 0:
        return images, targets
    with borrowed(generator):
        way = ways[int(torch.randint(len(ways), ()))]
        result: tuple[torch.Tensor, torch.Tensor] = way(images, targets)
    return result
