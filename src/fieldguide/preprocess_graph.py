"""Preprocessing as ONNX operators: Pillow's antialiased resize, written out so that every runtime computes
the same.

ONNX's own ``Resize`` with antialiasing differs from Pillow by one grey level on some 14 % of the pixels of a
photo and by up to 13 near the borders of large ones (measured with ONNX Runtime 1.31), which moves
probabilities by more than 1e-4. Pillow's method is a weighted mean of neighbouring pixels along one axis and
then the other, rounded to 8 bits after each. Here it is two matrix products with the same weights. They are
in double precision, in which sums of 22-bit weights times 8-bit pixels are exact, as Pillow's integers are: a
single pixel off by one level can move a probability by 1e-3.

Source of the weights: Pillow, ``src/libImaging/Resample.c``, ``precompute_coeffs`` and
``normalize_coeffs_8bpc``.
"""

from typing import Any

import numpy as np
import onnx
import onnx.inliner
import onnxscript
from onnxscript import opset18

from fieldguide.model_operators import IR_VERSION, OPSET
from fieldguide.preprocess import Preprocessing

_UINT8, _INT64, _DOUBLE = 2, 7, 11
# Pillow keeps resize weights as integers in units of 2**-22.
_UNIT = float(2**22)
_SUPPORT = {"bicubic": 2.0, "bilinear": 1.0}

# The decorated functions below are read by onnxscript as a small language and never run as Python;
# annotations in the ordinary sense have no place in them.
# mypy: disable-error-code="no-untyped-def,no-untyped-call"
# ruff: noqa: ANN001, ANN202
op: Any = opset18


@onnxscript.script(default_opset=op)
def _bicubic(distance):
    # Keys' cubic convolution with a = -0.5.
    near = ((1.5 * distance - 2.5) * distance) * distance + 1.0
    far = (((distance - 5.0) * distance + 8.0) * distance - 4.0) * -0.5
    return op.Where(distance < 1.0, near, op.Where(distance < 2.0, far, distance * 0.0))


@onnxscript.script(default_opset=op)
def _bilinear(distance):
    return op.Where(distance < 1.0, 1.0 - distance, distance * 0.0)


@onnxscript.script(default_opset=op)
def _rounded(values):
    return op.Clip(op.Floor(values + 0.5), op.CastLike(0.0, values), op.CastLike(255.0, values))


@onnxscript.script(default_opset=op)
def _whole(image):
    return op.Identity(image)


@onnxscript.script(default_opset=op)
def _centre(image):
    shape = op.Shape(image, start=1, end=3)
    shorter = op.ReduceMin(shape, keepdims=1)
    start = (shape - shorter) / op.Constant(value_ints=[2])
    return op.Slice(image, start, start + shorter, op.Constant(value_ints=[1, 2]))


_TAKES: dict[str, Any] = {"squash": _whole, "crop": _centre}
_FILTERS: dict[str, Any] = {"bicubic": _bicubic, "bilinear": _bilinear}


def preprocessing_model(preprocessing: Preprocessing) -> onnx.ModelProto:
    """Build the model from `image` to `pixels`, the network's square.

    Parameters
    ----------
    preprocessing
        Size, mode and filter; mean and standard deviation belong to the network's own graph.

    Returns
    -------
    onnx.ModelProto
        Input `image`, uint8 of shape (batch, height, width, 3), any height and width; output `pixels`, uint8
        of shape (batch, size, size, 3). An image of the network's own size passes unchanged, at no cost.
    """
    function = _taken_and_resized(preprocessing)
    pixel: Any = onnxscript.UINT8
    side = preprocessing.size
    proto = function.to_model_proto(
        input_types=[pixel["batch", "height", "width", 3]], output_types=[pixel["batch", side, side, 3]]
    )
    model = onnx.inliner.inline_local_functions(proto)
    model.ir_version = IR_VERSION
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", OPSET))
    _rename_output(model, "pixels")
    onnx.checker.check_model(model)
    return model


def _rename_output(model: onnx.ModelProto, name: str) -> None:
    old = model.graph.output[0].name
    model.graph.output[0].name = name
    for node in model.graph.node:
        node.output[:] = [name if output == old else output for output in node.output]


def _resize(preprocessing: Preprocessing) -> Any:
    weights, rounded, side = _weights(preprocessing), _rounded, preprocessing.size

    @onnxscript.script(default_opset=op)
    def resize(square):
        height = op.Shape(square, start=1, end=2)
        width = op.Shape(square, start=2, end=3)
        plane = op.Cast(op.Transpose(square, perm=[0, 3, 1, 2]), to=_DOUBLE)
        along_rows = op.Transpose(weights(width), perm=[1, 0])
        along_columns = weights(height)
        sides = op.Constant(value_ints=[side])
        too_wide = op.Max(width - sides, sides * op.Constant(value_ints=[0])) * op.Constant(value_ints=[2])
        if op.Squeeze(op.Greater(height - sides, too_wide)):
            small = rounded(op.MatMul(rounded(op.MatMul(along_columns, plane)), along_rows))
        else:
            small = rounded(op.MatMul(along_columns, rounded(op.MatMul(plane, along_rows))))
        return op.Transpose(op.Cast(small, to=_UINT8), perm=[0, 2, 3, 1])

    return resize


def _weights(preprocessing: Preprocessing) -> Any:
    """The matrix (size, length) that resizes one axis of `length` pixels."""
    filter_function = _FILTERS[preprocessing.interpolation]
    support = _SUPPORT[preprocessing.interpolation]
    size = float(preprocessing.size)
    centres = onnx.numpy_helper.from_array(np.arange(preprocessing.size).reshape(-1, 1) + 0.5)

    @onnxscript.script(default_opset=op)
    def weights(length):
        pixels = op.Cast(op.Squeeze(length), to=_DOUBLE)
        scale = pixels / op.CastLike(size, pixels)
        stretch = op.Max(scale, op.CastLike(1.0, pixels))
        reach = stretch * op.CastLike(support, pixels)
        centre = op.Constant(value=centres) * scale
        first = op.Floor(centre - reach + 0.5)
        last = op.Floor(centre + reach + 0.5)
        place = op.Range(pixels * 0.0, pixels, op.CastLike(1.0, pixels))
        inside = op.And(place >= first, place < last)
        value = filter_function(op.Abs((place - centre + 0.5) / stretch))
        value = op.Where(inside, value, value * 0.0)
        value = value / op.ReduceSum(value, op.Constant(value_ints=[1]), keepdims=1)
        whole = op.Sign(value) * op.Floor(op.Abs(value) * _UNIT + 0.5)
        return whole / _UNIT

    return weights


def _taken_and_resized(preprocessing: Preprocessing) -> Any:
    resize, take, side = _resize(preprocessing), _TAKES[preprocessing.mode], preprocessing.size

    @onnxscript.script(default_opset=op)
    def preprocessing_graph(image):
        shape = op.Shape(image, start=1, end=3)
        equal = op.Cast(op.Equal(shape, op.Constant(value_ints=[side, side])), to=_INT64)
        if op.Cast(op.ReduceMin(equal, keepdims=0), to=9):
            square = op.Identity(image)
        else:
            square = resize(take(image))
        return square

    return preprocessing_graph
