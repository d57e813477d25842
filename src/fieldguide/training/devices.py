"""What training runs on: one device or several, and memory that is kept."""

import contextlib
import ctypes
import logging
import os
import platform
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from fieldguide.errors import OptionError
from fieldguide.training.precision import Precision

# Options of the C library's mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1

# Fabric gives itself a handler that writes on the terminal, which is not its to write on, and has torch ask
# the driver anew, millions of times in an export, whether there is a GPU.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)


@dataclass(frozen=True)
class Place:
    """Which of the processes that train together this one is, and what it runs on."""

    rank: int = 0
    """From 0, which leads."""
    size: int = 1
    """How many there are."""
    local_rank: int = 0
    """The same among those of its machine: its GPU."""
    local_size: int = 1
    on_gpu: bool = False
    """Whether each has a GPU of its own."""
    threads: int = 0
    """Of torch; 0 leaves them as they are."""

    @classmethod
    def on_this_machine(cls, devices: int) -> "Place":
        """The first of several processes on this machine.

        Raises
        ------
        OptionError
            If it has GPUs, but not so many.
        """
        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if 0 < gpus < devices:
            raise OptionError(f"devices: must be at most {gpus}, the GPUs of this machine; got {devices}")
        return cls(size=devices, local_size=devices, on_gpu=gpus > 0)

    @classmethod
    def launched(cls) -> "Place | None":
        """What torchrun, or whoever sets the same variables, says of this process; None where nobody does.

        Raises
        ------
        OptionError
            If one of them is no number that can be.
        """
        told = {name: os.environ.get(name) for name in LAUNCHED}
        if None in (told["RANK"], told["WORLD_SIZE"], told["MASTER_ADDR"], told["MASTER_PORT"]):
            return None
        rank, size = _number("RANK", told["RANK"]), _number("WORLD_SIZE", told["WORLD_SIZE"])
        if size < 2:
            return None
        local_rank = _number("LOCAL_RANK", told["LOCAL_RANK"] or "0")
        local_size = _number("LOCAL_WORLD_SIZE", told["LOCAL_WORLD_SIZE"] or "1")
        if not rank < size or not local_rank < local_size or size % local_size:
            raise OptionError(
                "RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE: must fit together as torchrun sets them; "
                f"got {rank}, {size}, {local_rank} and {local_size}"
            )
        return cls(rank, size, local_rank, local_size, torch.cuda.is_available())


LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
"""Variables of the environment; where the last two are missing each process is on a machine of its own."""


def _number(name: str, text: str | None) -> int:
    if text is None or not text.isdecimal():
        raise OptionError(f"{name}: the variable of the environment must be a whole number, got {text!r}")
    return int(text)


class _Met(ClusterEnvironment):
    """Tells Fabric of processes that run already and have met."""

    creates_processes_externally = True
    main_address = ""
    main_port = 0

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._place = place

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self._place.size

    def set_world_size(self, size: int) -> None:
        """It stands already."""

    def global_rank(self) -> int:
        return self._place.rank

    def set_global_rank(self, rank: int) -> None:
        """It stands already."""

    def local_rank(self) -> int:
        return self._place.local_rank

    def node_rank(self) -> int:
        return self._place.rank // self._place.local_size


def fabric_for(precision: Precision, place: Place | None = None) -> Fabric:
    """One device, or that of a process among several, which have met."""
    if place is None or place.size == 1:
        return Fabric(accelerator="auto", devices=1, precision=precision)
    fabric = Fabric(
        accelerator="cuda" if place.on_gpu else "cpu",
        devices=place.local_size,
        num_nodes=place.size // place.local_size,
        precision=precision,
        strategy=DDPStrategy(find_unused_parameters=True),  # they may rest for some epochs
        plugins=[_Met(place)],
    )
    fabric.launch()
    # Weights of a network may lie in memory in another order than their gradients, which are copied then.
    warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
    return fabric


@contextlib.contextmanager
def loopback_only() -> Iterator[None]:
    """Have processes that meet within the ``with`` block talk over this machine's loopback alone."""
    name = "GLOO_SOCKET_IFNAME"
    before = os.environ.get(name)
    if before is None and sys.platform == "linux":
        os.environ[name] = "lo"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)


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
