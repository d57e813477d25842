"""What a measurement says."""

import numpy as np

from fieldguide.evaluation.measurement import evaluate
from fieldguide.evaluation.result import Outcomes, measure
from measured_made import data
from path_oracle import CLASSES, Oracle


def test_top5_needs_more_than_five_classes():
    assert evaluate(Oracle(), data(("ant", "ant"))).top5 is not None
    assert evaluate(Oracle(CLASSES[:5]), data(("ant", "ant"))).as_dict()["top5"] is None


def test_outcomes_of_probabilities_follow_the_thresholds():
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.35, 0.45], [0.24, 0.26, 0.5]])
    outcomes = Outcomes.of(
        np.array([1, 0, 2]),
        probabilities,
        np.array([0.5, 0.005, 0.2]),
        set_threshold=0.25,
        unknown_threshold=0.01,
    )
    np.testing.assert_array_equal(outcomes.covered, [True, False, True])
    np.testing.assert_array_equal(outcomes.set_size, [2, 2, 2])
    np.testing.assert_array_equal(outcomes.unknown, [False, True, False])
    np.testing.assert_array_equal(outcomes.rank, [1, 2, 0])


def test_the_prediction_set_is_empty_where_no_class_is_probable_enough():
    probabilities = np.array([[0.4, 0.35, 0.25]])
    outcomes = Outcomes.of(
        np.array([0]), probabilities, np.ones(1), set_threshold=0.9, unknown_threshold=0.01
    )
    assert outcomes.set_size.tolist() == [0]
    assert outcomes.covered.tolist() == [False]


def test_measuring_answers_with_a_thousand_classes_is_fast_and_exact():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 1000, 3000)
    probabilities = rng.dirichlet(np.ones(1000), 3000)
    outcomes = Outcomes.of(
        truth, probabilities, rng.random(3000), set_threshold=0.001, unknown_threshold=0.01
    )
    measured = measure(outcomes, tuple(f"c{number}" for number in range(1000)))
    assert measured.accuracy.value == (probabilities.argmax(axis=1) == truth).mean()
    assert measured.mean_set_size == (probabilities >= 0.001).sum(axis=1).mean()
