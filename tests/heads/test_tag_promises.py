"""What is promised of tags, from out-of-fold scores."""

import numpy as np
import pytest
from scipy.special import expit

from fieldguide.heads.tag_promises import (
    best_f1_thresholds,
    fit_curves,
    log_loss,
    missed_share_threshold,
    promise_tags,
    set_summary,
)


def drawn(images=4000, tags=6, seed=0):
    """Scores, and tags that come true with the probability of a logistic curve."""
    chance = np.random.default_rng(seed)
    scores = chance.normal(size=(images, tags)) * 2
    slopes, intercepts = np.linspace(0.5, 2, tags), np.linspace(-3, 0.5, tags)
    shown = chance.random(scores.shape) < expit(scores * slopes + intercepts)
    return scores, shown.astype(np.int8), slopes, intercepts


def test_curves_find_the_truth():
    scores, shown, slopes, intercepts = drawn()
    curves = fit_curves(scores, shown)
    np.testing.assert_allclose(curves.slopes, slopes, rtol=0.15)
    np.testing.assert_allclose(curves.intercepts, intercepts, atol=0.2)


def test_curves_are_those_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    scores, shown, _, _ = drawn(images=3000, tags=2)
    curves = fit_curves(scores, shown)
    for tag in range(2):
        model = LogisticRegression(C=1e6).fit(scores[:, [tag]], shown[:, tag])
        np.testing.assert_allclose(curves.slopes[tag], model.coef_[0, 0], rtol=0.01)  # smoothed targets


def test_what_is_not_known_does_not_count():
    scores, shown, _, _ = drawn()
    hidden = np.random.default_rng(1).random(shown.shape) < 0.5
    part = fit_curves(scores, np.where(hidden, -1, shown).astype(np.int8))
    for tag in range(6):
        rows = ~hidden[:, tag]
        alone = fit_curves(scores[rows][:, [tag]], shown[rows][:, [tag]])
        np.testing.assert_allclose(part.slopes[tag], alone.slopes[0], rtol=1e-3)


def test_a_misleading_score_is_never_turned_round():
    shown = np.repeat([[1], [0]], 50, axis=0).astype(np.int8)
    curves = fit_curves(1.0 - shown, shown)
    assert curves.slopes[0] > 0
    assert curves.probabilities(np.array([[0.0], [1.0]])) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("images", [1, 3])
def test_few_images_and_tags_that_all_have_or_none_has(images):
    curves = fit_curves(np.zeros((images, 2)), np.tile(np.array([1, 0], np.int8), (images, 1)))
    found = curves.probabilities(np.zeros((1, 2)))[0]
    assert 0.5 < found[0] < 1
    assert 0 < found[1] < 0.5


def test_thresholds_make_the_best_f1_of_all():
    scores, shown, _, _ = drawn(images=500)
    probabilities = fit_curves(scores, shown).probabilities(scores)
    thresholds = best_f1_thresholds(probabilities, shown)

    def f1(tag, threshold):
        given = probabilities[:, tag] >= threshold
        return 2 * (given & (shown[:, tag] == 1)).sum() / (given.sum() + shown[:, tag].sum())

    for tag in range(6):
        best = max(f1(tag, threshold) for threshold in probabilities[:, tag])
        assert f1(tag, thresholds[tag]) == pytest.approx(best)


def test_a_tag_that_none_has_is_never_given():
    assert best_f1_thresholds(np.full((5, 1), 0.3), np.zeros((5, 1), np.int8)).tolist() == [1.0]


def test_sets_miss_no_more_than_was_promised_on_new_photos():
    missed = []
    for seed in range(40):
        scores, shown, _, _ = drawn(images=600, seed=seed)
        probabilities = expit(scores)
        nothing_given = np.full(6, 1.1)
        floor = missed_share_threshold(probabilities[:200], shown[:200], nothing_given, 0.05)
        new, truth = probabilities[200:] >= floor, shown[200:] == 1
        having = truth.any(1)
        missed.append(1 - ((truth & new)[having].sum(1) / truth[having].sum(1)).mean())
    assert 0.035 < np.mean(missed) <= 0.05


def test_tags_given_are_never_missed_so_the_rest_may_be_stricter():
    scores, shown, _, _ = drawn(images=600)
    probabilities = expit(scores)
    alone = missed_share_threshold(probabilities, shown, np.full(6, 1.1), 0.05)
    beside = missed_share_threshold(probabilities, shown, np.full(6, 0.3), 0.05)
    assert beside >= alone
    assert missed_share_threshold(probabilities, shown, np.zeros(6), 0.05) == 1.0


def test_too_few_photos_promise_nothing():
    assert missed_share_threshold(np.ones((18, 1)), np.ones((18, 1), np.int8), np.ones(1), 0.05) == 0.0


def test_the_set_is_said_as_it_is():
    assert set_summary(1.0).startswith("set: just the tags given")
    assert set_summary(0.0) == "set: every tag, since too few photos show which may be left out"
    assert "from a probability of 0.066 on" in set_summary(0.0661)


def test_the_best_of_several_trials_is_taken():
    scores, shown, _, _ = drawn(images=300)
    promises = promise_tags([scores * 0, scores, scores * 0], shown, np.arange(300.0))
    assert promises.chosen == 1
    assert promises.losses[1] == pytest.approx(log_loss(promises.probabilities, shown))
    assert not any("unknown" in sentence for sentence in promises.summary())
    few = promise_tags([scores[:50]], shown[:50], np.arange(50.0))
    assert any("50 images cannot show" in sentence for sentence in few.summary())


def test_a_tag_that_no_held_out_image_has_can_still_be_given():
    """Its own curve would call it unlikely whatever its score; it gets that of all tags."""
    tags = (np.arange(120).reshape(40, 3) // 3 % 2).astype(np.int8)
    tags[:, 2] = 0
    scores = 6.0 * tags - 3 + np.random.default_rng(0).standard_normal(tags.shape)
    promises = promise_tags([scores], tags, np.arange(40.0))
    own = fit_curves(scores, tags)
    assert own.probabilities(np.full((1, 3), 3.0))[0, 2] < 0.1
    likely = promises.curves.probabilities(np.full((1, 3), 3.0))[0]
    assert "1 tag is on no photo held out: curve and threshold are those of all tags together" in (
        promises.summary()
    )
    assert likely[2] > 0.9 and 0.1 < promises.thresholds[2] < 0.9
    np.testing.assert_allclose(promises.curves.slopes[:2], own.slopes[:2])
    assert (promises.probabilities[:, 2] < promises.thresholds[2]).all()
