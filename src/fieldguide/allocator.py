"""Memory of one training step kept for the next, instead of given back to the system in between."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1


def keep_freed_memory() -> None:
    """Tell the C library of Linux to keep large blocks that are freed.

    It would return each to the system and get it back, zeroed page by page, a moment later: a third of the
    time of a training step (docs/log.md). Elsewhere nothing is done. The whole process keeps its largest
    amount of memory from then on.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    library = ctypes.CDLL(None)
    library.mallopt(_MMAP_THRESHOLD, _NEVER)
    library.mallopt(_TRIM_THRESHOLD, _NEVER)
