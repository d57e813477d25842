"""Which operators a model file may use."""

import onnx.defs
import pytest

from fieldguide.modelfile.operators import FOLDABLE, OPERATORS, OPSET, RESTORING, SIZES


def test_every_operator_is_one_of_onnx():
    known = {schema.name for schema in onnx.defs.get_all_schemas_with_history() if schema.domain == ""}
    assert known >= OPERATORS
    assert onnx.defs.onnx_opset_version() >= OPSET


@pytest.mark.parametrize(
    "operator", ["Loop", "Scan", "RandomNormal", "SequenceAt", "ImageDecoder", "StringConcat"]
)
def test_what_loops_draws_or_leaves_tensors_is_missing(operator):
    assert operator not in OPERATORS


def test_what_may_be_computed_while_loading_is_allowed_at_all():
    assert FOLDABLE | SIZES.keys() <= OPERATORS
    assert RESTORING in FOLDABLE


def test_operands_that_state_a_size_exist():
    for operator, places in SIZES.items():
        inputs = onnx.defs.get_schema(operator, OPSET).inputs
        assert max(places) < len(inputs), operator
