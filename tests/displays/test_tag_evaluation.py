"""How a measurement of tags shows itself."""

import dataclasses

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import OptionError, Refusal
from fieldguide.evaluation.model_evaluation import ModelTagEvaluation
from fieldguide.evaluation.tag_result import TagOutcomes, measure_tags


@pytest.fixture
def outcomes():
    tags = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 5, np.int8)
    probabilities = np.where(tags == 1, 0.8, 0.3)
    probabilities[0] = (0.2, 0.9)
    return TagOutcomes.of(
        tags,
        probabilities,
        np.ones(20),
        thresholds=np.full(2, 0.5),
        set_threshold=0.25,
        unknown_threshold=0.01,
    )


@pytest.fixture
def measured(outcomes, tmp_path):
    paths = tuple(f"{row}.jpg" for row in range(20))
    images = Dataset(tmp_path, paths, ("",) * 20)
    plain = measure_tags(outcomes, ("beach", "<b>dog"))
    return ModelTagEvaluation.of(plain, model="m.onnx", data="photos", outcomes=outcomes, images=images)


def test_text_html_table_and_plots(measured):
    assert repr(measured).startswith("m.onnx on photos")
    page = measured._repr_html_()
    assert "&lt;b&gt;dog" in page
    assert "<b>dog" not in page
    assert measured.to_pandas()["label"].tolist() == ["beach", "<b>dog"]
    for kind in ("precision", "reliability"):
        assert measured.plot(kind) is not None


def test_warnings_are_shown(measured):
    warned = dataclasses.replace(measured, refused=(Refusal("x", "empty", "m"),), strangers=(("fox", 3),))
    page = warned._repr_html_()
    assert "1 photo could not be read" in page
    assert "no tags of the model: fox" in page


def test_reliability_needs_the_answers(outcomes):
    with pytest.raises(OptionError, match="reliability needs the answers"):
        measure_tags(outcomes, ("beach", "dog")).plot("reliability")
