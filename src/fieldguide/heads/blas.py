"""How linear algebra shares the cores: whole problems side by side, each in one thread."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from threadpoolctl import threadpool_limits

from fieldguide.threads import in_order, usable_cores

SMALL = 1000
"""Images up to which one thread is as fast; beside other work two were twenty times slower (docs/log.md)."""
MEMORY = 600_000_000
"""Bytes that problems side by side may take together."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def threads_for(images: int) -> AbstractContextManager[Any]:
    """Limit the threads of linear algebra while working on so many images."""
    limits: AbstractContextManager[Any] = threadpool_limits(1 if images <= SMALL else None, user_api="blas")
    return limits


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item], numbers: int) -> Iterator[Result]:
    """Work on independent problems of linear algebra, as many at once as there are cores and memory.

    NumPy and SciPy bring a pool of threads each, and one pool's threads still spin when the other's turn
    comes: two threads a problem were slower than one (docs/log.md).

    Parameters
    ----------
    work
        Called once an item, from several threads at once.
    items
        The problems.
    numbers
        How many float32 numbers a problem holds at its worst.

    Yields
    ------
    Result
        One an item, in their order, the same on any number of cores.
    """
    threads = max(1, min(usable_cores(), MEMORY // (4 * numbers)))
    with threadpool_limits(1, user_api="blas"):
        yield from in_order(work, items, threads, ahead=threads)
