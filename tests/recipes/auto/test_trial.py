"""Answers of trials side by side."""

import dataclasses

import numpy as np

from auto_made import tag_trial, trial
from fieldguide.recipes.auto.trial import FLOOR, evidence_of


def test_only_images_that_none_had_seen_are_compared():
    labels = np.array([0, 1, 0, 1])
    first = trial("first", rows=[0, 1, 2, 3], labels=labels, right=0.9)
    second = trial("second", rows=[3, 1], labels=labels[[3, 1]], right=0.8)
    evidence = evidence_of([first, second])
    assert evidence.rows.tolist() == [1, 3]
    assert evidence.labels.tolist() == [1, 1]
    np.testing.assert_allclose(evidence.losses, -np.log([[0.9, 0.9], [0.8, 0.8]]))
    assert evidence.right.all()


def test_no_loss_is_infinite():
    wrong = trial("wrong", rows=[0, 1], labels=np.array([0, 1]), right=0.0)
    np.testing.assert_allclose(evidence_of([wrong]).losses, -np.log(FLOOR))


def test_a_network_that_was_learned_has_not_answered_all():
    whole = trial("whole", rows=[0, 1], labels=np.array([0, 1]), right=0.9)
    assert whole.whole
    assert whole.square == 64
    learned = dataclasses.replace(whole, fitted=dataclasses.replace(whole.fitted, body=whole.fitted.head))
    assert not learned.whole


def test_tags_are_judged_together_and_what_is_not_known_in_nothing():
    evidence = evidence_of(
        [tag_trial("of tags", [[1, 0], [0, -1], [1, 1]], [[0.9, 0.9], [0.9, 0.9], [0.4, 0.9]])]
    )
    assert evidence.right.tolist() == [[True, True, False]]
    own = -np.log([0.9, 0.9, 0.9, 0.4, 0.9])
    np.testing.assert_allclose(evidence.losses.mean(1), own.mean())
    assert evidence.noun == "all tags of "


def test_no_loss_of_tags_is_infinite():
    assert np.isfinite(evidence_of([tag_trial("wrong", [[1, 0]], 0.0)]).losses).all()
    assert evidence_of([tag_trial("nothing known", [[-1, -1]], 0.5)]).losses.tolist() == [[0.0]]
