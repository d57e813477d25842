"""Small copies of photos to show: upright, re-encoded, without metadata."""

import base64
import io

from fieldguide.images import open_image
from fieldguide.predictor import ImageSource

QUALITY = 80


def thumbnail(source: ImageSource, side: int) -> bytes:
    """A JPEG that is at most `side` pixels wide and high.

    Nothing of the file is passed on but its pixels: no place where it was taken, no hidden page.

    Raises
    ------
    RefusedInput
        If the photo cannot be read.
    """
    image = open_image(source)
    image.thumbnail((side, side))
    memory = io.BytesIO()
    image.save(memory, "JPEG", quality=QUALITY)
    return memory.getvalue()


def data_url(jpeg: bytes) -> str:
    """A JPEG as a URL that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
