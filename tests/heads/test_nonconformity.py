"""What typicality ranks by: three measures of held-out images as one, in numpy and as a graph."""

import numpy as np
import pytest

from fieldguide.heads import calibration
from fieldguide.heads.calibration import log_probabilities
from fieldguide.heads.linear_head import as_ranking
from fieldguide.heads.nonconformity import entropy, nonconformity, surprisal_of
from fieldguide.modelfile.graph import Distance, scored_head_model
from fieldguide.modelfile.session import open_session

CLASSES, HELD = 5, 400


def held_out(seed=0, images=HELD, sharpness=6.0):
    """Log-probabilities, labels and distances of images of known classes."""
    random = np.random.default_rng(seed)
    labels = np.arange(images) % CLASSES
    scores = random.normal(0, 1, (images, CLASSES)) + sharpness * np.eye(CLASSES)[labels]
    return log_probabilities(scores, np.zeros(CLASSES), 1.0), labels, random.gamma(4.0, size=images)


def total(found, log_p, distances):
    parts = (distances, found.scores(log_p), entropy(log_p))
    return sum(surprisal(values) for surprisal, values in zip(found.surprisals, parts, strict=True))


def test_new_images_of_known_classes_are_refused_as_promised():
    """Of many draws, typicality below 0.05 is had by 5 in 100 new images."""
    shares = []
    for seed in range(10):
        found = nonconformity(*held_out(seed))
        log_p, _, distances = held_out(100 + seed)
        p_values = calibration.typicality(np.sort(found.reference), total(found, log_p, distances))
        shares.append((p_values <= 0.05).mean())
    assert 0.03 < np.mean(shares) < 0.07


@pytest.mark.parametrize("kind", ["far", "unsure", "another pattern"])
def test_each_measure_finds_what_the_others_miss(kind):
    found = nonconformity(*held_out())
    log_p, _, distances = held_out(1)
    if kind == "far":
        distances = distances + 40
    elif kind == "unsure":
        log_p = log_probabilities(np.zeros((HELD, CLASSES)), np.zeros(CLASSES), 1.0)
    else:  # sure of a class, and even surer against another one, as images of no class are
        scores = np.where(np.eye(CLASSES)[np.arange(HELD) % CLASSES] == 1, 6.0, 0.0)
        scores[:, 0] -= 12.0
        log_p = log_probabilities(scores, np.zeros(CLASSES), 1.0)[np.arange(HELD) % CLASSES != 0]
        distances = np.full(len(log_p), np.median(distances))
    p_values = calibration.typicality(np.sort(found.reference), total(found, log_p, distances))
    assert (p_values < 0.05).mean() > 0.9


def test_what_is_far_beyond_all_is_not_made_up_for():
    found = nonconformity(*held_out())
    log_p, _, distances = held_out(2)
    sure = log_p[[int(np.argmax(log_p.max(1)))]]
    assert total(found, sure, np.array([distances.max() * 10]))[0] > found.reference.max()


def test_a_file_ranks_as_numpy_does():
    log_p, labels, distances = held_out()
    found = nonconformity(log_p, labels, distances)
    random = np.random.default_rng(5)
    features = random.normal(0, 0.8, (60, 8)).astype(np.float32)
    others, _, _ = held_out(6, 60, 2.5)
    scores = (2 * others).astype(np.float32)
    centres = random.normal(0, 1, (CLASSES, 4)).astype(np.float32)
    distance = Distance(
        columns=np.arange(4),
        mean=np.zeros(4, np.float32),
        scale=np.ones(4, np.float32),
        directions=np.eye(4, dtype=np.float32),
        evenness=0.5,
        centres=centres,
        reference=np.zeros(1, np.float32),
    )
    priors = np.log(np.full(CLASSES, 0.2))
    model = scored_head_model(distance, 8, 2.0, priors, ranking=as_ranking(found))
    session = open_session(model.SerializeToString(), "head", 1)
    (typicality,) = session.run(["typicality"], {"scores": scores, "features": features})
    own = log_probabilities(scores.astype(np.float64), priors, 2.0)
    apart = ((features[:, None, :4] - centres) ** 2).sum(2).min(1) * 1.5
    expected = calibration.typicality(np.sort(found.reference), total(found, own, apart.astype(np.float64)))
    assert np.abs(typicality - expected).max() <= 1.5 / (HELD + 1) and len(set(typicality.tolist())) > 10


def test_a_class_that_no_model_knew_is_as_improbable_as_the_least():
    log_p, labels, distances = held_out()
    log_p[:40, 3] = -np.inf
    found = nonconformity(log_p, np.where(np.arange(HELD) < 8, -1, labels), distances)
    assert np.isfinite(found.reference).all() and len(found.reference) == HELD


@pytest.mark.parametrize("images", [1, 2, 7, 15, 16, 60])
def test_few_images_still_rank(images):
    found = nonconformity(*held_out(images=images))
    log_p, _, distances = held_out(3)
    ranked = total(found, log_p, distances + np.linspace(0, 50, HELD))
    assert np.isfinite(ranked).all() and (images < 7 or ranked[-1] > np.median(ranked[:100]))


def test_answers_that_are_all_sure_make_a_little_doubt_no_surprise():
    surprisal = surprisal_of(np.full(1000, 1e-6), least_spread=0.02)
    assert surprisal(np.array([0.01]))[0] < 0.6 < 4 < surprisal(np.array([0.1]))[0] < 6


def test_a_surprisal_never_falls_and_equal_values_do_no_harm():
    values = np.repeat(np.random.default_rng(0).gamma(2.0, size=50).round(1), 20)
    surprisal = surprisal_of(values)
    grid = surprisal(np.linspace(-1, 50, 500))
    assert (np.diff(grid) >= 0).all() and grid[0] == 0 and np.isfinite(grid).all()
    assert len(surprisal.knots) == len(set(surprisal.knots.tolist()))
