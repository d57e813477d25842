"""One training loop for every network: epochs, checkpoints, averages, early stopping.

Lightning Fabric carries it to GPUs, several of them, and several machines, unchanged; it brings precision and
gradient exchange and leaves the loop in plain sight (Accelerate keeps its settings in process-wide state).

Every random choice of a step follows from the seed and the number of the step. So a checkpoint needs no state
of any generator, and a resumed run takes the same steps as one that was never interrupted.
"""

import contextlib
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn

from fieldguide.errors import TrainingError
from fieldguide.training.batch_statistics import SharedBatchStatistics
from fieldguide.training.checkpoint import TrainingFolder, packed, unpacked
from fieldguide.training.devices import fabric_for, keep_freed_memory
from fieldguide.training.plan import Plan, Trained, TrainingTask, Watch
from fieldguide.training.processes import ALONE, Processes
from fieldguide.training.remaining import Remaining
from fieldguide.training.schedule import Schedule

CHECKPOINT_SECONDS = 60.0
"""At most so much work is lost by a kill."""
MOST_SKIPPED = 10
"""Steps in a row whose loss or gradient may be no number before training stops."""
SPARE = 0.05
"""Share of the time left that passes taken up again must leave."""


@dataclass
class _State:
    """What changes while training; all of it goes into a checkpoint."""

    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    skipped: int = 0
    seconds: float = 0.0
    spent: float = 0.0
    lengths: list[list[int]] = field(default_factory=list)
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = math.inf


def train_network(
    task: TrainingTask,
    plan: Plan,
    folder: TrainingFolder | None = None,
    watch: Watch | None = None,
    processes: Processes = ALONE,
) -> Trained:
    """Train until the epochs are over, nothing improves any more, or Ctrl-C.

    Parameters
    ----------
    task
        What to train; afterwards its network holds the kept weights and is in inference mode.
    plan
        How long.
    folder
        Where checkpoints lie, at least one a minute; a checkpoint of the same run there is continued. None
        keeps none.
    watch
        Callback for progress: steps and epochs.
    processes
        Which train together, each of them calling this with the same task and plan; only the first takes a
        folder and looks on, and only its network is that of a whole training.

    Raises
    ------
    TrainingError
        If the loss is no number step after step before any epoch is finished.
    KeyboardInterrupt
        If that came before any epoch was finished; the checkpoint remains.
    """
    return _Run(task, plan, (folder, watch or Watch()), processes).train()


class _Run:
    def __init__(
        self,
        task: TrainingTask,
        plan: Plan,
        kept: tuple[TrainingFolder | None, Watch],
        processes: Processes,
    ) -> None:
        self._task, self._plan, self._processes = task, plan, processes
        self._folder, self._watch = kept
        keep_freed_memory()
        self._fabric = fabric_for(plan.precision, processes.place)
        self._network, self._optimizer = self._fabric.setup(task.network, task.optimizer)
        averaged = plan.average if processes.leads else None
        self._average = ModelEmaV3(task.network, averaged, use_warmup=True) if averaged else None
        task.share = processes.share
        self._state = _State()
        self._notes: list[str] = []
        self._shortened = ""
        self._saved = self._begun = time.monotonic()
        self._schedule = Schedule([[0, plan.epochs * plan.steps_per_epoch]])

    def train(self) -> Trained:
        interrupted = False
        self._resume()
        self._begin_alike()
        try:
            while self._processes.agreed(self._epoch < self._epochs and not self._is_over()):
                self._run_epoch()
        except KeyboardInterrupt:
            if not self._state.best:
                raise
            interrupted = self._processes.are_left = True
            self._notes.append(f"interrupted: the weights of epoch {self._state.best_epoch} were kept")
        if self._processes.leads:
            if not self._state.best:
                self._give_up()
            self._task.network.load_state_dict(self._state.best)
        self._task.network.eval()
        notes = (*self._notes, *((self._shortened,) if self._shortened else ()))
        return Trained(tuple(self._state.history), self._state.best_epoch, interrupted, notes)

    @property
    def _epoch(self) -> int:
        """Epochs that are finished."""
        return len(self._state.history)

    @property
    def _epochs(self) -> int:
        """Epochs in all, as planned now."""
        return self._schedule.steps // self._plan.steps_per_epoch

    @property
    def _spent(self) -> float:
        """Seconds of training in this process and in those that it continues."""
        return self._state.spent + time.monotonic() - self._begun

    def _is_over(self) -> bool:
        """Whether patience or numbers ran out."""
        state, patience = self._state, self._plan.patience
        if patience is not None and self._epoch - state.best_epoch >= patience:
            self._notes.append(
                f"stopped early after epoch {self._epoch}: no lower validation loss for {patience} epochs"
            )
            return True
        if self._is_late():
            self._notes.append(f"stopped in epoch {self._epoch}: the time was up")
            return True
        return state.skipped >= MOST_SKIPPED

    def _is_late(self) -> bool:
        return self._watch.seconds is not None and self._spent > self._watch.seconds

    def _remaining(self) -> Remaining:
        allowed = self._watch.seconds
        return Remaining(self._epochs, None if allowed is None else max(allowed - self._spent, 0.0), allowed)

    def _plan_again(self) -> None:
        """Plan as many of the passes as fit into what is left of the time.

        Those that were left out while the machine was busy are taken up again, but none after the last one,
        which has ended with the smallest rates.
        """
        done, now = self._epoch, self._epochs
        if self._watch.seconds is None or done >= now:
            return
        left = self._watch.seconds - self._spent
        for epochs in range(self._plan.epochs, done, -1):
            schedule = self._schedule if epochs == now else self._lasting(epochs)
            # What is taken up again must fit with room to spare, or it would soon be left out once more.
            if self._cost(schedule, done, epochs) <= (left * (1 - SPARE) if epochs > now else left):
                break
        else:
            epochs, schedule = done, self._lasting(done)
        self._shortened = (
            f"shortened to {epochs} of {self._plan.epochs} passes: they take longer than planned"
            if epochs < self._plan.epochs
            else ""
        )
        self._schedule = schedule
        self._state.lengths = schedule.changes

    def _lasting(self, epochs: int) -> Schedule:
        """The schedule from here on if there are so many passes in all."""
        steps = self._plan.steps_per_epoch
        return self._schedule.changed(self._epoch * steps, epochs * steps)

    def _cost(self, schedule: Schedule, first: int, last: int) -> float:
        """Seconds that the passes from `first` up to `last` take, at the pace of those that are done."""
        steps = self._plan.steps_per_epoch

        def prices(of: Schedule, begin: int, end: int) -> float:
            return sum(self._task.price(of.share((epoch + 1) * steps)) for epoch in range(begin, end))

        return self._spent * prices(schedule, first, last) / prices(self._schedule, 0, first)

    def _run_epoch(self) -> None:
        plan, state = self._plan, self._state
        started, before = time.monotonic(), state.seconds
        first = self._epoch * plan.steps_per_epoch
        self._network.train()
        for rows in self._batches(state.step - first):
            self._watch.progress("training", state.step, self._schedule.steps)
            self._step(rows)
            state.seconds = before + time.monotonic() - started
            if time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                self._save()
            if state.skipped >= MOST_SKIPPED:
                self._give_up()
                return
            if self._processes.agreed(self._is_late()):
                break
        self._finish_epoch(before + time.monotonic() - started)

    def _batches(self, done: int) -> Iterator[Tensor]:
        """The rows of each step of this epoch that is left."""
        plan = self._plan
        order = torch.randperm(plan.images, generator=_generator(plan.seed, 2 * self._epoch + 1))
        for number in range(done, plan.steps_per_epoch):
            yield order[number * plan.batch_size : (number + 1) * plan.batch_size]

    def _step(self, rows: Tensor) -> None:
        state = self._state
        end = (self._epoch + 1) * self._plan.steps_per_epoch
        self._task.set_rates(self._schedule.share(state.step), self._schedule.share(end))
        generator = _generator(self._plan.seed, 2 * state.step)
        seed = int(torch.randint(2**62, (), generator=generator))
        torch.manual_seed(seed + self._processes.place.rank)  # what is dropped of each share is its own
        state.step += 1
        shared = contextlib.nullcontext() if self._processes.alone else SharedBatchStatistics()
        with self._fabric.autocast(), shared:
            loss = self._task.loss(self._network, rows, self._epoch, generator)
        value = self._processes.mean(float(loss.detach()))
        if not (math.isfinite(value) and self._learn(loss)):
            self._optimizer.zero_grad()
            state.skipped += 1
            return
        state.skipped = 0
        state.loss_sum += value
        state.loss_count += 1
        if self._average is not None:
            self._average.update(self._task.network, step=state.step)

    def _learn(self, loss: Tensor) -> bool:
        """Take a step down the gradient, unless it is no number."""
        self._optimizer.zero_grad()
        self._fabric.backward(loss)
        limit = self._plan.clip if self._plan.clip is not None else math.inf
        length = nn.utils.clip_grad_norm_(self._task.network.parameters(), limit)
        if not math.isfinite(float(length)):
            return False
        self._optimizer.step()
        return True

    def _finish_epoch(self, seconds: float) -> None:
        state, told = self._state, self._processes.told_json
        row = told(self._row(seconds) if self._processes.leads else {})
        state.history.append(row)
        if self._processes.leads:
            self._keep_best(row["validation_loss"])
        state.loss_sum, state.loss_count, state.seconds = 0.0, 0, 0.0
        state.step = self._epoch * self._plan.steps_per_epoch  # also where the time was over before its end
        self._watch.progress("training", state.step, self._schedule.steps)
        self._plan_again()
        self._schedule = Schedule(told(self._schedule.changes))
        self._watch.report(self._remaining().beside(row))
        self._save()

    def _row(self, seconds: float) -> dict[str, float]:
        """Of the history, for the epoch that is over."""
        state, kept = self._state, self._kept
        kept.eval()
        loss, measured = self._task.validate(kept)
        return {
            "epoch": self._epoch + 1,
            "train_loss": state.loss_sum / max(state.loss_count, 1),
            "validation_loss": loss,
            f"validation_{self._task.measure}": measured,
            "learning_rate": max(group["lr"] for group in self._task.optimizer.param_groups),
            "seconds": seconds,
        }

    def _keep_best(self, loss: float) -> None:
        state = self._state
        learned = state.loss_count > 0 and math.isfinite(loss)
        if learned and (loss < state.best_loss or self._plan.keep == "last"):
            state.best_loss, state.best_epoch = loss, self._epoch
            values = self._kept.state_dict().items()
            state.best = {name: value.detach().cpu().clone() for name, value in values}

    @property
    def _kept(self) -> nn.Module:
        """The network whose weights are validated and kept."""
        return self._task.network if self._average is None else self._average.module

    def _give_up(self) -> None:
        """The loss is no number, step after step."""
        if not self._processes.leads:
            return
        if not self._state.best:
            raise TrainingError(
                "training: the loss is not a number, step after step; "
                "give a lower --learning-rate, or look at the data"
            )
        self._notes.append(
            f"stopped in epoch {self._epoch + 1}: the loss was not a number for {MOST_SKIPPED} steps in "
            f"a row; the weights of epoch {self._state.best_epoch} were kept"
        )

    def _save(self) -> None:
        self._saved = time.monotonic()
        self._state.spent, self._begun = self._spent, self._saved
        if self._folder is not None:
            self._folder.save(self._changing())

    def _changing(self) -> dict[str, Any]:
        """All that changes while training."""
        average = None if self._average is None else self._average.module.state_dict()
        parts = {
            "network": self._task.network.state_dict(),
            "optimizer": self._task.optimizer.state_dict(),
            "average": average,
        }
        return {**vars(self._state), **parts}

    def _resume(self) -> None:
        found = self._folder.load() if self._folder is not None else None
        if found is None:
            return
        self._continue(found)
        self._notes.append(f"resumed after step {self._state.step}, in epoch {self._epoch + 1}")

    def _begin_alike(self) -> None:
        """Have all processes begin where the first one does."""
        if not self._processes.alone:
            first = self._processes.told(packed(self._changing()) if self._processes.leads else b"")
            if not self._processes.leads:
                self._continue(unpacked(first))

    def _continue(self, found: dict[str, Any]) -> None:
        self._task.network.load_state_dict(found.pop("network"))
        self._task.optimizer.load_state_dict(found.pop("optimizer"))
        average = found.pop("average")
        if self._average is not None:
            self._average.module.load_state_dict(average)
        self._state = _State(**found)
        if self._state.lengths:
            self._schedule = Schedule(self._state.lengths)


def _generator(seed: int, number: int) -> torch.Generator:
    """A generator for one purpose of one run: even numbers for steps, odd ones for the order of an epoch."""
    return torch.Generator().manual_seed((seed * 2_000_003 + number) % 2**63)
