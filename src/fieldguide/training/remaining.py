"""What is left of a training, said after each pass; never kept, since clocks never show the same twice."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

SHORTEST_MINUTES = 2
"""Shorter times are said in seconds."""


@dataclass(frozen=True)
class Remaining:
    """What was planned, and what is left of it."""

    epochs: int
    """Passes in all, as planned now."""
    seconds_left: float | None = None
    """Of what training may take; None where no clock ends it."""
    seconds_allowed: float | None = None
    """That training may take in all; None where no clock ends it."""

    def beside(self, row: Mapping[str, float]) -> dict[str, float]:
        """A row of the history with what is left, for those who watch.

        Examples
        --------
        >>> Remaining(9).beside({"epoch": 4})
        {'epoch': 4, 'epochs': 9}
        """
        return {**row, **{name: value for name, value in asdict(self).items() if value is not None}}


NAMES = frozenset(Remaining.__dataclass_fields__)


def history_row(told: Mapping[str, float]) -> dict[str, float]:
    """A row of the history without what :meth:`Remaining.beside` put beside it."""
    return {name: value for name, value in told.items() if name not in NAMES}


def passes(told: Mapping[str, float]) -> str:
    """How many passes are done, and of how many where that is known.

    Examples
    --------
    >>> passes({"epoch": 4, "epochs": 9}), passes({"epoch": 4})
    ('4 of 9', '4')
    """
    of = f" of {told['epochs']}" if "epochs" in told else ""
    return f"{told['epoch']}{of}"


def time_left(told: Mapping[str, float]) -> str | None:
    """The rest of what training may take, in words; None where no clock ends it.

    Examples
    --------
    >>> time_left({"seconds_left": 372.0, "seconds_allowed": 790.0})
    '6 of 13 min left'
    >>> time_left({"seconds_left": 12.2, "seconds_allowed": 57.0})
    '12 of 57 s left'
    >>> time_left({"seconds_left": 8.0, "seconds_allowed": 790.0})
    'under 1 of 13 min left'
    """
    left, allowed = told.get("seconds_left"), told.get("seconds_allowed")
    if left is None or allowed is None:
        return None
    if allowed < 60 * SHORTEST_MINUTES:
        return f"{max(left, 0):.0f} of {allowed:.0f} s left"
    share = f"{left / 60:.0f}" if left >= 60 else "under 1"
    return f"{share} of {allowed / 60:.0f} min left"
