"""`cnn` from scratch: accuracy on images held out by this script, seconds, and the PFLOP of the run, counted.

The work of a step is counted by torch's own counter on one batch (forward and backward, a multiplication and
an addition being two) and multiplied by the number of steps; the passes over the images held out for
calibration are added.
"""

import argparse
import copy
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from fieldguide import recipes
from fieldguide.dataset import Dataset, open_dataset
from fieldguide.evaluate import evaluate
from fieldguide.predictor import load
from fieldguide.recipes import cnn
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train_dataset

HELD_OUT = 5000


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="with a test split, or 5,000 images are held out")
    parser.add_argument("--presets", nargs="+", default=["fast", "balanced"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    with open_dataset(options.data) as dataset:
        for preset in options.presets:
            for seed in options.seeds:
                print(json.dumps({"preset": preset, "seed": seed, **_run(dataset, preset, seed)}), flush=True)


def _run(dataset: Dataset, preset: str, seed: int) -> dict[str, float]:
    learn, test = _parts(dataset)
    work: list[float] = []
    with tempfile.TemporaryDirectory() as folder, _counted(work):
        model = Path(folder) / "model.onnx"
        started = time.perf_counter()
        setting = Setting(preset=preset, seed=seed, cache=Path(folder) / "features")
        result = train_dataset(learn, TrainOptions(Path("data"), model, "cnn", setting))
        seconds = time.perf_counter() - started
        measured = evaluate(load(model), test).as_dict()
    return {
        "images": result.fitted.used,
        "passes": len(result.fitted.history),
        "pflop": round(work[0] / 1e15, 3),
        "seconds": round(seconds, 1),
        "training_seconds": round(result.seconds["training"], 1),
        "accuracy": measured["accuracy"]["value"],
        "log_loss": measured["log_loss"],
        "ece": measured["ece"],
        "coverage": measured["coverage"],
        "unknown_rate": measured["unknown_rate"],
    }


def _parts(dataset: Dataset) -> tuple[Dataset, Dataset]:
    if dataset.splits is not None and "test" in dataset.splits:
        return dataset.select("train"), dataset.select("test")
    order = np.random.default_rng(0).permutation(len(dataset))
    return dataset.take(np.sort(order[HELD_OUT:])), dataset.take(np.sort(order[:HELD_OUT]))


class _counted:
    """Append the work of each run inside to a list."""

    def __init__(self, work: list[float]) -> None:
        self._work, self._run = work, cnn.run

    def __enter__(self) -> None:
        def run(task: cnn.Task, plan: object, *rest: object) -> object:
            self._work.append(_work(copy.deepcopy(task), plan))
            return self._run(task, plan, *rest)

        cnn.run = run

    def __exit__(self, *error: object) -> None:
        cnn.run = self._run


def _work(task: cnn.Task, plan: object) -> float:
    rows = torch.arange(plan.batch_size)
    step = _flops(lambda: task.loss(task.network, rows, 0, torch.Generator()).backward())
    with torch.no_grad():
        watching = _flops(lambda: task.validate(task.network))
    task.optimizer.zero_grad()
    return float(plan.epochs * (plan.steps_per_epoch * step + watching))


def _flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


if __name__ == "__main__":
    assert "cnn" in recipes.RECIPES
    main()
