"""How answers to the images held out are judged: calibrated, and as the finished model will answer."""

import numpy as np
import pytest

from fieldguide.heads import calibration
from fieldguide.heads.tag_promises import fit_curves, log_loss
from fieldguide.recipes.finetune.judging import LabelJudge, TagJudge
from fieldguide.tasks.tags import NOT_KNOWN

RANDOM = np.random.default_rng(0)


def test_labels_are_judged_by_the_log_loss_of_calibrated_scores():
    truth, shares = np.arange(60) % 3, np.array([0.5, 0.3, 0.2])
    scores = 2 * np.eye(3)[truth] + RANDOM.standard_normal((60, 3))
    judge = LabelJudge(truth, shares)
    found, plain = judge.judged(scores), judge.judged(scores, probe=True)
    expected = calibration.calibrate(scores, truth, shares)
    assert found.losses.mean() == pytest.approx(expected.loss)
    assert found.right.mean() == pytest.approx(expected.accuracy)
    assert plain.losses.mean() == pytest.approx(calibration.calibrate(scores, truth, np.full(3, 1 / 3)).loss)
    assert judge.temperature(scores) == expected.temperature


def tags():
    shown = RANDOM.integers(0, 2, (80, 3)).astype(np.int8)
    return shown, 1.5 * shown + RANDOM.standard_normal((80, 3))


def test_the_mean_loss_of_tags_is_the_models_own():
    shown, scores = tags()
    shown[::7, 1] = NOT_KNOWN
    found = TagJudge(shown).judged(scores)
    assert found.losses.mean() == pytest.approx(
        log_loss(fit_curves(scores, shown).probabilities(scores), shown)
    )
    assert TagJudge(shown).temperature(scores) == pytest.approx(1 / fit_curves(scores, shown).slopes)


def test_how_sure_scores_are_changes_nothing():
    shown, scores = tags()
    first, second = TagJudge(shown).judged(scores), TagJudge(shown).judged(20 * scores - 3)
    np.testing.assert_allclose(first.losses, second.losses, atol=1e-3)
    assert (first.right == second.right).all()


def test_an_image_is_right_if_all_that_is_known_of_its_tags_is():
    shown = np.array([[1, 0], [0, 1], [1, 1], [0, 0]] * 10, np.int8)
    scores = 8.0 * shown - 4
    assert TagJudge(shown).judged(scores).right.all()
    scores[0, 1] = 4.0
    wrong = TagJudge(shown).judged(scores).right
    assert not wrong[0] and wrong[1:].all()
    shown[0, 1] = NOT_KNOWN
    assert TagJudge(shown).judged(scores).right.all()
