"""Work in threads: results that come in order, at most so many early; imports while others work."""

import contextlib
import importlib
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def usable_cores() -> int:
    """How many cores this process may use."""
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


@contextlib.contextmanager
def importing(*modules: str) -> Iterator[None]:
    """Import modules in a thread while the ``with`` block runs, and wait for them at its end.

    What cannot be imported is left to the import that needs it, which says why.
    """

    def work() -> None:
        for module in modules:
            with contextlib.suppress(ImportError):
                importlib.import_module(module)

    thread = Thread(target=work, name="import")
    thread.start()
    try:
        yield
    finally:
        thread.join()
