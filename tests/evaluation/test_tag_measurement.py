"""Measuring a model of tags."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import DataError
from fieldguide.evaluation.tag_measurement import tag_answers_to, tags_measured_by
from fieldguide.prediction.result import TagDecisionRule
from fieldguide.tasks.tags import Tags

CLASSES = ("cat", "dog")


class Model:
    """Answers by the first letters of names: `c`, `d`, `cd`; `x` is refused."""

    classes = CLASSES

    def __init__(self, coverage=0.95):
        self.card = {
            "thresholds": {"unknown": 0.01, "coverage": coverage, "set": 0.3, "tags": [0.5, 0.5]},
            "data": {},
        }
        self.rule = TagDecisionRule(CLASSES, 0.01, 0.3, 2, given_from=np.array([0.5, 0.5], np.float32))

    def predict_stream(self, sources):
        for path in sources:
            name = Path(path).stem.rstrip("0123456789")
            if name == "x":
                yield self.rule.refused(path, "truncated", "it ends early")
            else:
                chances = np.array([0.9 if letter in name else 0.1 for letter in "cd"], np.float32)
                yield self.rule(path, chances, np.float32(0.5))


def data(**tags):
    paths = tuple(f"/photos/{name}.jpg" for name in tags)
    return Dataset(Path("/photos"), paths, ("",) * len(paths), tags=tuple(tags.values()))


def measured_on(model, photos):
    return tags_measured_by(model, photos, tag_answers_to(model, photos))


def test_answers_refusals_and_strangers():
    photos = data(c=Tags(("cat",)), cd=Tags(("cat", "dog", "fox")), x=Tags(("dog",)), n=Tags())
    measured = measured_on(Model(), photos)
    assert measured.n == 3
    assert measured.exact_match.value == 1
    assert [refusal.path for refusal in measured.refused] == ["x.jpg"]
    assert measured.strangers == (("fox", 1),)
    assert measured.learned is None
    assert measured.shift is None


def test_photos_that_nobody_has_looked_at_are_left_out():
    photos = data(c=Tags(("cat",)), d=Tags(("dog",)), cd=None)
    assert measured_on(Model(), photos).n == 2


def test_broken_promises_are_said():
    photos = data(**{f"n{row}": Tags(("cat",)) for row in range(40)}, d=Tags(("dog",)))
    assert "prediction sets hold the truth" in measured_on(Model(), photos).shift.summary
    assert measured_on(Model(coverage=None), photos).shift is None


def test_no_tag_in_common_and_nothing_readable():
    with pytest.raises(DataError, match="none of its tags is one of the model; the model knows 'cat', 'dog'"):
        tag_answers_to(Model(), data(c=Tags(("fox",))))
    with pytest.raises(DataError, match=r"none of its 1 images could be read; the first: x\.jpg"):
        tag_answers_to(Model(), data(x=Tags(("cat",))))


def test_answers_are_in_order_of_the_data():
    photos = data(d=Tags(("dog",)), x=Tags(), c=Tags(("cat",)))
    answers = tag_answers_to(Model(), photos)
    assert answers.rows.tolist() == [0, 2]
    assert answers.outcomes.given.tolist() == [[False, True], [True, False]]
    assert replace(answers).outcomes.tags.tolist() == [[0, 1], [1, 0]]
