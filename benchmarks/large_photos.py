"""What resizing and large photos cost: the graph against Pillow, scaled decoding against decoding the whole.

    python benchmarks/large_photos.py model.onnx PHOTOS [--photos 200]

PHOTOS are enlarged to 12 megapixels with noise of 3 levels, as a sensor has, and saved as JPEG of quality 90.
Prints three tables of lines of JSON: resizing in ONNX Runtime (one thread) by size of the photo, in parts of
Pillow's plain resize; decoding and resizing a JPEG; and what scaled decoding changes in the answers.
"""

import argparse
import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

import fieldguide
from fieldguide.images.decoding import open_image
from fieldguide.images.network_input import network_pixels
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.modelfile.preprocessing_graph import preprocessing_model

SIZES = [(300, 300), (400, 533), (640, 480), (1920, 1080), (3000, 2000), (4000, 3000), (6000, 4000)]
LARGE = 12_000_000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("photos_in", type=Path, metavar="PHOTOS")
    parser.add_argument("--photos", type=int, default=200)
    options = parser.parse_args()
    names = sorted(path for path in options.photos_in.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
    names = names[:: max(1, len(names) // options.photos)][: options.photos]
    for row in (*resizing(names[0], options.model), *decoding(names[0], options.model)):
        print(json.dumps(row), flush=True)
    print(json.dumps(answers(names, options.model)), flush=True)


def resizing(name: Path, model: Path) -> Iterator[dict[str, object]]:
    """The graph's resize against Pillow's, by size of the photo."""
    way = load_model_file(model).preprocessing
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(preprocessing_model(way).SerializeToString(), settings)
    for size in SIZES:
        photo = open_image(name).resize(size)
        pixels = np.asarray(photo)[None]
        (square,) = session.run(None, {"image": pixels})
        times = {
            "graph": least(lambda pixels=pixels: session.run(None, {"image": pixels})),
            "python": least(lambda photo=photo: way.resize(photo)),
            "pillow": least(lambda photo=photo: photo.resize((way.size, way.size), Image.Resampling.BICUBIC)),
        }
        yield {
            "resizing": f"{size[0]} x {size[1]}",
            "equal": bool(np.array_equal(square[0], way.resize(photo))),
            **{name: f"{1000 * seconds:.1f} ms" for name, seconds in times.items()},
            "graph_by_pillow": round(times["graph"] / times["pillow"], 2),
        }


def decoding(name: Path, model: Path) -> Iterator[dict[str, object]]:
    """Bytes of a JPEG to the network's square, with and without scaled decoding."""
    way = load_model_file(model).preprocessing
    for size in SIZES:
        content = jpeg(open_image(name), size)
        scaled = least(lambda content=content: network_pixels(content, way))
        whole = least(lambda content=content: network_pixels(content, replace(way, scaled_decoding=False)))
        first = replace(way, scaled_decoding=False, shrink="none")
        before = least(lambda content=content, first=first: network_pixels(content, first))
        yield {
            "reading": f"{size[0]} x {size[1]}",
            "scaled": f"{1000 * scaled:.1f} ms",
            "whole": f"{1000 * whole:.1f} ms",
            "version_1": f"{1000 * before:.1f} ms",
            "times_faster": round(before / scaled, 1),
        }


def answers(names: list[Path], model: Path) -> dict[str, object]:
    """What scaled decoding changes, photo by photo."""
    predictor, way = fieldguide.load(model), load_model_file(model).preprocessing
    whole_way = replace(way, scaled_decoding=False)
    apart, same = [], 0
    for name in names:
        photo = open_image(name)
        factor = (LARGE / (photo.width * photo.height)) ** 0.5
        content = jpeg(photo, (round(photo.width * factor), round(photo.height * factor)))
        squares = np.stack([network_pixels(content, one) for one in (way, whole_way)])
        scaled, whole = predictor.run(squares).probabilities
        apart.append(float(np.abs(scaled - whole).max()))
        same += int(scaled.argmax() == whole.argmax())
    return {
        "photos": len(names),
        "same_label": same,
        "largest_difference": round(max(apart), 4),
        "median_difference": round(float(np.median(apart)), 4),
    }


def jpeg(photo: Image.Image, size: tuple[int, int]) -> bytes:
    """The photo enlarged, with noise, as the bytes of a file."""
    pixels = np.asarray(photo.resize(size, Image.Resampling.BICUBIC), dtype=np.int16)
    noise = np.random.default_rng(0).normal(0, 3, pixels.shape).astype(np.int16)
    memory = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(memory, "JPEG", quality=90)
    return memory.getvalue()


def least(work: Callable[[], object], runs: int = 7) -> float:
    """Seconds of the fastest of some runs."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
