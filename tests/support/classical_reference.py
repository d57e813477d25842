"""Small images, and their classical features by scikit-image, numpy and Pillow."""

import numpy as np
from PIL import Image
from skimage.feature import local_binary_pattern


def noise(size):
    return np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8)


def even(size):
    """Large even surfaces, where binary patterns hang on the last bit, and full contrast."""
    image = np.full((size, size, 3), 253, np.uint8)
    image[size // 3 :, : size // 2] = (3, 77, 255)
    image[5:9, 7:50] = 0
    return image


def ramp(size):
    return np.broadcast_to(np.linspace(0, 255, size).astype(np.uint8)[:, None, None], (size, size, 3)).copy()


def slope(size):
    """Grey that grows towards one corner: neighbours on the diagonals are exactly between others."""
    return np.repeat(np.add.outer(np.arange(size), np.arange(size)).astype(np.uint8)[..., None], 3, axis=2)


def blotches(size):
    small = np.random.default_rng(5).integers(0, 256, (7, 6, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((size, size), Image.Resampling.BICUBIC))


IMAGES = {"noise": noise, "even": even, "ramp": ramp, "slope": slope, "blotches": blotches}
MADE = [(name, size) for name in IMAGES for size in (64, 96)]


def made(name, size):
    return IMAGES[name](size)


def grey(image):
    return np.asarray(Image.fromarray(image).convert("L"))


def by_cell(image, cells, count):
    """Apply `count` to each square of a grid, row by row."""
    side = len(image) // cells
    squares = [
        image[row * side : (row + 1) * side, column * side : (column + 1) * side]
        for row in range(cells)
        for column in range(cells)
    ]
    return np.concatenate([np.ravel(count(square)) for square in squares])


def patterns(image, points, radius, cells):
    """Shares of uniform local binary patterns in each cell."""
    found = local_binary_pattern(grey(image), points, radius, "uniform").astype(int)
    return by_cell(found, cells, lambda cell: np.bincount(cell.ravel(), minlength=points + 2) / cell.size)


def histogram(square):
    found, _ = np.histogramdd(square.reshape(-1, 3), 4, range=[(0, 256)] * 3)
    return found / found.sum()


def moments(square):
    red, green, blue = square.reshape(-1, 3).astype(float).T
    opponents = [(red + green + blue) / 765, (red - green) / 510, (red + green - 2 * blue) / 1020]
    third = [np.cbrt(((colour - colour.mean()) ** 3).mean()) for colour in opponents]
    return [colour.mean() for colour in opponents] + [colour.std() for colour in opponents] + third
