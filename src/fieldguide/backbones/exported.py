"""A backbone as one ONNX file, ready to run, and the folder where such files lie."""

import atexit
import contextlib
import hashlib
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fieldguide.backbones.plain.form import NetworkForm
from fieldguide.backbones.taps import DEFAULT_TAPS, Taps
from fieldguide.files import atomic_write, cache_folder, scratch_folder
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.storage import checksummed_files


@dataclass(frozen=True)
class ExportedBackbone:
    """A backbone ready to run: input `pixels`, outputs `features` and, exported with a head, `logits`."""

    path: Path
    """The ONNX file."""
    digest: str
    """SHA-256 of its bytes."""
    preprocessing: Preprocessing
    """How an image becomes its input; mean and standard deviation are applied inside the file."""
    name: str
    """The backbone's name."""
    licence: str
    """The licence of its weights."""
    source: str
    """Where its weights came from, for the model's card."""
    features: int
    """Width of `features`."""
    depths: tuple[tuple[str, int], ...]
    """Name and width of each part of `features`, in order, from early to late."""
    classes: tuple[str, ...] | None
    """What the columns of `logits` stand for; None without a head."""
    timm_name: str
    """The network in timm, to build it again in torch; empty for one that is not timm's."""
    weights: Path
    """The weights file that was read."""
    taps: Taps = DEFAULT_TAPS
    """Which depths were asked for."""
    parts: tuple["ExportedBackbone", ...] = ()
    """The backbones that work side by side in it; empty for a single one."""
    form: NetworkForm | None = None
    """How the weights file holds the network; None where that is as timm itself does."""
    made_with: tuple[str, ...] = ()
    """Packages whose version the file depends on, beyond those that every model file is made with."""


def kept(content: bytes) -> tuple[Path, str]:
    """Write a graph that was built into the folder of exports, unless it lies there as it should.

    Returns
    -------
    Path, str
        The file, and the SHA-256 of its bytes.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = exports_folder() / f"{digest}.onnx"
    with contextlib.suppress(OSError):  # missing, or not to be read: written anew
        if path.stat().st_size == len(content) and path.read_bytes() == content:
            return path, digest
        checksummed_files.discard(path, "weights")
    with atomic_write(path) as file:
        file.write(content)
    return path, digest


def exports_folder() -> Path:
    """Where exports are kept: the cache, or if that cannot be written a folder for this process."""
    folder = cache_folder() / "backbones"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return _temporary_folder()
    return folder


@cache
def _temporary_folder() -> Path:
    stack = contextlib.ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(scratch_folder())
