"""A small convolutional network that learns fast from few pixels.

After Keller Jordan, "94% on CIFAR-10 in 3.29 Seconds on a Single A100" (https://arxiv.org/abs/2404.00498): a
first layer that whitens 2 × 2 patches and is not learned, few wide blocks that start as identities (Zagoruyko
and Komodakis, DiracNets, 2017), batch norm without scale, the largest value of each last map. Larger images
get more blocks, so that the last map stays small; above 64 pixels the first layer takes every other place of
4 × 4 patches, which leaves a fourth of the places to all that follows.
"""

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

PATCH = 2
"""Side of the patches that are whitened, for each step of the first layer."""
MOST_DIRECTIONS = 24
"""Directions of patches that are kept, those of the largest variance; each comes twice."""
LARGEST_WHOLE = 64
"""Side in pixels up to which the first layer looks at every place."""
WHITENING_IMAGES, WHITENED_AT_ONCE = 5000, 200
WHITENING_NOISE = 5e-4
"""Added to the variances of patches, on the scale of normalised images: directions below are noise."""
FEATURE_SCALE = 1 / 9
"""Keeps the first scores small, as the paper's rates expect."""
BATCH_NORM_MOMENTUM = 0.4
BATCH_NORM_NOISE = 1e-12


class ConvolutionBlock(nn.Module):
    """Two convolutions at half the height and width of the input.

    Parameters
    ----------
    channels_in, channels_out
        Of the maps.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.layers: nn.Sequential = nn.Sequential(
            _convolution(channels_in, channels_out),
            nn.MaxPool2d(2),
            _norm(channels_out),
            nn.GELU(),
            _convolution(channels_out, channels_out),
            _norm(channels_out),
            nn.GELU(),
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Map (batch, channels_in, height, width) to (batch, channels_out, height // 2, width // 2)."""
        result: Tensor = self.layers(maps)
        return result


class Convolutional(nn.Module):
    """From normalised images (batch, 3, size, size) to features (batch, widths[-1]).

    Parameters
    ----------
    widths
        Channels of each block.
    stride
        Step of the first layer, which looks at patches of twice that side.
    """

    def __init__(self, widths: Sequence[int], stride: int = 1) -> None:
        super().__init__()
        self.patch: int = PATCH * stride
        directions = min(3 * self.patch**2, MOST_DIRECTIONS)
        self.whiten: nn.Conv2d = nn.Conv2d(3, 2 * directions, self.patch, stride=stride, bias=True)
        self.whiten.weight.requires_grad_(False)
        if self.whiten.bias is not None:
            nn.init.zeros_(self.whiten.bias)
        channels = [2 * directions, *widths]
        self.blocks: nn.Sequential = nn.Sequential(
            *(ConvolutionBlock(*pair) for pair in itertools.pairwise(channels))
        )
        self.features: int = widths[-1]

    def set_whitening(self, images: Tensor) -> None:
        """Set the first layer from normalised training images (n_images, 3, size, size)."""
        side, count = self.patch, 0
        moments = torch.zeros(3 * side**2, 3 * side**2, dtype=torch.float64)
        for some in torch.split(images, WHITENED_AT_ONCE):  # patches of all would not fit into memory
            patches = nn.functional.unfold(some.float(), side).transpose(1, 2).reshape(-1, 3 * side**2)
            moments += patches.double().T @ patches.double()
            count += len(patches)
        values, vectors = torch.linalg.eigh(moments / count)
        scaled = (vectors / (values + WHITENING_NOISE).sqrt()).T.reshape(-1, 3, side, side).flip(0)
        kept = scaled[: len(self.whiten.weight) // 2]
        self.whiten.weight.data[:] = torch.cat([kept, -kept]).to(self.whiten.weight.dtype)

    def train_whitening(self, on: bool) -> None:
        """Say whether the first layer's bias is learned from now on; its weights never are."""
        if self.whiten.bias is not None:
            self.whiten.bias.requires_grad_(on)

    def forward(self, images: Tensor) -> Tensor:
        """Compute the features."""
        maps: Tensor = self.blocks(nn.functional.gelu(self.whiten(images)))
        return maps.amax((2, 3)) * FEATURE_SCALE


def stride_for(size: int) -> int:
    """Step of the first layer for images of a side in pixels: 2 above 64, else 1."""
    return 2 if size > LARGEST_WHOLE else 1


def widths_for(size: int, wide: float = 1.0) -> tuple[int, ...]:
    """Choose the widths: 64 and then 256 channels; a block more each time a map is twice as large as 40.

    Parameters
    ----------
    size
        Side of the image in pixels.
    wide
        Multiplies the widths.
    """
    blocks, size = 3, size // stride_for(size)
    while size > 40:
        size, blocks = size // 2, blocks + 1
    return tuple(round(wide * width) for width in (64, *(256,) * (blocks - 1)))


def _convolution(channels_in: int, channels_out: int) -> nn.Conv2d:
    layer = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight[: min(channels_in, channels_out)])
    return layer


def _norm(channels: int) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(channels, eps=BATCH_NORM_NOISE, momentum=BATCH_NORM_MOMENTUM)
    layer.weight.requires_grad_(False)
    return layer
