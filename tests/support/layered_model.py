"""A model file with large layers of every kind, made by hand: what exporting has to tell apart."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fieldguide.modelfile.artifact import seal
from fieldguide.modelfile.preprocessing_graph import preprocessing_model
from tiny_model import PREPROCESSING, card, with_card

WIDTH = 160
"""Its square is more than an exported layer must have at least."""


def layered(seed=0):
    """The model, without a card and not sealed, and its weights by name."""
    random = np.random.default_rng(seed)

    def weights(*shape):
        # Channels of very different size, as the ones that one scale for a whole layer would destroy.
        sizes = 10.0 ** random.uniform(-3, 0, (shape[0], *[1] * (len(shape) - 1)))
        return (random.normal(size=shape) * sizes).astype(np.float32)

    tensors = {
        "first": weights(WIDTH, 3, 1, 1),
        "wide": weights(WIDTH, WIDTH, 1, 1),
        "by_channel": weights(WIDTH, 1, 11, 11),
        "matrix": np.ascontiguousarray(weights(WIDTH, WIDTH).T),
        "turned": weights(WIDTH, WIDTH),
        "plain": np.ascontiguousarray(weights(WIDTH, WIDTH).T),
        "head/weights": weights(WIDTH, WIDTH),
        "to_three": weights(WIDTH, 3),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["numbers"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["planes", "first"], ["a"]),
        helper.make_node("Conv", ["a", "wide"], ["b"]),
        helper.make_node("Conv", ["b", "by_channel"], ["c"], group=WIDTH, pads=[5, 5, 5, 5]),
        helper.make_node("GlobalAveragePool", ["c"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "matrix"], ["d"]),
        helper.make_node("Gemm", ["d", "turned"], ["e"], transB=1),
        helper.make_node("Gemm", ["e", "plain"], ["embedding"]),
        helper.make_node("MatMul", ["embedding", "head/weights"], ["f"]),
        helper.make_node("MatMul", ["f", "to_three"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ReduceMax", ["probabilities", "columns"], ["typicality"], keepdims=0),
    ]
    body = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "h", "w", 3])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3]),
            helper.make_tensor_value_info("typicality", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", WIDTH]),
        ],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()]
        + [numpy_helper.from_array(np.array([1]), "columns")],
    )
    network = helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    start = onnx.compose.add_prefix(
        preprocessing_model(PREPROCESSING), "preprocessing/", rename_inputs=False, rename_outputs=False
    )
    return onnx.compose.merge_models(start, network, io_map=[("pixels", "pixels")]), tensors


def write_layered_model(path, seed=0):
    """Write it as a model file and return its path."""
    path.write_bytes(seal(with_card(layered(seed)[0], card())))
    return path
