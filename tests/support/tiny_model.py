"""A complete model file in miniature, made with the onnx package: real preprocessing, one matrix, a card.

Its classes are colours: an image is the colour that its mean is nearest to, which a test can know beforehand.
"""

import json

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.artifact import seal
from fieldguide.modelfile.preprocessing_graph import preprocessing_model

CLASSES = ("red", "green", "blue")
PREPROCESSING = Preprocessing(16)
# 3 x 3: from mean red, green, blue on the scale 0 to 1 to scores.
WEIGHTS = np.eye(3, dtype=np.float32) * 8


def card(classes=CLASSES, **changes):
    """A card with every field of docs/artifact.md."""
    whole = {
        "spec": 2,
        "classes": list(classes),
        "preprocessing": PREPROCESSING.as_dict(),
        "recipe": "linear-probe",
        "backbone": {"name": "tiny", "licence": "MIT", "source": "tests", "digest": "0" * 64},
        "thresholds": {"unknown": 0.01, "coverage": 0.95, "set": 0.05},
        "metrics": {"accuracy": {"value": 1.0, "low": 0.9, "high": 1.0}},
        "data": {"images": 30, "fingerprint": "0" * 64},
        "created": {"fieldguide": "0.1.0"},
        "preset": "balanced",
        "seed": 0,
        "choices": ["None: this model is made by hand."],
    }
    return {**whole, **changes}


def tag_card(**changes):
    """A card of a model of tags."""
    thresholds = {"unknown": 0.01, "coverage": 0.95, "set": 0.6, "tags": [0.75, 0.8, 0.85]}
    return card(**{"spec": 3, "task": "multiple", "thresholds": thresholds, "metrics": {}, **changes})


def tiny_proto(preprocessing=PREPROCESSING, weights=WEIGHTS, *, tags=False):
    """The model as an onnx.ModelProto, without a card and not sealed."""
    last = ("Sigmoid", {}) if tags else ("Softmax", {"axis": 1})
    network = helper.make_model(
        helper.make_graph(
            nodes=[
                helper.make_node("Cast", ["pixels"], ["numbers"], to=TensorProto.FLOAT),
                helper.make_node("Transpose", ["numbers"], ["planes"], perm=[0, 3, 1, 2]),
                helper.make_node("Div", ["planes", "white"], ["shares"]),
                helper.make_node("GlobalAveragePool", ["shares"], ["pooled"]),
                helper.make_node("Flatten", ["pooled"], ["embedding"]),
                helper.make_node("MatMul", ["embedding", "weights"], ["scores"]),
                helper.make_node(last[0], ["scores"], ["probabilities"], **last[1]),
                # Grey images are typical of nothing: typicality is the spread of the mean colour.
                helper.make_node("ReduceMax", ["embedding", "columns"], ["highest"], keepdims=0),
                helper.make_node("ReduceMin", ["embedding", "columns"], ["lowest"], keepdims=0),
                helper.make_node("Sub", ["highest", "lowest"], ["typicality"]),
            ],
            name="network",
            inputs=[helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["n", "h", "w", 3])],
            outputs=[
                helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", weights.shape[1]]),
                helper.make_tensor_value_info("typicality", TensorProto.FLOAT, ["n"]),
                helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3]),
            ],
            initializer=[
                numpy_helper.from_array(np.array(255, dtype=np.float32), "white"),
                numpy_helper.from_array(weights, "weights"),
                numpy_helper.from_array(np.array([1]), "columns"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    return onnx.compose.merge_models(
        onnx.compose.add_prefix(
            preprocessing_model(preprocessing), "preprocessing/", rename_inputs=False, rename_outputs=False
        ),
        network,
        io_map=[("pixels", "pixels")],
    )


def with_card(proto, content):
    """The serialised model with `content` (text, or what JSON can hold) as its card; not sealed."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    text = content if isinstance(content, str) else json.dumps(content)
    helper.set_model_props(copy, {"fieldguide": text})
    return copy.SerializeToString(deterministic=True)


def tiny_model(**changes):
    """The bytes of a model file; `changes` are made to its card."""
    return seal(with_card(tiny_proto(), card(**changes)))


def tiny_tag_model(**changes):
    """The bytes of a model file of tags: each colour by itself, the brighter the more probable."""
    return seal(with_card(tiny_proto(tags=True), tag_card(**changes)))


def write_tiny_model(path, **changes):
    """Write a model file and return its path."""
    path.write_bytes(tiny_model(**changes))
    return path
