"""What is trained, how long, who looks on, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from fieldguide.progress import Progress, silent
from fieldguide.training.share import BatchShare

History = tuple[Mapping[str, float], ...]


class TrainingTask(Protocol):
    """What is trained, and on what."""

    network: nn.Module
    """Whose parameters and buffers are learned."""
    optimizer: torch.optim.Optimizer
    measure: str
    """What the second number of :meth:`validate` is: `accuracy`, or of tags `map`, mean average precision."""
    share: BatchShare
    """Which part of each batch is worked on here; set before training."""

    def loss(
        self, network: Callable[..., Any], rows: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Mean loss of the images at `rows`, or :meth:`BatchShare.scaled` that of a part of them.

        Random choices come from `generator`, alike for all parts, or from torch's own, for each part others.
        """

    def set_rates(self, share: float, at_end_of_pass: float) -> None:
        """Set the optimiser's learning rates for a step, a function of nothing else.

        Parameters
        ----------
        share
            Share of training that is done before the step, from 0 to 1.
        at_end_of_pass
            Share that will be done at the end of the step's pass.
        """

    def price(self, at_end_of_pass: float) -> float:
        """What a step of a pass costs, in any unit; the argument as in :meth:`set_rates`."""

    def validate(self, network: nn.Module) -> tuple[float, float]:
        """Mean loss and `measure` on the images held out."""


@dataclass(frozen=True)
class Plan:
    """How long and how carefully to train."""

    images: int
    """How many there are to learn from."""
    epochs: int
    """Passes over them, at most."""
    batch_size: int
    """Images a step."""
    seed: int = 0
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    """Of the forward pass; weights and averages are always float32."""
    clip: float | None = None
    """Longest gradient (Pascanu et al., 2013); None clips nothing."""
    average: float | None = None
    """Decay of the running average of weights that is validated and kept (Polyak and Juditsky, 1992); None
    keeps the weights themselves."""
    patience: int | None = None
    """Epochs without a lower validation loss after which training stops early; None never does."""
    keep: Literal["best", "last"] = "best"
    """Which epoch's weights are the result: those of the lowest validation loss, or the last."""
    most_steps: int | None = None
    """Of a pass, where there is no time for all images in each; other ones each time."""

    @property
    def steps_per_epoch(self) -> int:
        """A smaller last batch is left out, unless it is the only one."""
        steps = max(1, self.images // self.batch_size)
        return steps if self.most_steps is None else min(steps, self.most_steps)


@dataclass(frozen=True)
class Watch:
    """Who looks on."""

    progress: Progress = silent
    report: Callable[[Mapping[str, float]], None] = lambda row: None
    """Called with each row of the history as soon as it is there, beside it what is left of the training
    (:class:`fieldguide.training.remaining.Remaining`)."""
    seconds: float | None = None
    """What training may take, validation included; where a pass takes longer than was planned, there are
    fewer. None: as long as it takes."""


@dataclass(frozen=True)
class Trained:
    """How training went; the weights are in the task's network."""

    history: History
    """A row an epoch: epoch, train_loss, validation_loss, validation_accuracy (of tags validation_map),
    learning_rate, seconds."""
    kept_epoch: int
    """The epoch, from 1, whose weights were kept."""
    interrupted: bool
    """Whether Ctrl-C ended it."""
    notes: tuple[str, ...]
    """What a person should know: resumed, stopped early, steps that were skipped."""
