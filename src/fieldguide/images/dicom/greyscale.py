"""From stored values to what a viewer shows: a table of all values that pixels may have, 8 bits each.

The grey-scale pipeline of DICOM PS3.3, C.11.1 and C.11.2 and PS3.14: modality transformation, then value of
interest (a lookup table, else the first window), then MONOCHROME1 turned into MONOCHROME2. Sixteen bits have
65,536 values, so the table is cheap, exact, and needs no floating-point copy of the picture.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BAND_VALUES = 1 << 18
"""About this many pixels are looked up at a time."""


@dataclass(frozen=True)
class Lookup:
    """A lookup table (PS3.3, C.11.1.1)."""

    first: int
    """The value that the first entry belongs to; lower ones get it as well."""
    entries: NDArray[np.generic]
    """Of shape (n_entries,), whole numbers."""
    bits: int
    """Bits of an entry."""

    def of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Entries of values, of the same shape."""
        places = np.clip(values - self.first, 0, len(self.entries) - 1).astype(np.int64)
        return self.entries[places].astype(np.float64)


@dataclass(frozen=True)
class Window:
    """A window of interest (PS3.3, C.11.2.1.2)."""

    center: float
    width: float
    function: str = "LINEAR"
    """``LINEAR``, ``LINEAR_EXACT`` or ``SIGMOID``; anything else counts as the first."""

    def fractions(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """From 0, black, to 1, white; beyond these to be clipped."""
        if self.function == "SIGMOID":
            exponents = np.clip(-4 * (values - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(exponents)))
        if self.function == "LINEAR_EXACT":
            return (values - self.center) / self.width + 0.5
        if self.width <= 1:
            return (values > self.center - 0.5).astype(np.float64)
        return (values - self.center + 0.5) / (self.width - 1) + 0.5


@dataclass(frozen=True)
class Greyscale:
    """How the values of one picture become grey."""

    bits: int
    """Bits of a stored value, 1 to 16."""
    signed: bool = False
    slope: float = 1.0
    intercept: float = 0.0
    modality: Lookup | None = None
    """Instead of slope and intercept."""
    interest: Lookup | Window | None = None
    """None: up to 8 bits all that they can hold, else from the lowest to the highest value of the picture."""
    padding: int | None = None
    """The value of pixels without a picture, which do not count for the lowest and highest."""
    inverted: bool = False
    """MONOCHROME1: low values are white."""

    @property
    def lowest(self) -> int:
        """The lowest value that these bits can hold."""
        return -(1 << self.bits - 1) if self.signed else 0

    def table(self, present: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """Grey of each value that these bits can hold, from the lowest.

        Parameters
        ----------
        present : ndarray of shape (n_values,), bool
            Which of them occur in the picture.

        Returns
        -------
        ndarray of shape (n_values,), uint8
        """
        stored = np.arange(1 << self.bits, dtype=np.float64) + self.lowest
        values = self.modality.of(stored) if self.modality else stored * self.slope + self.intercept
        fractions = self._fractions(values, self._used(present))
        grey = np.rint(np.clip(np.nan_to_num(fractions), 0.0, 1.0) * 255.0).astype(np.uint8)
        return 255 - grey if self.inverted else grey

    def _used(self, present: NDArray[np.bool_]) -> NDArray[np.bool_]:
        used = present.copy()
        if self.padding is not None and 0 <= self.padding - self.lowest < len(used):
            used[self.padding - self.lowest] = False
        return used if used.any() else np.ones_like(used)

    def _fractions(self, values: NDArray[np.float64], used: NDArray[np.bool_]) -> NDArray[np.float64]:
        if isinstance(self.interest, Window):
            return self.interest.fractions(values)
        if isinstance(self.interest, Lookup):
            return self.interest.of(values) / ((1 << self.interest.bits) - 1)
        shown = values if self.bits <= 8 else values[used]
        low, high = float(shown.min()), float(shown.max())
        return (values - low) / max(high - low, 1e-30)


def looked_up(pixels: NDArray[np.integer], lowest: int, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture through a table, a band at a time; values beyond the table get its ends.

    Parameters
    ----------
    pixels : ndarray of shape (height, width), integer
    lowest : int
        The value that the first row of `table` belongs to.
    table : ndarray of shape (n_values,) or (n_values, 3), uint8

    Returns
    -------
    ndarray of shape (height, width) or (height, width, 3), uint8
    """
    result = np.empty((*pixels.shape, *table.shape[1:]), dtype=np.uint8)
    for band in _bands(pixels):
        result[band] = table[_places(pixels[band], lowest, len(table))]
    return result


def present_values(pixels: NDArray[np.integer], lowest: int, count: int) -> NDArray[np.bool_]:
    """Which of `count` values, from `lowest` on, occur in a picture of shape (height, width)."""
    present = np.zeros(count, dtype=bool)
    for band in _bands(pixels):
        present[_places(pixels[band], lowest, count)] = True
    return present


def _bands(pixels: NDArray[np.integer]) -> list[slice]:
    rows = max(1, BAND_VALUES // max(1, pixels.shape[1]))
    return [slice(top, top + rows) for top in range(0, pixels.shape[0], rows)]


def _places(band: NDArray[np.integer], lowest: int, count: int) -> NDArray[np.int64]:
    return np.clip(band.astype(np.int64) - lowest, 0, count - 1)
