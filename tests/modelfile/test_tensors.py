"""The tensors of a model file: where their data lie, how many, and that they are numbers."""

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from fieldguide.modelfile import wire_format
from fieldguide.modelfile.tensors import check_tensor, name_of, tensor_values
from hostile_model import constant, field, load
from tiny_model import tiny_proto


def test_one_infinite_number_is_a_bound_and_not_a_weight(tmp_path):
    proto = tiny_proto()
    constant(proto, "bottom", np.float32("-inf"))
    assert load(tmp_path, proto).classes


def read(**fields):
    """A tensor as the reader of files gives it."""
    content = wire_format.read_model(field(7, 2, field(5, 2, TensorProto(**fields).SerializeToString())))
    return content["graph"]["initializer"][0]


@pytest.mark.parametrize(
    "values",
    [[1.5, -2.0], [True, False, True], [2**63 - 1, -(2**63)], [7]],
    ids=["floats", "booleans", "large", "one"],
)
def test_values_come_back_as_they_were(values):
    array = np.array(values)
    raw = read(**fields_of(numpy_helper.from_array(array)))
    check_tensor(raw)
    assert tensor_values(raw).tolist() == values


def fields_of(tensor):
    return {"dims": tensor.dims, "data_type": tensor.data_type, "raw_data": tensor.raw_data}


def test_values_in_the_field_of_their_type_are_the_same():
    single = read(
        dims=[2], data_type=TensorProto.FLOAT16, int32_data=np.float16([1, -0.5]).view("u2").tolist()
    )
    check_tensor(single)
    assert tensor_values(single).tolist() == [1, -0.5]
    wide = read(dims=[1], data_type=TensorProto.UINT64, uint64_data=[2**64 - 1])
    assert tensor_values(wide).tolist() == [2**64 - 1]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (
            {"dims": [3], "data_type": 1, "float_data": [1, 2]},
            r"holds 2 values, its shape \[3\] says otherwise",
        ),
        ({"dims": [-1], "data_type": 1, "float_data": [1]}, "has a negative side"),
        (
            {"dims": [2], "data_type": 1, "float_data": [1, float("inf")]},
            "values that are not finite numbers",
        ),
        ({"dims": [], "data_type": 1, "float_data": [float("nan")]}, "values that are not finite numbers"),
        ({"dims": [1], "data_type": 8}, "has element type 8, which is not allowed"),
        ({"dims": [1], "data_type": 1, "int32_data": [1]}, "in more than one place or in the wrong one"),
        ({"dims": [1], "data_type": 1, "raw_data": b"abc"}, "ends within a value"),
        ({"dims": [1], "data_type": 3, "int32_data": [300]}, "holds a value that its type does not"),
        ({"dims": [1], "data_type": 1, "data_location": 1}, "is kept in another file"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_said_with_its_name(fields, told):
    with pytest.raises(wire_format.Unacceptable, match=f"the tensor 'x' .*{told}"):
        check_tensor(read(name="x", **fields))


def test_long_names_are_cut_and_bytes_that_are_no_text_replaced():
    assert name_of({"name": b"a" * 70}) == repr("a" * 60 + "…")
    assert name_of({"name": b"\xff"}) == repr("\ufffd")
    assert name_of({}) == "''"
