"""What one way of training reached on one fold, and the journal that keeps it.

A finished fold is kept in a file of its own, named by everything that its result depends on: contents and
labels learned from and held out, recipe, setting, seed, and the code and libraries. An interrupted
comparison therefore goes on where it stopped, and one with a further candidate costs that candidate alone.
"""

import contextlib
import functools
import hashlib
import importlib.metadata
import io
import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.errors import FieldguideError, OutputError
from fieldguide.evaluation.result import Outcomes
from fieldguide.evaluation.tag_result import TagOutcomes
from fieldguide.experiments.scoring import AnyOutcomes, credits
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.storage import checksummed_files

MOST_KEPT = 4_000
"""Files in the journal; the ones used longest ago go first."""
_SUFFIX = ".fold"
LIBRARIES = ("numpy", "onnx", "onnxruntime", "pillow", "scikit-learn", "scipy", "timm", "torch")


@dataclass(frozen=True)
class UntimedNetwork:
    """A network that another machine has trained, to be timed on this one."""

    content: bytes
    """ONNX, from `pixels` to the outputs of the contract."""
    preprocessing: Preprocessing

    def as_arrays(self) -> dict[str, NDArray[np.uint8]]:
        """What a file keeps."""
        facts = json.dumps(self.preprocessing.as_dict()).encode()
        return {"network": np.frombuffer(self.content, np.uint8), "sees": np.frombuffer(facts, np.uint8)}

    @classmethod
    def of_arrays(cls, network: NDArray[np.uint8], sees: NDArray[np.uint8]) -> "UntimedNetwork":
        """From what :meth:`as_arrays` gave."""
        facts = json.loads(sees.tobytes())
        whole = {**facts, "mean": tuple(facts["mean"]), "std": tuple(facts["std"])}
        return cls(network.tobytes(), Preprocessing(**whole))


@dataclass(frozen=True)
class FoldResult:
    """The answers to the images of one fold, and their price."""

    rows: NDArray[np.int64]
    """Images of the data set that were held out and could be read; of shape (n_held,)."""
    outcomes: AnyOutcomes
    """The answers to them, in this order."""
    fit_seconds: float
    """Training without the passes of a pretrained network, which all candidates share."""
    pass_images: int
    """Images that had to pass the pretrained network for training; 0 for a network of the recipe's own."""
    image_seconds: float
    """One photo from file to answer; not a number where it was not timed."""
    megabytes: float
    """Size of the model file, without its small graph of preprocessing."""
    untimed: UntimedNetwork | None = None
    """What is still to be timed; None where nothing is."""

    @property
    def has_time(self) -> bool:
        """Whether :attr:`image_seconds` is known, or can be."""
        return self.untimed is not None or not math.isnan(self.image_seconds)

    @property
    def accuracy(self) -> float:
        """Share of right answers; of tags the mean average precision."""
        return float(credits(self.outcomes).mean())


class Journal:
    """Fold results on disk.

    Parameters
    ----------
    folder
        Where they are kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> FoldResult | None:
        """What was kept under this key, or None; a damaged file counts as none."""
        if self._folder is None:
            return None
        path = self._folder / f"{key}{_SUFFIX}"
        content = checksummed_files.read(path, "results of a fold")
        if content is None:
            return None
        with contextlib.suppress(OSError):  # only tells which were used last
            path.touch()
        return _unpacked(content)

    def put(self, key: str, result: FoldResult) -> None:
        """Keep a result; a folder that cannot be written only costs time later."""
        if self._folder is None:
            return
        with contextlib.suppress(OSError, OutputError):
            self._folder.mkdir(parents=True, exist_ok=True)
            checksummed_files.write(self._folder / f"{key}{_SUFFIX}", _packed(result))
            files = sorted(self._folder.glob(f"*{_SUFFIX}"), key=lambda path: path.stat().st_mtime)
            for path in files[:-MOST_KEPT]:
                path.unlink(missing_ok=True)


def error_sentence(error: Exception) -> str:
    """Say why a candidate failed."""
    if isinstance(error, FieldguideError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return f"needs {error.name}, which is not installed"
    return f"an error in the recipe itself ({type(error).__name__}: {error})"


@functools.cache
def code_fingerprint() -> str:
    """SHA-256 over the package's own source and the versions of what it computes with."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        digest.update(path.read_bytes())
    for name in LIBRARIES:
        digest.update(f"{name} {_version(name)}\n".encode())
    return digest.hexdigest()


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:  # whoever learns without torch has none of its companions
        return "none"


FACTS = ("fit_seconds", "pass_images", "image_seconds", "megabytes")


def _packed(result: FoldResult) -> bytes:
    columns = {field.name: getattr(result.outcomes, field.name) for field in fields(result.outcomes)}
    facts = np.array([getattr(result, name) for name in FACTS], dtype=np.float64)
    network = {} if result.untimed is None else result.untimed.as_arrays()
    arrays: dict[str, Any] = {"rows": result.rows, "facts": facts, **columns, **network}
    file = io.BytesIO()
    save = np.savez if network else np.savez_compressed  # weights do not become smaller
    save(file, **arrays)
    return file.getvalue()


def _unpacked(content: bytes) -> FoldResult:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        fit_seconds, pass_images, image_seconds, megabytes = file["facts"].tolist()
        kind = TagOutcomes if "tags" in file.files else Outcomes
        outcomes = kind(**{field.name: file[field.name] for field in fields(kind)})
        rows = file["rows"]
        has_network = "network" in file.files
        untimed = UntimedNetwork.of_arrays(file["network"], file["sees"]) if has_network else None
    return FoldResult(rows, outcomes, fit_seconds, int(pass_images), image_seconds, megabytes, untimed)
