"""Exported models beside those they came from: size, answers on photos held out, speed.

    python benchmarks/exporting.py DATA [--recipe linear-probe] [--sets clothing brain_mri] [--repeats 3]

`ratio` is the processor time of one image through the exported file to that of the model, one thread, medians
of runs in turns.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime

from fieldguide.data.dataset import Dataset, open_dataset
from fieldguide.data.splits import split_groups
from fieldguide.evaluation.measurement import evaluate
from fieldguide.evaluation.rounded_activations import rounded_activations
from fieldguide.files import cache_folder
from fieldguide.learning.train import TrainOptions, train_dataset
from fieldguide.modelfile.exports.conversion import Exported, export
from fieldguide.prediction.predictor import Predictor, load
from fieldguide.prediction.result import Prediction
from fieldguide.recipes.common import Run

IMAGES = 20
"""Timed in each run."""
CALIBRATED = "int8 calibrated"
"""With activations rounded as well, by photos learned from."""


def main() -> None:
    """Print one line a set and form."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--recipe", default="linear-probe")
    parser.add_argument("--sets", nargs="+", default=["clothing", "sign_digits", "brain_mri"])
    parser.add_argument("--forms", nargs="+", default=["int8", CALIBRATED])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for name in options.sets:
        with open_dataset(options.data / name) as dataset, tempfile.TemporaryDirectory() as folder:
            training, held = _parts(dataset)
            model = Path(folder) / "model.onnx"
            run = Run(cache=cache_folder() / "features")
            train_dataset(training, TrainOptions(Path(), model, recipe=options.recipe, run=run))
            for form in options.forms:
                made = rounded_activations(model, training) if form == CALIBRATED else None
                done = export(model, form.split()[0], model.with_name("exported.onnx"), made=made)
                row = _beside(model, done, held, options.repeats)
                shown = {"set": name, "recipe": options.recipe, "form": form, "note": done.note, **row}
                print(json.dumps(shown), flush=True)


def _parts(dataset: Dataset) -> tuple[Dataset, Dataset]:
    if dataset.splits is not None:
        return dataset.select("train"), dataset.select("validation")
    held = split_groups(dataset.labels, range(len(dataset)), 0.3, 0)
    return dataset.take(np.flatnonzero(~held)), dataset.take(np.flatnonzero(held))


def _beside(model: Path, done: Exported, held: Dataset, repeats: int) -> dict[str, object]:
    both = [load(model), load(done.path)]
    measured = [evaluate(one, held).as_dict() for one in both]
    first, second = (
        [_numbers(answer, one) for answer in one.predict(held.paths, top=len(one.classes))] for one in both
    )
    apart = np.abs(np.array([p for p, _ in first]) - np.array([p for p, _ in second])).max(1)
    typicality = np.abs(np.array([t for _, t in first]) - np.array([t for _, t in second]))
    named = [np.argmax([p for p, _ in answers], 1) for answers in (first, second)]
    return {
        "megabytes": [round(size / 1e6, 1) for size in (done.bytes_before, done.bytes_after)],
        "n": len(held),
        **{key: [each[key] for each in measured] for key in ("log_loss", "ece", "coverage", "unknown_rate")},
        "accuracy": [each["accuracy"]["value"] for each in measured],
        "same_label": float((named[0] == named[1]).mean()),
        "probability_apart": {"mean": float(apart.mean()), "largest": float(apart.max())},
        "typicality_apart": float(typicality.max()),
        "ratio": round(_ratio(model, done.path, repeats), 3),
    }


def _numbers(answer: Prediction, model: Predictor) -> tuple[list[float], float]:
    known = dict(answer.top)
    return [known[label] for label in model.classes], answer.typicality


def _ratio(before: Path, after: Path, repeats: int) -> float:
    sessions = [_session(path) for path in (before, after)]
    ratios = []
    for _ in range(repeats):
        first, second = map(_seconds, sessions)
        ratios.append(second / first)
    return float(np.median(ratios))


def _session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _seconds(session: onnxruntime.InferenceSession) -> float:
    image = np.random.default_rng(0).integers(0, 256, (1, 400, 533, 3), dtype=np.uint8)
    for number in range(1 + IMAGES):
        if number == 1:  # the first one warms up
            started = time.process_time()
        session.run(None, {"image": image})
    return time.process_time() - started


if __name__ == "__main__":
    main()
