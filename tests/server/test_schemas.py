"""The JSON of the first version of the API."""

import re

import pytest
from pydantic import ValidationError

from fieldguide.prediction.result import refused
from fieldguide.server.schemas import BASE64, PredictionRow, PredictRequest


@pytest.mark.parametrize(
    ("text", "right"),
    [("", True), ("AAAA", True), ("AA==", True), ("AAA=", True), ("AAA", False), ("A*==", False)],
)
def test_the_pattern_is_standard_base64_with_padding(text, right):
    assert bool(re.fullmatch(BASE64, text)) == right


@pytest.mark.parametrize(
    "body", ['{"images": "AAAA"}', '{"images": [1]}', '{"images": [], "url": "x"}', "[]", "{}"]
)
def test_a_request_holds_texts_and_nothing_else(body):
    with pytest.raises(ValidationError):
        PredictRequest.model_validate_json(body)


def test_what_predict_writes_is_a_row_of_the_document():
    row = refused("a.jpg", "truncated", "it ends early").as_row()
    del row["path"]
    assert PredictionRow.model_validate(row).model_dump(exclude_unset=True) == row
    with pytest.raises(ValidationError):
        PredictionRow.model_validate({**row, "top": [{"label": "a", "probability": 1.5}]})
