"""`finetune` beside `linear-probe` on the same splits: accuracy, seconds an epoch, images a second.

    python benchmarks/finetune.py DATA [--presets balanced] [--splits 1] [--sets brain_mri clothing]

`seconds` of an epoch are those of its steps, without what is done once for all epochs (the frozen layers'
output, the probe) and without validation; the whole run stands beside them.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.dataset import Dataset, open_dataset
from fieldguide.evaluate import evaluate
from fieldguide.files import cache_folder
from fieldguide.predictor import load
from fieldguide.recipes.common import Setting
from fieldguide.splits import split_groups
from fieldguide.train import TrainOptions, train_dataset


def main() -> None:
    """Print one line for each set, split and way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["brain_mri", "sign_digits", "clothing"])
    parser.add_argument("--presets", nargs="+", default=["balanced"])
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--backbone")
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as dataset:
            for number, (training, held) in enumerate(_splits(dataset, options.splits)):
                ways = [("linear-probe", "balanced"), *(("finetune", preset) for preset in options.presets)]
                for recipe, preset in ways:
                    setting = Setting(
                        preset=preset, cache=cache_folder() / "features", backbone=options.backbone
                    )
                    row = {"set": name, "split": number, "recipe": recipe, "preset": preset}
                    print(json.dumps(row | _measured(training, held, recipe, setting)), flush=True)


def _splits(dataset: Dataset, count: int) -> Iterator[tuple[Dataset, Dataset]]:
    """The data's own training and validation part, else 70 to 30 by seed; what trains sees no validation."""
    if dataset.splits is not None:
        training = dataset.select("train")
        yield Dataset(training.root, training.paths, training.labels), dataset.select("validation")
        return
    unsplit = Dataset(dataset.root, dataset.paths, dataset.labels)
    for seed in range(count):
        held = split_groups(dataset.labels, range(len(dataset)), 0.3, seed)
        yield unsplit.take(np.flatnonzero(~held)), unsplit.take(np.flatnonzero(held))


def _measured(training: Dataset, held: Dataset, recipe: str, setting: Setting) -> dict[str, Any]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        result = train_dataset(training, TrainOptions(Path(), out, recipe=recipe, setting=setting))
        seconds = time.perf_counter() - started
        measured = evaluate(load(out), held)
    row = {"n": len(held), "accuracy": measured.accuracy.value, "log_loss": measured.log_loss}
    epochs = [epoch["seconds"] for epoch in result.fitted.history]
    if epochs:
        each = float(np.median(epochs))
        row |= {"epochs": len(epochs), "epoch_seconds": each, "images_per_second": result.fitted.used / each}
    judged = [choice for choice in result.choices if "images held out fine-tuning gets" in choice]
    return {**row, "seconds": seconds, "judged": judged}


if __name__ == "__main__":
    main()
