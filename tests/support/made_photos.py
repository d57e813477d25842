"""Made-up photos, and the ways in which the same photo turns up again."""

import io

import numpy as np
from PIL import Image, ImageDraw


def photo(seed, size=(320, 240)):
    """A made-up scene: a smooth background and thirty shapes."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(0, 255, (4, 5, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        x, y, width, height = chance.uniform((0, 0, 5, 5), (size[0], size[1], 60, 60))
        shape = draw.ellipse if chance.random() < 0.5 else draw.rectangle
        shape((x, y, x + width, y + height), fill=tuple(chance.integers(0, 255, 3).tolist()))
    return image


def encoded(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def resized(image, share):
    return image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.BICUBIC)


def cropped(image, chance, share=0.05):
    """What is left once `share` of width and height is cut off, at random sides."""
    left, top = chance.uniform(0, share, 2) * image.size
    width, height = (1 - share) * image.width, (1 - share) * image.height
    return image.crop((round(left), round(top), round(left + width), round(top + height)))


TWINS = {
    "re-encoded": lambda image, chance: encoded(image, 70),
    "half size": lambda image, chance: encoded(resized(image, 0.5), 90),
    "0.9 of the size": lambda image, chance: encoded(resized(image, 0.9), 85),
    "cropped": lambda image, chance: encoded(cropped(image, chance), 90),
}
