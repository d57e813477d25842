"""`cnn` from scratch on few, large photos: within its minutes, and how right it is on photos held out.

    python benchmarks/cnn_photos.py DATA [--sets clothing scenes] [--architectures none resnet18]

Of each set 700 photos are learned from, the same of each class, shrunk to 200 pixels on the shorter side
before, so that the photos are what many have; of the rest at most 500 are measured. `said` is what the recipe
announced before it began.
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.evaluation.measurement import evaluate
from fieldguide.images.decoding import open_image
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run

LEARNED, MEASURED, SIDE = 700, 500, 200


def main() -> None:
    """Print a line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["clothing", "scenes"])
    parser.add_argument("--architectures", nargs="+", default=["none", "resnet18"])
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as dataset, tempfile.TemporaryDirectory() as folder:
            learned, measured = _shrunk(dataset, Path(folder))
            for architecture in options.architectures:
                row = _run(learned, measured, architecture, options.minutes)
                print(json.dumps({"set": name, "architecture": architecture, **row}), flush=True)


def _shrunk(dataset: Dataset, folder: Path) -> tuple[Dataset, Dataset]:
    """Photos to learn from, as many of each class, and others to measure by."""
    by_class: dict[str, list[str]] = defaultdict(list)
    for path, label in zip(dataset.paths, dataset.labels, strict=True):
        by_class[label].append(path)
    random, parts = np.random.default_rng(0), (("learned", LEARNED), ("measured", MEASURED))
    begun = dict.fromkeys(by_class, 0)
    found = []
    for part, wanted in parts:
        paths, labels = [], []
        for label, own in sorted(by_class.items()):
            order = np.random.default_rng(len(own)).permutation(len(own))
            for place in order[begun[label] : begun[label] + wanted // len(by_class)]:
                paths.append(str(_written(own[place], folder / f"{part}-{label}-{place}.png")))
                labels.append(label)
            begun[label] += wanted // len(by_class)
        shuffled = random.permutation(len(paths))
        found.append(Dataset(str(folder), tuple(paths), tuple(labels)).take(np.sort(shuffled)))
    return found[0], found[1]


def _written(source: str, target: Path) -> Path:
    image = open_image(source)
    share = SIDE / min(image.size)
    if share < 1:
        image = image.resize([round(side * share) for side in image.size], Image.Resampling.LANCZOS)
    image.save(target)
    return target


def _run(learned: Dataset, measured: Dataset, architecture: str, minutes: float | None) -> dict[str, object]:
    settings = {"architecture": None if architecture == "none" else architecture, "minutes": minutes}
    given = {name: value for name, value in settings.items() if value is not None}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        started = time.perf_counter()
        wanted = TrainOptions(Path(), out, "cnn", Options(settings=given), Run())
        result = train_dataset(learned, wanted)
        seconds = time.perf_counter() - started
        figures = evaluate(load(out), measured)
    said = [choice for choice in result.choices if "passes" in choice]
    return {
        "learned": len(learned),
        "measured": len(measured),
        "accuracy": figures.accuracy.value,
        "seconds": seconds,
        "epochs": len(result.fitted.history),
        "said": said,
    }


if __name__ == "__main__":
    main()
