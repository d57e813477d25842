"""forest.py: the arrays answer as scikit-learn's trees do, and their size is bounded."""

import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier

from fieldguide.heads import forest as module
from fieldguide.heads.forest import grow


def cloud(count=240, width=7, classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return (labels[:, None] * 0.7 + random.normal(size=(count, width))).astype(np.float32), labels


def test_it_answers_as_scikit_learn():
    features, labels = cloud()
    grown = grow(features, labels, 3, 20, seed=5)
    library = ExtraTreesClassifier(20, class_weight="balanced", random_state=5).fit(features, labels)
    new, _ = cloud(seed=1)
    expected = np.log(library.predict_proba(new) + 1 / 20)
    np.testing.assert_allclose(grown.scores(new), expected, atol=1e-5)


def test_images_on_a_threshold_go_the_same_way():
    """Whole numbers put many images exactly where trees split."""
    features, labels = np.floor(cloud()[0] * 2), cloud()[1]
    grown = grow(features, labels, 3, 20, seed=0)
    library = ExtraTreesClassifier(20, class_weight="balanced", random_state=0).fit(features, labels)
    on = np.unique(grown.threshold[grown.offset > 0])[:, None] * np.ones((1, 7), np.float32)
    for rows in (features, on.astype(np.float32)):
        expected = np.log(library.predict_proba(rows) + 1 / 20)
        np.testing.assert_allclose(grown.scores(rows), expected, atol=1e-5)


def test_many_images_are_drawn_so_that_the_size_is_bounded(monkeypatch):
    features, labels = cloud(400)
    whole = grow(features, labels, 3, 10, seed=0)
    monkeypatch.setattr(module, "MOST_LEAVES", 10 * 60)
    small = grow(features, labels, 3, 10, seed=0)
    assert len(small.threshold) < 2 * 10 * 60 < len(whole.threshold) * 2
    assert (small.scores(features).argmax(1) == labels).mean() > 0.6


def test_cores_do_not_change_it(monkeypatch):
    features, labels = cloud()
    one = grow(features, labels, 3, 30, seed=1)
    monkeypatch.setattr(module, "usable_cores", lambda: 3)
    three = grow(features, labels, 3, 30, seed=1)
    assert one.threshold.tobytes() == three.threshold.tobytes()
    assert one.distributions.tobytes() == three.distributions.tobytes()


def test_a_class_that_was_not_there_never_wins():
    features, labels = cloud(classes=2)
    scores = grow(features, labels * 2, 3, 10, seed=0).scores(features)
    assert (scores[:, 1] == -np.inf).all()
    assert (scores.argmax(1) == labels * 2).all()


@pytest.mark.parametrize("trees", [1, 26])
def test_it_has_as_many_trees_as_asked_for(trees):
    features, labels = cloud()
    assert len(grow(features, labels, 3, trees, seed=0).roots) == trees
