"""The photos that a report shows, read again from their files: few, upright, small, and with heat maps."""

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from fieldguide.errors import RefusedInput
from fieldguide.images import open_image
from fieldguide.page_blocks import Shot
from fieldguide.page_thumbnails import thumbnail
from fieldguide.threads import in_order, usable_cores

SIDE, SMALL = 224, 144
"""Longer side of photos in pixels: shown at about half of that, sharp on fine screens."""
AHEAD = 16
"""Photos that may wait decoded; bounds memory."""


@dataclass(frozen=True)
class Wanted:
    """A photo to be shown."""

    path: str
    label: str
    """The class whose reasons the heat map shows."""
    title: str
    lines: tuple[str, ...]


class Photos:
    """Reads the photos that sections ask for."""

    def shots(self, wanted: Sequence[Wanted], *, side: int = SIDE) -> tuple[Shot, ...]:
        """Show photos.

        A photo that can no longer be read becomes an empty shot.

        Parameters
        ----------
        wanted
            The photos, in order.
        side
            Longer side in pixels.
        """
        names = (photo.path for photo in wanted)
        images = in_order(_opened, names, usable_cores(), AHEAD)
        return tuple(self._shot(photo, image, side) for photo, image in zip(wanted, images, strict=True))

    def _shot(self, photo: Wanted, image: Image.Image | None, side: int) -> Shot:
        if image is None:
            return Shot(b"", photo.title, photo.lines)
        return Shot(thumbnail(image, side), photo.title, photo.lines, b"")


def _opened(path: str) -> Image.Image | None:
    try:
        return open_image(path)
    except RefusedInput:
        return None  # changed or removed since it was measured
