"""Images of 16 bits a channel that hold fewer: 8-, 10-, 12- or 14-bit values, which come out nearly black.

Cameras of microscopes and scanners write such files, and nothing in them says how many bits count. Which
range to stretch is not guessed: one file alone may be dark by nature, so that a rule for each file would give
the photos of one set different pixels, and a photo to predict others than those that were learned from. It is
said instead, with what to do.
"""

from collections.abc import Sequence

from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.errors import Refusal, RefusedInput
from fieldguide.images.decoding import bits_of, open_image, read_bytes
from fieldguide.images.read_ahead import read_ahead

MOST_LOOKED_AT = 200
"""Images that are looked at, spread evenly over all."""
FEW = 4
"""With fewer images, 14 bits are not told from photos that are merely dark."""
_BITS_BY_TOP = ((1, 8), (4, 10), (16, 12), (64, 14))
"""Largest value of 0 to 255 once the image is read as all are → how many bits its own values have."""

_NEARLY_BLACK = 16


def deep_grey_doubt(paths: Sequence[str]) -> Doubt | None:
    """Look at a sample of images for 16-bit files that use the lower bits only.

    Parameters
    ----------
    paths
        Image files; what cannot be read is passed over.

    Returns
    -------
    Doubt or None
        With the code `deep_grey`, if the brightest value of a 16-bit image fits 12 bits or fewer, or that of
        all of them, :data:`FEW` or more, fits 14.
    """
    step = max(1, -(-len(paths) // MOST_LOOKED_AT))
    looked_at = paths[::step]
    with read_ahead(_top, looked_at) as stream:
        tops = [top for _, top in stream if not isinstance(top, Refusal) and top is not None]
    dark = [top for top in tops if top <= _NEARLY_BLACK]
    if not dark and len(tops) >= FEW:
        dark = tops
    bits = next((bits for top, bits in _BITS_BY_TOP if dark and max(dark) <= top), None)
    if bits is None:
        return None
    whole = "all" if len(dark) == len(looked_at) else f"{len(dark)} of {len(looked_at)}"
    return Doubt(
        "deep_grey",
        f"{whole} images looked at are 16-bit files with values of {bits} bits only (at most "
        f"{2**bits - 1} of "
        f"65535), so they are read as nearly black; multiply their values by {2 ** (16 - bits)} in "
        "all photos, those to learn from and those to predict (or save them with 8 bits)",
        grave=bits <= 10 and len(dark) == len(looked_at),
    )


def is_deep(path: str) -> bool:
    """Whether a file is a 16-bit image; False for what cannot be read."""
    try:
        return bits_of(read_bytes(path)) == 16
    except RefusedInput:
        return False


def _top(path: str) -> int | None:
    """The largest value of a 16-bit image as it is read, 0 to 255; None for any other image."""
    content = read_bytes(path)
    if bits_of(content) != 16:
        return None
    return max(high for _, high in _extremes(content))


def _extremes(content: bytes) -> list[tuple[int, int]]:
    found = open_image(content).getextrema()
    pairs = [pair for pair in found if isinstance(pair, tuple)]
    if not pairs:
        raise RefusedInput("damaged", "the image has no channels")
    return [(int(low), int(high)) for low, high in pairs]
