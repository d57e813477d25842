"""Where a pixel comes from: mirror, shift, turn and crop, chosen for each image of a batch by itself.

torchvision's transforms draw one set of choices a call, the same for a whole batch; that is too little
variety, and a call for each image costs more than the pixels do. Here the choices are tensors, and one gather
or one `grid_sample` serves the batch. Outside an image lies its reflection: no black corner shows a turn.
"""

import math
from dataclasses import dataclass

import torch
from torch.nn import functional

from fieldguide.training.share import BatchPart

MOST_OBLONG = 4 / 3
"""A crop is at most this much wider or higher than the image's own shape (Szegedy et al. 2014)."""
_BLOCK_PIXELS = 1 << 19
"""Pixels sampled at once, so that a block and its coordinates stay in a CPU's caches."""


@dataclass(frozen=True)
class Placement:
    """How each image of a batch is placed; all fields are of shape (n_images,)."""

    mirrored: torch.Tensor
    """bool: whether left and right are exchanged, before anything else."""
    degrees: torch.Tensor
    """float32: the picture is turned by so much, counter-clockwise as seen."""
    width: torch.Tensor
    """float32: share of the image's width that fills the result, more than 0, at most 1."""
    height: torch.Tensor
    """float32: the same of its height."""
    right: torch.Tensor
    """float32: the picture moves right by this share of its width, -1 to 1; a reflection fills the gap."""
    down: torch.Tensor
    """float32: the picture moves down by this share of its height."""

    def whole_pixels(self) -> bool:
        """Whether no image is turned or resized, so that every pixel can be copied as it is."""
        return bool(((self.degrees == 0) & (self.width == 1) & (self.height == 1)).all())

    def to(self, device: torch.device) -> "Placement":
        """The same on another device."""
        return Placement(**{name: value.to(device) for name, value in vars(self).items()})

    def part(self, part: BatchPart) -> "Placement":
        """What is drawn for the images of a part."""
        return Placement(**{name: part.of(value) for name, value in vars(self).items()})


def draw_crop(count: int, least: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw shares of width and height, whose product is an area evenly spread between `least` and 1.

    Parameters
    ----------
    count
        Number of images.
    least
        Smallest area, as a share, more than 0; with 1 nothing is cropped.
    generator
        Decides.

    Returns
    -------
    tuple of two tensors of shape (count,), float32
        Each at most 1, and their ratio at most :data:`MOST_OBLONG` either way.
    """
    area, oblong = uniform((2, count), 0.0, 1.0, generator)
    area = least + (1 - least) * area
    # An area near 1 leaves no room for another shape; cutting that off would make it smaller than `least`.
    widest = torch.minimum(-area.log(), torch.full_like(area, math.log(MOST_OBLONG)))
    half = (0.5 * (2 * oblong - 1) * widest).exp()
    return (area.sqrt() * half).clamp(max=1.0), (area.sqrt() / half).clamp(max=1.0)


def uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    """Draw evenly between two numbers, on the generator's device, float32."""
    drawn = torch.rand(shape, generator=generator, device=generator.device)
    return low + (high - low) * drawn


def place(images: torch.Tensor, placement: Placement) -> torch.Tensor:
    """Mirror, turn, crop and shift images.

    Parameters
    ----------
    images : tensor of shape (n_images, 3, height, width), uint8
    placement
        What happens to each.

    Returns
    -------
    tensor of the same shape, uint8
        Copied pixels, with shifts rounded to whole ones, if no image of the batch is turned or resized;
        otherwise interpolated between the four nearest.
    """
    if placement.whole_pixels():
        return _copied(images, placement.to(images.device))
    height, width = images.shape[-2:]
    grid = _matrices(placement, height / width).to(images.device)
    block = max(1, _BLOCK_PIXELS // (height * width))
    placed = [
        _sampled(images[start : start + block], grid[start : start + block])
        for start in range(0, len(images), block)
    ]
    return torch.cat(placed)


def window(
    images: torch.Tensor, side: int, generator: torch.Generator, part: BatchPart | None = None
) -> torch.Tensor:
    """Cut a square out of each image, each at a place of its own; all places are as likely.

    Parameters
    ----------
    images : tensor of shape (n_images, 3, height, width), uint8
    side
        Of the square in pixels, at most the shorter one of the images.
    generator
        Decides.
    part
        Which part of a batch these images are; None: all of it.

    Returns
    -------
    tensor of shape (n_images, 3, side, side), uint8
    """
    part = part or BatchPart.whole(len(images))
    rows, columns = (
        torch.randint(length - side + 1, (part.count, 1), generator=generator, device=generator.device)[
            part.rows
        ]
        + torch.arange(side, device=generator.device)
        for length in images.shape[-2:]
    )
    return _picked(images, rows.to(images.device), columns.to(images.device))


def _copied(images: torch.Tensor, placement: Placement) -> torch.Tensor:
    height, width = images.shape[-2:]
    rows = _sources(height, placement.down)
    columns = _sources(width, placement.right)
    columns = torch.where(placement.mirrored[:, None], width - 1 - columns, columns)
    return _picked(images, rows, columns)


def _picked(images: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """The pixels where chosen rows, of shape (n_images, n_rows), and columns of each image cross."""
    image = torch.arange(len(images), device=images.device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=images.device)[None, :, None, None]
    return images[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


def _sources(length: int, moved: torch.Tensor) -> torch.Tensor:
    """Which row (or column) fills each one of the result, reflected at the ends: (n_images, length)."""
    steps = (moved * length).round().long()
    source = (torch.arange(length, device=moved.device) - steps[:, None]).abs()
    last = length - 1
    return torch.where(source > last, 2 * last - source, source).clamp(min=0)


def _matrices(placement: Placement, shape: float) -> torch.Tensor:
    """Affine maps from places in the result to places in the image, both from -1 to 1: (n_images, 2, 3).

    `shape` is height by width: a turn is one of pixels, not of sides.
    """
    angle = placement.degrees * (math.pi / 180)
    cosine, sine = angle.cos(), angle.sin()
    sign = 1 - 2 * placement.mirrored.float()
    # First the picture is mirrored and turned about its middle, then a window of it is cut out.
    across, along = -2 * placement.right, -2 * placement.down
    rows = [
        [sign * cosine * placement.width, -sign * sine * placement.height * shape],
        [sine * placement.width / shape, cosine * placement.height],
    ]
    linear = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    turned = torch.stack(
        [sign * (cosine * across - sine * along * shape), sine * across / shape + cosine * along], dim=-1
    )
    return torch.cat([linear, turned[:, :, None]], dim=-1)


def _sampled(images: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    sampled = functional.grid_sample(
        images.float(), grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return sampled.round_().clamp_(0, 255).to(torch.uint8)
