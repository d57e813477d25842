"""Where an interrupted training run goes on: one file, replaced whole, beside the model file.

Nothing is pickled: it is safetensors, where tensors stand as such and everything else as JSON in the header,
and then a checksum over all of it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors.torch import load, save

from fieldguide.errors import OutputError
from fieldguide.storage import checksummed_files
from fieldguide.training import CHECKPOINT, CHECKPOINT_HOLDS

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
        self.folder: Path = folder
        self._run = run
        self._file = folder / CHECKPOINT
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
        checksummed_files.write(self._file, packed(state, self._run))

    def load(self) -> dict[str, Any] | None:
        """Return the state of the last :meth:`save` of the same run; None if there is none."""
        content = checksummed_files.read(self._file, CHECKPOINT_HOLDS)
        if content is None or self._other(content) is not None:
            return None
        return unpacked(content)

    def other(self) -> str | None:
        """What the checkpoint here is of, where it is not of this run; None where it is, or there is none."""
        content = checksummed_files.read(self._file, CHECKPOINT_HOLDS)
        return None if content is None else self._other(content)

    def _other(self, content: bytes) -> str | None:
        tree = _tree(content)
        return None if (tree["format"], tree["run"]) == (FORMAT, self._run) else str(tree["run"])

    def forget(self) -> None:
        """Start anew: remove the checkpoint."""
        self._file.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what a finished run leaves; the folder too if nothing else is in it."""
        self.forget()
        for file in (*self.folder.glob("decided-*"), self.folder / "lock"):
            file.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()


def _tree(content: bytes) -> dict[str, Any]:
    """All that is no tensor: safetensors begins with the length of its header, then the header as JSON."""
    length = int.from_bytes(content[:8], "little")
    tree: dict[str, Any] = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["fieldguide"])
    return tree


def packed(state: Mapping[str, Any], run: str = "") -> bytes:
    """Turn a state, as :meth:`TrainingFolder.save` takes it, into bytes."""
    tensors: dict[str, torch.Tensor] = {}
    tree = {"format": FORMAT, "run": run, "state": _without_tensors(state, tensors, "state")}
    return save(tensors, {"fieldguide": json.dumps(tree)})


def unpacked(content: bytes) -> dict[str, Any]:
    """Return the state in the bytes of :func:`packed`."""
    state: dict[str, Any] = _with_tensors(_tree(content)["state"], load(content))
    return state


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


def _with_tensors(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, dict):
        return {key: _with_tensors(item, tensors) for key, item in value["pairs"]}
    if isinstance(value, list):
        return [_with_tensors(item, tensors) for item in value]
    return value
