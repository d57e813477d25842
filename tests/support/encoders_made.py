"""Encoders in miniature, as their publishers lay them out."""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fieldguide.modelfile.session import open_session

SIZE, PATCH, WIDTH = 32, 8, 12
MEAN, STD = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]
RESNET_LIKE = {"image_mean": MEAN, "image_std": STD, "size": {"height": SIZE, "width": SIZE}, "resample": 2}


def values(shape, seed=0):
    return (np.random.default_rng(seed).standard_normal(shape) / 8).astype(np.float32)


def encoder(kind="tokens", *, opset=18, elements=TensorProto.FLOAT, size="side", batch="batch"):
    """A small encoder: patches by a convolution, then tokens, a map, a vector, or tokens and a vector."""
    dtype = helper.tensor_dtype_to_np_dtype(elements)
    constants = {
        "patch": values((WIDTH, 3, PATCH, PATCH)),
        "first": values((1, 1, WIDTH), 1),
        "dense": values((WIDTH, 7), 2),
    }
    nodes = [
        helper.make_node("Conv", ["pixel_values", "patch"], ["map"], strides=[PATCH, PATCH]),
        helper.make_node("Relu", ["map"], ["maps"]),
    ]
    outputs = {
        "map": ["maps"],
        "tokens": ["last_hidden_state"],
        "both": ["last_hidden_state", "pooler_output"],
        "vector": ["image_embeds"],
    }[kind]
    if kind != "map":
        constants |= {"rows": np.array([0, WIDTH, -1], np.int64), "two": np.array([0, -1], np.int64)}
        nodes += [
            helper.make_node("Reshape", ["maps", "rows"], ["rows_of"]),
            helper.make_node("Transpose", ["rows_of"], ["patches"], perm=[0, 2, 1]),
            helper.make_node("Shape", ["maps"], ["shape"]),
            helper.make_node("Slice", ["shape", "zero", "one"], ["count"]),
            helper.make_node("Concat", ["count", "ones"], ["expanded"], axis=0),
            helper.make_node("Expand", ["first", "expanded"], ["firsts"]),
            helper.make_node("Concat", ["firsts", "patches"], ["last_hidden_state"], axis=1),
        ]
        constants |= {"zero": np.array([0]), "one": np.array([1]), "ones": np.array([1, WIDTH])}
    if kind in ("both", "vector"):
        name = outputs[-1]
        constants |= {"start": np.array([1]), "end": np.array([2]), "axis": np.array([1])}
        nodes += [
            helper.make_node("Slice", ["last_hidden_state", "start", "end", "axis"], ["second"]),
            helper.make_node("Reshape", ["second", "two"], ["second_row"]),
            helper.make_node("MatMul", ["second_row", "dense"], [name]),
        ]
    tensors = [
        numpy_helper.from_array(v.astype(dtype) if v.dtype == np.float32 else v.astype(np.int64), k)
        for k, v in constants.items()
    ]
    image = helper.make_tensor_value_info("pixel_values", elements, [batch, 3, size, size])
    results = [helper.make_tensor_value_info(name, elements, None) for name in outputs]
    graph = helper.make_graph(nodes, "encoder", [image], results, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def published(folder, model, **settings):
    """A folder in the layout of transformers.js."""
    (folder / "onnx").mkdir(parents=True)
    onnx.save_model(model, folder / "onnx" / "model.onnx")
    (folder / "config.json").write_text(
        json.dumps({"_name_or_path": "someone/encoder", "license": "apache-2.0"})
    )
    (folder / "preprocessor_config.json").write_text(json.dumps(RESNET_LIKE | settings))
    return folder


def pixels(count=3, size=SIZE):
    return np.random.default_rng(5).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def features(exported, given):
    return open_session(exported.path, "", 1).run(["features"], {"pixels": given})[0]
