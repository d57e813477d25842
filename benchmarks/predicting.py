"""`fieldguide predict` over 3,000 photos against its parts and against a plain torch loop; cold start."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import timm
import torch
from PIL import Image, ImageOps

from fieldguide.backbones.export import export
from fieldguide.data.dataset import open_dataset
from fieldguide.learning.train import TrainOptions, train
from fieldguide.recipes.common import Options
from fieldguide.recipes.linear_probe import PRESETS

BATCH = 16
EAGER = 320
"""Photos for the torch loop, which is slow."""
SIZE = PRESETS["balanced"].size


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_dataset(options.data / "clothing") as clothing:
        model = Path(folder) / "model.onnx"
        train(TrainOptions(options.data / "clothing" / "validation", model, options=Options()))
        photos = options.data / "clothing" / "train"
        paths = clothing.select("train").paths
        for _ in range(options.runs):
            print(json.dumps(_run(model, photos, paths, Path(folder))), flush=True)


def _run(model: Path, photos: Path, paths: tuple[str, ...], folder: Path) -> dict[str, float]:
    decode, network = _parts(paths)
    predict = len(paths) / _command("predict", model, photos, "--out", folder / "answers.csv")
    eager = _eager(paths[:EAGER])
    return {
        "images": len(paths),
        "decode_per_second": decode,
        "network_per_second": network,
        "predict_per_second": predict,
        "eager_torch_per_second": eager,
        "predict_to_slower_part": predict / min(decode, network),
        "predict_to_eager_torch": predict / eager,
        "cold_start_seconds": min(_command("predict", model, paths[0]) for _ in range(3)),
        "help_seconds": min(_command("--help") for _ in range(3)),
    }


def _command(*arguments: object) -> float:
    started = time.perf_counter()
    command = [Path(sys.executable).parent / "fieldguide", *arguments]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def _pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
        return np.asarray(upright.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def _parts(paths: tuple[str, ...]) -> tuple[float, float]:
    """Images a second of decoding on all cores, and of the network alone."""
    session = onnxruntime.InferenceSession(export("efficientnet_lite0", size=SIZE).path)
    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(_pixels, paths))
    decoded = time.perf_counter()
    for start in range(0, len(images), BATCH):
        session.run(None, {"pixels": np.stack(images[start : start + BATCH])})
    ended = time.perf_counter()
    return len(paths) / (decoded - started), len(paths) / (ended - decoded)


def _eager(paths: tuple[str, ...]) -> float:
    """The loop of many tutorials: decode, batch, network in eager mode, one after the other."""
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    started = time.perf_counter()
    with torch.inference_mode():
        for start in range(0, len(paths), BATCH):
            batch = np.stack([_pixels(path) for path in paths[start : start + BATCH]])
            pixels = torch.from_numpy(batch).permute(0, 3, 1, 2).float().contiguous()
            network((pixels / 255 - 0.5) / 0.5).argmax(1)
    return len(paths) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
