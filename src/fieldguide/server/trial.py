"""Tries a model file in a process of its own: what crashes there, hangs or eats memory is only refused."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from fieldguide.errors import FieldguideError, ModelFileError
from fieldguide.modelfile.output_checks import why_no_answer
from fieldguide.prediction.predictor import Outputs, Predictor, load

MEMORY_BYTES = 8_000_000_000
"""Address space that the trial may use; ONNX Runtime reserves more of it than it fills."""


class Trial:
    """Tries one model file after the other, each in another process of low priority."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, path: Path, seconds: float) -> None:
        """Load a model file and run it.

        Parameters
        ----------
        path
            The file.
        seconds
            How long that may take.

        Raises
        ------
        ModelFileError
            If it does not work there, whatever the reason.
        """
        try:
            # -P: what lies in the working directory is not to be imported.
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-c", attempt_code(path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        except OSError as error:
            raise ModelFileError(
                f"{path}: no process could be started to try it ({error.strerror})"
            ) from error
        with process:
            try:
                _, said = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise ModelFileError(
                    f"{path}: was not loaded within {seconds:.0f} s; is it that large?"
                ) from error
        if process.returncode:
            lines = said.decode("utf-8", "replace").splitlines()
            why = lines[-1] if lines else f"{path}: cannot be used"
            raise ModelFileError(f"{why} (the process that tried it ended with code {process.returncode})")

    def stop(self) -> None:
        """End what is being tried: nobody waits for it any more."""
        if self._process is not None:
            self._process.kill()


def attempt_code(path: Path) -> str:
    """The program of that process."""
    return f"from fieldguide.server.trial import attempt; attempt({str(path.absolute())!r})"


def attempt(path: str) -> None:
    """What that process does; it ends with a reason, or with none if all is well."""
    _limit()
    try:
        warm(load(path, threads=1), 1)
    except FieldguideError as error:
        raise SystemExit(str(error)) from error


def warm(predictor: Predictor, count: int, *, alone: bool = True) -> Outputs:
    """Run a model over grey images, so that the first request finds it warm.

    Parameters
    ----------
    predictor
        The model.
    count
        Images in the batch.
    alone
        As in :meth:`fieldguide.prediction.predictor.Predictor.run`.

    Returns
    -------
    Outputs
        What it answered.

    Raises
    ------
    ModelFileError
        If what it answers cannot be an answer.
    """
    pixels = predictor.prepare(np.full((8, 8, 3), 128, np.uint8))
    outputs = predictor.run(np.stack([pixels] * count), alone=alone)
    wrong = why_no_answer(outputs.probabilities, outputs.typicality, predictor.task)
    if wrong is not None:
        raise ModelFileError(f"the model's answer to a grey image {wrong}; train it again")
    return outputs


def _limit() -> None:
    if sys.platform == "win32":
        return
    import resource

    os.nice(10)
    with contextlib.suppress(ValueError, OSError):  # a lower limit holds already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
