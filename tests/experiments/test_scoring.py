"""What answers to held-out images come to, for single labels and for tags."""

import numpy as np
import pytest
from sklearn.metrics import log_loss

from compared_made import outcomes
from fieldguide.evaluation.tag_comparison import TagPair
from fieldguide.evaluation.tag_result import TagOutcomes
from fieldguide.experiments.scoring import credits, log_losses, measured, paired, score_of, words_of
from fieldguide.metrics.paired_tests import Pair

TAGS = ("ant", "bee", "cow")


def answered(noise=0.8, seed=0, count=200, unknown=0.0):
    rng = np.random.default_rng(seed)
    shown = np.random.default_rng(99).random((count, 3)) < 0.4
    odds = 2 * shown - 1 + noise * rng.normal(size=shown.shape)
    tags = np.where(np.random.default_rng(98).random(shown.shape) < unknown, -1, shown).astype(np.int8)
    return TagOutcomes.of(
        tags,
        1 / (1 + np.exp(-odds)),
        np.ones(count),
        thresholds=np.full(3, 0.5),
        set_threshold=0.2,
        unknown_threshold=0.01,
    )


@pytest.mark.parametrize("unknown", [0.0, 0.3])
def test_means_over_photos_are_the_figures(unknown):
    out = answered(unknown=unknown)
    found = measured(out, TAGS)
    assert credits(out).mean() == pytest.approx(found.average_precision.mean.value)
    assert log_losses(out).mean() == pytest.approx(found.log_loss, rel=1e-5)
    assert score_of(found) == found.average_precision.mean
    assert words_of(out).key == words_of(found).key == "map"
    known = out.known
    assert found.log_loss == pytest.approx(log_loss(out.shown[known], out.probabilities[known]), rel=1e-5)


def test_single_labels_keep_accuracy_and_their_test():
    better, worse = outcomes([1] * 90 + [0] * 10), outcomes([1] * 60 + [0] * 40)
    assert credits(better).mean() == score_of(measured(better, ("a", "b"))).value == 0.9
    assert log_losses(worse).mean() == pytest.approx(measured(worse, ("a", "b")).log_loss)
    (pair,) = paired(["better", "worse"], {"better": better, "worse": worse}, np.arange(100))
    assert isinstance(pair, Pair) and pair.real and pair.interval.value == pytest.approx(0.3)


def test_credits_of_redrawn_photos_are_near_the_score_of_these():
    out, rng = answered(count=1000), np.random.default_rng(1)
    gained = credits(out)
    told, true = [], []
    for _ in range(40):
        rows = rng.integers(1000, size=1000)
        told.append(gained[rows].mean())
        true.append(score_of(measured(out.take(rows), TAGS)).value)
    assert np.corrcoef(told, true)[0, 1] > 0.99
    assert np.abs(np.array(told) - true).max() < 0.005


def test_tags_are_compared_by_mean_average_precision():
    both = {"good": answered(0.5), "poor": answered(2.0)}
    (pair,) = paired(["good", "poor"], both, np.arange(200))
    assert isinstance(pair, TagPair) and pair.real
    assert (pair.first, pair.interval) == ("good", pair.difference)


def test_without_any_tag_there_is_no_score():
    out = answered()
    none = TagOutcomes(**{**vars(out), "tags": np.zeros_like(out.tags)})
    assert credits(none).tolist() == [0.0] * 200
    assert score_of(measured(none, TAGS)).value == 0
