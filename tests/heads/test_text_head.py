"""The classifier of texts and the pool with labelled photos: in numpy, and as a graph."""

import numpy as np

from fieldguide.heads.text_head import SCALE, SHARES, cosine_model, of_texts, pooled, units
from fieldguide.modelfile.session import open_session

COLUMNS = slice(2, 6)


def made(count=60, seed=0):
    """Features of three classes, and texts that know two of them well and the third badly."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = np.eye(4)[:3]
    features = random.normal(0, 0.2, (count, 8)).astype(np.float32)
    features[:, COLUMNS] += centres[labels]
    texts = centres.copy()
    texts[2] = [0.6, 0.0, 0.0, 0.8]
    return features, labels.astype(np.int64), texts, np.arange(count) % 5


def test_scores_are_cosines_times_the_scale():
    features, _, texts, _ = made()
    scores = of_texts(texts, COLUMNS).scores(features)
    taken = features[:, COLUMNS]
    cosines = taken @ texts.T / np.linalg.norm(taken, axis=1, keepdims=True)
    assert np.allclose(scores, SCALE * cosines, atol=1e-4)


def test_the_graph_gives_the_same_and_hands_the_features_on():
    features, labels, texts, folds = made()
    for classifier in pooled(of_texts(texts, COLUMNS), features, labels, folds).classifiers:
        session = open_session(cosine_model(classifier, 8).SerializeToString(), "head", 1)
        scores, seen = session.run(["scores", "features_seen"], {"features": features})
        assert np.abs(scores - classifier.scores(features)).max() < 1e-3
        assert (seen == features).all()


def test_photos_mend_what_texts_do_not_know():
    features, labels, texts, folds = made(150)
    pools = pooled(of_texts(texts, COLUMNS), features, labels, folds)
    right = [float((scores.argmax(1) == labels).mean()) for scores in pools.scores]
    assert len(right) == len(SHARES) and right[0] < 0.8 < 0.95 < right[2]


def test_a_class_of_one_fold_leaves_texts_alone():
    features, labels, texts, _ = made()
    pools = pooled(of_texts(texts, COLUMNS), features, labels, np.where(labels == 2, 0, 1 + labels))
    assert len(pools.classifiers) == 1


def test_features_of_nothing_have_no_direction():
    assert units(np.zeros((1, 8), np.float32), COLUMNS).tolist() == [[0.0] * 4]
