"""Which arithmetic training uses: half as long numbers where this machine has units for them."""

from typing import Literal

import torch

Precision = Literal["32-true", "bf16-mixed"]


def best_precision() -> tuple[Precision, str]:
    """Choose by what the hardware has, never by a stopwatch: the same machine always gives the same model.

    On two cores with AMX a training step of a small network took a third of its time in bfloat16; on a CPU
    that only emulates it, a step takes longer (docs/log.md).

    Returns
    -------
    tuple of str and str
        Lightning Fabric's name of the precision, and a sentence with the reason.
    """
    if torch.cuda.is_available():
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16-mixed", "precision: bfloat16 where it is safe, since the GPU has it"
        return "32-true", "precision: float32, since the GPU has no bfloat16"
    if torch.cpu._is_amx_tile_supported():
        return "bf16-mixed", "precision: bfloat16 where it is safe, since the CPU has matrix units for it"
    return "32-true", "precision: float32, since the CPU has no matrix units for bfloat16"
