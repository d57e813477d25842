"""Means and variances of batch normalisation: the photos' own beside those that a network came with.

Re-estimating them on new images is AdaBN (Li et al., "Revisiting Batch Normalization for Practical Domain
Adaptation", ICLR workshop 2017); a part of the way is the source prior of Schneider et al., "Improving
robustness against common corruptions by covariate shift adaptation" (NeurIPS 2020).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

Statistics = Mapping[str, tuple[Tensor, Tensor]]
"""Mean and variance of each channel, both of shape (n_channels,), by the name of the layer."""
BatchNorm = nn.modules.batchnorm._BatchNorm
LEAST_RATIO = 1e-6


@dataclass(frozen=True)
class StatisticsDistance:
    """How the photos' means and variances differ from those that a network came with, over all layers."""

    images: int
    layers: int
    """Of batch normalisation."""
    means: float
    """Distance of means, in standard deviations that the network came with."""
    variances: float
    """Factor between variances, 1 or more: the geometric mean, whichever of both is larger."""
    nats: float
    """Kullback-Leibler divergence of a channel's normal distribution from that of before, on the mean."""


def norms_of(network: nn.Module) -> dict[str, Any]:
    """The layers of batch normalisation that keep statistics, by name."""
    found = {name: module for name, module in network.named_modules() if isinstance(module, BatchNorm)}
    return {name: module for name, module in found.items() if module.running_mean is not None}


def measured_statistics(network: nn.Module, run: Callable[[], int]) -> tuple[Statistics, int]:
    """Measure what the layers of batch normalisation see, while they go on with the statistics they have.

    Parameters
    ----------
    network
        In inference mode.
    run
        Passes images through it, in batches; returns how many.
    """
    sums: dict[str, list[Tensor]] = {}
    hooks = [
        module.register_forward_pre_hook(partial(_add, sums, name))
        for name, module in norms_of(network).items()
    ]
    try:
        images = run()
    finally:
        for hook in hooks:
            hook.remove()
    means = {name: (total / count, squares / count) for name, (count, total, squares) in sums.items()}
    found = {name: (mean.float(), (square - mean**2).float()) for name, (mean, square) in means.items()}
    return found, images


def _add(sums: dict[str, list[Tensor]], name: str, module: nn.Module, given: tuple[Tensor, ...]) -> None:
    values = given[0].detach().float()
    over = [axis for axis in range(values.ndim) if axis != 1]
    variance, mean = torch.var_mean(values, over, correction=0)
    mean, count = mean.double(), torch.tensor(float(values.numel() // values.shape[1]))
    own = [count, mean * count, (variance.double() + mean**2) * count]
    before = sums.get(name)
    sums[name] = own if before is None else [old + new for old, new in zip(before, own, strict=True)]


def distance(network: nn.Module, found: Statistics, images: int) -> StatisticsDistance | None:
    """Compare what was measured with what the network came with; None where it has no batch normalisation."""
    rows = [row for name, module in norms_of(network).items() for row in _differences(module, *found[name])]
    if not rows:
        return None
    means, logs, nats = torch.stack([torch.stack(row) for row in rows]).mean(0).tolist()
    return StatisticsDistance(images, len(rows), means, float(torch.tensor(logs).exp()), nats)


def _differences(module: Any, mean: Tensor, variance: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Of one layer: distance of means, logarithm of the factor between variances, divergence."""
    own = module.running_var + module.eps
    squares = (mean - module.running_mean) ** 2 / own
    ratio = ((variance + module.eps) / own).clamp(min=LEAST_RATIO)
    divergence = 0.5 * (ratio + squares - 1 - ratio.log())
    yield squares.mean().sqrt(), ratio.log().abs().mean(), divergence.mean()


def reestimated(network: nn.Module, run: Callable[[], int]) -> Statistics:
    """Measure statistics layer after layer, each on what the others make of the photos with theirs.

    Parameters
    ----------
    network
        In inference mode; ends as it was.
    run
        Passes images through it, in batches of a few dozen; each batch is normalised by its own statistics.
    """
    norms, before = norms_of(network), {name: value.clone() for name, value in network.state_dict().items()}
    momenta = {name: module.momentum for name, module in norms.items()}
    for module in norms.values():
        module.reset_running_stats()
        module.momentum = None  # the mean over all batches
        module.train()
    try:
        with torch.no_grad():
            run()
        return statistics_of(network)
    finally:
        for name, module in norms.items():
            module.eval()
            module.momentum = momenta[name]
        network.load_state_dict(before)


def statistics_of(network: nn.Module) -> Statistics:
    """Copy what a network's layers of batch normalisation have."""
    norms = norms_of(network).items()
    return {name: (module.running_mean.clone(), module.running_var.clone()) for name, module in norms}


def put(network: nn.Module, statistics: Statistics, share: float) -> None:
    """Move a network's statistics a share of the way, from 0 to 1, to others."""
    with torch.no_grad():
        for name, module in norms_of(network).items():
            mean, variance = statistics[name]
            module.running_mean.lerp_(mean.to(module.running_mean), share)
            module.running_var.lerp_(variance.to(module.running_var), share)
