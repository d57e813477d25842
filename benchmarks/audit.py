"""What the audit finds of planted faults: twins across splits, flipped labels, accuracy after the fix."""

import argparse
import dataclasses
import io
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from fieldguide.audit.run import Audit, audit
from fieldguide.data.corrections import corrected
from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.image_facts import facts_of
from fieldguide.data.splits import duplicate_groups, split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.files import cache_folder
from fieldguide.images.decoding import open_image
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.prediction.predictor import load
from fieldguide.recipes.common import Options, Run

SETS = ("clothing/train", "sign_digits")
HELD_OUT = 0.2
TWINS = 60
"""Planted of each kind."""
FLIPPED = 0.05


def main() -> None:
    """Print one line for each set and seed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--seeds", nargs="+", type=int, default=range(5))
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as whole:
            dataset = Dataset(whole.root, whole.paths, whole.labels)
            for seed in options.seeds:
                held = _held_out(dataset, seed)
                row = {**_twins(dataset, held, seed), **_flips(dataset, held, seed)}
                print(json.dumps({"set": name, "seed": seed, **row}), flush=True)


def _given(seed: int) -> tuple[Options, Run]:
    return Options(seed=seed), Run(cache=cache_folder() / "features")


def _held_out(dataset: Dataset, seed: int) -> np.ndarray:
    """A fifth of the images, look-alikes kept on one side, so that the only leaks are planted ones."""
    seen = facts_of(dataset.paths, cache=cache_folder() / "features")
    groups = duplicate_groups(len(dataset), seen.digests, seen.signatures)
    return split_groups(dataset.labels, groups, HELD_OUT, seed)


def _exact(content: bytes, chance: np.random.Generator) -> bytes:
    return content


def _encoded(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _recoded(content: bytes, chance: np.random.Generator) -> bytes:
    return _encoded(open_image(content), 70)


def _resized(content: bytes, chance: np.random.Generator) -> bytes:
    image, share = open_image(content), chance.uniform(0.5, 0.9)
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return _encoded(image.resize(size, Image.Resampling.BICUBIC), 90)


def _cropped(content: bytes, chance: np.random.Generator) -> bytes:
    """A twentieth of width and height cut off, shared between the sides by chance."""
    image = open_image(content)
    left, top = chance.uniform(0, 0.05, 2) * image.size
    box = (round(left), round(top), round(left + 0.95 * image.width), round(top + 0.95 * image.height))
    return _encoded(image.crop(box), 90)


KINDS: dict[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "exact": _exact,
    "quality 70": _recoded,
    "resized": _resized,
    "cropped": _cropped,
}


def _twins(dataset: Dataset, held: np.ndarray, seed: int) -> dict[str, object]:
    """Twins of training images among the held-out ones, and what the leak finding says of them."""
    chance = np.random.default_rng(seed)
    training = np.flatnonzero(~held)
    originals = chance.choice(training, TWINS * len(KINDS), replace=False).tolist()
    with tempfile.TemporaryDirectory() as folder:
        planted = []
        for number, row in enumerate(originals):
            kind = list(KINDS)[number % len(KINDS)]
            twin = Path(folder) / f"{number:04}.jpg"
            twin.write_bytes(KINDS[kind](Path(dataset.paths[row]).read_bytes(), chance))
            planted.append((kind, row, str(twin)))
        whole = Dataset(
            dataset.root,
            (*dataset.paths, *(twin for _, _, twin in planted)),
            (*dataset.labels, *(dataset.labels[row] for _, row, _ in planted)),
            splits=(*("validation" if out else "train" for out in held), *["validation"] * len(planted)),
        )
        started = time.perf_counter()
        result = audit(whole, *_given(seed))
        seconds = time.perf_counter() - started
        return {**_scored(result, whole, planted), "audit_seconds": round(seconds, 1)}


def _scored(result: Audit, whole: Dataset, planted: list[tuple[str, int, str]]) -> dict[str, object]:
    twins = {whole.display(twin): whole.display(whole.paths[row]) for _, row, twin in planted}
    finding = next((finding for finding in result.findings if finding.code == "FG006"), None)
    split = {whole.display(path): name for path, name in zip(whole.paths, whole.splits or (), strict=True)}
    pairs = {
        (one, other)
        for item in (finding.items if finding else ())
        for one in item.paths
        for other in item.paths
        if split[one] == "validation" and split[other] == "train"
    }
    found = dict.fromkeys(KINDS, 0)
    for kind, _, twin in planted:
        name = whole.display(twin)
        found[kind] += (name, twins[name]) in pairs
    sides = [(whole.splits or ()).count(name) for name in ("train", "validation")]
    false = len(pairs - set(twins.items()))
    return {
        "found": {kind: round(count / TWINS, 4) for kind, count in found.items()},
        "false_pairs": false,
        "false_pair_share": false / (sides[0] * sides[1]),
    }


def _flips(dataset: Dataset, held: np.ndarray, seed: int) -> dict[str, object]:
    """Flipped labels among the training images, how many are found, and what a model loses and gets back."""
    chance = np.random.default_rng(seed + 1000)
    training, rest = dataset.take(np.flatnonzero(~held)), dataset.take(np.flatnonzero(held))
    flipped = set(chance.choice(len(training), round(FLIPPED * len(training)), replace=False).tolist())
    labels = [
        chance.choice([name for name in training.classes if name != label]) if row in flipped else label
        for row, label in enumerate(training.labels)
    ]
    noisy = dataclasses.replace(training, labels=tuple(map(str, labels)))
    result = audit(noisy, *_given(seed))
    finding = next((finding for finding in result.findings if finding.code == "FG017"), None)
    named = set(finding.paths if finding else ())
    wrong = {training.display(training.paths[row]) for row in flipped}
    mended = corrected(noisy, [fix for fix in result.fixes if fix.code == "FG017"])
    accuracies = {
        name: _accuracy(part, rest, seed)
        for name, part in (("clean", training), ("flipped", noisy), ("corrected", mended))
    }
    return {
        "flips": len(wrong),
        "suggested": len(named),
        "recall": round(len(named & wrong) / len(wrong), 4),
        "precision": round(len(named & wrong) / max(len(named), 1), 4),
        "accuracy": accuracies,
    }


def _accuracy(training: Dataset, held: Dataset, seed: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        train_dataset(training, TrainOptions(Path(), out, "linear-probe", *_given(seed)))
        return round(evaluate(load(out), held).accuracy.value, 4)


if __name__ == "__main__":
    main()
