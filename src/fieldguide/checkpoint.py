"""Where an interrupted training run goes on: one safetensors file, replaced whole, beside the model file.

Nothing is pickled: tensors stand in the file as such, everything else as JSON in its header.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from fieldguide.errors import OutputError
from fieldguide.files import atomic_write

FORMAT = 1
_TENSOR = "tensor:"


class TrainingFolder:
    """A folder that one training run at a time may use.

    Parameters
    ----------
    folder
        Made if it is missing.
    run
        Names everything that the run's weights depend on (data, options, versions): a checkpoint of another
        run is never continued.

    Raises
    ------
    OutputError
        On entering, if another run uses the folder or it cannot be made.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self.folder, self._run = folder, run
        self._file = folder / "checkpoint.safetensors"
        self._lock = FileLock(folder / "lock")

    def __enter__(self) -> "TrainingFolder":
        try:
            self.folder.mkdir(exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise OutputError(
                f"{self.folder}: another training run is using it; wait for it or give another --out"
            ) from error
        except OSError as error:
            raise OutputError(
                f"{self.folder}: cannot be used for checkpoints ({error.strerror}); give another --out"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def save(self, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint.

        Parameters
        ----------
        state
            Nested dictionaries and lists of tensors, numbers, texts, truth values and None.
        """
        tensors: dict[str, torch.Tensor] = {}
        tree = {"format": FORMAT, "run": self._run, "state": _without_tensors(state, tensors, "state")}
        with atomic_write(self._file) as file:
            file.write(save(tensors, {"fieldguide": json.dumps(tree)}))

    def load(self) -> dict[str, Any] | None:
        """Return the state of the last :meth:`save` of the same run; None if there is none."""
        try:
            with safe_open(self._file, "pt") as file:
                tree = json.loads((file.metadata() or {}).get("fieldguide", "null"))
                if not tree or (tree["format"], tree["run"]) != (FORMAT, self._run):
                    return None
                state: dict[str, Any] = _with_tensors(tree["state"], file)
        except (OSError, SafetensorError, ValueError, KeyError, TypeError):  # none, or damaged: start anew
            return None
        return state

    def has_other(self) -> bool:
        """Whether a checkpoint lies here that is not of this run, or is damaged."""
        return self._file.exists() and self.load() is None

    def forget(self) -> None:
        """Start anew: remove the checkpoint."""
        self._file.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what a finished run leaves; the folder too if nothing else is in it."""
        self.forget()
        (self.folder / "lock").unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def _without_tensors(value: Any, tensors: dict[str, torch.Tensor], name: str) -> Any:
    """Move tensors into `tensors` and leave their names; keys that are no text are kept with their kind."""
    if isinstance(value, torch.Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()  # two names of one memory are refused
        return _TENSOR + name
    if isinstance(value, Mapping):
        return {
            "pairs": [[key, _without_tensors(item, tensors, f"{name}.{key}")] for key, item in value.items()]
        }
    if isinstance(value, list | tuple):
        return [_without_tensors(item, tensors, f"{name}.{place}") for place, item in enumerate(value)]
    return value


def _with_tensors(value: Any, file: Any) -> Any:
    if isinstance(value, str) and value.startswith(_TENSOR):
        return file.get_tensor(value.removeprefix(_TENSOR))
    if isinstance(value, dict):
        return {key: _with_tensors(item, file) for key, item in value["pairs"]}
    if isinstance(value, list):
        return [_with_tensors(item, file) for item in value]
    return value
