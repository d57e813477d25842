"""How large the values grow that no image has a part in, and those whose size the file states.

ONNX Runtime computes the former while it loads a file, so a few bytes could ask it for terabytes before the
first image. Sizes that an image decides are not bounded here: whoever serves files of strangers gives the
process a memory limit besides.
"""

import math
from typing import NamedTuple

from fieldguide.modelfile.operators import FOLDABLE, RESTORING, SIZES
from fieldguide.modelfile.tensors import tensor_values
from fieldguide.modelfile.wire_format import Message, Unacceptable, fixed, integers, text_of

MAX_ELEMENTS = 2**27
"""Of a tensor that the file tells an operator to make."""


class Constant(NamedTuple):
    """A value that no image has a part in."""

    elements: float
    """At most so many."""
    source: Message | None
    """The tensor, or the attribute of a `Constant` node, that states it; None where it is computed."""


Scope = dict[str, Constant | None]
"""Every name that exists so far; None for values that depend on the image."""

NOTHING = Constant(1, {"ints": [1]})
"""What an operand is that is left out, by the empty name."""


def constant_of(tensor: Message) -> Constant:
    """A tensor that the file holds."""
    return Constant(tensor_values(tensor).size, tensor)


def define(scope: Scope, name: memoryview | bytes, value: Constant | None) -> None:
    """Add a name to a scope; every name is made once, so that no two readers disagree about it."""
    text = text_of(name)
    if not text:
        return
    if text in scope:
        raise Unacceptable(f"two values have the name {text[:60]!r}")
    scope[text] = value


def result_of(node: Message, scope: Scope) -> Constant | None:
    """What a node gives: None where it depends on the image.

    Raises
    ------
    Unacceptable
        If it is too large, or if that cannot be told.
    """
    operator, names = text_of(node.get("op_type", b"")), [text_of(name) for name in node["input"]]
    for name in names:
        # Nodes out of order would hide from this walk what their operands are.
        if name not in scope:
            raise Unacceptable(f"{operator} takes {name[:60]!r}, which nothing before it makes")
    if operator == "Constant":
        return _stated(node)
    operands = [scope[name] for name in names]
    stated = _stated_size(operator, operands) if operator in SIZES else 1.0
    constants = [operand for operand in operands if operand is not None]
    if len(constants) < len(operands) or operator == "If":
        return None
    if operator not in FOLDABLE and operator not in SIZES:
        raise Unacceptable(f"{operator} is fed by constants alone; compute it before writing the file")
    counts = [max(constant.elements, 1) for constant in constants]
    if operator == RESTORING:
        return Constant(_limited(operator, counts[0]), None)
    return Constant(_limited(operator, max(math.prod(counts) * stated, sum(counts))), None)


def _stated(node: Message) -> Constant:
    if len(node["attribute"]) != 1:
        raise Unacceptable("a Constant must have one value")
    attribute: Message = node["attribute"][0]
    if "t" in attribute:
        return constant_of(attribute["t"])
    return Constant(max(1, len(_values(attribute))), attribute)


def _values(source: Message) -> list[float]:
    """The numbers of a tensor or of the attribute of a `Constant` node."""
    if "dims" in source:
        return [float(number) for number in tensor_values(source)]
    packed = fixed(source.get("floats", []), "float")
    numbers = [float(number) for number in memoryview(packed).cast("f")] if packed else []
    numbers += [float(number) for number in integers(source.get("ints", []))]
    return numbers + [float(source[key]) for key in ("f", "i") if key in source]


def _stated_size(operator: str, operands: list[Constant | None]) -> float:
    """How many elements the size operands of an operator ask for, as far as the file states them."""
    chosen = [operands[place] for place in SIZES[operator] if place < len(operands)]
    if any(operand is not None and operand.source is None for operand in chosen):
        raise Unacceptable(f"the size that {operator} takes is hidden behind a computation")
    sizes = [_values(operand.source) for operand in chosen if operand is not None and operand.source]
    if operator != "Range":
        return _limited(operator, math.prod(max(abs(size), 1) for numbers in sizes for size in numbers))
    if len(sizes) < len(SIZES["Range"]):
        return 1.0
    start, limit, step = (sum(numbers) for numbers in sizes)
    return _limited(operator, abs(limit - start) / abs(step) if step else math.inf)


def _limited(operator: str, elements: float) -> float:
    if not elements <= MAX_ELEMENTS:
        raise Unacceptable(f"{operator} would make {elements:.3g} elements, allowed are {MAX_ELEMENTS:,}")
    return elements
