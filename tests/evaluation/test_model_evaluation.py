from pathlib import Path

import numpy as np

from fieldguide.data.dataset import Dataset
from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.evaluation.model_evaluation import ModelEvaluation
from fieldguide.evaluation.result import Outcomes, measure


def test_doubts_stand_in_the_json_beside_the_figures():
    probabilities = np.array([[0.9, 0.1], [0.4, 0.6]])
    outcomes = Outcomes.of(
        np.array([0, 1]), probabilities, np.ones(2), set_threshold=0.5, unknown_threshold=0.01
    )
    plain = measure(outcomes, ("a", "b"))
    images = Dataset(Path("photos"), ("a.jpg", "b.jpg"), ("a", "b"))
    beside = {"model": "m.onnx", "data": "photos", "outcomes": outcomes, "images": images}
    whole = ModelEvaluation.of(plain, **beside, doubts=(Doubt("odd", "it is odd"),))
    assert whole.accuracy == plain.accuracy
    assert whole.as_dict() == {**plain.as_dict(), "doubts": [Doubt("odd", "it is odd").as_dict()]}
