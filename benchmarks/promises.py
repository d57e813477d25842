"""Whether promises hold on new images: calibration, prediction sets, unknowns, over repeated splits.

Each set is split 70/30 again and again, with near-duplicates on one side, a model is trained on the one part
and its written file measured on the other. The calibration error counted over few images is above zero for a
perfect model too; beside the mean over the splits stands the error of all their answers taken together, and
what a perfectly calibrated model with the same probabilities would show on average.
"""

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.folds import contents_of
from fieldguide.data.splits import duplicate_groups, split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.evaluation.result import Evaluation
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.metrics.classification import expected_calibration_error
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.prediction.result import Prediction
from fieldguide.recipes.common import Options, Run

HELD_OUT = 0.3
DRAWS = 200


class Recorder:
    """A model that remembers how sure it was of each answer."""

    def __init__(self, model: Predictor) -> None:
        self.classes = model.classes
        self._model = model
        self.answers: list[tuple[float, str]] = []

    def predict_stream(self, sources: Iterable[str]) -> Iterator[Prediction]:
        for prediction in self._model.predict_stream(sources):
            self.answers.append((prediction.probability, prediction.label))
            yield prediction


def main() -> None:
    """Print one line a set."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--sets", nargs="+", default=["clothing", "sign_digits", "brain_mri"])
    parser.add_argument("--splits", type=int, default=10)
    parser.add_argument("--preset", default="balanced")
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as dataset:
            print(json.dumps({"set": name, **_measured(dataset, options.splits, options.preset)}), flush=True)


def _measured(dataset: Dataset, splits: int, preset: str) -> dict[str, object]:
    contents = contents_of(dataset.paths)
    readable = dataset.take(contents.rows)
    groups = duplicate_groups(len(readable), contents.digests, contents.signatures, None)
    results, sure, right = [], [], []
    for seed in range(splits):
        held = split_groups(readable.labels, groups, HELD_OUT, seed)
        evaluation, answers = _one(readable, held, preset)
        results.append(evaluation)
        truth = np.array(readable.labels)[held]
        sure.append(np.array([confidence for confidence, _ in answers]))
        right.append(np.array([label for _, label in answers]) == truth)
    return {
        "images": len(readable),
        "splits": splits,
        **{
            name: round(float(np.mean([getattr(result, name) for result in results])), 4)
            for name in ("ece", "coverage", "mean_set_size", "unknown_rate")
        },
        "coverage_by_split": [round(result.coverage, 3) for result in results],
        "unknown_by_split": [round(result.unknown_rate, 4) for result in results],
        "ece_of_a_perfect_model": round(float(np.mean([_perfect(part) for part in sure])), 4),
        "ece_together": round(expected_calibration_error(np.concatenate(sure), np.concatenate(right)), 4),
        "accuracy": round(float(np.mean([result.accuracy.value for result in results])), 4),
    }


def _one(dataset: Dataset, held: np.ndarray, preset: str) -> tuple[Evaluation, list[tuple[float, str]]]:
    unsplit = Dataset(dataset.root, dataset.paths, dataset.labels)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model.onnx"
        options, run = Options(preset=preset), Run(cache=cache_folder() / "features")
        train_dataset(
            unsplit.take(np.flatnonzero(~held)), TrainOptions(Path(), out, options=options, run=run)
        )
        model = Recorder(load(out))
        return evaluate(model, unsplit.take(np.flatnonzero(held))), model.answers


def _perfect(confidence: np.ndarray) -> float:
    random = np.random.default_rng(0)
    return float(
        np.mean(
            [
                expected_calibration_error(confidence, random.random(len(confidence)) < confidence)
                for _ in range(DRAWS)
            ]
        )
    )


if __name__ == "__main__":
    main()
