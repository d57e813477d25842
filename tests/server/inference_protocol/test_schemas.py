"""The JSON of the Open Inference Protocol as this server takes it."""

import json

import pytest
from pydantic import ValidationError

from fieldguide.server.inference_protocol.schemas import OUTPUTS, InferRequest, WantedOutput
from inference_made import tensor


def read(**changes):
    return InferRequest.model_validate_json(json.dumps({"inputs": [tensor()], **changes}))


def test_parameters_that_are_not_known_are_ignored_as_the_protocol_wants():
    request = read(parameters={"sequence_id": 7, "binary_data_output": True}, id="a")
    assert request.parameters.binary_data_output is True and request.id == "a"


def test_every_output_can_be_named():
    request = read(outputs=[{"name": name, "parameters": {"binary_data": False}} for name in OUTPUTS])
    assert [output.name for output in request.outputs] == list(OUTPUTS)
    with pytest.raises(ValidationError, match="name"):
        WantedOutput(name="scores")


@pytest.mark.parametrize(
    "changes",
    [{"id": "x" * 257}, {"id": 7}, {"inputs": []}, {"inputs": [tensor(shape=[1, 1, 1, 1, 1])]}, {"more": 1}],
)
def test_what_is_out_of_range_is_refused(changes):
    with pytest.raises(ValidationError):
        read(**changes)
