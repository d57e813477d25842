"""MATLAB's files (version 5) through SciPy, which the extra ``train`` brings, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fieldguide.data.forms.arrays import matlab_process
from fieldguide.errors import DataError
from fieldguide.files import scratch_folder
from fieldguide.installation import command_for

_HDF5 = b"MATLAB 7.3"
_HEAD = b"MATLAB 5.0 MAT-file"


def is_matlab(file: Path) -> bool:
    """Whether a file begins as MATLAB's do."""
    try:
        with file.open("rb") as opened:
            return opened.read(len(_HEAD)).startswith((_HEAD, _HDF5))
    except OSError:
        return False


def variables(file: Path, names: Sequence[str]) -> dict[str, Any]:
    """Variables of a file, with structures as dictionaries and cells as lists.

    SciPy reads it in a process of its own, since a damaged file can end the one that reads it.

    Parameters
    ----------
    file : Path
        A ``.mat`` file of version 5.
    names : sequence of str
        Those wanted; which the file lacks is absent from the result.

    Raises
    ------
    DataError
        If SciPy is missing, the file is damaged or of version 7.3, or a variable is too large.
    """
    try:
        import scipy  # noqa: F401
    except ImportError as error:
        raise DataError(
            f"{file}: a .mat file needs the package scipy, which is missing; run: {command_for('train')}"
        ) from error
    with scratch_folder() as folder:
        code = f"import sys; from {matlab_process.__name__} import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", code, str(file), str(folder), *names]
        done = subprocess.run(command, capture_output=True, check=False)
        try:
            answer = json.loads((folder / matlab_process.ANSWER).read_bytes())
        except (OSError, ValueError):  # a damaged file can end SciPy's process
            raise DataError(
                f"{file}: it is not a readable MATLAB file (its reader ended with {done.returncode}); "
                "get it again"
            ) from None
        if "error" in answer:
            raise DataError(f"{file}: {answer['error']}")
        arrays = {name: np.load(folder / f"{name}.npy", allow_pickle=False) for name in answer["arrays"]}
    return {**arrays, **answer["values"]}


def as_list(value: Any) -> list[Any]:
    """A row of cells or structures as a list; SciPy gives one alone without its row.

    Examples
    --------
    >>> as_list({"class": 1}), as_list([1, 2])
    ([{'class': 1}], [1, 2])
    """
    if isinstance(value, dict | str | bytes):
        return [value]
    return (
        list(value.ravel())
        if hasattr(value, "ravel")
        else list(value)
        if hasattr(value, "__iter__")
        else [value]
    )
