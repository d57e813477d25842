"""`cnn` from scratch: accuracy on images held out by this script, seconds, and the PFLOP of the run, counted.

The work of a step is counted by torch's own counter (forward and backward, a multiplication and an addition
being two) on a few images, anew for each pass, since not all passes are alike, and scaled up to the
batch and the number of steps. Added are the steps of the optimiser, the passes over the images held out, and
the last look at all views of those and of some thousand others, on which the file's promises rest.
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
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.evaluation.measurement import evaluate
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.cnn import recipe
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.networks.run import MOST_LEARNED
from fieldguide.training.plan import Plan

HELD_OUT = 5000
COUNTED = 8
"""Images on which the work of a step is counted; it grows with their number, and nothing else does."""


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
    work: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder, _counted(work):
        model = Path(folder) / "model.onnx"
        started = time.perf_counter()
        options, run = Options(preset=preset, seed=seed), Run(cache=Path(folder) / "features")
        result = train_dataset(learn, TrainOptions(Path("data"), model, "cnn", options, run))
        seconds = time.perf_counter() - started
        measured = evaluate(load(model), test).as_dict()
    ((learning, look),) = work
    looks = min(MOST_LEARNED, result.fitted.used) + len(result.fitted.out_of_fold.rows)
    return {
        "images": result.fitted.used,
        "passes": len(result.fitted.history),
        "pflop": round((learning + looks * look) / 1e15, 3),
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
    """Append to a list, for each run inside, the work of learning and that of all views of one image."""

    def __init__(self, work: list[tuple[float, float]]) -> None:
        self._work, self._run = work, recipe.run

    def __enter__(self) -> None:
        def run(task: recipe.Task, plan: Plan, *rest: object) -> object:
            self._work.append(_work(copy.deepcopy(task), plan))
            return self._run(task, plan, *rest)

        recipe.run = run

    def __exit__(self, *error: object) -> None:
        recipe.run = self._run


def _work(task: recipe.Task, plan: Plan) -> tuple[float, float]:
    rows = torch.arange(COUNTED)
    batches = plan.batch_size / COUNTED
    steps = 0.0
    for epoch in range(plan.epochs):
        task.optimizer.zero_grad()
        steps += batches * _flops(lambda at=epoch: task.loss(task.network, rows, at, _any()).backward())
        steps += _flops(task.optimizer.step)
    features = task.network.features
    with torch.no_grad():
        watching = plan.epochs * _flops(lambda: task.validate(task.network))
        look = _flops(lambda: features(torch.zeros(1, features.size, features.size, 3, dtype=torch.uint8)))
    return plan.steps_per_epoch * steps + watching, float(look)


def _any() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _flops(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


if __name__ == "__main__":
    assert "cnn" in recipes.RECIPES
    main()
