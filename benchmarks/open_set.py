"""CIFAR-10 with `cnn` against what it has not learned, as OpenOOD asks (Yang et al., NeurIPS 2022).

Near: four of the ten classes are not learned (open-set recognition, the CIFAR-6 of OpenOOD). Far: all ten are
learned, and photos of other things are shown. OpenOOD's own far sets (MNIST, SVHN, Textures, Places365) and
its near sets CIFAR-100 and TinyImageNet are on no package index; those at hand stand in for them.
"""

import argparse
import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import split_groups
from fieldguide.evaluation.measurement import answers_to, foreign_answers
from fieldguide.evaluation.result import ForeignAnswers
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.metrics.intervals import auroc
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.recipes.common import Options

FAR = ("clothing", "sign_digits", "brain_mri", "scenes", "omniglot.zip")
MOST, HELD = 2_000, 0.1
UNLEARNED = 4


def main() -> None:
    """Print a line for each comparison."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path, help="folder of the photo sets")
    parser.add_argument("--preset", default="fast")
    parser.add_argument("--most", type=int, default=50_000, help="images learned from, at most")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with open_dataset(options.data / "cifar10_train.zip") as opened:
        plain = few(Dataset(opened.root, opened.paths, opened.labels), options.most, options.seed)
        random = np.random.default_rng(options.seed)
        unlearned = sorted(random.choice(plain.classes, UNLEARNED, replace=False).tolist())
        strange = np.isin(plain.labels, unlearned)
        with learned(plain.take(np.flatnonzero(~strange)), options) as (predictor, held):
            others = few(plain.take(np.flatnonzero(strange)), MOST, options.seed)
            shown("near: " + ", ".join(unlearned), predictor, held, others)
        with learned(plain, options) as (predictor, held):
            for name in FAR:
                with open_dataset(options.data / name) as far:
                    shown(f"far: {name}", predictor, held, few(far.labelled(), MOST, options.seed))
            with handwritten() as digits:
                shown("far: handwritten digits", predictor, held, digits)


@contextlib.contextmanager
def learned(dataset: Dataset, options: argparse.Namespace) -> Iterator[tuple[Predictor, Dataset]]:
    """A model of nine tenths, and the rest."""
    out = split_groups(dataset.labels, range(len(dataset)), HELD, options.seed)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        wanted = Options(preset=options.preset, seed=options.seed)
        train_dataset(dataset.take(np.flatnonzero(~out)), TrainOptions(Path(), model, "cnn", wanted))
        yield load(model), few(dataset.take(np.flatnonzero(out)), MOST, options.seed)


def shown(name: str, predictor: Predictor, held: Dataset, others: Dataset) -> None:
    """Typicality, and for comparison the highest probability, between images of the data and others."""
    known = answers_to(predictor, held).outcomes
    foreign, _ = foreign_answers(predictor, others)
    line = {
        "foreign": name,
        "known": len(known.truth),
        "n": len(foreign.typicality),
        "accuracy": float((known.truth == known.predicted).mean()),
        "auroc": auroc(foreign.typicality, known.typicality).value,
        "auroc_of_probability": auroc(foreign.confidence, known.confidence).value,
        "missed_where_95_percent_pass": missed(foreign, known.typicality),
        "false_alarms": float(known.unknown.mean()),
        "missed": float((~foreign.unknown).mean()),
    }
    print(
        json.dumps(
            {key: round(value, 4) if isinstance(value, float) else value for key, value in line.items()}
        ),
        flush=True,
    )


def missed(foreign: ForeignAnswers, typicality: np.ndarray) -> float:
    """Share of foreign images that pass where 95 % of the data's own do (FPR at 95 % TPR)."""
    return float((foreign.typicality >= np.quantile(typicality, 0.05)).mean())


@contextlib.contextmanager
def handwritten() -> Iterator[Dataset]:
    """Digits that come with scikit-learn, 8 × 8 pixels, enlarged to 32: for MNIST."""
    with tempfile.TemporaryDirectory() as folder:
        for number, pixels in enumerate(load_digits().images):
            place = Path(folder) / "digits" / f"{number}.png"
            place.parent.mkdir(exist_ok=True)
            Image.fromarray((pixels * 255 / 16).astype(np.uint8)).resize((32, 32)).save(place)
        paths = tuple(map(str, sorted(Path(folder).rglob("*.png"))))
        yield few(Dataset(Path(folder), paths, ("digit",) * len(paths)), MOST, 0)


def few(dataset: Dataset, most: int, seed: int) -> Dataset:
    """At most so many images, drawn by chance."""
    return dataset.take(np.sort(np.random.default_rng(seed).permutation(len(dataset))[:most]))


if __name__ == "__main__":
    main()
