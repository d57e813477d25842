"""What fine-tuning trains: a backbone, fixed standardisation of its features, and the probe's classifier."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fieldguide.heads.training_table import TrainingTable
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.graph import Head
from fieldguide.recipes.finetune.layers import Adapted
from fieldguide.recipes.networks.network import FeatureNetwork, NetworkClassifier


class FineTuned(nn.Module):
    """From normalised images, or from what the frozen layers made of them, to class scores.

    Features of different depths differ in size a hundredfold. Standardised by the numbers of the images
    learned from, which stay as they are, one rate suits all weights of the classifier.

    Parameters
    ----------
    body
        The backbone.
    table
        Its features of the images learned from, before anything changes.
    head
        The linear probe of these images: where the classifier starts.
    log_priors
        Subtracted from the classifier's scores, of shape (n_classes,); 0 leaves the probe's own.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self, body: Adapted, table: TrainingTable, head: Head, log_priors: NDArray[np.float64]
    ) -> None:
        super().__init__()
        self.body = body
        self.register_buffer("mean", torch.from_numpy(table.mean.copy()))
        self.register_buffer("deviation", torch.from_numpy(table.scale.copy()))
        weights = torch.from_numpy(head.weights.T.astype(np.float64))
        self.linear: nn.Linear = nn.Linear(weights.shape[1], weights.shape[0])
        with torch.no_grad():
            bias = torch.from_numpy(head.bias - log_priors)
            self.linear.weight.copy_(weights * self.deviation)
            self.linear.bias.copy_(bias + weights @ self.mean.double())

    def forward(self, images: Tensor, early: Tensor | None = None) -> Tensor:
        """Map images, or frozen layers' output with the features that stand already, to scores."""
        features = self.body(images) if early is None else self.body.rest(images, early)
        # In float32: bfloat16 keeps two digits, and thousands of features are added up.
        with torch.autocast(features.device.type, enabled=False):
            scores: Tensor = self.linear((features.float() - self.mean) / self.deviation)
        return scores

    def classifier(self, preprocessing: Preprocessing) -> NetworkClassifier:
        """The same network with the standardisation folded into its linear layer."""
        linear = nn.Linear(self.linear.in_features, self.linear.out_features)
        with torch.no_grad():
            weights = self.linear.weight.double() / self.deviation.double()
            linear.weight.copy_(weights)
            linear.bias.copy_(self.linear.bias.double() - weights @ self.mean.double())
        return NetworkClassifier(FeatureNetwork(self.body, preprocessing), linear)

    def groups(self, rate: float, head_rate: float, decay: float, layer_decay: float) -> list[dict[str, Any]]:
        """Parameters with their rates, as an optimiser takes them.

        Parameters
        ----------
        rate
            Of the backbone's last layer.
        head_rate
            Of the classifier.
        decay
            Weight decay; not of norms, biases and the classifier, which starts where the probe put it.
        layer_decay
            The rate of each layer is so many times that of the layer above it.
        """
        head = {"params": list(self.linear.parameters()), "lr": head_rate, "weight_decay": 0.0}
        return [*_layer_groups(self.body.tapped.network, rate, decay, layer_decay), head]


class PooledFeatures(nn.Module):
    """The features of a fine-tuned network beside those from before it learned; what is frozen runs once.

    Parameters
    ----------
    after, before
        The same backbone with two states of its weights.
    """

    def __init__(self, after: Adapted, before: Adapted) -> None:
        super().__init__()
        self.after: Adapted = after
        self.before: Adapted = before

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (batch, 3, size, size) to both networks' features (batch, 2 n_features)."""
        if not self.after.frozen_steps:
            return torch.cat([self.after(images), self.before(images)], dim=1)
        frozen = self.after.first(images)
        return torch.cat([self.after.rest(*frozen), self.before.rest(*frozen)], dim=1)


def pooled_classifier(
    after: FineTuned,
    before: FineTuned,
    factors: tuple[NDArray[np.float64], NDArray[np.float64]],
    preprocessing: Preprocessing,
) -> NetworkClassifier:
    """Make one network whose scores are those of two, each times a factor, or one a class, added up."""
    parts = [network.classifier(preprocessing).linear for network in (after, before)]
    linear = nn.Linear(2 * parts[0].in_features, parts[0].out_features)
    with torch.no_grad():
        times = [torch.from_numpy(factor).float().expand(linear.out_features) for factor in factors]
        weights = [own[:, None] * part.weight for own, part in zip(times, parts, strict=True)]
        linear.weight.copy_(torch.cat(weights, dim=1))
        linear.bias.copy_(times[0] * parts[0].bias + times[1] * parts[1].bias)
    return NetworkClassifier(FeatureNetwork(PooledFeatures(after.body, before.body), preprocessing), linear)


def _layer_groups(network: nn.Module, rate: float, decay: float, layer_decay: float) -> list[dict[str, Any]]:
    from timm.optim._param_groups import param_groups_layer_decay

    groups: list[dict[str, Any]] = param_groups_layer_decay(network, decay, layer_decay=layer_decay)
    return [{**group, "lr": rate} for group in groups if group["params"]]
