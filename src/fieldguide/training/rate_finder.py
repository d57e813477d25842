"""Steps at growing learning rates, whose weights are thrown away."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from fieldguide.errors import TrainingError
from fieldguide.progress import Progress, silent
from fieldguide.training.devices import fabric_for
from fieldguide.training.plan import Plan, TrainingTask

STEPS = 100
LOWEST, HIGHEST = 1e-3, 1e2
"""From how much to how much of the task's own rates."""
DIVERGED = 4.0
"""The sweep ends once the loss is so many times the lowest."""


def sweep(
    task: TrainingTask, plan: Plan, progress: Progress = silent
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Take steps at rates that grow from one to the next by the same factor.

    Parameters
    ----------
    task
        Its network is changed, and should be thrown away.
    plan
        Batch size, seed, precision and clipping; its passes do not matter.
    progress
        Told of each step.

    Returns
    -------
    tuple of two tuples
        Factors of the task's own rates, and the loss of each step's images before the step. Fewer than
        :data:`STEPS` where the loss diverged.

    Raises
    ------
    TrainingError
        If the very first loss is no number.
    """
    fabric = fabric_for(plan.precision)
    own = [group["lr"] for group in task.optimizer.param_groups]
    network, optimizer = fabric.setup(task.network, task.optimizer)
    network.train()
    factors: list[float] = []
    losses: list[float] = []
    for number, (epoch, rows) in enumerate(_batches(plan)):
        progress("learning rates", number, STEPS)
        factor = LOWEST * (HIGHEST / LOWEST) ** (number / (STEPS - 1))
        task.set_rates(0.0, 1.0)
        for group, rate in zip(task.optimizer.param_groups, own, strict=True):
            group["lr"] = rate * factor
        generator = torch.Generator().manual_seed(2_000_003 * plan.seed % 2**63 + number)
        torch.manual_seed(int(torch.randint(2**62, (), generator=generator)))
        with fabric.autocast():
            loss = task.loss(network, rows, epoch, generator)
        value = float(loss.detach())
        if not math.isfinite(value) or (losses and value > DIVERGED * min(losses)):
            break
        factors.append(factor)
        losses.append(value)
        optimizer.zero_grad()
        fabric.backward(loss)
        length = nn.utils.clip_grad_norm_(task.network.parameters(), plan.clip or math.inf)
        if not math.isfinite(float(length)):
            break
        optimizer.step()
    progress("learning rates", STEPS, STEPS)
    if not losses:
        raise TrainingError("find_rate: the loss is not a number before the first step; look at the data")
    return tuple(factors), tuple(losses)


def _batches(plan: Plan) -> Iterator[tuple[int, Tensor]]:
    """Passes and rows of :data:`STEPS` steps; passes begin again with the first of the plan."""
    for number in range(STEPS):
        epoch, step = divmod(number, plan.steps_per_epoch)
        generator = torch.Generator().manual_seed((plan.seed + 7919 * (epoch + 1)) % 2**63)
        order = torch.randperm(plan.images, generator=generator)
        yield epoch % plan.epochs, order[step * plan.batch_size : (step + 1) * plan.batch_size]
