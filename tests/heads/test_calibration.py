"""Promises made on held-out scores are kept on new ones."""

import numpy as np
import pytest
from scipy.special import logsumexp

from fieldguide.heads.calibration import (
    LONGEST_REFERENCE,
    TEMPERATURES,
    calibrate,
    fit_temperature,
    log_probabilities,
    own_typicality,
    reference_distances,
    set_threshold,
    typicality,
)

PRIORS = np.log([0.5, 0.3, 0.2])


def drawn(scores, temperature, random):
    """Labels drawn with the probabilities that these scores have at this temperature."""
    log_p = scores / temperature + PRIORS
    shares = np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))
    return (random.random((len(scores), 1)) > shares.cumsum(1)).sum(1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 12.0])
def test_a_known_temperature_is_found(temperature):
    random = np.random.default_rng(0)
    scores = random.normal(0, 3, (20_000, 3)) * temperature
    labels = drawn(scores, temperature, random)
    assert fit_temperature(scores, labels, PRIORS) == pytest.approx(temperature, rel=0.05)


def test_a_class_that_the_model_had_not_seen_has_no_say():
    random = np.random.default_rng(1)
    scores = random.normal(0, 3, (20_000, 3))
    labels = drawn(scores, 2.0, random)
    unseen = (random.random(20_000) < 0.3) & (labels != 2)
    scores[unseen, 2] = -np.inf
    assert fit_temperature(scores, labels, PRIORS) == pytest.approx(2.0, rel=0.05)
    assert np.exp(log_probabilities(scores, PRIORS, 2.0))[unseen, 2].max() == 0


def test_where_classes_are_told_apart_perfectly_doubt_remains():
    """Without smoothed targets the temperature would go to its lower bound and every probability to 1."""
    labels = np.arange(48) % 3
    scores = 100.0 * np.eye(3)[labels]
    priors = np.log(np.full(3, 1 / 3))
    temperature = fit_temperature(scores, labels, priors)
    assert TEMPERATURES[0] * 100 < temperature < TEMPERATURES[1] / 100
    highest = np.exp(log_probabilities(scores, priors, temperature)).max(1)
    np.testing.assert_allclose(highest, 1 - 1 / 50, atol=1e-4)  # not 1 / 49, nor 1 / 51


def test_probabilities_are_the_softmax_with_priors():
    scores = np.random.default_rng(2).normal(0, 500, (6, 3))
    log_p = log_probabilities(scores, PRIORS, 5.0)
    np.testing.assert_allclose(np.exp(log_p).sum(1), 1)
    np.testing.assert_allclose(log_p[:, 0] - log_p[:, 1], (scores[:, 0] - scores[:, 1]) / 5 + np.log(5 / 3))


@pytest.mark.parametrize("count", [19, 60, 400])
def test_sets_cover_what_they_promise(count):
    """Held-out and new images are exchangeable; the mean coverage is 1 - floor((n + 1) / 20) / (n + 1)."""
    random = np.random.default_rng(3)
    held, new = random.beta(5, 1, (4000, count)), random.beta(5, 1, (4000, 20))
    covered = np.mean(
        [(fresh >= set_threshold(old, 0.95)).mean() for old, fresh in zip(held, new, strict=True)]
    )
    expected = 1 - np.floor((count + 1) * 0.05 + 1e-9) / (count + 1)
    assert covered == pytest.approx(expected, abs=0.004)
    assert 0.947 < covered < 0.97


def test_too_few_images_promise_nothing():
    assert set_threshold(np.full(18, 0.9), 0.95) == 0
    assert set_threshold(np.full(19, 0.9), 0.95) == 0.9
    assert set_threshold(np.array([]), 0.95) == 0


def test_typicality_of_known_images_is_uniform():
    random = np.random.default_rng(4)
    shares = {0.01: [], 0.05: [], 0.5: []}
    for _ in range(600):
        held, new = random.gamma(3, size=500), random.gamma(3, size=500)
        values = typicality(reference_distances(held), new)
        for threshold, found in shares.items():
            found.append((values < threshold).mean())
    for threshold, found in shares.items():
        assert np.mean(found) == pytest.approx(threshold, rel=0.06)


def test_typicality_counts_equal_distances_and_is_never_nothing():
    reference = reference_distances(np.array([3.0, 1.0, 2.0, 2.0]))
    np.testing.assert_allclose(typicality(reference, np.array([0.0, 2.0, 2.5, 9.0])), [1, 0.8, 0.4, 0.2])


def test_own_typicality_is_that_among_all_others():
    distances = np.random.default_rng(5).integers(0, 12, 40).astype(float)  # with many equal ones
    expected = [typicality(np.sort(np.delete(distances, i)), distances[i : i + 1])[0] for i in range(40)]
    np.testing.assert_allclose(own_typicality(distances), expected)


def test_a_long_reference_is_thinned_without_moving_the_answer():
    distances = np.random.default_rng(6).gamma(3, size=50_000)
    thin = reference_distances(distances)
    assert len(thin) == LONGEST_REFERENCE
    assert (thin[0], thin[-1]) == (distances.min(), distances.max())
    new = np.linspace(0, 20, 500)
    np.testing.assert_allclose(typicality(thin, new), typicality(np.sort(distances), new), atol=2.5e-4)
    few = reference_distances(distances[:LONGEST_REFERENCE])
    np.testing.assert_array_equal(few, np.sort(distances[:LONGEST_REFERENCE]))


def test_an_image_of_which_one_class_alone_was_scored_changes_nothing():
    random = np.random.default_rng(7)
    scores = random.normal(0, 3, (20_000, 3))
    labels = drawn(scores, 2.0, random)
    lone = np.full((100, 3), -np.inf)
    lone[:, 0] = 5.0
    found = fit_temperature(np.concatenate([scores, lone]), np.append(labels, [0] * 100), PRIORS)
    assert found == pytest.approx(fit_temperature(scores, labels, PRIORS), rel=1e-3)


def test_where_the_shares_of_classes_mislead_they_are_left_out_altogether():
    """One photo of ten is badly wrong; with the shares the larger class would win for the smaller one too."""
    labels = np.array([0] * 8 + [1, 1])
    scores = np.eye(2)[labels]
    scores[0] = [0.0, 4.0]
    calibrated = calibrate(scores, labels, np.array([0.8, 0.2]))
    assert calibrated.accuracy == 0.9
    assert calibrated.log_priors.tolist() == [0, 0]
