"""What `evaluate --report` costs on 100 photos: `python benchmarks/report_few.py DATA`.

DATA holds `clothing`. A model learns from 400 photos; then 100 others are measured, with and without a page.
Seconds are of processor time, all threads together, and on the clock. `--busy 4` has four other processes
compute meanwhile.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--busy", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, _busy(options.busy):
        folder = Path(name)
        learn = _few(options.data / "clothing" / "train", folder / "learn", 40)
        judge = _few(options.data / "clothing" / "validation", folder / "judge", 10)
        model = folder / "model.onnx"
        _timed("train", learn, "--out", model, cache=folder)
        for number in range(options.runs):
            for more in ([], ["--report", folder / "report.html"]):
                line = _timed("evaluate", model, judge, *more, cache=folder)
                print(
                    json.dumps({"run": number, "page": bool(more), "busy": options.busy, **line}), flush=True
                )


def _few(source: Path, target: Path, each: int) -> Path:
    for label in sorted(path for path in source.iterdir() if path.is_dir()):
        (target / label.name).mkdir(parents=True)
        for photo in sorted(label.iterdir())[:each]:
            shutil.copy(photo, target / label.name)
    return target


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def _timed(*arguments: object, cache: Path) -> dict[str, float]:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "fieldguide", *map(str, arguments)]
    environment = {**os.environ, "FIELDGUIDE_CACHE": str(cache / "cache")}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"processor": round(spent, 1), "clock": round(time.monotonic() - begun, 1)}


main()
