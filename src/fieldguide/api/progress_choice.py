"""Whether and where a call from Python shows that it goes on."""

import contextlib
from collections.abc import Iterator
from typing import TypeAlias

from fieldguide.displays.surroundings import bars_here
from fieldguide.progress import Progress, silent

ProgressChoice: TypeAlias = Progress | bool | None
"""True: bars wherever this is; False: nothing; None: bars on a terminal and in Jupyter. Or a callback."""


@contextlib.contextmanager
def shown(choice: ProgressChoice) -> Iterator[Progress]:
    """The callback for a piece of long work, as long as the ``with`` block lasts.

    Examples
    --------
    >>> with shown(False) as progress:
    ...     progress("reading", 1, 2)
    """
    if choice is not None and not isinstance(choice, bool):
        yield choice
        return
    bars = None if choice is False else bars_here(always=choice is True)
    if bars is None:
        yield silent
        return
    with bars as callback:
        yield callback
