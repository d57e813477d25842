"""intervals.py against scipy, against simulation, and at the ends of the scale."""

import numpy as np
import pytest
import scipy.stats

from fieldguide.metrics import classification, intervals

MACROS = {
    "balanced_accuracy": (intervals.balanced_accuracy, classification.balanced_accuracy),
    "macro_recall": (
        intervals.macro_recall,
        lambda c: classification.macro_average(classification.class_scores(c).recall, c),
    ),
    "macro_precision": (
        intervals.macro_precision,
        lambda c: classification.macro_average(classification.class_scores(c).precision, c),
    ),
    "macro_f1": (
        intervals.macro_f1,
        lambda c: classification.macro_average(classification.class_scores(c).f1, c),
    ),
}


@pytest.mark.parametrize(
    ("successes", "n"), [(0, 1), (1, 1), (0, 30), (29, 30), (7, 13), (314, 341), (99_000, 100_000)]
)
def test_a_share_has_the_exact_interval(successes, n):
    expected = scipy.stats.binomtest(successes, n).proportion_ci(method="exact")
    interval = intervals.share(successes, n)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("probability", [1e-4, 0.025, 0.5, 0.975])
@pytest.mark.parametrize(("a", "b"), [(0.7, 0.4), (1, 1), (3.5, 200.25), (50_000, 3), (1e5, 1e5)])
def test_beta_quantile_equals_scipys(probability, a, b):
    expected = scipy.stats.beta.ppf(probability, a, b)
    assert intervals.beta_quantile(probability, a, b) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("name", MACROS)
def test_the_variance_is_the_one_of_resampling(name):
    """The closed form stands for a bootstrap: with many images both give the same width."""
    interval_of, value_of = MACROS[name]
    rng = np.random.default_rng(0)
    joint = np.full((4, 4), 0.02) + np.diag([0.3, 0.2, 0.1, 0.08])
    joint /= joint.sum()
    confusion = rng.multinomial(4000, joint.ravel()).reshape(4, 4)
    draws = rng.multinomial(4000, confusion.ravel() / 4000, size=2000).reshape(-1, 4, 4)
    low, high = np.quantile([value_of(draw) for draw in draws], [0.025, 0.975])
    interval = interval_of(confusion)
    assert interval.value == value_of(confusion)
    assert interval.high - interval.low == pytest.approx(high - low, rel=0.12)
    assert interval.low == pytest.approx(low, abs=0.004)


@pytest.mark.parametrize("name", MACROS)
@pytest.mark.parametrize(("classes", "n", "right"), [(2, 12, 0.85), (5, 100, 0.98), (10, 60, 0.8)])
def test_small_samples_are_covered_where_a_percentile_bootstrap_fails(name, classes, n, right):
    interval_of, value_of = MACROS[name]
    rng = np.random.default_rng(1)
    joint = np.full((classes, classes), (1 - right) / (classes - 1)) + np.eye(classes) * (
        right - (1 - right) / (classes - 1)
    )
    joint *= np.geomspace(1, 0.25, classes)[:, None]
    joint /= joint.sum()
    truth, hits = value_of(joint), 0
    for draw in rng.multinomial(n, joint.ravel(), size=400).reshape(-1, classes, classes):
        interval = interval_of(draw)
        hits += interval.low <= truth <= interval.high
    assert hits / 400 >= 0.93


@pytest.mark.parametrize("name", MACROS)
def test_a_perfect_small_result_does_not_claim_certainty(name):
    interval = MACROS[name][0](np.diag([5, 5]))
    assert interval.value == interval.high == 1.0
    assert interval.low == pytest.approx(scipy.stats.binomtest(10, 10).proportion_ci().low)


@pytest.mark.parametrize("name", MACROS)
def test_nothing_right_is_an_answer_too(name):
    interval = MACROS[name][0](np.array([[0, 5], [5, 0]]))
    assert interval.value == interval.low == 0.0
    assert 0.2 < interval.high < 0.5


def test_a_thousand_classes_and_a_hundred_thousand_images_are_fast():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 1000, 100_000)
    predicted = np.where(rng.random(100_000) < 0.8, truth, rng.integers(0, 1000, 100_000))
    confusion = classification.confusion_matrix(truth, predicted, 1000)
    for interval_of, _ in MACROS.values():
        interval = interval_of(confusion)
        assert 0 < interval.high - interval.low < 0.01


def test_the_area_under_the_curve_is_covered():
    rng = np.random.default_rng(2)
    truth = scipy.stats.norm.cdf(1.5 / np.sqrt(2))
    hits = 0
    for _ in range(400):
        interval = intervals.auroc(rng.normal(0, 1, 40), rng.normal(1.5, 1, 60))
        hits += interval.low <= truth <= interval.high
    assert hits / 400 >= 0.93


def test_perfect_separation_does_not_claim_certainty():
    interval = intervals.auroc(np.zeros(20), np.ones(30))
    assert interval.value == interval.high == 1.0
    assert 0.8 < interval.low < 0.9
