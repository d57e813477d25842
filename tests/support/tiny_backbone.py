"""Tiny networks with random weights, as a person would give them with ``--weights``."""

import timm
import torch
from safetensors.torch import save_file


def tiny_weights(folder, name="test_efficientnet", seed=0):
    """Write a weights file in the hub's layout for one of timm's networks for tests."""
    torch.manual_seed(seed)
    network = timm.create_model(name)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # so that folding them into convolutions matters
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    path = folder / f"{name}-{seed}.safetensors"
    save_file(network.state_dict(), path)
    return path
