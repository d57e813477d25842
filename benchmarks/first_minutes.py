"""From nothing to the first answer: installing, the demo, the first training, each with an empty cache.

    python benchmarks/first_minutes.py DATA --runs 3
    python benchmarks/first_minutes.py DATA --only few --before OLD_CHECKOUT/src

`install` makes a virtual environment and installs the extra `train` of this checkout into it, without pip's
cache. `--before` also runs former code, with this Python and its backbones exported already. Peaks are of
resident memory. Nothing else should run.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FEW = 400
"""Photos of the first training: so many of clothing, equally many of each class."""


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--before", type=Path, help="src of former code, with warm backbones")
    parser.add_argument("--only", nargs="+", default=["install", "demo", "help", "few", "clothing"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.runs):
            for line in _run(options, Path(folder) / str(number)):
                print(json.dumps({"run": number, **line}), flush=True)


def _run(options: argparse.Namespace, folder: Path) -> Iterator[dict[str, object]]:
    folder.mkdir()
    python = Path(sys.executable)
    if "install" in options.only:
        python, line = _install(folder)
        yield line
    if "demo" in options.only:
        command = [python, "-m", "fieldguide", "demo", "--out", folder / "demo"]
        yield {"what": "demo", **_timed(command, folder / "empty-demo")}
    if "help" in options.only:
        command = [python, "-m", "fieldguide", "train", "--help"]
        yield {"what": "train --help", "seconds": [_timed(command, folder)["seconds"] for _ in range(5)]}
    if "few" in options.only:
        photos = _few(options.data / "clothing" / "train", folder / "few")
        yield {"what": f"train {FEW}", **_train(python, photos, folder / "empty-few")}
        if options.before:
            yield {"what": f"train {FEW} before", **_before(options.before, photos, folder / "warm")}
    if "clothing" in options.only:
        clothing = options.data / "clothing" / "train"
        yield {"what": "train clothing", **_train(python, clothing, folder / "empty-all")}


def _install(folder: Path) -> tuple[Path, dict[str, object]]:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    command = [python, "-m", "pip", "install", "--no-cache-dir", "--progress-bar", "off", f"{ROOT}[train]"]
    subprocess.run(command, check=True, capture_output=True)
    disk = subprocess.run(["du", "-sm", folder / "venv"], check=True, capture_output=True, text=True).stdout
    line = {
        "what": "install",
        "seconds": round(time.perf_counter() - started, 1),
        "disk_mb": int(disk.split()[0]),
        "packages": len(list((folder / "venv" / "lib").glob("python*/site-packages/*.dist-info"))),
    }
    return python, line


def _few(clothing: Path, folder: Path) -> Path:
    """A folder with the first of each class's photos, `FEW` in all."""
    classes = sorted(path for path in clothing.iterdir() if path.is_dir())
    for label in classes:
        (folder / label.name).mkdir(parents=True)
        for photo in sorted(label.iterdir())[: FEW // len(classes)]:
            shutil.copy(photo, folder / label.name)
    return folder


def _train(python: Path, photos: Path, cache: Path, code: Path | None = None) -> dict[str, object]:
    model = cache.with_suffix(".onnx")
    command = [python, "-m", "fieldguide", "train", photos, "--out", model]
    return _timed(command, cache, code)


def _before(code: Path, photos: Path, cache: Path) -> dict[str, object]:
    _train(Path(sys.executable), photos, cache, code)
    shutil.rmtree(cache / "features")
    return _train(Path(sys.executable), photos, cache, code)


def _timed(command: list[object], cache: Path, code: Path | None = None) -> dict[str, object]:
    environment = {**os.environ, "FIELDGUIDE_CACHE": str(cache)}
    environment.pop("PYTHONPATH", None)
    if code:
        environment["PYTHONPATH"] = str(code)
    words = ["/usr/bin/env", "-C", "/", *map(str, command)]
    started = time.perf_counter()
    worker = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(worker.pid, 0)
    if status:
        raise SystemExit(f"exit code {os.waitstatus_to_exitcode(status)}: {' '.join(words)}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak_mb": usage.ru_maxrss // 1024,
    }


if __name__ == "__main__":
    main()
