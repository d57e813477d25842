"""Support vector machines and forests as ONNX: from `features` to `scores`, in standard operators alone.

A converter would write operators of `ai.onnx.ml`, with every node of every tree as protobuf fields of its
own, some ten a node, and a reader of model files stops at 2,000,000. As tensors and `Gather` the same trees
are a handful of fields, and a model file needs no operator that it may not have.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx.checker
import onnx.compose
import onnx.parser
from numpy.typing import NDArray

from fieldguide.heads.forest import Forest
from fieldguide.heads.kernel_machine import Machine, Scaling
from fieldguide.modelfile.operators import IR_VERSION, OPSET

_FRAME = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
classifier (float[batch, {features}] features) => (
    float[batch, {classes}] scores, float[batch, {features}] features_seen
) {{
    features_seen = Identity (features)
BODY
}}
"""
_LINEAR = "    scores = Gemm (features, weights, bias)"
_KERNEL = """
    moved = Sub (features, mean)
    scaled = Mul (moved, factor)
    squares = Mul (scaled, scaled)
    norm = ReduceSum <keepdims: int = 1> (squares, last_axis)
    products = MatMul (scaled, twice_landmarks)
    beside = Sub (landmark_norms, products)
    distances = Add (norm, beside)
    exact = Relu (distances)
    exponent = Mul (exact, minus_gamma)
    kernel = Exp (exponent)
    scores = Gemm (kernel, weights, bias)"""
_STEP = """
    feature{n} = Gather (feature, at{n})
    column{n} = Cast <to: int = 6> (feature{n})
    value{n} = GatherElements <axis: int = 1> (features, column{n})
    threshold{n} = Gather (threshold, at{n})
    low{n} = LessOrEqual (value{n}, threshold{n})
    high{n} = Gather (offset, at{n})
    step{n} = Where (low{n}, one, high{n})
    at{next} = Add (at{n}, step{n})"""


_LOG_ODDS = """
    likely = Log (smoothed)
    rest = Sub (whole, share)
    smoothed_rest = Add (rest, smoothing)
    unlikely = Log (smoothed_rest)
    scores = Sub (likely, unlikely)"""


def machine_model(machine: Machine, scaling: Scaling) -> onnx.ModelProto:
    """Build the model of a support vector machine; its outputs are `scores` and `features_seen`."""
    constants: dict[str, NDArray[Any]]
    if machine.landmarks is None:
        weights = machine.weights * scaling.factor[:, None]
        constants = {"weights": weights, "bias": machine.bias - scaling.mean @ weights}
        return parsed(_LINEAR, constants, (len(scaling.mean), len(machine.bias)))
    constants = {
        "weights": machine.weights,
        "bias": machine.bias,
        "mean": scaling.mean,
        "factor": scaling.factor,
        "twice_landmarks": np.ascontiguousarray(2 * machine.landmarks.T),
        "landmark_norms": (machine.landmarks**2).sum(1),
        "minus_gamma": np.array(-machine.gamma, dtype=np.float32),
        "last_axis": np.array([1], dtype=np.int64),
    }
    return parsed(_KERNEL, constants, (len(scaling.mean), len(machine.bias)))


def forest_model(forest: Forest, features: int) -> onnx.ModelProto:
    """Build the model of a forest; its outputs are `scores` and `features_seen`."""
    start = f"""
    shape = Shape <start: int = 0, end: int = 1> (features)
    trees = Constant <value_ints: ints = [{len(forest.roots)}]> ()
    both = Concat <axis: int = 0> (shape, trees)
    at0 = Expand (roots, both)"""
    steps = "".join(_STEP.format(n=step, next=step + 1) for step in range(forest.depth))
    end = f"""
    leaf = Gather (row, at{forest.depth})
    leaf_row = Cast <to: int = 6> (leaf)
    votes = Gather (distributions, leaf_row)
    share = ReduceMean <keepdims: int = 0> (votes, tree_axis)
    smoothed = Add (share, smoothing)
    """ + (_LOG_ODDS if forest.tags else "scores = Log (smoothed)")
    constants: dict[str, NDArray[Any]] = {
        "roots": forest.roots[None],
        "feature": forest.feature,
        "threshold": forest.threshold,
        "offset": forest.offset,
        "row": forest.row,
        "distributions": forest.distributions,
        "one": np.array(1, dtype=np.int32),
        "tree_axis": np.array([1], dtype=np.int64),
        "smoothing": np.array(forest.smoothing, dtype=np.float32),
    }
    if forest.tags:
        constants["whole"] = np.array(1.0, dtype=np.float32)
    return parsed(start + steps + end, constants, (features, forest.distributions.shape[1]))


def parsed(body: str, constants: Mapping[str, NDArray[Any]], sizes: tuple[int, int]) -> onnx.ModelProto:
    """Build a model from `features` to `scores` and `features_seen` from ONNX's own text form.

    Parameters
    ----------
    body
        Its nodes but for `features_seen`.
    constants
        By the names that the nodes use.
    sizes
        Features and classes.
    """
    frame = _FRAME.format(ir_version=IR_VERSION, opset=OPSET, features=sizes[0], classes=sizes[1])
    model = onnx.parser.parse_model(frame.replace("BODY", body))
    for name, value in constants.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    onnx.checker.check_model(model)
    return model


def with_promises(classifier: onnx.ModelProto, head: onnx.ModelProto) -> onnx.ModelProto:
    """Put a head from :func:`~fieldguide.modelfile.graph.scored_head_model` behind a classifier."""
    unique = onnx.compose.add_prefix(
        classifier, "classifier/", rename_inputs=False, rename_outputs=False, rename_nodes=True
    )
    names = [("scores", "scores"), ("features_seen", "features")]
    joined = onnx.compose.merge_models(unique, head, io_map=names)
    joined.graph.name = head.graph.name
    return joined
