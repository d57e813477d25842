"""What the recipes share that train a network step by step: images held out, the file, its promises.

images → learned from | held out (DATA's validation split, or a part that keeps look-alikes together)
       → network trained on the one, watched on the other
       → exported; the exported file's answers to the held-out images set every promise
"""

import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fieldguide import calibration, familiarity
from fieldguide.backbone_onnx import to_onnx
from fieldguide.checkpoint import TrainingFolder
from fieldguide.dataset import Dataset
from fieldguide.discriminant import Table
from fieldguide.errors import DataError
from fieldguide.graph import Head, head_model
from fieldguide.loop import Plan, Task, Trained, Watch, train_network
from fieldguide.pixel_table import PixelTable, decode
from fieldguide.precision import Precision
from fieldguide.preprocess import Preprocessing
from fieldguide.probe import COVERAGE, as_distance, told_promises
from fieldguide.recipes.common import OutOfFold, Setting
from fieldguide.recipes.material import fingerprint
from fieldguide.splits import duplicate_groups, split_groups
from fieldguide.threads import usable_cores

HELD_OUT = 0.2
"""Share of the images that is held out, …"""
MOST_HELD_OUT = 2000
"""… at most so many: they choose a temperature, a threshold and an epoch, for which more are not needed."""
BATCH = 32
MEASURED_ON = "images held out from training, which also watched it and set the calibration"


@dataclass(frozen=True)
class Images:
    """The images of a training run as pixels, some of them held out."""

    table: PixelTable
    classes: tuple[str, ...]
    """In column order."""
    numbers: NDArray[np.int64]
    """Class number of each row of the table, of shape (n_kept,)."""
    learn: NDArray[np.int64]
    """Rows to learn from, growing."""
    held: NDArray[np.int64]
    """Rows held out, growing."""
    told: str
    """A sentence on how they were held out."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over contents and labels of all images."""
        return fingerprint(self.table.digests, [self.classes[number] for number in self.numbers])

    def shares(self) -> NDArray[np.float64]:
        """Share of each class among the images to learn from, of shape (n_classes,)."""
        return np.bincount(self.numbers[self.learn], minlength=len(self.classes)) / len(self.learn)


def gather(dataset: Dataset, preprocessing: Preprocessing, setting: Setting) -> Images:
    """Decode a data set and hold a part of it out.

    Parameters
    ----------
    dataset
        Training images.
    preprocessing
        How an image becomes pixels.
    setting
        Seed, cache and progress; its `validation`, where DATA has one, is what is held out.

    Raises
    ------
    DataError
        If without the refused images there are not two classes, or nothing can be held out.
    """
    validation = _known(setting.validation, dataset.classes)
    extra = validation.paths if validation is not None else ()
    table = decode((*dataset.paths, *extra), preprocessing, folder=setting.cache, progress=setting.progress)
    labels = np.array((*dataset.labels, *(validation.labels if validation is not None else ())))[table.rows]
    own = int((table.rows < len(dataset)).sum())
    classes = tuple(sorted(set(labels[:own].tolist())))
    _check(dataset, classes, own, table)
    if own < len(labels):
        known = np.isin(labels, classes)
        held = np.flatnonzero(known & (np.arange(len(labels)) >= own))
        learn, told = np.arange(own), f"{len(held)} images of DATA's validation split held out"
    else:
        learn, held, told = _split(dataset, table, labels, setting.seed)
    numbers = np.searchsorted(np.array(classes), labels).astype(np.int64)
    return Images(table, classes, numbers, learn, held, told)


def _known(validation: Dataset | None, classes: Sequence[str]) -> Dataset | None:
    """The part of a validation split whose labels can be learned; None if there is none."""
    if validation is None:
        return None
    rows = [row for row, label in enumerate(validation.labels) if label in set(classes)]
    return validation.take(np.asarray(rows, dtype=np.int64)) if rows else None


def _check(dataset: Dataset, classes: tuple[str, ...], own: int, table: PixelTable) -> None:
    if len(classes) < 2:
        raise DataError(
            f"{dataset.root}: need images of two classes that can be read, got {own} images of "
            f"{len(classes)} after {len(table.refused)} were refused; look at the refusals"
        )


def _split(
    dataset: Dataset, table: PixelTable, labels: NDArray[np.str_], seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    named = None if dataset.groups is None else [dataset.groups[row] for row in table.rows]
    groups = duplicate_groups(len(labels), table.digests, table.signatures, named)
    fraction = min(HELD_OUT, MOST_HELD_OUT / len(labels))
    out = split_groups(labels.tolist(), groups, fraction, seed)
    if not out.any() or len(set(labels[~out].tolist())) < 2:
        raise DataError(
            f"{dataset.root}: too few separate photos to hold some out; add photos (duplicates and images "
            "of one group count once)"
        )
    twins = len(labels) - int(groups.max()) - 1
    together = f"; {twins} near-duplicates or group members kept on one side" if twins else ""
    told = f"{int(out.sum())} of {len(labels)} images held out to watch training and to calibrate{together}"
    return np.flatnonzero(~out), np.flatnonzero(out), told


class FeatureNetwork(nn.Module):
    """From uint8 pixels to the features that the last, linear layer of a learned network sees.

    Parameters
    ----------
    body
        From normalised images (batch, 3, size, size) to features (batch, n_features).
    preprocessing
        Its mean and standard deviation are applied here.
    mirrored
        Whether features are the mean of an image's own and its mirror image's. The scores, being linear in
        them, are then the mean of both, at twice the price.
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, body: nn.Module, preprocessing: Preprocessing, *, mirrored: bool = False) -> None:
        super().__init__()
        self.body, self.mirrored = body, mirrored
        self.size, self.head = preprocessing.size, False
        mean, std = (
            torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)
            for values in (preprocessing.mean, preprocessing.std)
        )
        self.register_buffer("scale", (1 / (255 * std)).float())
        self.register_buffer("shift", (-mean / std).float())

    def normalised(self, images: Tensor) -> Tensor:
        """Map uint8 images (batch, 3, height, width) to what the body takes."""
        return images.float() * self.scale + self.shift

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        """Map pixels (batch, size, size, 3) to features."""
        images = self.normalised(pixels.permute(0, 3, 1, 2))
        features = self.body(images)
        if self.mirrored:
            features = (features + self.body(images.flip(3))) / 2
        return (features,)


class Classifier(nn.Module):
    """What is trained: the features of a network and a linear layer on them.

    Parameters
    ----------
    features
        Its body and how pixels are normalised.
    linear
        From its features to class scores.
    """

    def __init__(self, features: FeatureNetwork, linear: nn.Linear) -> None:
        super().__init__()
        self.features, self.linear = features, linear

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (batch, 3, size, size) to scores (batch, n_classes)."""
        scores: Tensor = self.linear(self.features.body(images))
        return scores


class Batches:
    """Images and labels by row, on the device of the network once it is known.

    Parameters
    ----------
    images
        Whose pixels are served; as long as they are in memory they move to a GPU as a whole.
    """

    def __init__(self, images: Images) -> None:
        self._pixels = torch.from_numpy(images.table.images).permute(0, 3, 1, 2)
        self._labels = torch.from_numpy(images.numbers)
        self._learn, self._held = torch.from_numpy(images.learn), torch.from_numpy(images.held)
        self._movable = not isinstance(images.table.images, np.memmap)

    def learn(self, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """Images (batch, 3, size, size), uint8, and labels (batch,) at `rows` of those to learn from."""
        return self._at(self._learn[rows], device)

    def held(self, device: torch.device, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images held out and their labels, a batch after the other."""
        for start in range(0, len(self._held), batch):
            yield self._at(self._held[start : start + batch], device)

    def _at(self, places: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        if self._movable and self._pixels.device != device:
            self._pixels, self._labels = self._pixels.to(device), self._labels.to(device)
        own = places.to(self._pixels.device)
        return self._pixels[own].to(device), self._labels[own].to(device)


def validated(
    network: Classifier, batches: Batches, precision: Precision, batch: int = 256
) -> tuple[float, float]:
    """Mean loss and accuracy of a network on the images held out."""
    device = network.linear.weight.device
    loss, right, count = 0.0, 0, 0
    half = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed")
    with torch.no_grad(), half:
        for images, labels in batches.held(device, batch):
            scores = network(network.features.normalised(images)).float()
            loss += float(nn.functional.cross_entropy(scores, labels, reduction="sum"))
            right += int((scores.argmax(1) == labels).sum())
            count += len(labels)
    return loss / count, right / count


def run(task: Task, plan: Plan, setting: Setting, name: str) -> Trained:
    """Train with checkpoints where the setting has a folder for them.

    Parameters
    ----------
    task, plan
        What and how long.
    setting
        Folder, option `resume`, progress and report.
    name
        From :func:`run_name`.

    Raises
    ------
    OutputError
        If another run uses the folder.
    TrainingError
        If the loss is no number from the start.
    """
    watch = Watch(setting.progress, setting.report)
    if setting.folder is None:
        return train_network(task, plan, None, watch)
    with TrainingFolder(setting.folder, name) as folder:
        if not setting.options.get("resume"):
            folder.forget()
        trained = train_network(task, plan, folder, watch)
        if not trained.interrupted:
            folder.clear()
    return trained


@dataclass(frozen=True)
class Promised:
    """An exported network with a head whose promises rest on the held-out images."""

    body: onnx.ModelProto
    head: onnx.ModelProto
    set_threshold: float
    out_of_fold: OutOfFold
    choices: tuple[str, ...]


def promise(
    network: Classifier,
    images: Images,
    depths: tuple[tuple[str, int], ...],
    setting: Setting,
) -> Promised:
    """Export a trained network and calibrate it on the images held out, as the exported file sees them.

    Parameters
    ----------
    network
        Trained.
    images
        What it was trained on and watched with.
    depths
        Name and width of each part of the features, from early to late.
    setting
        Seed and progress.
    """
    network = network.cpu().eval()
    content, linear = to_onnx(network.features, "the trained network"), network.linear
    learn = _sample(images.learn, familiarity.MOST_IMAGES, setting.seed)
    rows = np.concatenate([learn, images.held])
    table = Table.of(
        _features(content, images.table.images, rows, setting),
        images.numbers[rows],
        np.r_[np.ones(len(learn), np.int64), np.zeros(len(images.held), np.int64)],
    )
    weights = linear.weight.detach().cpu().numpy().T.astype(np.float64)
    bias = linear.bias.detach().cpu().numpy().astype(np.float64) if linear.bias is not None else 0.0
    truth = images.numbers[images.held]
    scores = table.vectors[len(learn) :].astype(np.float64) @ weights + bias
    # Training has seen the classes as often as they come, so their shares are in the scores already.
    even = np.full(len(images.classes), 1 / len(images.classes))
    calibrated = calibration.calibrate(scores, truth, even)
    probabilities = calibrated.probabilities(scores)
    columns = familiarity.deep_columns(depths)
    directions = familiarity.most_directions(len(learn), len(images.classes), len(columns))
    fitted = familiarity.fit(table, columns, np.arange(len(learn)), setting.seed, directions)
    distances = fitted.distances_of(table.rows(slice(len(learn), None), columns)).astype(np.float64)
    head = Head(
        **vars(as_distance(table, fitted, distances)),
        weights=(weights / calibrated.temperature).astype(np.float32),
        bias=np.broadcast_to(bias / calibrated.temperature, len(images.classes)).astype(np.float32),
    )
    return Promised(
        body=onnx.load_model_from_string(content),
        head=head_model(head),
        set_threshold=calibration.set_threshold(probabilities[np.arange(len(truth)), truth], COVERAGE),
        out_of_fold=OutOfFold(
            images.table.rows[images.held], truth, probabilities, calibration.own_typicality(distances)
        ),
        choices=told_promises(calibrated, len(distances)),
    )


def _sample(rows: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _features(
    content: bytes, images: NDArray[np.uint8], rows: NDArray[np.int64], setting: Setting
) -> NDArray[np.float32]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = usable_cores()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    parts = []
    for start in range(0, len(rows), BATCH):
        setting.progress("measuring the trained network", start, len(rows))
        parts.append(session.run(["features"], {"pixels": images[rows[start : start + BATCH]]})[0])
    setting.progress("measuring the trained network", len(rows), len(rows))
    return np.concatenate(parts)


def run_name(images: Images, *parts: Any) -> str:
    """Name everything that a run's weights depend on, for its checkpoints."""
    text = json.dumps([images.fingerprint, images.learn.tolist(), *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Of what decides the course of a training run."""
    return {name: importlib.metadata.version(name) for name in ("fieldguide", "torch", "torchvision", "timm")}
