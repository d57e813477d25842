"""The network of `cnn` before it has learned anything: its own, or the architecture that was asked for."""

import numpy as np
import torch
from scipy.special import logit
from torch import nn

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn.layers import own_network
from fieldguide.recipes.cnn.network import WHITENING_IMAGES, Convolutional, stride_for, widths_for
from fieldguide.recipes.cnn.presets import preset_of
from fieldguide.recipes.common import Options
from fieldguide.recipes.networks.images import Images
from fieldguide.recipes.networks.network import FeatureNetwork, NetworkClassifier
from fieldguide.tasks.task import Task

RAREST = 1e-3
"""Share of a tag that its bias begins with, at least."""


def network_for(
    images: Images, preprocessing: Preprocessing, options: Options, *, mirrored: bool
) -> NetworkClassifier:
    """Make the network: the recipe's own, or the architecture that was asked for."""
    own = options.settings.get("architecture")
    if own is None:
        body, width = _convolutional(images, preprocessing, preset_of(options).wide)
    else:
        body, width = own_network(own, preprocessing.size)
    tags = images.task is Task.MULTIPLE
    linear = nn.Linear(width, len(images.classes), bias=tags or own is not None)
    if tags:  # absent tags are most of what there is to learn: begin where every tag is as likely as it is
        with torch.no_grad():
            linear.bias.copy_(torch.from_numpy(logit(np.clip(images.shares(), RAREST, 1 - RAREST))))
    shifted = preset_of(options).shifted
    features = FeatureNetwork(body, preprocessing, mirrored=mirrored, shifted=shifted)
    return NetworkClassifier(features, linear).to(memory_format=torch.channels_last)


def _convolutional(images: Images, preprocessing: Preprocessing, wide: float) -> tuple[nn.Module, int]:
    size = preprocessing.size
    body = Convolutional(widths_for(size, wide), stride_for(size))
    chosen = np.random.default_rng(0).permutation(images.learn)[:WHITENING_IMAGES]
    pixels = torch.from_numpy(images.table.images[np.sort(chosen)]).permute(0, 3, 1, 2)
    body.set_whitening(FeatureNetwork(body, preprocessing).normalised(pixels))
    return body, body.features
