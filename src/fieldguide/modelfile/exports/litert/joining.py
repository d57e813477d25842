"""What ONNX files spell out in steps and LiteRT has as one operator: GELU, and a scale with a shift."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import onnx.helper
from numpy.typing import NDArray

NEARLY = 1e-6
"""How far the constants may be from their own values."""


def join_gelu(graph: onnx.GraphProto, constants: Mapping[str, NDArray[Any]]) -> None:
    """Write ``Gelu`` for ``x / √2 → Erf → + 1 → · ½ → · x``, factors in any order.

    Hendrycks and Gimpel (2016), "Gaussian Error Linear Units".

    Parameters
    ----------
    graph
        Changed in place.
    constants
        By name.
    """
    made, uses = _made(graph), _uses(graph)
    kept, gone = [], set()
    for node in reversed(graph.node):
        if id(node) in gone:
            continue
        chain = _chain(node, made, constants)
        if chain is None or any(uses[one.output[0]] != 1 for one in chain):
            kept.append(node)
            continue
        gone |= {id(one) for one in chain}
        kept.append(onnx.helper.make_node("Gelu", [chain[-1].input[0]], node.output))
    del graph.node[:]
    graph.node.extend(reversed(kept))


def join_scales(graph: onnx.GraphProto, constants: Mapping[str, NDArray[Any]]) -> None:
    """Write ``ScaleShift`` for ``x · scale → + shift`` with a number a channel, as pixels are normalised.

    Parameters
    ----------
    graph
        Changed in place.
    constants
        By name.
    """
    made, uses = _made(graph), _uses(graph)
    gone: list[onnx.NodeProto] = []
    for node in graph.node:
        before = made.get(node.input[0]) if node.op_type == "Add" else None
        if before is None or before.op_type != "Mul" or uses[before.output[0]] != 1:
            continue
        if all(_by_channel(constants.get(name)) for name in (before.input[1], node.input[1])):
            inputs = [*before.input, node.input[1]]
            node.CopyFrom(onnx.helper.make_node("ScaleShift", inputs, node.output))
            gone.append(before)
    for node in gone:
        graph.node.remove(node)


def _by_channel(content: NDArray[Any] | None) -> bool:
    """Whether a constant holds a number for each channel of a map."""
    return content is not None and content.ndim in (3, 4) and content.size == content.shape[-3] > 1


def _made(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    return {name: node for node in graph.node for name in node.output}


def _uses(graph: onnx.GraphProto) -> dict[str, int]:
    uses = {output.name: 1 for output in graph.output}
    for name in (name for node in graph.node for name in node.input):
        uses[name] = uses.get(name, 0) + 1
    return uses


def _chain(
    last: onnx.NodeProto, made: Mapping[str, onnx.NodeProto], constants: Mapping[str, NDArray[Any]]
) -> list[onnx.NodeProto] | None:
    """The four steps before the last one, latest first; None where it is no GELU."""
    if last.op_type != "Mul":
        return None
    for source, halved in (tuple(last.input), tuple(last.input)[::-1]):
        chain: list[onnx.NodeProto] = []
        name = halved
        for kind, value in (("Mul", 0.5), ("Add", 1.0), ("Erf", None), ("Div", np.sqrt(2))):
            step = made.get(name)
            found = None if step is None or step.op_type != kind else _other(step, value, constants)
            if step is None or found is None:
                break
            chain.append(step)
            name = found
        if len(chain) == 4 and name == source:
            return chain
    return None


def _other(step: onnx.NodeProto, value: float | None, constants: Mapping[str, NDArray[Any]]) -> str | None:
    """The input that is computed, where the other one is the constant `value`."""
    if value is None:
        return str(step.input[0])
    inputs = list(step.input)
    if step.op_type != "Div":
        inputs.sort(key=lambda one: one in constants)
    content = constants.get(inputs[1])
    if content is None or content.size != 1 or abs(float(content.ravel()[0]) - value) > NEARLY:
        return None
    return str(inputs[0])
