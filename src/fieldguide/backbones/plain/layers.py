"""A network's layers by their place in it, found in a publisher's file under whatever names they have there.

A *place* is this package's own name for a layer, such as ``blocks.3.1.expand``; the families of networks use
no other. A :class:`WeightLayout` says under which names a publisher keeps each place.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.plain.graph import FloatArray, Kernel, Norm
from fieldguide.errors import BackboneError

Shape = tuple[int, ...]
State = Mapping[str, NDArray[Any]]

CLASSIFIER = "classifier"
"""The place of the last linear layer; all others are the families' own."""


@dataclass(frozen=True)
class Names:
    """Under which names a layer's tensors are kept."""

    layer: str
    """Before ``.weight`` and ``.bias`` of a convolution or linear layer."""
    norm: str | None = None
    """Before the names of the batch norm behind it; None where it has none."""


@dataclass(frozen=True)
class Words:
    """What the last words of names are called."""

    weight: str = "weight"
    bias: str = "bias"
    norm: tuple[str, str, str, str] = ("weight", "bias", "running_mean", "running_var")
    """Scale, shift, mean and variance of a batch norm."""


TORCH = Words()
KERAS = Words("kernel", "bias", ("gamma", "beta", "moving_mean", "moving_variance"))


@dataclass(frozen=True)
class WeightLayout:
    """How one publisher keeps the layers of one network."""

    publisher: str
    """For messages."""
    names: Mapping[str, Names]
    """Place → names, in the order of the network."""
    words: Words = TORCH
    bgr: bool = False
    """Whether the network was trained on blue, green and red, in this order."""
    unused: tuple[str, ...] = ()
    """Beginnings of the names of tensors that only training needs."""
    scaled_norms: bool = True
    """Whether batch norms have a scale; Keras leaves it out of some networks, where it is one."""

    @property
    def tensors(self) -> set[str]:
        """The names of all weights, which tell one publisher's file from another's."""
        return {f"{names.layer}.{self.words.weight}" for names in self.names.values()}


class Layers:
    """The tensors of a file, taken place by place; one that is taken is let go, to spare memory.

    Parameters
    ----------
    state
        Name → tensor, as :func:`fieldguide.backbones.plain.weights.read_weights` gives it.
    layout
        Under which names each place is kept.
    path
        The file, for messages.
    architecture
        The network's name, for messages.
    """

    def __init__(self, state: State, layout: WeightLayout, path: Path, architecture: str) -> None:
        self._left = {
            name: values
            for name, values in state.items()
            if not name.endswith(".num_batches_tracked") and not name.startswith(layout.unused)
        }
        self._layout, self._path, self._architecture = layout, path, architecture

    def has(self, place: str) -> bool:
        """Whether the network has such a place, and the file holds its weights."""
        return place in self._layout.names and self._name(place) in self._left

    def width(self, place: str) -> int:
        """How many outputs a linear layer or convolution has, as the file says.

        Raises
        ------
        BackboneError
            If the file lacks it.
        """
        values = self._left.get(self._name(place))
        if values is None:
            raise self._misfit(f"tensor {self._name(place)} is missing")
        if values.ndim not in (2, 4):
            raise self._misfit(f"tensor {self._name(place)} has shape {values.shape}, which no layer has")
        return int(values.shape[0] if self._layout.words is TORCH else values.shape[-1])

    def kernel(self, place: str, shape: Shape, epsilon: float, bias: bool | None = False) -> Kernel:
        """Take a convolution and, where the layout names one, the batch norm behind it.

        Parameters
        ----------
        place
            Which.
        shape
            That its weight must have: (n_out, n_in / groups, height, width).
        epsilon
            Of the batch norm.
        bias
            Whether it has a bias; None takes one where the file has it.

        Raises
        ------
        BackboneError
            Naming the first tensor that is missing or of another shape.
        """
        names, words = self._layout.names[place], self._layout.words
        weight = self._take(f"{names.layer}.{words.weight}", shape, self._as_kernel)
        if self._layout.bgr and place == next(iter(self._layout.names)):
            weight = weight[:, ::-1]
        name = f"{names.layer}.{words.bias}"
        wanted = name in self._left if bias is None else bias
        values = self._take(name, shape[:1]) if wanted else None
        return Kernel(weight, values, self._norm(names.norm, shape[0], epsilon))

    def finish(self) -> None:
        """See that nothing is left.

        Raises
        ------
        BackboneError
            Naming a tensor that belongs to no part of the network.
        """
        if self._left:
            raise self._misfit(f"tensor {next(iter(self._left))} belongs to no part of the network")

    def leave_out(self, place: str) -> None:
        """Let a place's tensors go that are not needed."""
        names, words = self._layout.names[place], self._layout.words
        for word in (words.weight, words.bias):
            self._left.pop(f"{names.layer}.{word}", None)

    def _norm(self, name: str | None, channels: int, epsilon: float) -> Norm | None:
        if name is None:
            return None
        words = self._layout.words.norm
        scaled = self._layout.scaled_norms
        scale = self._take(f"{name}.{words[0]}", (channels,)) if scaled else np.ones(channels, np.float32)
        shift, mean, variance = (self._take(f"{name}.{word}", (channels,)) for word in words[1:])
        return Norm(scale, shift, mean, variance, epsilon)

    def _name(self, place: str) -> str:
        return f"{self._layout.names[place].layer}.{self._layout.words.weight}"

    def _take(
        self, name: str, shape: Shape, turn: Callable[[NDArray[Any], Shape], NDArray[Any]] | None = None
    ) -> FloatArray:
        values = self._left.pop(name, None)
        if values is None:
            raise self._misfit(f"tensor {name} of shape {shape} is missing")
        fitting = turn(values, shape) if turn else values
        if fitting.shape != shape:
            turned = f" (as {fitting.shape})" if fitting.shape != values.shape else ""
            raise self._misfit(f"tensor {name} has shape {values.shape}{turned}, the network needs {shape}")
        if not np.isfinite(fitting).all():
            raise self._misfit(f"tensor {name} holds values that are not finite; the file is damaged")
        return fitting.astype(np.float32, copy=False)

    def _as_kernel(self, values: NDArray[Any], shape: Shape) -> NDArray[Any]:
        if self._layout.words is KERAS:
            values = _channels_first(values, shape)
        # A linear layer over a flattened map and a convolution as large as the map are the same.
        same = values.ndim != len(shape) and values.size == math.prod(shape) and values.shape[:1] == shape[:1]
        return values.reshape(shape) if same else values

    def _misfit(self, reason: str) -> BackboneError:
        return BackboneError(
            f"{self._path}: does not fit {self._architecture} in {self._layout.publisher}'s layout: {reason}"
        )


def _channels_first(values: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Turn a kernel of Keras, whose outputs come last, into torch's order."""
    if values.ndim == 2 and len(shape) == 4 and len(values) == math.prod(shape[1:]):
        values = values.reshape(*shape[2:], shape[1], -1)  # a linear layer sees (row, column, channel)
    if values.ndim != 4:
        return values.T
    depthwise = len(shape) == 4 and shape[1] == 1 and values.shape[2:] == (shape[0], 1)
    return values.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
