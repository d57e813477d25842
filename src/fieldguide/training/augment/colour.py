"""What a pixel becomes: colour, blur and erased rectangles, chosen for each image of a batch by itself."""

import math
from dataclasses import dataclass

import torch
from torchvision.transforms.v2 import functional  # type: ignore[import-untyped]

from fieldguide.training.augment.geometry import uniform
from fieldguide.training.share import BatchPart

GREY = (0.299, 0.587, 0.114)
"""How bright red, green and blue are (ITU-R BT.601), as in Pillow and torchvision."""
_YIQ = (GREY, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312))
"""From red, green, blue to brightness and two axes of colour (NTSC)."""
WIDEST_FACTOR = 0.9
"""At strength 1 brightness, contrast and saturation are multiplied by 0.1 to 1.9, as in RandAugment."""
WIDEST_TURN = 1 / 8
"""At strength 1 hue turns by up to this share of the colour circle either way."""
ERASED_AREA = (0.02, 0.33)
"""Least and largest share of an image that one rectangle erases (Zhong et al. 2017)."""
ERASED_SHAPE = (0.3, 3.3)
"""Height by width of that rectangle, from the same paper."""


@dataclass(frozen=True)
class Colouring:
    """What happens to the colours of each image; all fields are float32 of shape (n_images,)."""

    brightness: torch.Tensor
    """All values are multiplied by this."""
    contrast: torch.Tensor
    """Distances from the image's mean grey are multiplied by this."""
    saturation: torch.Tensor
    """Distances of colours from grey are multiplied by this; 0 leaves grey."""
    hue: torch.Tensor
    """Colours turn by this share of the colour circle; above 0 red turns towards yellow and green."""

    def part(self, part: BatchPart) -> "Colouring":
        """What is drawn for the images of a part."""
        return Colouring(**{name: part.of(value) for name, value in vars(self).items()})


def draw_colouring(count: int, strength: float, generator: torch.Generator) -> Colouring:
    """Draw what happens to the colours of `count` images at a strength of 0 to 1."""
    widest = WIDEST_FACTOR * strength
    brightness, contrast, saturation = uniform((3, count), 1 - widest, 1 + widest, generator)
    hue = uniform((count,), -WIDEST_TURN * strength, WIDEST_TURN * strength, generator)
    return Colouring(brightness, contrast, saturation, hue)


def coloured(images: torch.Tensor, colouring: Colouring) -> torch.Tensor:
    """Change brightness, contrast, saturation and hue.

    All four are one matrix an image, as in NVIDIA DALI's `ColorTwist`: hue is turned in the plane of equal
    brightness, not in the six wedges of HSV, so nothing is cut off between the steps.

    Parameters
    ----------
    images : tensor of shape (n_images, 3, height, width), uint8
    colouring
        What happens to each.

    Returns
    -------
    tensor of the same shape, uint8
    """
    matrices = _colour_matrices(colouring).to(images.device)
    pixels = images.flatten(2).float()
    grey = torch.tensor(GREY, device=images.device) @ pixels.mean(dim=2).T
    contrast, brightness = colouring.contrast.to(images.device), colouring.brightness.to(images.device)
    offset = ((1 - contrast) * brightness * grey)[:, None, None]
    changed = torch.baddbmm(offset, matrices, pixels)
    return changed.round_().clamp_(0, 255).to(torch.uint8).view(images.shape)


def _colour_matrices(colouring: Colouring) -> torch.Tensor:
    to_yiq = torch.tensor(_YIQ, device=colouring.hue.device)
    angle = -2 * math.pi * colouring.hue  # the colour circle runs the other way in this plane
    cosine, sine = angle.cos() * colouring.saturation, angle.sin() * colouring.saturation
    nothing, one = torch.zeros_like(angle), torch.ones_like(angle)
    rows = [[one, nothing, nothing], [nothing, cosine, -sine], [nothing, sine, cosine]]
    turn = torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)
    scale = (colouring.brightness * colouring.contrast)[:, None, None]
    matrices: torch.Tensor = scale * (torch.linalg.inv(to_yiq) @ turn @ to_yiq)
    return matrices


def blurred(
    images: torch.Tensor, probability: float, generator: torch.Generator, part: BatchPart
) -> torch.Tensor:
    """Blur some images with a Gaussian, as in SimCLR (Chen et al. 2020) but of a width that suits the side.

    Its standard deviation is drawn between 0.4 pixels and the larger of 0.8 pixels and 1/112 of the side.
    """
    chosen = part.of(uniform((part.count,), 0.0, 1.0, generator)) < probability
    widest = max(0.8, min(images.shape[-2:]) / 112)
    sigmas = part.of(uniform((part.count,), 0.4, widest, generator)).tolist()
    result = images.clone()
    for number in chosen.nonzero().flatten().tolist():  # few, and each has a kernel of its own size
        reach = min(math.ceil(3 * sigmas[number]), min(images.shape[-2:]) - 1)
        kernel = [2 * reach + 1] * 2
        result[number] = functional.gaussian_blur(images[number], kernel, [sigmas[number]] * 2)
    return result


def erased(
    images: torch.Tensor, probability: float, generator: torch.Generator, part: BatchPart
) -> torch.Tensor:
    """Fill a rectangle of some images with their mean colour (random erasing, Zhong et al. 2017)."""
    height, width = images.shape[-2:]
    drawn = part.of(uniform((5, part.count), 0.0, 1.0, generator))
    chance, area, shape, top, left = drawn.to(images.device)
    area = height * width * (ERASED_AREA[0] + (ERASED_AREA[1] - ERASED_AREA[0]) * area)
    low, high = (math.log(limit) for limit in ERASED_SHAPE)
    shape = (low + (high - low) * shape).exp()
    rows = _span((area * shape).sqrt(), top, height)
    columns = _span((area / shape).sqrt(), left, width)
    inside = rows[:, :, None] & columns[:, None, :] & (chance < probability)[:, None, None]
    mean = images.float().mean(dim=(2, 3), keepdim=True).round().to(torch.uint8)
    return torch.where(inside[:, None], mean, images)


def _span(length: torch.Tensor, start: torch.Tensor, side: int) -> torch.Tensor:
    """Mark `length` pixels of a side, `start` (0 to 1) of the way between its ends: bool (n_images, side)."""
    length = length.round().clamp(1, side)
    first = (start * (side - length + 1)).floor().clamp(max=side - 1)[:, None]
    place = torch.arange(side, device=length.device)
    return (place >= first) & (place < first + length[:, None])
