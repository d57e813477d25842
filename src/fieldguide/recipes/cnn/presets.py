"""How `cnn` sets its dials."""

from dataclasses import dataclass

from fieldguide.errors import OptionError
from fieldguide.recipes.common import Options


@dataclass(frozen=True)
class CnnPreset:
    """What a preset means for this recipe."""

    passes: int
    """Over 50,000 images of 32 pixels; fewer or smaller images are seen more often."""
    wide: float
    """Multiplies the widths of the network."""
    shifted: bool
    """Whether the written network looks at two shifted copies of an image too."""
    reason: str


PRESETS = {
    "fast": CnnPreset(7, 1.0, False, "a third of the passes"),
    "balanced": CnnPreset(19, 1.0, True, "short schedule"),
    "best": CnnPreset(38, 1.5, True, "twice the passes, a wider network"),
}


def preset_of(options: Options) -> CnnPreset:
    """Return the preset that is asked for.

    Raises
    ------
    OptionError
        If there is none of that name.
    """
    if options.preset not in PRESETS:
        raise OptionError(f"preset: must be one of {', '.join(PRESETS)}; got {options.preset!r}")
    return PRESETS[options.preset]
