"""Writes the nodes of a convolutional network's ONNX graph, and folds its batch norms.

Sizes are followed along the way, because TensorFlow's "SAME" padding depends on them; nothing else does.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from fieldguide.errors import BackboneError
from fieldguide.modelfile.operators import IR_VERSION, OPSET

FloatArray = NDArray[np.float32]
Padding = Literal["symmetric", "same", "end"]
"""How a convolution of stride 2 pads: as torch does, on both sides alike; as TensorFlow's SAME, what is odd
at the end; or one row and column at the end, whatever the size (Keras's first MobileNet)."""
Activation = Literal["none", "relu", "relu6", "silu", "hard_swish", "sigmoid", "hard_sigmoid"]

OUTPUTS = ("logits", "features")
_PREFIX = "network/"


@dataclass(frozen=True)
class Map:
    """A value of shape (batch, channels, side, side)."""

    name: str
    """In the graph."""
    channels: int
    side: int


@dataclass(frozen=True)
class Norm:
    """A batch norm at inference, for each channel: (x - mean) / sqrt(variance + epsilon) · scale + shift."""

    scale: FloatArray
    """Of shape (n_channels,), as the others."""
    shift: FloatArray
    mean: FloatArray
    variance: FloatArray
    epsilon: float


@dataclass(frozen=True)
class Kernel:
    """A convolution's weights, with the batch norm behind it."""

    weight: FloatArray
    """Of shape (n_out, n_in / groups, height, width)."""
    bias: FloatArray | None = None
    """Of shape (n_out,)."""
    norm: Norm | None = None

    def folded(self) -> tuple[FloatArray, FloatArray | None]:
        """Weight and bias of the one convolution that does the same as convolution and batch norm.

        The order of the operations is that of onnxscript's rewriter, which torch's exporter ends with, so
        that both give the same bits.
        """
        if self.norm is None:
            return self.weight, self.bias
        norm = self.norm
        with np.errstate(all="ignore"):  # what comes of damaged numbers is noticed where it is written
            factor = norm.scale / np.sqrt(norm.variance + np.float32(norm.epsilon))
            before = np.zeros_like(norm.mean) if self.bias is None else self.bias
            return self.weight * factor.reshape(-1, 1, 1, 1), (before - norm.mean) * factor + norm.shift


class GraphBuilder:
    """Collects nodes and constants; every value is named by what makes it.

    Parameters
    ----------
    size
        Side of the input, in pixels.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        opset = helper.make_opsetid("", OPSET)
        self._model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="fieldguide", opset_import=[opset])
        self._graph = self._model.graph
        self._graph.name = "backbone"
        self._names: set[str] = set()

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add an operator of one output, and return the output's name."""
        output = _own(output)
        self._graph.node.append(helper.make_node(operator, list(inputs), [output], **attributes))
        self._names.add(output)
        return output

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Add a constant, unless it is there already, and return its name.

        Raises
        ------
        BackboneError
            If a value is no finite number.
        """
        name = _own(name)
        if name not in self._names:
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise BackboneError(f"{name}: holds values that are not finite; its weights are damaged")
            # Written in place: a tensor that is made first and then added is copied, which VGG's 400 MB feel.
            kind = helper.np_dtype_to_tensor_dtype(values.dtype)
            self._graph.initializer.add(
                name=name, data_type=kind, dims=values.shape, raw_data=np.ascontiguousarray(values).tobytes()
            )
            self._names.add(name)
        return name

    def convolution(
        self,
        given: Map,
        key: str,
        kernel: Kernel,
        stride: int = 1,
        padding: Padding | Literal["none"] = "symmetric",
    ) -> Map:
        """Add a convolution; the groups follow from the kernel's shape."""
        weight, bias = kernel.folded()
        rows, columns = weight.shape[2:]
        top, bottom = padded(given.side, rows, stride, padding)
        left, right = padded(given.side, columns, stride, padding)
        inputs = [given.name, self.constant(f"{key}.weight", weight)]
        if bias is not None:
            inputs.append(self.constant(f"{key}.bias", bias))
        name = self.node(
            "Conv",
            inputs,
            key,
            group=given.channels // weight.shape[1],
            kernel_shape=[rows, columns],
            pads=[top, left, bottom, right],
            strides=[stride, stride],
        )
        return Map(name, len(weight), (given.side + top + bottom - rows) // stride + 1)

    def activation(self, given: Map, kind: Activation) -> Map:
        """Add a function of single values."""
        return Map(_ACTIVATIONS[kind](self, given.name), given.channels, given.side)

    def max_pool(self, given: Map, size: int, stride: int, padding: int) -> Map:
        """Add max pooling."""
        name = self.node(
            "MaxPool",
            [given.name],
            f"{given.name}.max_pool",
            kernel_shape=[size, size],
            pads=[padding] * 4,
            strides=[stride, stride],
        )
        return Map(name, given.channels, (given.side + 2 * padding - size) // stride + 1)

    def mean_around(self, given: Map, margin_counts: bool) -> Map:
        """Add means over 3 × 3 places around each.

        Parameters
        ----------
        given
            What is averaged.
        margin_counts
            Whether the zeros around a map are averaged too.
        """
        name = self.node(
            "AveragePool",
            [given.name],
            f"{given.name}.mean_around",
            count_include_pad=int(margin_counts),
            kernel_shape=[3, 3],
            pads=[1] * 4,
            strides=[1, 1],
        )
        return Map(name, given.channels, given.side)

    def side_by_side(self, maps: Sequence[Map], output: str) -> Map:
        """Put maps of the same side behind each other, channel by channel."""
        name = self.node("Concat", [one.name for one in maps], output, axis=1)
        return Map(name, sum(one.channels for one in maps), maps[0].side)

    def needs(self, side: int, what: str) -> None:
        """See that an image is large enough.

        Raises
        ------
        BackboneError
            If its side has fewer pixels.
        """
        if self.size < side:
            raise BackboneError(
                f"{what}: takes images of {side} pixels or more, got {self.size}; choose a larger size"
            )

    def add(self, first: Map, second: Map, output: str) -> Map:
        """Add two maps of the same shape."""
        return Map(self.node("Add", [first.name, second.name], output), first.channels, first.side)

    def pooled(self, given: Map, kind: Literal["mean", "max"], keep: bool = False) -> str:
        """Pool a map over its places; to (batch, channels), or with `keep` to (batch, channels, 1, 1).

        What has been pooled is not pooled again.
        """
        output = _own(f"{given.name}.{kind}_pooled" + (".map" if keep else ""))
        if output in self._names:
            return output
        axes = self.constant("places", np.array([2, 3], dtype=np.int64))
        operator = "ReduceMean" if kind == "mean" else "ReduceMax"
        return self.node(operator, [given.name, axes], output, keepdims=int(keep))

    def flat(self, given: Map) -> str:
        """Make a map of one place a vector of shape (batch, channels)."""
        return self.node("Flatten", [given.name], f"{given.name}.flat", axis=1)

    def model(self, outputs: Mapping[str, int]) -> onnx.ModelProto:
        """The model from `pixels`, uint8 of shape (batch, size, size, 3), to outputs of these widths."""
        shape: list[str | int | None] = ["batch", self.size, self.size, 3]
        self._graph.input.append(helper.make_tensor_value_info("pixels", TensorProto.UINT8, shape))
        self._graph.output.extend(
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
            for name, width in outputs.items()
        )
        return self._model


def _own(name: str) -> str:
    """A name that no graph has that this one is joined to; outputs keep theirs."""
    return name if name in OUTPUTS or name.startswith(_PREFIX) else _PREFIX + name


def padded(size: int, kernel: int, stride: int, padding: str) -> tuple[int, int]:
    """Rows of zeros before and after a map of `size` rows that a convolution is given."""
    if padding == "none":
        return 0, 0
    if padding == "end" and stride > 1:
        return 0, kernel - stride
    if padding == "same" and stride > 1:
        total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
        return total // 2, total - total // 2
    return (kernel - 1) // 2, (kernel - 1) // 2


def _single(operator: str, **attributes: Any) -> Callable[[GraphBuilder, str], str]:
    return lambda graph, name: graph.node(operator, [name], f"{name}.{operator.lower()}", **attributes)


def _relu6(graph: GraphBuilder, name: str) -> str:
    bounds = [graph.constant(f"clip.{bound}", np.array(bound, dtype=np.float32)) for bound in (0, 6)]
    return graph.node("Clip", [name, *bounds], f"{name}.relu6")


def _silu(graph: GraphBuilder, name: str) -> str:
    gate = graph.node("Sigmoid", [name], f"{name}.sigmoid")
    return graph.node("Mul", [name, gate], f"{name}.silu")


_ACTIVATIONS: dict[Activation, Callable[[GraphBuilder, str], str]] = {
    "none": lambda graph, name: name,
    "relu": _single("Relu"),
    "relu6": _relu6,
    "silu": _silu,
    "hard_swish": _single("HardSwish"),
    "sigmoid": _single("Sigmoid"),
    "hard_sigmoid": _single("HardSigmoid", alpha=1 / 6, beta=0.5),
}
