"""A Ray cluster for as long as it is needed: one that is started is stopped, one that is joined is left.

Nothing is reported to Ray's makers, and no dashboard is served.
"""

import contextlib
import importlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from fieldguide.errors import OptionError
from fieldguide.installation import command_for

LOCAL = "local"
"""In place of an address: a cluster of this machine's cores, for this run."""


WAITING = "waiting for a free core of the cluster, seconds"
"""The stage of progress while others have them all."""


@dataclass(frozen=True)
class Cluster:
    """One that is started or joined when it is needed."""

    address: str
    """As for :func:`ray_session`."""
    ray: Callable[[], Any]
    """Gives ``ray``, connected."""

    @property
    def is_here(self) -> bool:
        """Whether it is this machine alone."""
        return self.address == LOCAL

    @property
    def cores(self) -> int:
        """Of all its machines."""
        return max(1, int(self.ray().cluster_resources().get("CPU", 1)))


_USED: ContextVar[Cluster | None] = ContextVar("cluster", default=None)


@contextlib.contextmanager
def cluster_used(cluster: Cluster) -> Iterator[None]:
    """Have work within the ``with`` block that a cluster can share done there."""
    token = _USED.set(cluster)
    try:
        yield
    finally:
        _USED.reset(token)


def cluster_in_use() -> Cluster | None:
    """The cluster of :func:`cluster_used`; None where there is none."""
    return _USED.get()


@contextlib.contextmanager
def ray_session(address: str = LOCAL, *, cores: int | None = None) -> Iterator[Any]:
    """Have a cluster.

    Parameters
    ----------
    address
        ``local`` starts one; ``auto`` joins the one of this machine; ``HOST:PORT`` joins another.
        Where this process has joined one already, that one is used.
    cores
        Of a cluster that is started; None takes all.

    Yields
    ------
    module
        ``ray``, connected.

    Raises
    ------
    OptionError
        If Ray is not installed, or the cluster cannot be had.
    """
    ray = ray_for(address)
    if ray.is_initialized():
        yield ray
        return
    _connect(ray, address, cores)
    try:
        yield ray
    finally:
        ray.shutdown()  # stops what this process started; a cluster that it joined goes on


def ray_for(address: str) -> Any:
    """``ray``, before anything is started or joined.

    Raises
    ------
    OptionError
        If Ray is not installed, or the address none of a cluster.
    """
    if not isinstance(address, str) or not address:  # of a script: True, say
        raise OptionError(f"cluster: must be 'local', 'auto' or 'HOST:PORT', got {address!r}")
    if address not in (LOCAL, "auto") and ":" not in address:
        raise OptionError(
            f"--cluster {address}: must be local, auto or HOST:PORT; write --cluster=local before DATA"
        )
    if address.startswith("ray://"):
        raise OptionError(
            f"--cluster {address}: must be local, auto or HOST:PORT; run the command on a machine of the "
            "cluster, such as with `ray job submit`"
        )
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise OptionError(
            f"--cluster needs Ray, which is not installed; run: {command_for('cluster')}"
        ) from error


def _connect(ray: Any, address: str, cores: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    started = {"include_dashboard": False, "num_cpus": cores} if address == LOCAL else {}
    try:
        with _sigterm_kept():
            ray.init(address=address, **quiet, **started)
    except Exception as error:  # ConnectionError, ValueError, RuntimeError: Ray's own kinds vary
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise OptionError(f"--cluster {address}: the cluster cannot be had: {reason}") from error


@contextlib.contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Keep somebody's handler of SIGTERM: Ray puts its own in its place, which exits without a word."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        in_main = threading.current_thread() is threading.main_thread()
        if in_main and before not in (None, signal.SIG_DFL):
            signal.signal(signal.SIGTERM, before)
