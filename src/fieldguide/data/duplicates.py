"""Find images that are the same photo again: re-encoded, resized or slightly cropped.

Every image becomes a *signature*: the lowest cosine frequencies (DCT-II, as in JPEG) of its brightness and
its two colour channels. Pairs are then found in two steps, a coarse one over all pairs and a fine one over
the few that survive.

1. Coarse: cosine similarity of the 63 lowest brightness frequencies, as blocked matrix products; each image
   keeps its :data:`NEIGHBOURS` most similar ones. The idea is that of the perceptual hash (Zauner 2010,
   "Implementation and Benchmarking of Perceptual Image Hash Functions"), without rounding to bits.
2. Fine: one Gauss-Newton step of image registration (Lucas and Kanade 1981, "An Iterative Image Registration
   Technique", with the gradients of both images averaged as in Benhimane and Malis 2004, "Real-time
   Image-based Tracking of Planes using Efficient Second-order Minimization") takes out a shift and a stretch
   of each axis, as a crop causes them. What is then left over, against the contrast of the image, decides.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

GRID = 32
"""Side of the thumbnail that a signature is computed from, in pixels."""
BRIGHTNESS = 16
"""Frequencies kept per axis for brightness."""
COLOUR = 8
"""Frequencies kept per axis for each of the two colour channels."""
SIGNATURE_BYTES = 2 * (BRIGHTNESS**2 + 2 * COLOUR**2)
"""Length of a signature: one 16-bit integer a frequency."""
NEIGHBOURS = 8
"""How many of its most similar later images each image is compared with closely."""
SIMILAR = 0.85
"""Least cosine similarity of a pair that is compared closely."""
SAME = 0.975
"""Least likeness of a near-duplicate pair; where it stands and why: docs/data.md."""

_STEPS = 4.0  # quantisation: a quarter of a grey level, so that white still fits in 16 bits
_COLOUR_WEIGHT = 1.5  # colours carry less contrast than brightness, yet tell a red shirt from a blue one
_BLUR = 0.003  # damps high frequencies, which one Gauss-Newton step cannot register
_LARGEST_CROP = 0.12  # shift or stretch beyond this share of a side is no slight crop
_FLAT = 16.0  # least contrast (variance in grey levels squared) that a difference is measured against

Floats = NDArray[np.float32]


class SimilarPairs(NamedTuple):
    """Pairs of images that show the same photo, the most alike first."""

    pairs: NDArray[np.int64]
    """Positions of shape (n_pairs, 2), the lower one first in each row."""
    scores: Floats
    """Likeness of shape (n_pairs,), from :data:`SAME` to 1 for equal signatures."""


def signature(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Describe what an image shows by its lowest cosine frequencies.

    Parameters
    ----------
    image : ndarray of shape (height, width, 3), uint8
        RGB, best the whole image squashed to the network's square. Any size is allowed; one that is a
        multiple of 32 is fastest.

    Returns
    -------
    ndarray of shape (SIGNATURE_BYTES,), uint8
        Little-endian 16-bit integers: brightness, then blue and red difference, in quarter grey levels of
        the orthonormal DCT-II of a 32 x 32 thumbnail.
    """
    thumbnail = _thumbnail(image).astype(np.float32)
    brightness = thumbnail @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    blue = 0.564 * (thumbnail[..., 2] - brightness)
    red = 0.713 * (thumbnail[..., 0] - brightness)
    parts = [_frequencies(brightness, BRIGHTNESS), _frequencies(blue, COLOUR), _frequencies(red, COLOUR)]
    steps = np.rint(np.concatenate([part.ravel() for part in parts]) * _STEPS)
    packed: NDArray[np.uint8] = np.frombuffer(steps.astype("<i2").tobytes(), dtype=np.uint8)
    return packed


def near_duplicates(signatures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find the pairs of images that are the same photo: the `pairs` of :func:`similar_pairs`.

    Parameters
    ----------
    signatures : ndarray of shape (n_images, SIGNATURE_BYTES), uint8

    Returns
    -------
    ndarray of shape (n_pairs, 2), int64

    Examples
    --------
    >>> photo = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    >>> brighter, other = np.clip(photo + np.int64(3), 0, 255).astype(np.uint8), photo[::-1]
    >>> near_duplicates(np.stack([signature(image) for image in (photo, other, brighter)])).tolist()
    [[0, 2]]
    """
    return similar_pairs(signatures).pairs


def similar_pairs(signatures: NDArray[np.uint8]) -> SimilarPairs:
    """Find the pairs of images that are the same photo, with their likeness.

    Of several images with equal signatures each is paired with the first; close comparison sees the first
    only. The answer depends on nothing but `signatures`.

    Parameters
    ----------
    signatures : ndarray of shape (n_images, SIGNATURE_BYTES), uint8
        As :func:`signature` gives them.

    Returns
    -------
    SimilarPairs
        The most alike pairs first, ties in order of position.
    """
    if signatures.ndim != 2 or signatures.shape[1:] != (SIGNATURE_BYTES,):
        raise ValueError(f"signatures must be of shape (n_images, {SIGNATURE_BYTES}), got {signatures.shape}")
    first = first_equals(signatures)
    kept = np.flatnonzero(first == np.arange(len(first)))
    copies = np.flatnonzero(first != np.arange(len(first)))
    coefficients = np.ascontiguousarray(signatures[kept]).view("<i2")
    candidates = _candidates(_directions(coefficients))
    scores, _ = _registered(coefficients, candidates)
    found = scores >= SAME
    pairs = np.concatenate([np.stack([first[copies], copies], axis=1), kept[candidates[found]]])
    scores = np.concatenate([np.ones(len(copies), np.float32), scores[found]])
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -scores))
    return SimilarPairs(pairs[order], scores[order])


def first_equals(signatures: NDArray[np.uint8]) -> NDArray[np.int64]:
    """For each row the position of the first row that equals it.

    Examples
    --------
    >>> signatures = np.zeros((3, SIGNATURE_BYTES), dtype=np.uint8)
    >>> signatures[1] = 7
    >>> first_equals(signatures).tolist()
    [0, 1, 0]
    """
    rows = np.ascontiguousarray(signatures).view(np.dtype((np.void, SIGNATURE_BYTES))).ravel()
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


def compare(signatures: NDArray[np.uint8], pairs: NDArray[np.int64]) -> Floats:
    """Likeness of given pairs, found or not.

    Parameters
    ----------
    signatures : ndarray of shape (n_images, SIGNATURE_BYTES), uint8
    pairs : ndarray of shape (n_pairs, 2), int64
        Positions in `signatures`.

    Returns
    -------
    ndarray of shape (n_pairs,), float32
        At most 1; near-duplicates have :data:`SAME` or more, unlike images less than 0 as often as not.

    Examples
    --------
    >>> photo = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype=np.uint8)
    >>> signatures = np.stack([signature(photo), signature(photo[::-1])])
    >>> same, upside_down = compare(signatures, np.array([[0, 0], [0, 1]])).tolist()
    >>> round(same, 3), upside_down < SAME
    (1.0, True)
    """
    return _registered(np.ascontiguousarray(signatures).view("<i2"), pairs)[0]


def shifts(signatures: NDArray[np.uint8], pairs: NDArray[np.int64]) -> Floats:
    """How the second image of each pair lies in the first.

    Parameters
    ----------
    signatures, pairs
        As for :func:`compare`.

    Returns
    -------
    ndarray of shape (n_pairs, 4), float32
        Shift and stretch down, shift and stretch across, in sides of the image: what the second shows at a
        place p is in the first at p + shift + stretch · (p - 1/2).
    """
    return _registered(np.ascontiguousarray(signatures).view("<i2"), pairs)[1]


def _thumbnail(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    picture = Image.fromarray(np.ascontiguousarray(image))
    if picture.width % GRID == 0 and picture.height % GRID == 0:
        return np.asarray(picture.reduce((picture.width // GRID, picture.height // GRID)))
    return np.asarray(picture.resize((GRID, GRID), Image.Resampling.BOX))


def _cosines(frequencies: int) -> Floats:
    """Rows of the orthonormal DCT-II matrix, of shape (frequencies, GRID)."""
    centres = (np.arange(GRID) + 0.5) / GRID
    waves = np.cos(np.pi * np.arange(frequencies)[:, None] * centres) * np.sqrt(2 / GRID)
    waves[0] = np.sqrt(1 / GRID)
    return np.asarray(waves, dtype=np.float32)


_WAVES = {count: _cosines(count) for count in (COLOUR, BRIGHTNESS)}


def _frequencies(channel: Floats, count: int) -> Floats:
    waves = _WAVES[count]
    return np.asarray(waves @ channel @ waves.T, dtype=np.float32)


def _directions(coefficients: NDArray[np.int16]) -> Floats:
    """Unit vectors of shape (n_images, 64): 63 frequencies and one constant, by which flat images agree."""
    square = coefficients[:, : BRIGHTNESS**2].reshape(-1, BRIGHTNESS, BRIGHTNESS)[:, :COLOUR, :COLOUR]
    vectors = square.reshape(len(square), COLOUR**2).astype(np.float32)
    vectors[:, 0] = _STEPS * np.sqrt(_FLAT) * GRID
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def _candidates(directions: Floats, rows: int = 1024) -> NDArray[np.int64]:
    """For each image its most similar later images: pairs of shape (n_pairs, 2), lower position first."""
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(directions), rows):
        queries = directions[start : start + rows]
        nearest = _Nearest(len(queries))
        for begin, end in _growing_blocks(start, len(directions)):
            similarity = queries @ directions[begin:end].T
            if begin < start + len(queries):
                similarity[np.arange(begin, end) <= np.arange(start, start + len(queries))[:, None]] = -1.0
            nearest.add(similarity, begin)
        found.append(np.stack([nearest.rows + start, nearest.columns], axis=1))
    return np.concatenate(found)


def _growing_blocks(start: int, stop: int) -> list[tuple[int, int]]:
    """Small blocks first: they set thresholds that let little through when the large ones come."""
    blocks, width = [], 128
    while start < stop:
        blocks.append((start, min(start + width, stop)))
        start, width = start + width, min(width * 4, 8192)
    return blocks


class _Nearest:
    """The NEIGHBOURS most similar columns of each row, kept while blocks of columns come in."""

    def __init__(self, rows: int) -> None:
        self.rows = np.empty(0, np.int64)
        self.columns = np.empty(0, np.int64)
        self.values = np.empty(0, np.float32)
        self.least = np.full(rows, SIMILAR, np.float32)

    def add(self, similarity: Floats, first_column: int) -> None:
        rows, columns = np.nonzero(similarity > self.least[:, None])
        values = np.concatenate([self.values, similarity[rows, columns]])
        rows = np.concatenate([self.rows, rows])
        columns = np.concatenate([self.columns, columns + first_column])
        order = np.lexsort((columns, -values, rows))
        rows, columns, values = rows[order], columns[order], values[order]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        full = rank == NEIGHBOURS - 1
        self.least[rows[full]] = values[full]
        kept = rank < NEIGHBOURS
        self.rows, self.columns, self.values = rows[kept], columns[kept], values[kept]


def _registered(
    coefficients: NDArray[np.int16], pairs: NDArray[np.int64], block: int = 1024
) -> tuple[Floats, Floats]:
    """Likeness of each pair after registration, of shape (n_pairs,), and the moves, of shape (n_pairs, 4)."""
    scores, steps = np.empty(len(pairs), np.float32), np.empty((len(pairs), 4), np.float32)
    for start in range(0, len(pairs), block):
        images, where = np.unique(pairs[start : start + block], return_inverse=True)
        fields = _fields(coefficients[images])
        lower, higher = where.reshape(-1, 2).T
        sides = [f[lower] for f in fields], [f[higher] for f in fields]
        scores[start : start + block], steps[start : start + block] = _register(*sides)
    return scores, steps


def _fields(coefficients: NDArray[np.int16]) -> list[Floats]:
    """Each channel and its derivatives down and across, as arrays of shape (n_images, 3, side, side)."""
    edges = (BRIGHTNESS**2, BRIGHTNESS**2 + COLOUR**2)
    parts = np.split(coefficients.astype(np.float32) / _STEPS, edges, axis=1)
    weights = (1.0, _COLOUR_WEIGHT, _COLOUR_WEIGHT)
    return [_channel_fields(part, weight) for part, weight in zip(parts, weights, strict=True)]


def _channel_fields(part: Floats, weight: float) -> Floats:
    side = round(part.shape[1] ** 0.5)
    values, slopes = _SAMPLERS[side]
    square = part.reshape(-1, side, side) * weight
    down, across = slopes @ square @ values.T, values @ square @ slopes.T
    return np.stack([values @ square @ values.T, down, across], axis=1)


def _sampler(side: int, blur: float) -> tuple[Floats, Floats]:
    """Matrices of shape (side, side) from frequencies to values and to slopes at `side` points.

    Divided by the root of `side`, so that a sum of squares over all points is a mean over the image.
    """
    frequencies, points = np.arange(side), (np.arange(side) + 0.5) / side
    size = np.sqrt(np.where(frequencies == 0, 1, 2) / (GRID * side)) * np.exp(-blur * frequencies**2)
    angle = np.pi * points[:, None] * frequencies
    values, slopes = np.cos(angle) * size, -np.sin(angle) * np.pi * frequencies * size
    return values.astype(np.float32), slopes.astype(np.float32)


_SAMPLERS = {BRIGHTNESS: _sampler(BRIGHTNESS, _BLUR), COLOUR: _sampler(COLOUR, 0.0)}


def _register(lower: list[Floats], higher: list[Floats]) -> tuple[Floats, Floats]:
    """1 minus the share of contrast that differs once a small shift and stretch is taken out; these two."""
    channels = list(zip(lower, higher, strict=True))
    difference = np.concatenate([_flat(b[:, 0] - a[:, 0]) for a, b in channels], axis=1)
    moves = np.concatenate([_moves((a + b) * np.float32(0.5)) for a, b in channels], axis=2)
    square = moves @ moves.swapaxes(1, 2)
    ridge = 1e-4 * np.trace(square, axis1=1, axis2=2)[:, None, None] / 4 + 1e-3
    solution = np.linalg.solve(square + ridge * np.eye(4, dtype=np.float32), moves @ difference[..., None])
    steps = np.clip(solution, -_LARGEST_CROP, _LARGEST_CROP)[..., 0]
    rest = difference - (steps[:, None] @ moves)[:, 0]
    contrast = np.minimum(_contrast(lower), _contrast(higher))
    left = (rest**2).sum(axis=1) / (2 * np.maximum(contrast, _FLAT))
    return (1 - left).astype(np.float32), steps.astype(np.float32)


def _moves(fields: Floats) -> Floats:
    """Change by a shift down, a stretch down, a shift across, a stretch across: (n_pairs, 4, n_points)."""
    down, across = fields[:, 1], fields[:, 2]
    side = fields.shape[2]
    position = ((np.arange(side, dtype=np.float32) + 0.5) / side - 0.5)[:, None]
    moves = np.stack([down, down * position, across, across * position.T], axis=1)
    return moves.reshape(len(fields), 4, side * side)


def _contrast(fields: list[Floats]) -> Floats:
    """Variance over an image, summed over its channels, of shape (n_pairs,)."""
    return np.asarray(sum(field[:, 0].var(axis=(1, 2)) * field[0, 0].size for field in fields))


def _flat(values: Floats) -> Floats:
    return values.reshape(len(values), -1)
