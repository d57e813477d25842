"""Models that lie in no folder yet, and what each needs to get there: weights, or photos and training."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.backbones.catalogue import find, usable_offline
from fieldguide.backbones.weights import fetch
from fieldguide.errors import BackboneError
from fieldguide.files import scratch_folder
from fieldguide.progress import Progress, silent
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.models import IMAGENET_BACKBONE, imagenet_file

WEIGHT_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".h5", ".keras")
"""Of files of weights; a test compares them with what is read."""


@dataclass(frozen=True)
class OfferedModel:
    """A model that can be had by name."""

    name: str
    """Of its backbone, or of its dataset; its file in a folder is called so, too."""
    label: str
    """How a list of models calls it."""

    @property
    def file(self) -> str:
        """What its file is called."""
        return f"{self.name}.onnx"


IMAGENET = OfferedModel(IMAGENET_BACKBONE, "ImageNet, 1,000 everyday things")
"""Its weights come with the installation."""
MOBILENET = OfferedModel("mobilenet_v2", "MobileNetV2 for ImageNet")
CIFAR = OfferedModel("cifar10", "CIFAR-10, ten classes")


def offered(files: Sequence[str]) -> tuple[OfferedModel, ...]:
    """What a list offers beside the files of a folder: all whose own file is not among them.

    Examples
    --------
    >>> [model.name for model in offered(["leaves.onnx", "cifar10.onnx"])]
    ['efficientnet_lite0', 'mobilenet_v2']
    """
    return (IMAGENET, *(model for model in (MOBILENET, CIFAR) if model.file not in files))


def at_hand(model: OfferedModel, cache: Path) -> bool:
    """Whether a model of ImageNet's classes needs no network: it was made before, or its weights are here."""
    return imagenet_file(cache, model.name).is_file() or usable_offline(find(model.name))


def can_download() -> bool:
    """Whether the Hugging Face hub's client is installed."""
    return importlib.util.find_spec("huggingface_hub") is not None


def download(model: OfferedModel, progress: Progress = silent) -> None:
    """Fetch a model's weights from the Hugging Face hub; they are kept in its cache.

    Raises
    ------
    BackboneError
        If they cannot be had; the text says what else can be done.
    """
    source = find(model.name).source
    try:
        fetch(source, progress)
    except BackboneError as error:
        raise BackboneError(
            f"{error}. Fetch model.safetensors from there on another machine, and give the file below"
        ) from error


def make_from_weights(
    model: OfferedModel, weights: tuple[str, bytes], folder: Path, progress: Progress = silent
) -> Path:
    """Write a model of ImageNet's classes from a file of weights that a person has.

    Parameters
    ----------
    model
        Which.
    weights
        The name and the content of the file.
    folder
        Of model files; the new one is called as the model is.
    progress
        Callback for progress.

    Raises
    ------
    BackboneError
        If the file cannot be read or does not fit.
    OutputError
        If the model cannot be written.
    """
    from fieldguide.learning.pretrained import pretrained  # loads onnx

    name, content = weights
    own, out = Path(name).name or "weights", folder / model.file
    with scratch_folder() as place:
        (place / own).write_bytes(content)
        try:
            pretrained(model.name, out, weights=place / own, progress=progress)
        except BackboneError as error:
            raise BackboneError(str(error).replace(f"{place / own}", own)) from error
    return out


def cifar_photos(space: Workspace) -> Path:
    """Where the photos of CIFAR-10 are written."""
    return space.uploads / CIFAR.name


def cifar_written(space: Workspace) -> bool:
    """Whether all of them are there."""
    from fieldguide.data.catalogue.preparation import is_finished

    return is_finished(CIFAR.name, cifar_photos(space))


def write_cifar(space: Workspace, progress: Progress = silent) -> Path:
    """Download the photos of CIFAR-10 and write them; what was written before is not written again.

    Raises
    ------
    DataError
        If they cannot be downloaded.
    OutputError
        If they cannot be written.
    """
    from fieldguide.data.catalogue.preparation import write

    return write(CIFAR.name, cifar_photos(space), download=True, progress=progress).path


def cifar_training(photos: Path, space: Workspace) -> tuple[str, ...]:
    """The command that trains the model, as :func:`fieldguide.workspace.jobs.start` takes it."""
    out = space.folder / CIFAR.file
    return ("train", str(photos), "--out", str(out), "--recipe", CIFAR_RECIPE, "--preset", CIFAR_PRESET)


CIFAR_RECIPE, CIFAR_PRESET = "linear-probe", "fast"
CIFAR_LEARNED = 50_000
"""Photos of the original's part for training."""
