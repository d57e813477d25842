"""Commands that were started several times at once, to train one network together."""

import contextlib
from collections.abc import Iterator

from fieldguide.recipes import find


@contextlib.contextmanager
def launched_together(recipe: str) -> Iterator[bool]:
    """Join the processes that torchrun, or whoever sets the same variables, started beside this one.

    Parameters
    ----------
    recipe
        A key of :data:`fieldguide.recipes.RECIPES`; one that does not train on several devices joins none.

    Yields
    ------
    bool
        Whether this process is to do the work. Where it is not, its share has been done.
    """
    if "devices" not in find(recipe).OPTIONS:
        yield True
        return
    from fieldguide.recipes.networks.worker import launched

    with launched() as leads:
        yield leads
