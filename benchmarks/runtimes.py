"""A model in others' runtimes: whether they give the same answers, and how fast.

    python -m venv runtimes && runtimes/bin/pip install '.[litert]' openvino opencv-python-headless tract
    runtimes/bin/python benchmarks/runtimes.py model.onnx PHOTOS [--photos 500]

MODEL is a model file, a `core` or a `.tflite` (`fieldguide export`). What is not installed is said and left
out. A whole model file gets the photos as they are, and 60 images of odd sizes, from 1 x 1 to 4,000 x 300
pixels; a part of fixed size gets the network's squares. Among photos of one size come batches of three:
OpenVINO was wrong after each change of the batch with files of version 1. Answers are compared with those of
ONNX Runtime on the same file; of a `.tflite`, with those on its core (`--against core.onnx`).
"""

import argparse
import importlib.metadata
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from fieldguide.images.decoding import open_image
from fieldguide.modelfile.card import preprocessing_of

NAMES = ["probabilities", "typicality", "embedding"]
Pixels = NDArray[np.uint8]
Run = Callable[[Pixels], list[NDArray[np.float32]]]
ODD = [1, 2, 3, 7, 31, 97, 143, 144, 145, 223, 224, 225, 300, 447, 449, 640, 897, 1280, 1999, 4000]
"""Sides of the images of odd sizes; each stands beside one of the next three."""


def main() -> None:
    """Print a line of JSON for each runtime."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("photos_in", type=Path, metavar="PHOTOS")
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--against", type=Path, help="the same part of fixed size in ONNX, for a .tflite")
    options = parser.parse_args()
    reference = options.against or options.model
    session = onnxruntime.InferenceSession(reference, providers=["CPUExecutionProvider"])
    card = json.loads(session.get_modelmeta().custom_metadata_map["fieldguide"])
    name = session.get_inputs()[0].name
    inputs = list(_whole(options) if name == "image" else _squares(options, card))
    expected, usual = _answers(_onnxruntime(reference), inputs)
    for runtime, package, make in RUNTIMES:
        if (options.model.suffix == ".tflite") != (package == "ai-edge-litert"):
            continue
        row: dict[str, Any] = {
            "runtime": runtime,
            "recipe": card["recipe"],
            "input": name,
            "calls": len(inputs),
        }
        try:
            row["version"] = importlib.metadata.version(package)
            found, seconds = _answers(make(options.model), inputs)
            row |= _differences(expected, found) | {"speed": round(usual / seconds, 2)}
        except importlib.metadata.PackageNotFoundError:
            row["said"] = f"{package} is not installed"
        except Exception as error:  # whatever a runtime refuses a file with is what is to be known
            row["refused"] = str(error).splitlines()[0][:200]
        print(json.dumps(row), flush=True)


def _photos(options: argparse.Namespace) -> list[Path]:
    names = sorted(path for path in options.photos_in.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    return names[:: max(1, len(names) // options.photos)][: options.photos]


def _whole(options: argparse.Namespace) -> Iterator[Pixels]:
    """Photos at their own size, and among them some of odd sizes."""
    names = _photos(options)
    photo = open_image(names[0])
    for place, side in enumerate(ODD):
        for other in ODD[place : place + 3] if place < len(ODD) - 2 else ODD[:3]:
            yield np.asarray(photo.resize((side, min(other, 4000)), Image.Resampling.BICUBIC))[None]
    yield np.asarray(photo.resize((4000, 300), Image.Resampling.BICUBIC))[None]
    for number, name in enumerate(names):
        pixels = np.asarray(open_image(name))[None]
        yield np.concatenate([pixels, pixels[:, ::-1], pixels]) if number % 50 == 49 else pixels


def _squares(options: argparse.Namespace, card: dict[str, Any]) -> Iterator[Pixels]:
    preprocessing = preprocessing_of(card)
    several: list[Pixels] = []
    for name in _photos(options):
        several.append(preprocessing.resize(open_image(name)))
        yield several[-1][None]
        if len(several) == 50:
            yield np.stack(several[-3:])
            several.clear()


def _answers(run: Run, inputs: list[Pixels]) -> tuple[list[NDArray[np.float32]], float]:
    """Outputs for all inputs, and seconds for the second half of them."""
    rows, started = [], time.perf_counter()
    for number, pixels in enumerate(inputs):
        if number == len(inputs) // 2:
            started = time.perf_counter()
        rows.append([np.array(one) for one in run(pixels)])
    seconds = time.perf_counter() - started
    return [np.concatenate([row[place] for row in rows]) for place in range(3)], seconds


def _differences(
    expected: list[NDArray[np.float32]], found: list[NDArray[np.float32]]
) -> dict[str, float | int]:
    same = (expected[0].argmax(1) == found[0].argmax(1)).sum()
    largest = [float(np.abs(own - other).max()) for own, other in zip(expected, found, strict=True)]
    return {
        "photos": len(expected[0]),
        "same_label": int(same),
        "probability": largest[0],
        "typicality": largest[1],
    }


def _onnxruntime(path: Path) -> Run:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda pixels: list(session.run(NAMES, {name: pixels}))


def _openvino(path: Path) -> Run:
    return _openvino_with(path, {"INFERENCE_PRECISION_HINT": "f32"})  # else 16 bits where the CPU has them


def _openvino_default(path: Path) -> Run:
    return _openvino_with(path, {})


def _openvino_with(path: Path, settings: dict[str, str]) -> Run:
    import openvino

    model = openvino.Core().compile_model(path, "CPU", settings)
    return lambda pixels: [np.array(model(pixels)[name]) for name in NAMES]


def _opencv(path: Path) -> Run:
    import cv2

    network = cv2.dnn.readNetFromONNX(str(path))
    name = onnxruntime.InferenceSession(path).get_inputs()[0].name

    def run(pixels: Pixels) -> list[NDArray[np.float32]]:
        network.setInput(pixels, name)
        return [np.array(output) for output in network.forward(NAMES)]

    return run


def _tract(path: Path) -> Run:
    """Tract wants to know the size when it loads a file; one model is kept for each."""
    import tract

    made: dict[tuple[int, ...], Any] = {}

    def run(pixels: Pixels) -> list[NDArray[np.float32]]:
        size = pixels.shape[1:]
        if size not in made:
            model = tract.onnx().load(str(path))
            model.set_input_fact(0, f"batch,{size[0]},{size[1]},3,u8")
            made.clear()
            made[size] = model.into_model().into_runnable()
        return [output.to_numpy() for output in made[size].run([np.ascontiguousarray(pixels)])]

    return run


def _litert(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(path), num_threads=2).get_signature_runner()

    def run(pixels: Pixels) -> list[NDArray[np.float32]]:
        answers = [runner(pixels=one[None]) for one in pixels]
        return [np.concatenate([answer[name] for answer in answers]) for name in NAMES]

    return run


RUNTIMES: tuple[tuple[str, str, Callable[[Path], Run]], ...] = (
    ("ONNX Runtime", "onnxruntime", _onnxruntime),
    ("OpenVINO, 32 bits", "openvino", _openvino),
    ("OpenVINO as it comes", "openvino", _openvino_default),
    ("OpenCV", "opencv-python-headless", _opencv),
    ("tract", "tract", _tract),
    ("LiteRT", "ai-edge-litert", _litert),
)

if __name__ == "__main__":
    main()
