"""The images of a dataset of the field, one by one, read from its original files.

torchvision's loaders say which image has which label and split; of their images only the file is taken, never
decoded. Two things are read otherwise. CIFAR's Python version is a pickle, and nothing is unpickled here, so
its binary version is read: one or two bytes of label, then 1,024 bytes each of red, green and blue. MNIST's
kind goes through torchvision's readers of IDX files, not its class, which would load a ``training.pt``.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.data.catalogue.entries import FieldDataset
from fieldguide.errors import DataError

_CIFAR_PIXELS = 3 * 32 * 32
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(frozen=True)
class LabelledPicture:
    """One image with its place in the class folders."""

    split: str
    """Folder of the first level; empty if the original has no splits."""
    label: str
    """The original's word for the class."""
    name: str
    """File name."""
    content: Path | NDArray[np.uint8]
    """A file to copy, or pixels of shape (height, width) or (height, width, 3)."""

    @property
    def place(self) -> str:
        """Path below the folder that is written, with slashes."""
        parts = (self.split, folder_name(self.label), self.name)
        return "/".join(part for part in parts if part)


def folder_name(label: str) -> str:
    r"""A class name as every file system can hold it.

    Each of ``< > : " / \\ | ? *`` and control characters becomes a hyphen, and hyphens, dots and spaces at
    the ends go: ``T-shirt/top`` becomes ``T-shirt-top``, ``pink-yellow dahlia?`` loses its question mark.
    """
    return _FORBIDDEN.sub("-", label).strip("-. ")


def pictures(entry: FieldDataset, root: Path) -> list[LabelledPicture]:
    """All images of a dataset, in the original's order.

    Parameters
    ----------
    entry
        Which dataset.
    root
        Where its original files lie unpacked, as torchvision's loader has them.

    Raises
    ------
    DataError
        If the files are damaged, or hold another number of images than were published.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a library's advice to its callers means nothing to a person
            found = list(_READERS[entry.name](root))
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # torchvision's loaders raise whatever the damage leads to
        reason = f"{type(error).__name__}: {error}"
        raise DataError(
            f"{entry.name}: the original files in {root} cannot be read ({reason}); fetch them again"
        ) from error
    if len(found) != entry.images:
        raise DataError(
            f"{entry.name}: must have {entry.images:,} images, the files in {root} hold {len(found):,}; "
            "fetch them again"
        )
    absent = [str(p.content) for p in found if isinstance(p.content, Path) and not p.content.is_file()]
    if absent:
        raise DataError(
            f"{entry.name}: {len(absent):,} of its images are missing, first {absent[0]}; fetch them again"
        )
    return found


def _cifar(
    root: Path, folder: str, names: str, label_bytes: int, files: dict[str, str]
) -> Iterator[LabelledPicture]:
    """The last of the label bytes is the class; CIFAR-100 has its coarse class before it."""
    classes = (root / folder / names).read_text(encoding="ascii").split()
    counts = dict.fromkeys(files.values(), 0)
    for file, split in files.items():
        rows = np.fromfile(root / folder / file, np.uint8).reshape(-1, label_bytes + _CIFAR_PIXELS)
        images = rows[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        for label, image in zip(rows[:, label_bytes - 1], images, strict=True):
            yield LabelledPicture(split, classes[label], f"{counts[split]:05}.png", image)
            counts[split] += 1


def _idx(root: Path, loader: str) -> Iterator[LabelledPicture]:
    mnist = _torchvision().mnist
    # MNIST's names are "0 - zero" and so on; the digit alone is the word that is written.
    classes = [name.partition(" - ")[0] for name in getattr(mnist, loader).classes]
    folder = root / loader / "raw"
    for split, part in (("train", "train"), ("test", "t10k")):
        images = mnist.read_image_file(str(folder / f"{part}-images-idx3-ubyte")).numpy()
        labels = mnist.read_label_file(str(folder / f"{part}-labels-idx1-ubyte")).tolist()
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield LabelledPicture(split, classes[label], f"{number:05}.png", image)


def _flowers(root: Path) -> Iterator[LabelledPicture]:
    for split, part in (("train", "train"), ("validation", "val"), ("test", "test")):
        loader = _torchvision().Flowers102(root, split=part)
        yield from _files(split, loader.classes, loader._labels, loader._image_files)


def _pets(root: Path) -> Iterator[LabelledPicture]:
    for split, part in (("train", "trainval"), ("test", "test")):
        loader = _torchvision().OxfordIIITPet(root, split=part)
        yield from _files(split, loader.classes, loader._labels, loader._images)


def _food(root: Path) -> Iterator[LabelledPicture]:
    for split in ("train", "test"):
        loader = _torchvision().Food101(root, split=split)
        yield from _files(split, loader.classes, loader._labels, loader._image_files)


def _eurosat(root: Path) -> Iterator[LabelledPicture]:
    loader = _torchvision().EuroSAT(root)
    files = [path for path, _ in loader.samples]
    yield from _files("", loader.classes, loader.targets, files)


def _torchvision() -> Any:
    from torchvision import datasets  # type: ignore[import-untyped]

    return datasets


def _files(split: str, classes: list[str], labels: list[int], files: list[Any]) -> Iterator[LabelledPicture]:
    for label, file in zip(labels, files, strict=True):
        yield LabelledPicture(split, classes[label], Path(file).name, Path(file))


_READERS: dict[str, Callable[[Path], Iterator[LabelledPicture]]] = {
    "cifar10": partial(
        _cifar,
        folder="cifar-10-batches-bin",
        names="batches.meta.txt",
        label_bytes=1,
        files={f"data_batch_{number}.bin": "train" for number in range(1, 6)} | {"test_batch.bin": "test"},
    ),
    "cifar100": partial(
        _cifar,
        folder="cifar-100-binary",
        names="fine_label_names.txt",
        label_bytes=2,
        files={"train.bin": "train", "test.bin": "test"},
    ),
    "fashion-mnist": partial(_idx, loader="FashionMNIST"),
    "mnist": partial(_idx, loader="MNIST"),
    "flowers102": _flowers,
    "oxford-pets": _pets,
    "food101": _food,
    "eurosat": _eurosat,
}
