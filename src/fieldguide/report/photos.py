"""The photos that a report shows, read again from their files: few, upright, small, and with heat maps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fieldguide.errors import ModelFileError, RefusedInput
from fieldguide.explanation.explainer import heat_maps
from fieldguide.explanation.overlay import overlay
from fieldguide.images.decoding import open_image
from fieldguide.images.thumbnails import encoded
from fieldguide.report.blocks import Shot
from fieldguide.threads import in_order, usable_cores

if TYPE_CHECKING:
    from fieldguide.prediction.predictor import Predictor

SIDE, SMALL = 224, 144
"""Longer side of photos in pixels: shown at about half of that, sharp on fine screens."""
BATCH = 8
"""Photos that are held decoded at a time; bounds memory."""
MAP_SIDE = 96
MOST_APPROXIMATE = 12
"""Heat maps in all where each costs some 120 predictions."""

Map = NDArray[np.float32]


@dataclass(frozen=True)
class Wanted:
    """A photo to be shown."""

    path: str
    label: str
    """The class whose reasons the heat map shows."""
    title: str
    lines: tuple[str, ...]
    file: str
    """Its name on the page."""


class Photos:
    """Reads the photos that sections ask for.

    Parameters
    ----------
    predictor
        The model, whose heat maps are drawn; None draws none.
    """

    def __init__(self, predictor: "Predictor | None") -> None:
        self._predictor = predictor
        self._left = MOST_APPROXIMATE

    @property
    def exact(self) -> bool:
        """Whether heat maps add up to the score, and are not an approximation."""
        return self._predictor is not None and self._predictor.explainer.exact

    def shots(self, wanted: Sequence[Wanted], *, side: int = SIDE) -> tuple[Shot, ...]:
        """Show photos; one that can no longer be read becomes an empty shot.

        Parameters
        ----------
        wanted
            The photos, in order.
        side
            Longer side in pixels.
        """
        opened = in_order(_opened, (photo.path for photo in wanted), usable_cores(), BATCH)
        pairs = zip(wanted, opened, strict=True)
        shots: list[Shot] = []
        while batch := list(islice(pairs, BATCH)):
            shots.extend(self._batch(batch, side))
        return tuple(shots)

    def _batch(self, batch: list[tuple[Wanted, Image.Image | None]], side: int) -> Iterator[Shot]:
        read = [(photo, image) for photo, image in batch if image is not None]
        maps = iter(self._maps(read))
        for photo, image in batch:
            if image is None:
                yield Shot(b"", photo.title, photo.lines, photo.file)
            else:
                small = image.copy()
                small.thumbnail((side, side), Image.Resampling.LANCZOS)
                heat = self._drawn(small, next(maps, None))
                yield Shot(encoded(small), photo.title, photo.lines, photo.file, heat)

    def _maps(self, read: list[tuple[Wanted, Image.Image]]) -> Map | tuple[()]:
        """Heat maps of as many photos, from the first on, as time allows."""
        if self._predictor is None:
            return ()
        try:
            if not self.exact:
                read, self._left = read[: self._left], max(0, self._left - len(read))
            images, labels = [image for _, image in read], [photo.label for photo, _ in read]
            return heat_maps(self._predictor, images, labels, MAP_SIDE)
        except ModelFileError:  # a network of a form that has no maps; the page says so
            self._predictor = None
            return ()

    def _drawn(self, small: Image.Image, heat: Map | None) -> bytes:
        if heat is None or self._predictor is None or not np.isfinite(heat).all():
            return b""
        return encoded(overlay(small, heat, self._predictor.explainer.area(*small.size)))


def _opened(path: str) -> Image.Image | None:
    try:
        return open_image(path)
    except RefusedInput:
        return None  # changed or removed since it was measured
