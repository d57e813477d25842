"""Promises: from out-of-fold scores, the best of several models, unknown classes left out."""

import numpy as np
import pytest

from fieldguide.heads import calibration
from fieldguide.heads.nonconformity import nonconformity
from fieldguide.heads.promises import COVERAGE, promise

CLASSES, IMAGES = 4, 200
SHARES = np.full(CLASSES, 1 / CLASSES)


@pytest.fixture
def labels():
    return np.arange(IMAGES) % CLASSES


@pytest.fixture
def distances():
    return np.random.default_rng(1).gamma(3.0, size=IMAGES)


def scores(labels, sharpness, seed=0):
    """Scores of shape (n_images, n_classes) that are right the more often the sharper they are."""
    noise = np.random.default_rng(seed).standard_normal((len(labels), CLASSES))
    return (noise + sharpness * np.eye(CLASSES)[labels]).astype(np.float32)


def test_the_trial_with_the_lowest_calibrated_loss_is_taken(labels, distances):
    trials = [scores(labels, 0.5), scores(labels, 4.0), scores(labels, 2.0)]
    made = promise(trials, labels, SHARES, distances)
    alone = [calibration.calibrate(trial.astype(np.float64), labels, SHARES) for trial in trials]
    assert made.chosen == 1
    assert made.losses == tuple(trial.loss for trial in alone)
    np.testing.assert_array_equal(made.probabilities, alone[1].probabilities(trials[1].astype(np.float64)))


def test_sets_hold_the_truth_and_typicality_is_among_all_held_out(labels, distances):
    made = promise([scores(labels, 2.0)], labels, SHARES, distances)
    truth = made.probabilities[np.arange(IMAGES), labels]
    assert (truth >= made.set_threshold).mean() >= COVERAGE
    np.testing.assert_array_equal(made.typicality, calibration.own_typicality(made.ranking.reference))
    assert len(made.ranking.reference) == IMAGES


def test_classes_with_enough_images_have_thresholds_of_their_own(labels, distances):
    made = promise([scores(labels, 6.0)], labels, SHARES, distances)
    assert made.set_floors is made.class_thresholds
    assert made.class_thresholds.shape == (CLASSES,)
    assert "for each class" in made.summary()[1]
    few = promise([scores(labels[:80], 6.0)], labels[:80], SHARES, distances[:80])
    assert few.class_thresholds is None
    assert few.set_floors == few.set_threshold
    assert "all photos" in few.summary()[1]


def test_an_image_whose_class_was_not_known_is_left_out_of_all_but_the_reference(labels, distances):
    unknown = scores(labels, 2.0)
    unknown[:10, :] = np.where(np.eye(CLASSES)[labels[:10]] == 1, -np.inf, unknown[:10])
    made = promise([unknown], labels, SHARES, distances)
    assert made.known.sum() == IMAGES - 10
    assert len(made.probabilities) == len(made.typicality) == IMAGES - 10
    np.testing.assert_array_equal(made.typicality, calibration.own_typicality(made.ranking.reference)[10:])
    log_p = made.calibrated.log_probabilities(unknown.astype(np.float64))
    of_no_class = np.where(made.known, labels, -1)
    np.testing.assert_array_equal(
        made.ranking.reference, nonconformity(log_p, of_no_class, distances).reference
    )


@pytest.mark.parametrize(("images", "said"), [(99, True), (100, False)])
def test_too_few_images_for_a_false_alarm_rate_are_said(images, said):
    labels = np.arange(images) % CLASSES
    told = promise([scores(labels, 2.0)], labels, SHARES, np.arange(images, dtype=np.float64)).summary()
    assert any(f"unknown: never said by this model, since {images} images" in one for one in told) == said
    assert told[0].startswith("temperature ")
