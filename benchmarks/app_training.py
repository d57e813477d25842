"""What training from the app costs against the same command in a terminal, in turns.

`command` is `fieldguide train DATA` in a process of its own, waited for. `app` is what the button of the page
Train does (`jobs.start`), while an open page is drawn again every second until it says that the run is over:
the very functions of the page, drawn by Streamlit's own test runner, without a browser. Each begins without
any features in the cache; the network has been exported. Processor seconds are those of the training process
and, for the app, of drawing as well; starting the app is not counted. `shown` is the moment at which the page
offers the model.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from fieldguide.backbones.export import export
from fieldguide.recipes.linear_probe import PRESETS
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.jobs import DONE, RUNNING, start

PAGE = "from fieldguide.app import job_progress\njob_progress.runs()\n"
SECONDS_BETWEEN_DRAWINGS = 1.0
SECONDS_BETWEEN_LOOKS = 0.02
"""How exactly the end of a run is known."""


def main() -> None:
    """Print one line a run."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--preset", choices=tuple(PRESETS), default="balanced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, cache = Path(name), Path(name) / "cache"
        os.environ["FIELDGUIDE_CACHE"] = str(cache)
        chosen = PRESETS[options.preset]
        for backbone in chosen.backbone.split("+"):
            export(backbone, size=chosen.size)
        page = _page(folder)
        order = ["train", str(options.data.resolve()), "--preset", options.preset, "--out"]
        for run in range(options.runs):
            print(json.dumps({"run": run + 1, **_pair(folder, page, order, run % 2)}), flush=True)


def _pair(folder: Path, page: AppTest, order: list[str], turn: int) -> dict[str, Any]:
    """Both, once; who begins changes from run to run."""
    kinds = {
        "command": lambda out: _command([*order, out]),
        "app": lambda out: _app(folder, page, [*order, out]),
    }
    found: dict[str, Any] = {}
    for kind in list(kinds)[:: -1 if turn else 1]:
        shutil.rmtree(folder / "cache" / "features", ignore_errors=True)
        found[kind] = kinds[kind](str(folder / f"{kind}.onnx"))
    ratio = {what: round(found["app"][what] / found["command"][what], 3) for what in ("clock", "processor")}
    same = (folder / "command.onnx").read_bytes() == (folder / "app.onnx").read_bytes()
    return {**{kind: found[kind] for kind in kinds}, "app_to_command": ratio, "same_file": same}


def _command(order: list[str]) -> dict[str, float]:
    before, started = _processor(), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "fieldguide", *order],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return {"clock": time.perf_counter() - started, "processor": _processor() - before}


def _app(folder: Path, page: AppTest, order: list[str]) -> dict[str, float]:
    before, trained, started = _processor(), _processor(resource.RUSAGE_CHILDREN), time.perf_counter()
    job, drawn = start(Workspace(folder).jobs, order), started
    while job.state == RUNNING:
        if time.perf_counter() - drawn >= SECONDS_BETWEEN_DRAWINGS:
            page.run()
            drawn = time.perf_counter()
        time.sleep(SECONDS_BETWEEN_LOOKS)
    clock = time.perf_counter() - started
    time.sleep(max(0.0, drawn + SECONDS_BETWEEN_DRAWINGS - time.perf_counter()))
    page.run()
    shown = time.perf_counter() - started
    if job.state != DONE or page.exception or not any(button.label == "Use it" for button in page.button):
        raise SystemExit(f"the run of the app {job.state}: {job.log} {page.exception}")
    while _processor(resource.RUSAGE_CHILDREN) == trained:  # counted once the app has seen to its end
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return {"clock": clock, "processor": _processor() - before, "shown": shown}


def _page(folder: Path) -> AppTest:
    """The runs as the page shows them, drawn once so that all is loaded as it is in an open app."""
    sys.argv = ["main.py", str(folder)]
    page = AppTest.from_string(PAGE, default_timeout=600)
    page.run()
    return page


def _processor(*of: int) -> float:
    """Seconds of processor time, by default of this process and of those that it has waited for."""
    usage = [resource.getrusage(who) for who in of or (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in usage)


if __name__ == "__main__":
    main()
