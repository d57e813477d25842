"""Batch normalisation over a batch that several processes share.

torch's own ``SyncBatchNorm`` works on GPUs only, and takes the place of layers, which would then have to be
put back before a network is averaged, kept or exported. Here the layers stay: while a network learns, their
one function is computed over the parts of all processes, whichever class of layer calls it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributed import all_reduce
from torch.overrides import TorchFunctionMode


class SharedBatchStatistics(TorchFunctionMode):
    """As long as the ``with`` block lasts, means and variances are those of the images of all processes.

    Every process must run the same network on a part of its own, which may differ in size, and go backward
    through it; with the mean of their gradients the network learns as from the whole batch.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute batch normalisation that learns its statistics, and leave all else to torch."""
        if func is torch.nn.functional.batch_norm:
            return batch_norm(*args, **(kwargs or {}))
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class BatchNormArguments:
    """What :func:`torch.nn.functional.batch_norm` takes after the values, by name and in its order."""

    running_mean: Tensor | None
    running_var: Tensor | None
    weight: Tensor | None = None
    bias: Tensor | None = None
    training: bool = False
    momentum: float = 0.1
    eps: float = 1e-5


def batch_norm(input: Tensor, *arguments: Any, **named: Any) -> Tensor:
    """As :func:`torch.nn.functional.batch_norm`, over the images of all processes where it is `training`."""
    given = BatchNormArguments(*arguments, **named)
    if not given.training:
        return torch.nn.functional.batch_norm(input, *arguments, **named)
    shape = [1, -1, *[1] * (input.ndim - 2)]
    over = [place for place in range(input.ndim) if place != 1]
    values = input.float()
    own = values.new_full((1,), values.numel() / values.shape[1])
    sums = _sum_over_processes(torch.cat([values.sum(over), own]))
    count = sums[-1].detach()
    mean = sums[:-1] / count
    centred = values - mean.view(shape)  # squares of what is centred, since a difference of squares cancels
    variance = _sum_over_processes(centred.square().sum(over)) / count
    result = centred * (variance + given.eps).rsqrt().view(shape)
    if given.weight is not None:
        result = result * given.weight.view(shape)
    if given.bias is not None:
        result = result + given.bias.view(shape)
    running_mean, running_var = given.running_mean, given.running_var
    if running_mean is not None and running_var is not None:
        with torch.no_grad():
            running_mean.lerp_(mean.to(running_mean.dtype), given.momentum)
            running_var.lerp_((variance * (count / (count - 1))).to(running_var.dtype), given.momentum)
    return result.to(input.dtype)


class _SumOverProcesses(torch.autograd.Function):
    """A sum whose gradient is the sum of the gradients that the processes have for it."""

    @staticmethod
    def forward(context: Any, own: Tensor) -> Tensor:
        total = own.clone()
        all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        all_reduce(total)
        return total


def _sum_over_processes(own: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(own)
    return total
