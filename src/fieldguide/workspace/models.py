"""The model files of a folder, and the model of ImageNet's classes that needs no training."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import ModelFileError, OutputError
from fieldguide.modelfile.artifact import load_model_file
from fieldguide.progress import Progress, silent

IMAGENET_BACKBONE = "efficientnet_lite0"


@dataclass(frozen=True)
class StoredModel:
    """A model file as a list of models shows it."""

    path: Path
    megabytes: float
    """In units of 1,000,000 bytes."""
    changed: float
    """When the file was last written, in seconds since 1970."""
    card: dict[str, Any] | None
    """What it says about itself; None where it may not be used."""
    problem: str | None = None
    """Why it may not be used."""
    digest: str | None = None
    """As :attr:`fieldguide.prediction.predictor.Predictor.digest`; None where it may not be used."""


def model_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder that are called models, the newest first; folders below are not entered."""
    found = [path for path in folder.iterdir() if path.suffix.lower() == ".onnx" and path.is_file()]
    visible = [path for path in found if not path.name.startswith(".")]
    return tuple(sorted(visible, key=lambda path: (-path.stat().st_mtime_ns, path.name)))


def describe(path: Path) -> StoredModel:
    """Read and check a model file; one that may not be used says why."""
    status = path.stat()
    size, changed = status.st_size / 1e6, status.st_mtime
    try:
        file = load_model_file(path)
        return StoredModel(path, size, changed, file.card, digest=file.digest)
    except ModelFileError as error:
        return StoredModel(path, size, changed, None, str(error))


def remove(path: Path) -> None:
    """Delete a model file.

    Raises
    ------
    OutputError
        If it cannot be deleted.
    """
    try:
        path.unlink()
    except OSError as error:
        raise OutputError(f"{path}: cannot be deleted ({error.strerror}); check its permissions") from error


def imagenet_file(cache: Path, backbone: str = IMAGENET_BACKBONE) -> Path:
    """Where :func:`imagenet_model` keeps the model file."""
    return cache / "models" / f"imagenet-{backbone}.onnx"


def imagenet_model(cache: Path, progress: Progress = silent, backbone: str = IMAGENET_BACKBONE) -> Path:
    """The model file of ImageNet's 1,000 classes, made once.

    Parameters
    ----------
    cache
        From :func:`fieldguide.files.cache_folder`.
    progress
        Callback for progress: the work, which takes some seconds the first time.
    backbone
        The network; weights that are not on this machine are downloaded.

    Raises
    ------
    BackboneError
        If the network's weights cannot be had.
    OutputError
        If the cache cannot be written to.
    """
    path = imagenet_file(cache, backbone)
    if path.is_file() and describe(path).problem is None:
        return path
    from fieldguide.learning.pretrained import (
        pretrained,  # loads onnx, which whoever only looks at a list does without
    )

    path.parent.mkdir(parents=True, exist_ok=True)
    pretrained(backbone, path, progress=progress)
    return path
