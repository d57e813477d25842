"""What training runs on: one device or several, and memory that is kept."""

import atexit
import ctypes
import logging
import os
import platform

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from fieldguide.training.precision import Precision

# Options of the C library's mallopt.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_NEVER = 2**31 - 1

# Fabric gives itself a handler that writes on the terminal, which is not its to write on, and has torch ask
# the driver anew, millions of times in an export, whether there is a GPU.
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
os.environ.pop("PYTORCH_NVML_BASED_CUDA_CHECK", None)


def fabric_for(precision: Precision) -> Fabric:
    """One device, or those of all processes that torchrun started."""
    if not TorchElasticEnvironment.detect():
        return Fabric(accelerator="auto", devices=1, precision=precision)
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    fabric = Fabric(
        accelerator="auto",
        devices=here,
        num_nodes=TorchElasticEnvironment().world_size() // here,
        precision=precision,
        strategy="ddp_find_unused_parameters_true",  # parameters may rest for some epochs
    )
    fabric.launch()
    atexit.register(_leave)
    return fabric


def _leave() -> None:
    """Part with the other processes in order; Fabric does so on GPUs only, and gloo's threads may abort."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


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
