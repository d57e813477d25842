"""What a form is told of a photo."""

from fieldguide.prediction.preannotations.answers import ModelAnswer
from fieldguide.prediction.result import Prediction


def answer(*, unknown):
    row = Prediction("/p/a.jpg", "cat", 0.9, 0.2, unknown, ("cat",), (("cat", 0.9),)).as_row()
    return ModelAnswer.of(row, "a.jpg")


def test_a_known_photo_has_its_label():
    assert answer(unknown=False) == ModelAnswer("a.jpg", "/p/a.jpg", "cat", 0.9, 0.2, {})


def test_an_unknown_one_has_none_and_its_nearest_is_said():
    assert answer(unknown=True).label is None
    assert answer(unknown=True).remark == {"unknown": "like none of the classes, most like cat"}
