"""Runs one piece of the classical graph by itself."""

import onnx
import onnxruntime

from fieldguide.backbones.classical.cells import joined, with_numbers


def run(pieces, output, **inputs):
    """The value `output` that some pieces compute from float32 arrays, by name."""
    piece = joined(*pieces)
    numbered = with_numbers(piece.nodes)
    taken = ", ".join(
        f"float[{', '.join(f'{name}{axis}' for axis in range(value.ndim))}] {name}"
        for name, value in inputs.items()
    )
    head = '<ir_version: 10, opset_import: ["" : 18]>'
    model = onnx.parser.parse_model(f"{head} piece ({taken}) => ({output}) {{ {numbered.nodes} }}")
    for name, value in {**numbered.constants, **piece.constants}.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, name))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (result,) = session.run([output.split()[-1]], inputs)
    return result


def planes(image):
    """Pixels of one image as the graph's `planes`."""
    return image[None].transpose(0, 3, 1, 2).astype("float32")
