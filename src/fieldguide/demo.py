"""`fieldguide demo`: the whole line on photos that the installation carries, without a network."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images

from fieldguide.data.dataset import open_dataset
from fieldguide.evaluation.measurement import choose_split, evaluate
from fieldguide.files import cache_folder
from fieldguide.installation import program_command, program_line
from fieldguide.learning.pretrained import pretrained
from fieldguide.learning.train import TrainOptions, train
from fieldguide.prediction.predictor import load
from fieldguide.progress import Progress, silent
from fieldguide.recipes.common import Options, Run

BACKBONE = "efficientnet_lite0"
TEST_EVERY = 4
"""Every so manieth digit is kept for the test."""


def demo(out: Path, progress: Progress = silent, say: Callable[[str], None] = lambda line: None) -> Path:
    """Train on scikit-learn's handwritten digits, measure, predict, and recognise two photos.

    Parameters
    ----------
    out
        Folder for the photos and the models, made if missing.
    progress
        Callback for progress: the long steps.
    say
        Given each line of the story.

    Returns
    -------
    Path
        The digits' model file.
    """
    out.mkdir(parents=True, exist_ok=True)
    digits, photos = write_digits(out / "digits"), write_photos(out / "photos")
    say(f"1. Photos: handwritten digits (scikit-learn, 8 × 8 pixels) as class folders in {digits}")
    model = _train(digits, out / "digits.onnx", progress, say)
    _measure(model, digits, photos, progress, say)
    _recognise(out / "imagenet.onnx", photos, progress, say)
    say("")
    say(f"The model is one file: {model}")
    say("Try next:")
    say(f"  {program_line('predict', model, digits / 'test', '--out', 'predictions.csv')}")
    say(f"  {program_line('info', model)}")
    train = program_command("train YOUR_PHOTOS --out my.onnx")
    say(f"  {train}     (a folder with a folder of photos for each class)")
    return model


def write_digits(folder: Path) -> Path:
    """Write the digits as `train/<digit>/*.png` and `test/<digit>/*.png`."""
    bunch = load_digits()
    for number, (image, label) in enumerate(zip(bunch.images, bunch.target, strict=True)):
        split = "test" if number % TEST_EVERY == 0 else "train"
        target = folder / split / str(label) / f"{number:04}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        grey: NDArray[Any] = np.round(255 - image * (255 / 16)).astype(np.uint8)
        Image.fromarray(grey).save(target)
    return folder


def write_photos(folder: Path) -> Path:
    """Write scikit-learn's two sample photographs, a temple and a flower."""
    folder.mkdir(parents=True, exist_ok=True)
    bunch = load_sample_images()
    for name, image in zip(bunch.filenames, bunch.images, strict=True):
        Image.fromarray(image).save(folder / f"{Path(name).stem}.png")
    return folder


def _train(data: Path, model: Path, progress: Progress, say: Callable[[str], None]) -> Path:
    run = Run(cache=cache_folder() / "features", progress=progress)
    result = train(TrainOptions(data, model, options=Options(preset="fast"), run=run))
    seconds = result.seconds["total"]
    say(f"2. Trained on {result.fitted.used} images in {seconds:.0f} s. What was chosen, and why:")
    for choice in result.choices:
        say(f"   - {choice}")
    return model


def _measure(model: Path, data: Path, photos: Path, progress: Progress, say: Callable[[str], None]) -> None:
    predictor = load(model)
    with open_dataset(data) as dataset:
        measured = evaluate(predictor, choose_split(dataset), progress=progress)
    accuracy = measured.accuracy
    say(
        f"3. Measured on {measured.n} test images that it had never seen: accuracy {accuracy.value:.3f} "
        f"(95 % interval {accuracy.low:.3f} to {accuracy.high:.3f}), calibration error {measured.ece:.3f}"
    )
    say("4. Asked about things that are not digits:")
    for prediction in predictor.predict(sorted(str(path) for path in photos.iterdir())):
        verdict = "unknown, none of the classes" if prediction.unknown else f"taken for {prediction.label}"
        say(f"   - {Path(str(prediction.path)).name}: typicality {prediction.typicality:.4f}, {verdict}")


def _recognise(model: Path, photos: Path, progress: Progress, say: Callable[[str], None]) -> None:
    pretrained(BACKBONE, model, progress=progress)
    say(f"5. The same network with its own 1,000 ImageNet classes, without training ({model}):")
    for prediction in load(model).predict(sorted(str(path) for path in photos.iterdir())):
        guesses = ", ".join(f"{label} {probability:.0%}" for label, probability in prediction.top[:3])
        say(f"   - {Path(str(prediction.path)).name}: {guesses}")
