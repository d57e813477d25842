"""`tune` killed with -9 in its fifth trial, and continued: `python benchmarks/tune_killed.py DATA/brain_mri`.

Twelve trials of `svm` over five folds. Said are how the trials ended, and what the winner reaches beside the
default settings.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

TRIALS, FOLDS, KILLED_IN = 12, 5, 5


def main() -> None:
    """Start, kill, go on."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = ["tune", sys.argv[1], "--recipe", "svm", "--trials", str(TRIALS), "--folds", str(FOLDS)]
        words += ["--out", str(folder / "model.onnx"), "--json", str(folder / "tuned.json")]
        command = [sys.executable, "-m", "fieldguide", *words]
        environment = {**os.environ, "FIELDGUIDE_CACHE": str(folder / "cache")}
        first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        while finished(folder) < KILLED_IN - 1 and first.poll() is None:
            time.sleep(0.2)
        first.send_signal(signal.SIGKILL)
        print(f"killed with {finished(folder)} trials kept, exit code {first.wait()}", flush=True)
        begun = time.monotonic()
        subprocess.run([*command, "--resume"], check=True, env=environment, stdout=subprocess.DEVNULL)
        answer = json.loads((folder / "tuned.json").read_text(encoding="utf-8"))
        states = Counter(trial["state"] for trial in answer["trials"])
        print(f"continued for {time.monotonic() - begun:.0f} s: {dict(states)}")
        print(json.dumps({key: answer[key] for key in answer if key != "trials"}, indent=2))


def finished(folder: Path) -> int:
    """Trials that the search has ended by now: Optuna writes the state of a trial as operation 6."""
    logs = folder.rglob("*.search")
    return sum(path.read_text(encoding="utf-8", errors="replace").count('"op_code": 6') for path in logs)


main()
