"""How large the values grow that no image has a part in."""

import numpy as np
import pytest
from onnx import helper, numpy_helper

from fieldguide.modelfile.constants import MAX_ELEMENTS, NOTHING, constant_of, define, result_of
from fieldguide.modelfile.wire_format import Unacceptable, read_model
from hostile_model import field


def node(*arguments, **attributes):
    content = helper.make_node(*arguments, **attributes).SerializeToString()
    return read_model(field(7, 2, field(1, 2, content)))["graph"]["node"][0]


def scope(**arrays):
    """Tensors by name; None for what depends on the image."""
    known = {"": NOTHING}
    for name, array in arrays.items():
        if array is None:
            known[name] = None
            continue
        tensor = numpy_helper.from_array(np.asarray(array)).SerializeToString()
        known[name] = constant_of(read_model(field(7, 2, field(5, 2, tensor)))["graph"]["initializer"][0])
    return known


def test_what_depends_on_the_image_is_not_bounded():
    assert result_of(node("Mul", ["a", "image"], ["y"]), scope(a=np.ones(5), image=None)) is None


def test_what_is_computed_from_constants_counts_their_product():
    given = scope(a=np.ones(1000), b=np.ones((50, 2)))
    assert result_of(node("Mul", ["a", "b"], ["y"]), given).elements == 100_000
    wide = scope(a=np.ones(20_000), b=np.ones(20_000))
    with pytest.raises(Unacceptable, match=r"Mul would make 4e\+08 elements, allowed are 134,217,728"):
        result_of(node("Mul", ["a", "b"], ["y"]), wide)


@pytest.mark.parametrize(
    ("operator", "operands", "elements"),
    [
        ("ConstantOfShape", {"size": [30, 40]}, 2 * 1200),
        ("Range", {"start": 0, "limit": 100, "step": 4}, 25),
        ("Expand", {"x": np.ones(3), "size": [7, 3]}, 3 * 2 * 21),
    ],
)
def test_sizes_that_the_file_states_are_counted(operator, operands, elements):
    given = scope(**{name: np.array(value) for name, value in operands.items()})
    assert result_of(node(operator, list(operands), ["y"]), given).elements == elements


def test_sizes_beyond_the_limit_and_ranges_without_a_step_are_refused():
    with pytest.raises(Unacceptable, match="ConstantOfShape would make"):
        result_of(node("ConstantOfShape", ["size"], ["y"]), scope(size=np.array([MAX_ELEMENTS, 2])))
    given = scope(start=np.array(0), limit=np.array(9), step=np.array(0))
    with pytest.raises(Unacceptable, match="Range would make inf elements"):
        result_of(node("Range", ["start", "limit", "step"], ["y"]), given)


def test_a_size_that_is_computed_cannot_be_told():
    given = scope(a=np.array([2]))
    given["size"] = result_of(node("Mul", ["a", "a"], ["size"]), given)
    with pytest.raises(
        Unacceptable, match="the size that ConstantOfShape takes is hidden behind a computation"
    ):
        result_of(node("ConstantOfShape", ["size"], ["y"]), given)


def test_names_are_made_once_and_before_they_are_used():
    known = scope(a=np.ones(1))
    with pytest.raises(Unacceptable, match="two values have the name 'a'"):
        define(known, b"a", None)
    define(known, b"", None)
    assert known[""] is NOTHING
    with pytest.raises(Unacceptable, match="Neg takes 'b', which nothing before it makes"):
        result_of(node("Neg", ["b"], ["y"]), known)
