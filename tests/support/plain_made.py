"""timm's networks with random weights, for tests of those that are built without torch."""

from functools import cache

import numpy as np
import onnxruntime
import timm
import torch

from fieldguide.backbones.taps import DEFAULT_TAPS
from fieldguide.backbones.timm_networks.tapped_network import TappedNetwork
from fieldguide.images.preprocessing import Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@cache
def network(name):
    """One of timm's networks with random weights, whose batch norms and biases matter."""
    torch.manual_seed(0)
    # VGG's linear layers are 470 MB; narrower ones are the same layers.
    made = timm.create_model(name, **({"mlp_ratio": 0.01} if name.startswith("vgg") else {}))
    for key, tensor in made.state_dict().items():
        if key.endswith(("running_mean", "bias")):
            tensor.uniform_(-0.1, 0.1)
        if key.endswith("running_var"):
            tensor.uniform_(0.8, 1.4)
    return made.eval().requires_grad_(False)


def preprocessing(size):
    return Preprocessing(size, mean=MEAN, std=STD)


def pixels(count, size):
    return np.random.default_rng(size).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def run(model, images):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return dict(
        zip((o.name for o in session.get_outputs()), session.run(None, {"pixels": images}), strict=True)
    )


def in_torch(name, size, head, taps=DEFAULT_TAPS):
    return TappedNetwork(network(name), taps, (MEAN, STD), size, head).eval()


def assert_near(found, wanted, tolerance=1e-5):
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max()
