"""What the process does that reads a MATLAB file: variables become .npy files and JSON in a folder."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

ANSWER = "answer.json"
"""What it writes last: ``arrays``, names of .npy files; ``values``, all else; or ``error``, a sentence."""
MOST_VALUES = 4 * 2**30
"""A variable of more is not read."""


def main(arguments: Sequence[str]) -> int:
    """Read the variables NAME... of FILE into FOLDER."""
    file, folder, *names = arguments
    answer = _read(file, Path(folder), names)
    Path(folder, ANSWER).write_text(json.dumps(answer), encoding="utf-8")
    return 0


def _read(file: str, folder: Path, names: Sequence[str]) -> dict[str, Any]:
    from scipy.io import loadmat, whosmat

    try:
        sizes = {name: math.prod(shape) for name, shape, _ in whosmat(file) if name in names}
        largest = max(sizes.values(), default=0)
        if largest > MOST_VALUES:
            return {"error": f"a variable must have at most {MOST_VALUES} values, got {largest}; split it"}
        found = loadmat(file, simplify_cells=True, variable_names=list(sizes))
        arrays, values = [], {}
        for name in names:
            value = found.get(name)
            if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
                np.save(folder / f"{name}.npy", value)
                arrays.append(name)
            elif name in found:
                values[name] = plain(value)
    except NotImplementedError:
        return {"error": "it must be of MATLAB version 5, got 7.3; save it with '-v7'"}
    except Exception as error:  # whatever a damaged file makes of the library
        return {"error": f"it is not a readable MATLAB file ({str(error)[:200]}); get it again"}
    return {"arrays": arrays, "values": values}


def plain(value: Any) -> Any:
    """Structures, cells and numbers as JSON holds them.

    Examples
    --------
    >>> plain({"a": np.array([1, 2]), "b": np.array(["x"], dtype=object)})
    {'a': [1, 2], 'b': ['x']}
    """
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return [plain(inner) for inner in value.tolist()] if value.ndim else plain(value.item())
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)
