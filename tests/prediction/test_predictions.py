import numpy as np

from fieldguide.prediction.predictions import Predictions
from fieldguide.prediction.result import DecisionRule


def test_rows_stand_in_order():
    rule = DecisionRule(("cat", "dog"), unknown_below=0.01, set_from=0.2, top=2)
    answers = Predictions(
        rule(name, np.array(row, np.float32), np.float32(0.4)) for name, row in (("a", [1, 0]), ("b", [0, 1]))
    )
    assert [row["answer"] for row in answers.as_dict()] == ["cat", "dog"]
    assert answers == list(answers) and answers.files == {}
