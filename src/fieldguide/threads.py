"""Work in threads whose results come in order, at most so many early."""

import contextlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


_MOST: ContextVar[int | None] = ContextVar("most cores", default=None)


@contextlib.contextmanager
def cores_limited(most: int) -> Iterator[None]:
    """Have whatever this thread does within the ``with`` block use so many cores at most.

    Examples
    --------
    >>> with cores_limited(1):
    ...     usable_cores()
    1
    """
    token = _MOST.set(most)
    try:
        yield
    finally:
        _MOST.reset(token)


def usable_cores() -> int:
    """How many cores this process may use, or the share of them that :func:`cores_limited` leaves."""
    most = _MOST.get()
    return _cores() if most is None else min(most, _cores())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int, ahead: int
) -> Generator[Result, None, None]:
    """Apply `work` to items in threads.

    Parameters
    ----------
    work
        Called once an item, from several threads at once.
    items
        Read as far ahead as results may be, so they may be endless.
    threads
        How many work.
    ahead
        Results that may wait to be taken; bounds memory.

    Yields
    ------
    Result
        One an item, in the order of the items. Closing the generator stops the threads.

    Examples
    --------
    >>> import time
    >>> def wait(hundredths):
    ...     time.sleep(hundredths / 100)
    ...     return hundredths
    >>> list(in_order(wait, [3, 1, 2], threads=3, ahead=3))
    [3, 1, 2]
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="prepare")
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
