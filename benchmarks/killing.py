"""kill -9 at random moments of training, `resume`, and the weights compared bit for bit.

    python benchmarks/killing.py [--kills 20] [--recipes finetune cnn] [--seed 0]

Each run is a process of its own, forked from this one before anything is computed, so that twenty kills do
not import torch forty times. It is killed once within the seconds that the unbroken run's training took, then
continued to the end of training. Checkpoints are taken every `--checkpoint-seconds` besides those at the end
of an epoch: with the usual minute a run as short as these would only ever go on from the end of an epoch.
`finetune` adapts a tiny network with random weights, `cnn` its own. Compared is a digest of all weights
and of the history; the file is a function of these (tests/test_finetune.py compares whole files). The exit
code is 1 if any differs from the unbroken run's.
"""

import argparse
import dataclasses
import hashlib
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from fieldguide import recipes
from fieldguide.data.dataset import open_dataset
from fieldguide.recipes.common import Options, Run
from fieldguide.training import loop

COLOURS = {"red": (200, 60, 60), "green": (60, 190, 60), "blue": (60, 60, 200)}
PHOTOS = 40
"""Of each class."""
TINY = "test_efficientnet"
"""A network of timm's for tests."""
SETTINGS: dict[str, dict[str, Any]] = {
    "finetune": {"size": 64, "epochs": 6, "batch_size": 8, "layers": 0.6, "learning_rate": 1e-3},
    "cnn": {"size": 32, "epochs": 12, "batch_size": 16},
}


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
        weights = _weights(Path(folder) / "tiny.safetensors")
        for number, recipe in enumerate(options.recipes):
            recipes.find(recipe)  # once, before processes part
            kills = len(range(number, options.kills, len(options.recipes)))
            rows = _Recipe(recipe, photos, weights, Path(folder), draw).killed(kills)
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


def _weights(path: Path) -> Path:
    torch.manual_seed(0)
    save_file(timm.create_model(TINY).state_dict(), path)
    return path


@dataclass(frozen=True)
class _Recipe:
    name: str
    photos: Path
    weights: Path
    folder: Path
    draw: random.Random

    def killed(self, times: int) -> list[dict[str, Any]]:
        """Kill and continue, `times` times; a run that ended before its kill does not count."""
        seconds, whole, _ = self._run("whole", None, resume=False)
        rows: list[dict[str, Any]] = []
        while len(rows) < times:
            out, moment = str(len(rows)), self.draw.uniform(0, seconds)
            if self._run(out, moment, resume=False)[0] < moment:
                continue
            _, ended, resumed = self._run(out, None, resume=True)
            same = ended == whole
            row = {"recipe": self.name, "killed_after": round(moment, 2), "of": round(seconds, 2)}
            rows.append({**row, "resumed": resumed, "same": same})
            print(json.dumps(rows[-1]), flush=True)
        return rows

    def _run(self, out: str, moment: float | None, *, resume: bool) -> tuple[float, str, str]:
        """Train to the end or a moment; seconds until then, digest of the end, where it had gone on."""
        here, there = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("fork")
        options = Options(
            backbone=TINY if self.name == "finetune" else None,
            weights=self.weights if self.name == "finetune" else None,
            settings={**SETTINGS[self.name], "resume": resume, "augment_with": "flip=0.5"},
        )
        run = Run(cache=self.folder / "features", folder=self.folder / f"{self.name}-{out}")
        process = context.Process(target=_train, args=(self.name, self.photos, options, run, there))
        process.start()
        there.close()
        started = _next(here)
        if moment is not None:
            here.poll(max(0.0, started + moment - time.monotonic()))
        done = _next(here) if moment is None or here.poll() else (time.monotonic(), "", "")
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        return done[0] - started, done[1], done[2]


def _next(pipe: Connection) -> Any:
    try:
        return pipe.recv()
    except EOFError:
        raise SystemExit("training ended without a word") from None


def _train(recipe: str, photos: Path, options: Options, run: Run, pipe: Connection) -> None:
    """In its own process: tell when training begins, then when it ends, in what, and where it had gone on."""
    module: Any = recipes.find(recipe)
    told: list[str] = []
    real = module.train_with_checkpoints

    def watched(task: Any, *rest: Any) -> Any:
        trained = real(task, *rest)
        resumed = next((note for note in trained.notes if "resumed" in note), "from the start")
        pipe.send((time.monotonic(), _digest(task.network, trained.history), resumed))
        time.sleep(3600)  # until it is killed: what comes after training is not measured here

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "training" and not told:
            told.append(stage)
            pipe.send(time.monotonic())

    module.train_with_checkpoints = watched
    with open_dataset(photos) as dataset:
        module.fit(dataset, options, dataclasses.replace(run, progress=progress))


def _digest(network: torch.nn.Module, history: Sequence[Mapping[str, float]]) -> str:
    digest = hashlib.sha256()
    for name, value in sorted(network.state_dict().items()):
        digest.update(name.encode() + value.detach().cpu().numpy().tobytes())
    rows = [{name: value for name, value in row.items() if name != "seconds"} for row in history]
    return hashlib.sha256(digest.digest() + json.dumps(rows).encode()).hexdigest()


if __name__ == "__main__":
    raise SystemExit(main())
