"""What is trained: a body that gives features, a linear layer on them, and the images it is fed with."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.metrics.tags import average_precision
from fieldguide.recipes.networks.images import Images
from fieldguide.tasks.tags import NOT_KNOWN, PRESENT, Indicators
from fieldguide.training.precision import Precision

WHOLLY_KNOWN = 1 - 1e-4
"""Of a mixed image: a tag counts only if it is known of all images that it was mixed from."""


class FeatureNetwork(nn.Module):
    """From uint8 pixels to the features that the last, linear layer of a learned network sees.

    Parameters
    ----------
    body
        From normalised images (batch, 3, size, size) to features (batch, n_features).
    preprocessing
        Its mean and standard deviation are applied here.
    mirrored
        Whether features are the mean of an image's own and its mirror image's, at twice the price. The
        scores, being linear in them, are then the mean of both.
    shifted
        Whether half of that mean is of two copies moved by a pixel, up left and down right, at three times
        the price (section 3.5 of https://arxiv.org/abs/2404.00498).
    """

    scale: Tensor
    shift: Tensor

    def __init__(
        self,
        body: nn.Module,
        preprocessing: Preprocessing,
        *,
        mirrored: bool = False,
        shifted: bool = False,
    ) -> None:
        super().__init__()
        self.body: nn.Module = body
        self.mirrored: bool = mirrored
        self.shifted: bool = shifted
        self.size: int = preprocessing.size
        self.head: bool = False
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
        views, weights = [images], [1.0]
        if self.shifted:
            padded = nn.functional.pad(images, (1, 1, 1, 1), mode="reflect")
            views += [padded[:, :, :-2, :-2], padded[:, :, 2:, 2:]]
            weights = [0.5, 0.25, 0.25]
        if self.mirrored:
            views += [view.flip(3) for view in views]
            weights = [weight / 2 for weight in weights * 2]
        if len(views) == 1:
            return (self.body(images),)
        features = self.body(torch.cat(views)).unflatten(0, (len(views), -1))
        return (torch.einsum("v,vbf->bf", torch.tensor(weights), features),)


class NetworkClassifier(nn.Module):
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
        self.features: FeatureNetwork = features
        self.linear: nn.Linear = linear

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
        """Images (batch, 3, size, size), uint8, and labels (batch,) at `rows` of those to learn from.

        Of tags the labels are :data:`fieldguide.tasks.tags.Indicators`, (batch, n_tags).
        """
        return self._at(self._learn[rows], device)

    def labels(self, rows: Tensor, device: torch.device) -> Tensor:
        """Labels (batch,) or tags (batch, n_tags) at `rows` of the images to learn from."""
        places = self._learn[rows].to(self._labels.device)
        return self._labels[places].to(device)

    def held(self, device: torch.device, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """All images held out and their labels, a batch after the other."""
        for start in range(0, len(self._held), batch):
            yield self._at(self._held[start : start + batch], device)

    def _at(self, places: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        if self._movable and self._pixels.device != device:
            self._pixels, self._labels = self._pixels.to(device), self._labels.to(device)
        own = places.to(self._pixels.device)
        return self._pixels[own].to(device), self._labels[own].to(device)


def tag_targets(tags: Tensor) -> Tensor:
    """What a network learns of tags, in a form that may be mixed like a one-hot label.

    Parameters
    ----------
    tags
        :data:`fieldguide.tasks.tags.Indicators`, of shape (batch, n_tags).

    Returns
    -------
    tensor of shape (batch, 2 n_tags)
        Which tags an image has, then which are known.

    Examples
    --------
    >>> tag_targets(torch.tensor([[1, 0, -1]])).tolist()
    [[1.0, 0.0, 0.0, 1.0, 1.0, 0.0]]
    """
    return torch.cat([tags == PRESENT, tags != NOT_KNOWN], dim=1).float()


def binary_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy over images and tags; what is not known counts neither way.

    Parameters
    ----------
    scores
        Log-odds, of shape (batch, n_tags).
    targets
        From :func:`tag_targets`, mixed or as they came.

    Examples
    --------
    >>> targets = tag_targets(torch.tensor([[1, 0, -1]]))
    >>> round(float(binary_loss(torch.tensor([[9.0, -9.0, 50.0]]), targets)), 3)
    0.0
    """
    shown, known = targets.chunk(2, dim=1)
    counted = (known > WHOLLY_KNOWN).float()
    losses = nn.functional.binary_cross_entropy_with_logits(scores, shown, reduction="none")
    return (losses * counted).sum() / counted.sum().clamp(min=1)


def known_count(targets: Tensor) -> Tensor:
    """How many tags of images are known, at least 1: what :func:`binary_loss` divides by.

    Examples
    --------
    >>> float(known_count(tag_targets(torch.tensor([[1, 0, -1]]))))
    2.0
    """
    return (targets.chunk(2, dim=1)[1] > WHOLLY_KNOWN).float().sum().clamp(min=1)


def mean_average_precision(scores: NDArray[np.float64], tags: Indicators) -> float:
    """Mean average precision over the tags that images have; 0 where none has any."""
    found = average_precision(scores.astype(np.float32), tags == PRESENT, tags != NOT_KNOWN)
    return 0.0 if found.mean is None else found.mean.value


def validated(
    network: NetworkClassifier, batches: Batches, precision: Precision, batch: int = 256
) -> tuple[float, float]:
    """Mean loss of a network on the images held out, and its accuracy or, of tags, mean average precision."""
    device = network.linear.weight.device
    half = torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed")
    found: list[tuple[Tensor, Tensor]] = []
    with torch.no_grad(), half:
        for images, labels in batches.held(device, batch):
            scores = network(network.features.normalised(images)).float()
            found.append((scores.cpu(), labels.cpu()))
    scores, labels = (torch.cat(parts) for parts in zip(*found, strict=True))
    if labels.ndim == 2:
        loss = float(binary_loss(scores, tag_targets(labels)))
        return loss, mean_average_precision(scores.double().numpy(), labels.numpy())
    loss = float(nn.functional.cross_entropy(scores.double(), labels))
    return loss, int((scores.argmax(1) == labels).sum()) / len(labels)
