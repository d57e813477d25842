"""The part of fixed size alone: from resized pixels to the answers, for runtimes that refuse the whole graph.

The graph of a model file resizes by itself, with branches and numbers of 64 bits that many runtimes do not
know. Whoever shrinks photos to the network's square (Pillow's filter that the card names, or the same in
another language) gives them to this part and gets the same answers.
"""

from typing import Any

import onnx
import onnx.checker
import onnx.helper
import onnx.utils

from fieldguide.errors import OptionError
from fieldguide.modelfile.artifact import CARD_KEY, ModelFile
from fieldguide.modelfile.card import written
from fieldguide.modelfile.graph import name_operators_once

SUMMARY = "the part of fixed size alone, for OpenVINO, OpenCV and others; photos are resized by the host"
SUFFIX = "-core.onnx"
"""Added to the name of the model where a person did not choose another."""

INPUT = "pixels"


def convert(model: ModelFile) -> bytes:
    """Cut the preprocessing off a model file.

    Parameters
    ----------
    model
        Checked by :func:`fieldguide.modelfile.artifact.load_model_file`.

    Returns
    -------
    bytes
        An ONNX model with one input, `pixels`: uint8, RGB, of shape (batch, size, size, 3); its outputs are
        those of the model. The same for the same model.

    Raises
    ------
    OptionError
        If the file's graph has no part of fixed size that can be cut off.
    """
    proto = onnx.load_model_from_string(model.content)
    if INPUT not in {name for node in proto.graph.node for name in node.output}:
        raise OptionError(
            f"{model.path}: to core: must hold its preprocessing as a part of its own, which this file does "
            "not; train it again with this version"
        )
    size = model.preprocessing.size
    proto.graph.value_info.append(
        onnx.helper.make_tensor_value_info(INPUT, onnx.TensorProto.UINT8, ["batch", size, size, 3])
    )
    outputs = [output.name for output in proto.graph.output]
    core = onnx.utils.Extractor(proto).extract_model([INPUT], outputs)
    name_operators_once(core)
    core.graph.name = "core"
    del core.metadata_props[:]
    core.metadata_props.add(key=CARD_KEY, value=written(card(model)))
    onnx.checker.check_model(core)
    content: bytes = core.SerializeToString(deterministic=True)
    return content


def card(model: ModelFile) -> dict[str, Any]:
    """What a host must know that runs the part of fixed size: the model's card, and where it came from."""
    return {**model.card, "exported": {"to": "core", "from": model.digest}}


def beside(model: ModelFile) -> bytes:
    """The same as a JSON file, for runtimes that do not show what stands in an ONNX file.

    Without the sketch of the photos learned from, which only fieldguide reads.
    """
    return (written({**without_contents(model), "exported": card(model)["exported"]}) + "\n").encode()


def without_contents(model: ModelFile) -> dict[str, Any]:
    """The model's card without the sketch of the photos learned from, which only fieldguide reads."""
    data = {name: value for name, value in model.card.get("data", {}).items() if name != "contents"}
    return {**model.card, "data": data}
