"""The switches of augmentation: their ranges, and how a person sets them on a command line."""

import difflib
import math
from typing import NamedTuple

from fieldguide.errors import OptionError


class Range(NamedTuple):
    """What a switch may be."""

    low: float
    """Least value."""
    high: float
    """Largest value."""
    off: float = 0.0
    """The value at which it does nothing."""


SWITCHES = {
    "flip": Range(0, 1),
    "rotate": Range(0, 180),
    "crop": Range(0.05, 1, off=1),
    "shift": Range(0, 0.5),
    "colour": Range(0, 1),
    "blur": Range(0, 1),
    "erase": Range(0, 1),
    "rand_augment": Range(0, 10),
    "mixup": Range(0, 10),
    "cutmix": Range(0, 10),
}
"""Every switch by its name; :class:`fieldguide.training.augment.pipeline.Augmentation` says what each
means."""


def check(name: str, value: float) -> None:
    """Refuse a value that is out of its switch's range, or no number.

    Raises
    ------
    OptionError
    """
    low, high, off = SWITCHES[name]
    if not low <= value <= high:  # NaN fails this too
        raise OptionError(
            f"{name}: must be from {low:g} to {high:g}, got {value:g}; {name}={off:g} turns it off"
        )


def parse(text: str) -> dict[str, float]:
    """Read switches such as ``rotate=10,erase=0``.

    Parameters
    ----------
    text
        Names and values; spaces are allowed, and so is nothing at all.

    Raises
    ------
    OptionError
        If a switch is unknown, set twice, or no number.
    """
    given: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (part.strip() for part in item.partition("="))
        if name not in SWITCHES:
            raise OptionError(_unknown(name))
        if name in given:
            raise OptionError(f"{name}: may be set once, got it twice; leave one out")
        given[name] = _number(name, value)
    return given


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, SWITCHES, 1)
    hint = f"did you mean {near[0]}?" if near else "write for example rotate=10,erase=0"
    return f"augmentation: its switches are {', '.join(SWITCHES)}, got {name!r}; {hint}"


def _number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        low, high, off = SWITCHES[name]
        raise OptionError(
            f"{name}: must be a number from {low:g} to {high:g}, got {text!r}; {name}={off:g} turns it off"
        )
    return value
