"""Figures of tags, beside scikit-learn's, and their intervals beside the bootstrap's."""

import numpy as np
import pytest
from sklearn import metrics

from fieldguide.metrics.tags import (
    TagCounts,
    average_precision,
    calibration_errors,
    covered_shares,
    mean_interval,
    tag_averages,
    tag_scores,
)


@pytest.fixture
def answers():
    chance = np.random.default_rng(0)
    probabilities = chance.random((400, 5)).round(2).astype(np.float32)  # with ties
    shown = chance.random((400, 5)) < probabilities * np.array([0.9, 0.6, 0.4, 0.2, 0.05])
    return probabilities, shown, np.ones((400, 5), bool)


def test_average_precision_is_scikit_learns(answers):
    probabilities, shown, known = answers
    found = average_precision(probabilities, shown, known)
    expected = [metrics.average_precision_score(shown[:, tag], probabilities[:, tag]) for tag in range(5)]
    np.testing.assert_allclose(found.values, expected)
    assert found.mean.value == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("average", ["micro", "macro"])
def test_averages_are_scikit_learns(answers, average):
    probabilities, shown, known = answers
    given = probabilities > 0.5
    found = tag_averages(TagCounts.of(shown, given, known))
    for name, score in (
        ("precision", metrics.precision_score),
        ("recall", metrics.recall_score),
        ("f1", metrics.f1_score),
    ):
        expected = score(shown, given, average=average, zero_division=0)
        assert getattr(found, f"{average}_{name}").value == pytest.approx(expected)


def test_scores_by_tag_are_scikit_learns(answers):
    probabilities, shown, known = answers
    scores = tag_scores(TagCounts.of(shown, probabilities > 0.5, known))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(shown, probabilities > 0.5)
    np.testing.assert_allclose(scores.precision, precision)
    np.testing.assert_allclose(scores.recall, recall)
    np.testing.assert_allclose(scores.f1, f1)
    assert scores.support.tolist() == support.tolist()


def test_what_is_not_known_counts_in_no_figure(answers):
    probabilities, shown, _ = answers
    hidden = np.random.default_rng(1).random(shown.shape) < 0.3
    one = average_precision(probabilities, shown, ~hidden)
    for tag in range(5):
        rows = ~hidden[:, tag]
        expected = metrics.average_precision_score(shown[rows, tag], probabilities[rows, tag])
        assert one.values[tag] == pytest.approx(expected)
    counts = TagCounts.of(shown, probabilities > 0.5, ~hidden)
    assert tag_scores(counts).support.tolist() == (shown & ~hidden).sum(0).tolist()
    flipped = average_precision(probabilities, shown ^ hidden, ~hidden)
    np.testing.assert_allclose(flipped.values, one.values)


def bootstrap(figure, count, replicates=300):
    chance = np.random.default_rng(2)
    found = [figure(chance.integers(count, size=count)) for _ in range(replicates)]
    return np.percentile(found, [2.5, 97.5])


@pytest.mark.parametrize(
    "figure",
    [
        lambda p, s, k: average_precision(p, s, k).mean,
        lambda p, s, k: tag_averages(TagCounts.of(s, p > 0.5, k)).micro_f1,
        lambda p, s, k: tag_averages(TagCounts.of(s, p > 0.5, k)).micro_precision,
        lambda p, s, k: tag_averages(TagCounts.of(s, p > 0.5, k)).macro_recall,
        lambda p, s, k: tag_averages(TagCounts.of(s, p > 0.5, k)).macro_f1,
    ],
)
def test_intervals_are_about_as_wide_as_the_bootstraps(answers, figure):
    probabilities, shown, known = (part[:, :4] for part in answers)
    found = figure(probabilities, shown, known)
    low, high = bootstrap(lambda rows: figure(probabilities[rows], shown[rows], known[rows]).value, 400)
    assert found.low < found.value < found.high
    assert 0.75 < (found.high - found.low) / (high - low) < 2


def test_a_tag_that_no_photo_has_has_no_average_precision():
    found = average_precision(
        np.ones((3, 2), np.float32), np.array([[1, 0]] * 3, bool), np.ones((3, 2), bool)
    )
    assert np.isnan(found.values[1])
    assert found.intervals[1] is None
    assert found.mean.value == 1.0
    nothing = average_precision(np.ones((3, 1), np.float32), np.zeros((3, 1), bool), np.ones((3, 1), bool))
    assert nothing.mean is None


def test_no_tag_at_all_is_no_crash():
    nothing = np.zeros((3, 2), bool)
    found = tag_averages(TagCounts.of(nothing, nothing, np.ones((3, 2), bool)))
    assert found.micro_f1.value == found.macro_f1.value == 0


def test_perfect_answers_of_few_photos_stay_uncertain():
    shown = np.array([[1, 0], [0, 1]] * 5, bool)
    found = average_precision(shown.astype(np.float32), shown, np.ones_like(shown)).mean
    assert found.value == found.high == 1
    assert 0.5 < found.low < 0.9


def test_calibration_by_tag(answers):
    probabilities, _, known = answers
    chance = np.random.default_rng(3)
    shown = chance.random(probabilities.shape) < probabilities
    assert calibration_errors(probabilities, shown, known).max() < 0.12
    assert calibration_errors(probabilities, ~shown, known).min() > 0.3
    assert np.isnan(calibration_errors(probabilities, shown, ~known)).all()


def test_covered_shares_are_over_photos_that_have_tags():
    shown = np.array([[1, 1, 1], [0, 0, 0], [1, 0, 0]], bool)
    members = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]], bool)
    assert covered_shares(shown, members).tolist() == pytest.approx([2 / 3, 0.0])


def test_the_mean_of_equal_numbers_is_as_uncertain_as_a_share():
    assert mean_interval(np.ones(10)).low == pytest.approx(0.6915, abs=1e-3)
