"""Files of weights with random numbers in any publisher's layout, made without torch."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.graph import GraphBuilder
from fieldguide.backbones.plain.keras_file import COUNTED
from fieldguide.backbones.plain.layers import CLASSIFIER, KERAS, Layers
from fieldguide.backbones.plain.tapped import logits, normalised
from fieldguide.backbones.plain.vgg import HIDDEN

NARROW = 40
"""Outputs of VGG's first linear layer, which would be 410 MB."""
SIZE = 96


class Invented(Layers):
    """Gives random tensors instead of a file's, and keeps them as the file would have them."""

    def __init__(self, layout, classes):
        super().__init__({}, layout, Path("none"), "none")
        self.state, self._classes = {}, classes
        self._random = np.random.default_rng(0)

    def has(self, place):
        return place in self._layout.names

    def width(self, place):
        return {CLASSIFIER: self._classes, HIDDEN[0]: NARROW}.get(place, 4096)

    def _take(self, name, shape, turn=None):
        word = name.rpartition(".")[2]
        if word in ("running_var", "moving_variance", "gamma") or (word == "weight" and len(shape) == 1):
            values = self._random.uniform(0.8, 1.4, shape)
        else:
            values = self._random.normal(0, (2 / np.prod(shape[1:])) ** 0.5 if len(shape) > 1 else 0.1, shape)
        values = values.astype(np.float32)
        self.state[name] = np.ascontiguousarray(self._as_kept(values))
        return values

    def _as_kept(self, values):
        if self._layout.words is not KERAS or values.ndim == 1:
            return values
        if values.ndim == 2:
            return values.T
        if values.shape[1] == 1 and values.shape[2] > 1:
            return values.transpose(2, 3, 0, 1)  # depthwise
        kept = values.transpose(2, 3, 1, 0)
        return kept.reshape(-1, len(values)) if values.shape[2] == 7 and values.shape[1] > 3 else kept


def invented(architecture, published, classes=1000):
    """Name → tensor of a network as one publisher keeps it."""
    layers = Invented(published.layout, classes)
    graph = GraphBuilder(SIZE)
    passage = published.network.run(graph, layers, normalised(graph, (0.5,) * 3, (0.5,) * 3))
    logits(graph, passage, layers)
    state = layers.state
    if published.stated:
        state["normalization.mean"] = np.array((0.485, 0.456, 0.406), np.float32)
        state["normalization.variance"] = np.array((0.229, 0.224, 0.225), np.float32)
    return state


def layouts(architecture):
    """Every publisher's layout of an architecture, in which a file would name its layers."""
    publishers = ARCHITECTURES[architecture]
    return [one for one in publishers if not one.layout.names[CLASSIFIER].layer.startswith(COUNTED)]


def write_weights(path, architecture, published, classes=1000):
    """Write a file: `.h5` for Keras's layouts, else `.safetensors`."""
    state = invented(architecture, published, classes)
    if published.layout.words is not KERAS:
        save_file(state, path.with_suffix(".safetensors"))
        return path.with_suffix(".safetensors")
    return write_keras(path.with_suffix(".h5"), state)


def write_keras(path, state):
    """As `save_weights_to_hdf5_group` of Keras does."""
    import h5py

    layers = {}
    for name, values in state.items():
        layer, _, word = name.rpartition(".")
        layers.setdefault(layer, {})[word] = values
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.encode() for layer in layers]
        for layer, tensors in layers.items():
            group = file.create_group(layer)
            if "mean" in tensors:
                tensors["count"] = np.array(0)
            words = [word for word in _ORDER if word in tensors]
            group.attrs["weight_names"] = [f"{layer}/{word}:0".encode() for word in words]
            for word in words:
                group.create_dataset(f"{layer}/{word}:0", data=tensors[word])
    return path


_ORDER = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "mean", "variance", "count")
