"""`auto` beside `linear-probe`: accuracy, log loss, promises and seconds on photos that neither has seen."""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run

HELD = 0.3
"""Share of a set without splits that is measured on."""


def main() -> None:
    """Print a line for each set, seed and recipe, and what `auto` gains in the mean."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="folder of the photo sets")
    parser.add_argument("--sets", nargs="+", default=["clothing", "sign_digits", "brain_mri", "scenes"])
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--most", type=int, default=10_000, help="images of a set at most")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    gains = []
    for name in options.sets:
        with open_dataset(options.data / name) as dataset:
            for seed in range(options.seeds):
                training, held = _parts(dataset, options.most, seed)
                wished = Options(preset=options.preset, seed=seed)
                probe = _measured(name, training, held, ("linear-probe", wished))
                timed = Options(preset=options.preset, seed=seed, settings={"minutes": options.minutes})
                auto = _measured(name, training, held, ("auto", timed))
                gains.append(auto["accuracy"] - probe["accuracy"])
    print(json.dumps({"mean_gain": round(float(np.mean(gains)), 4), "worst": round(min(gains), 4)}))


def _parts(dataset: Dataset, most: int, seed: int) -> tuple[Dataset, Dataset]:
    """DATA's own splits where it has them, else a part drawn by seed."""
    if "validation" in (dataset.splits or ()):
        training, held = dataset.select("train"), dataset.select("validation")
        return _drawn(training, most, seed), held
    unsplit = _drawn(Dataset(dataset.root, dataset.paths, dataset.labels), most, seed)
    out = split_groups(unsplit.labels, range(len(unsplit)), HELD, seed)
    return unsplit.take(np.flatnonzero(~out)), unsplit.take(np.flatnonzero(out))


def _drawn(dataset: Dataset, most: int, seed: int) -> Dataset:
    if len(dataset) <= most:
        return dataset
    return dataset.take(np.sort(np.random.default_rng(seed).permutation(len(dataset))[:most]))


def _measured(name: str, training: Dataset, held: Dataset, way: tuple[str, Options]) -> dict[str, float]:
    recipe, options = way
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        started = time.perf_counter()
        run = Run(cache=cache_folder() / "features")
        trained = train_dataset(training, TrainOptions(Path(), out, recipe, options, run))
        seconds = time.perf_counter() - started
        result = evaluate(load(out), held)
        row = {
            "accuracy": result.accuracy.value,
            "log_loss": result.log_loss,
            "ece": result.ece,
            "coverage": result.coverage,
            "unknown_rate": result.unknown_rate,
            "seconds": seconds,
            "megabytes": out.stat().st_size / 1e6,
        }
    taken = next((choice for choice in trained.choices if choice.startswith("taken: ")), recipe)
    line = {"set": name, "recipe": recipe, "learned": len(training), "measured": len(held)}
    rounded = {key: round(value, 4) for key, value in row.items()}
    said = [one for one in trained.choices if one.startswith(("not t", "finetune: "))]
    print(json.dumps({**line, **rounded, "taken": taken, "said": said}), flush=True)
    return row


if __name__ == "__main__":
    main()
