"""A whole training run against what decoding plus one forward pass of every image takes, side by side.

The yardstick reads, decodes and shrinks every photo of DATA's train and validation with plain Pillow, a
thread a core, and then runs the exported network over all of them with plain ONNX Runtime; nothing overlaps,
nothing is cached. `train` is the whole command, process start to exit, with an empty cache of features.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

from fieldguide.backbones.export import export
from fieldguide.data.dataset import open_dataset
from fieldguide.recipes.linear_probe import PRESETS

BATCH = 16


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--sets", nargs="+", default=["clothing", "sign_digits", "brain_mri"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FIELDGUIDE_CACHE"] = folder
        for preset in PRESETS.values():
            for name in preset.backbone.split("+"):
                export(name, size=preset.size)
        for name in options.sets:
            for _ in range(options.runs):
                print(json.dumps({"set": name, **_run(options.data / name, Path(folder))}), flush=True)


def _run(data: Path, cache: Path) -> dict[str, float]:
    with open_dataset(data) as dataset:
        paths = dataset.paths
    decode, network = _yardstick(paths)
    seconds = {preset: _train(data, preset, cache) for preset in ("fast", "balanced")}
    return {
        "images": len(paths),
        "decode": decode,
        "network": network,
        "fast": seconds["fast"],
        "balanced": seconds["balanced"],
        "balanced_to_yardstick": seconds["balanced"] / (decode + network),
        "fast_to_balanced": seconds["fast"] / seconds["balanced"],
    }


def _yardstick(paths: tuple[str, ...]) -> tuple[float, float]:
    preset = PRESETS["balanced"]
    backbone = export(preset.backbone, size=preset.size)
    session = onnxruntime.InferenceSession(backbone.path)

    def pixels(path: str) -> np.ndarray:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
            return np.asarray(upright.resize((preset.size, preset.size), Image.Resampling.BICUBIC))

    started = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        images = list(pool.map(pixels, paths))
    decoded = time.perf_counter()
    for start in range(0, len(images), BATCH):
        session.run(None, {"pixels": np.stack(images[start : start + BATCH])})
    return decoded - started, time.perf_counter() - decoded


def _train(data: Path, preset: str, cache: Path) -> float:
    shutil.rmtree(cache / "features", ignore_errors=True)
    command = [
        sys.executable,
        "-m",
        "fieldguide",
        "train",
        data,
        "--out",
        cache / "m.onnx",
        "--preset",
        preset,
    ]
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
