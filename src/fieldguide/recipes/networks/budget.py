"""The time that training may take: what the clock decides is decided once, kept, and can be given by hand."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import OptionError
from fieldguide.recipes.common import Options, number_option
from fieldguide.storage import checksummed_files

MINUTES = {"fast": 5.0, "balanced": 15.0, "best": 60.0}
"""By preset, where no other time is asked for."""
RESERVE = 0.05
"""Share of the time that is kept for what takes longer than measured."""


@dataclass(frozen=True)
class TimeBudget:
    """Minutes from the beginning of a fit to its model."""

    minutes: float
    """In all."""
    begun: float
    """When, by :func:`time.perf_counter`."""
    asked: bool
    """Whether a person gave the minutes."""

    @classmethod
    def of(cls, options: Options, begun: float) -> "TimeBudget":
        """Read the setting `minutes`; the preset's own where there is none.

        Raises
        ------
        OptionError
            If it is no number above 0, or the preset is unknown.
        """
        if options.preset not in MINUTES:
            raise OptionError(f"preset: must be one of {', '.join(MINUTES)}; got {options.preset!r}")
        given = number_option(options, "minutes", least=0.0)
        return cls(given if given is not None else MINUTES[options.preset], begun, given is not None)

    def left(self) -> float:
        """Seconds from now on, less a reserve; below 0 where the time is over already."""
        return 60 * self.minutes * (1 - RESERVE) - (time.perf_counter() - self.begun)

    def summary(self) -> str:
        """The minutes, and who chose them."""
        who = "asked for" if self.asked else "usual for this preset"
        return f"{self.minutes:g} {'minute' if self.minutes == 1 else 'minutes'}, {who}; --minutes changes it"


def decided_once(
    folder: Path | None, name: str, decide: Callable[[], Mapping[str, Any]], options: Options
) -> dict[str, Any]:
    """Return what the clock decided for a run, measured only where that was not done before.

    A resumed run must not decide again: on a machine that is busier now it would become another run.

    Parameters
    ----------
    folder
        Where the run keeps its checkpoints; None keeps nothing.
    name
        Names the run, without what the clock decides.
    decide
        Measures and decides; what it gives is kept as JSON.
    options
        With `restart` alone nothing that was decided before holds.
    """
    if folder is None:
        return dict(decide())
    file = folder / f"decided-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    anew = options.settings.get("restart") and not options.settings.get("resume")
    kept = None if anew else checksummed_files.read(file, "what the clock decided")
    if kept is not None:
        found: dict[str, Any] = json.loads(kept)
        return found
    decided = dict(decide())
    folder.mkdir(exist_ok=True)
    checksummed_files.write(file, json.dumps(decided).encode())
    return decided
