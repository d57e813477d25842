"""Which arithmetic training uses, by what the hardware has."""

import pytest
import torch

from fieldguide.training.precision import best_precision


@pytest.mark.parametrize(
    ("gpu", "gpu_has", "cpu_has", "precision", "why"),
    [
        (True, True, False, "bf16-mixed", "the GPU has it"),
        (True, False, True, "32-true", "the GPU has no bfloat16"),
        (False, False, True, "bf16-mixed", "the CPU has matrix units for it"),
        (False, True, False, "32-true", "the CPU has no matrix units for bfloat16"),
    ],
)
def test_the_hardware_decides(gpu, gpu_has, cpu_has, precision, why, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: gpu_has)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: cpu_has)
    chosen, reason = best_precision()
    assert chosen == precision and why in reason


def test_torch_still_says_whether_the_cpu_has_matrix_units():
    """`torch.cpu._is_amx_tile_supported` is not of torch's public names."""
    what_to_do = (
        "torch no longer has torch.cpu._is_amx_tile_supported, or it answers something else than yes or no; "
        "look in training/precision.py for another sign of AMX ('amx_tile' in /proc/cpuinfo), "
        "and where there is none let a CPU compute in float32"
    )
    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    assert probe is not None and isinstance(probe(), bool), what_to_do
