"""How many threads linear algebra takes: one for small tables, where more only wait for each other."""

from contextlib import AbstractContextManager
from typing import Any

from threadpoolctl import threadpool_limits

SMALL = 1000
"""Images up to which one thread is as fast; beside other work two were twenty times slower (docs/log.md)."""


def threads_for(images: int) -> AbstractContextManager[Any]:
    """Limit the threads of linear algebra while working on so many images."""
    limits: AbstractContextManager[Any] = threadpool_limits(1 if images <= SMALL else None, user_api="blas")
    return limits
