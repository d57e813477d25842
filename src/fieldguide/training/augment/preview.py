"""A picture of augmentation: photos of one batch, each beside what a network in training would see of it."""

import math

import torch
from PIL import Image, ImageDraw, ImageFont

from fieldguide.training.augment.pipeline import Augmentation

MOST = 24
"""Images shown; more would be too small to see."""
VARIANTS = 3
"""Ways in which each image is shown changed."""
TILE = 112
"""Longer side of each image in the picture, in pixels."""
GAP, BETWEEN, EDGE = 4, 20, 16
"""Pixels between images of one photo, between photos, and around all."""
NARROWEST = 400
"""Pixels that captions have at least, however narrow the images are."""
PAPER, INK, FAINT, FRAME = "#ffffff", "#202124", "#6b6f76", "#1a66cc"


def preview(images: torch.Tensor, augmentation: Augmentation, seed: int = 0) -> Image.Image:
    """Draw at most 24 images, each framed and followed by three variants.

    Parameters
    ----------
    images : tensor of shape (n_images, 3, height, width), uint8
        At least one; the first 24 are shown.
    augmentation
        What may happen to them, MixUp and CutMix with the image before it included.
    seed
        The same gives the same picture.

    Returns
    -------
    PIL.Image.Image
        An RGB picture; the caller writes it.

    Raises
    ------
    ValueError
        If there is no image.
    """
    if len(images) == 0:
        raise ValueError("images must hold at least one image to preview, got none")
    shown = images[:MOST].cpu()
    generator = torch.Generator().manual_seed(seed)
    ways = [shown] + [_changed(shown, augmentation, generator) for _ in range(VARIANTS)]
    tiles = [[_tile(way[number]) for way in ways] for number in range(len(shown))]
    return _Sheet(tiles, *_captions(len(shown), augmentation, seed)).drawn()


def _changed(images: torch.Tensor, augmentation: Augmentation, generator: torch.Generator) -> torch.Tensor:
    changed = augmentation.images(images, generator)
    targets = torch.eye(len(images))
    mixed, _ = augmentation.mix(changed.float(), targets, generator)
    return mixed.round().clamp(0, 255).to(torch.uint8)


def _captions(count: int, augmentation: Augmentation, seed: int) -> tuple[str, str]:
    photos = "1 image" if count == 1 else f"{count} images"
    mixing = ", mixed with the photo before it" if augmentation.mixup or augmentation.cutmix else ""
    return (
        f"Augmentation: {augmentation.summary()}",
        f"{photos} as they are (framed), each followed by {VARIANTS} variants{mixing}; seed {seed}",
    )


def _tile(image: torch.Tensor) -> Image.Image:
    """An image at the size of the picture: small ones show their pixels, large ones are shrunk smoothly."""
    photo = Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())
    factor = TILE / max(photo.size)
    size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
    return photo.resize(size, Image.Resampling.NEAREST if factor > 1 else Image.Resampling.LANCZOS)


class _Sheet:
    """The layout: groups of tiles in as many columns as make the picture about as wide as high."""

    def __init__(self, tiles: list[list[Image.Image]], title: str, legend: str) -> None:
        self._tiles = tiles
        self._tile = tiles[0][0].size
        self._group = (len(tiles[0]) * (self._tile[0] + GAP) - GAP, self._tile[1])
        self._columns = self._fitting_columns()
        tiles_wide = self._columns * (self._group[0] + BETWEEN) - BETWEEN
        self._width = max(tiles_wide, NARROWEST) + 2 * EDGE
        self._title = _wrapped(title, _font(18), self._width - 2 * EDGE)
        self._legend = _wrapped(legend, _font(13), self._width - 2 * EDGE)
        self._top = EDGE + 24 * len(self._title) + 18 * len(self._legend) + 12

    def drawn(self) -> Image.Image:
        rows = math.ceil(len(self._tiles) / self._columns)
        height = self._top + rows * (self._group[1] + BETWEEN) - BETWEEN + EDGE
        sheet = Image.new("RGB", (self._width, height), PAPER)
        pen = ImageDraw.Draw(sheet)
        self._write(pen)
        for number, group in enumerate(self._tiles):
            row, column = divmod(number, self._columns)
            left = EDGE + column * (self._group[0] + BETWEEN)
            top = self._top + row * (self._group[1] + BETWEEN)
            for place, tile in enumerate(group):
                sheet.paste(tile, (left + place * (self._tile[0] + GAP), top))
            right, bottom = left + self._tile[0], top + self._tile[1]
            pen.rectangle((left - 3, top - 3, right + 2, bottom + 2), outline=FRAME, width=3)
        return sheet

    def _write(self, pen: ImageDraw.ImageDraw) -> None:
        line = EDGE
        for lines, size, step, ink in ((self._title, 18, 24, INK), (self._legend, 13, 18, FAINT)):
            for text in lines:
                pen.text((EDGE, line), text, fill=ink, font=_font(size))
                line += step

    def _fitting_columns(self) -> int:
        area = len(self._tiles) * (self._group[0] + BETWEEN) * (self._group[1] + BETWEEN)
        return max(1, min(len(self._tiles), round(math.sqrt(1.3 * area) / (self._group[0] + BETWEEN))))


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrapped(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """Break a text between words into lines that fit."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
