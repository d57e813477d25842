import numpy as np
import pytest

from fieldguide.evaluation.abstention import abstaining, accuracy_by_coverage
from fieldguide.evaluation.result import Outcomes

# Four photos: right and sure, right and unsure, wrong and unsure, right but unusual.
OUTCOMES = Outcomes.of(
    np.array([0, 1, 0, 1]),
    np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.05, 0.95]]),
    np.array([0.5, 0.5, 0.5, 0.005]),
    set_threshold=0.1,
    unknown_threshold=0.01,
)


def test_without_thresholds_everything_is_answered():
    found = abstaining(OUTCOMES, unknown_below=0.0, sure_from=0.0)
    assert (found.n, found.answered, found.wrong_answers, found.withheld_right) == (4, 4, 1, 0)
    assert found.accuracy.value == pytest.approx(0.75)


def test_each_threshold_withholds_its_own():
    unusual = abstaining(OUTCOMES, unknown_below=0.01, sure_from=0.0)
    assert (unusual.answered, unusual.wrong_answers, unusual.withheld_right) == (3, 1, 1)
    unsure = abstaining(OUTCOMES, unknown_below=0.0, sure_from=0.8)
    assert (unsure.answered, unsure.wrong_answers, unsure.withheld_right) == (2, 0, 1)


def test_no_answers_have_no_accuracy():
    assert abstaining(OUTCOMES, unknown_below=1.0, sure_from=1.0).accuracy is None


def test_accuracy_falls_from_the_surest_to_all():
    assert accuracy_by_coverage(OUTCOMES) == [
        (0.25, 1.0),
        (0.5, 1.0),
        (0.75, pytest.approx(2 / 3)),
        (1.0, 0.75),
    ]
    assert len(accuracy_by_coverage(OUTCOMES, most=2)) == 2
