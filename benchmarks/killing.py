"""kill -9 at random moments of training, `--resume`, and the two model files compared byte for byte.

    python benchmarks/killing.py [--kills 20] [--recipes finetune cnn] [--seed 0]

Each run is a process of its own, forked from this one before anything is computed, so that twenty kills do
not import torch forty times. It is killed once within the seconds that the unbroken run's training took, then
continued to its end. Checkpoints are taken every `--checkpoint-seconds` besides those at the end of an epoch:
with the usual minute a run as short as these would only ever go on from the end of an epoch. The exit code is
1 if any file differs from the unbroken run's.
"""

import argparse
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fieldguide import loop, recipes
from fieldguide.files import cache_folder
from fieldguide.recipes import finetune
from fieldguide.recipes.common import Setting
from fieldguide.train import TrainOptions, train

COLOURS = {"red": (200, 60, 60), "green": (60, 190, 60), "blue": (60, 60, 200)}
PHOTOS = 40
"""Of each class."""
OPTIONS: dict[str, dict[str, Any]] = {
    "finetune": {"size": 96, "epochs": 4, "batch_size": 16, "layers": 0.3, "learning_rate": 1e-3},
    "cnn": {"size": 32, "epochs": 24, "batch_size": 32},
}
WHOLE = "whole"


def main() -> int:
    """Print one line a kill and one a recipe."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20, help="in all, shared by the recipes")
    parser.add_argument("--recipes", nargs="+", default=["finetune", "cnn"])
    parser.add_argument("--checkpoint-seconds", type=float, default=0.3)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    loop.CHECKPOINT_SECONDS = options.checkpoint_seconds
    draw, differing = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        photos = _painted(Path(folder) / "photos")
        # So that the file holds what was trained, also where the linear probe would have been handed back.
        finetune.compare = lambda *given: (True, "fine-tuned network: asked for by the benchmark")
        for number, recipe in enumerate(options.recipes):
            recipes.find(recipe)  # imported once, before processes part
            kills = len(range(number, options.kills, len(options.recipes)))
            rows = _Recipe(recipe, photos, Path(folder), draw).killed(kills)
            same = sum(row["same"] for row in rows)
            differing += len(rows) - same
            print(json.dumps({"recipe": recipe, "kills": len(rows), "same": same}), flush=True)
    return 1 if differing else 0


def _painted(folder: Path) -> Path:
    """Photos that are not told apart at once: coarse noise around a colour."""
    noise = np.random.default_rng(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True)
        for number in range(PHOTOS):
            coarse = np.clip(np.array(colour) + noise.integers(-150, 151, (6, 6, 3)), 0, 255)
            image = Image.fromarray(coarse.astype(np.uint8)).resize((120, 100), Image.Resampling.BICUBIC)
            image.save(folder / name / f"{number}.png")
    return folder


@dataclass(frozen=True)
class _Recipe:
    name: str
    photos: Path
    folder: Path
    draw: random.Random

    def killed(self, times: int) -> list[dict[str, Any]]:
        """Kill and continue, `times` times; a run that ended before its kill does not count."""
        seconds, _ = self._run(WHOLE, None, resume=False)
        whole = (self.folder / f"{self.name}-{WHOLE}.onnx").read_bytes()
        rows: list[dict[str, Any]] = []
        while len(rows) < times:
            out, moment = str(len(rows)), self.draw.uniform(0, seconds)
            if self._run(out, moment, resume=False)[0] < moment:
                continue
            resumed = self._run(out, None, resume=True)[1]
            same = (self.folder / f"{self.name}-{out}.onnx").read_bytes() == whole
            row = {"recipe": self.name, "killed_after": round(moment, 2), "of": round(seconds, 2)}
            rows.append({**row, "resumed": resumed, "same": same})
            print(json.dumps(rows[-1]), flush=True)
        return rows

    def _run(self, out: str, moment: float | None, *, resume: bool) -> tuple[float, str]:
        """Run to the end or a moment of training; its seconds until then, and what was told."""
        here, there = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        path = self.folder / f"{self.name}-{out}.onnx"
        process = context.Process(target=_train, args=(self.name, self.photos, path, resume, there))
        process.start()
        there.close()
        started = _next(here)
        if moment is None:
            ended, told = _next(here), _next(here)
        else:
            here.poll(max(0.0, started + moment - time.monotonic()))
            ended, told = (_next(here) if here.poll() else time.monotonic()), ""
            os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        if moment is None and process.exitcode != 0:
            raise SystemExit(f"{self.name}: training ended with exit code {process.exitcode}")
        return ended - started, told


def _next(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        raise SystemExit("training ended without a word") from None


def _train(recipe: str, photos: Path, out: Path, resume: bool, pipe: Connection) -> None:
    """In its own process: tell when training begins, when it ends, and where it went on."""
    told: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage == "training" and not told:
            told.append(stage)
            pipe.send(time.monotonic())
        if stage == "measuring the trained network" and len(told) == 1:
            told.append(stage)
            pipe.send(time.monotonic())

    setting = Setting(
        backbone="efficientnet_lite0" if recipe == "finetune" else None,
        cache=cache_folder() / "features",
        options={**OPTIONS[recipe], "resume": resume},
        progress=progress,
    )
    result = train(TrainOptions(photos, out, recipe, setting))
    pipe.send(next((choice for choice in result.choices if "resumed" in choice), "from the start"))


if __name__ == "__main__":
    raise SystemExit(main())
