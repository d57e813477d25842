"""labels_given.py: under which labels a photo is filed."""

import pytest

from fieldguide.prediction.labels_given import labels_given
from fieldguide.prediction.result import Prediction, refused


@pytest.mark.parametrize(
    ("prediction", "labels"),
    [
        (Prediction("a", "cat", 0.9, 0.5, False, ("cat",), ()), ("cat",)),
        (Prediction("a", "cat", 0.9, 0.0, True, ("cat",), ()), ()),
        (Prediction("a", "cat", 0.9, 0.5, False, ("cat",), (), labels=("cat", "sea")), ("cat", "sea")),
        (Prediction("a", "cat", 0.1, 0.5, False, ("cat",), (), labels=()), ()),
        (refused("a", "missing", "there is none"), ()),
    ],
)
def test_a_photo_is_filed_under_what_the_model_stands_by(prediction, labels):
    assert labels_given(prediction) == labels
