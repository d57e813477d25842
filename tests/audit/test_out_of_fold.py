"""Out-of-fold answers for the audit: nothing is judged by what it was learned from."""

import numpy as np

from fieldguide.audit.out_of_fold import deep_features, held_out

DEPTHS = (("one:mean", 2), ("one:max", 3), ("two:mean", 2))


def features(n=90, classes=3, seed=0):
    chance = np.random.default_rng(seed)
    numbers = np.arange(n) % classes
    centres = chance.normal(0, 3, (classes, 24))
    vectors = (centres[numbers] + chance.normal(0, 1, (n, 24))).astype(np.float32)
    return vectors, [f"class {number}" for number in numbers]


def test_every_image_is_answered_well():
    vectors, labels = features()
    answers = held_out(vectors, labels, np.arange(90))
    assert answers.classes == ("class 0", "class 1", "class 2")
    assert answers.rows.tolist() == list(range(90))
    np.testing.assert_allclose(answers.probabilities.sum(1), 1, atol=1e-5)
    assert (answers.probabilities.argmax(1) == answers.labels).mean() > 0.95


def test_a_wrong_label_is_not_believed():
    vectors, labels = features()
    labels[0] = "class 1"
    answers = held_out(vectors, labels, np.arange(90))
    assert answers.probabilities[0, 0] > 0.5
    assert answers.probabilities[0, 1] < 0.2


def test_a_copy_does_not_vouch_for_its_twin():
    vectors, labels = features()
    chance = np.random.default_rng(1)
    vectors[60:] = chance.normal(0, 3, (30, 24))  # noise, each twice and under a label of its own
    vectors[75:] = vectors[60:75]
    labels[75:] = labels[60:75]
    groups = np.arange(90)
    apart = held_out(vectors, labels, groups)
    groups[75:] = groups[60:75]
    kept = held_out(vectors, labels, groups)
    own = [answers.probabilities[np.arange(60, 90), answers.labels[60:]].mean() for answers in (apart, kept)]
    assert own[1] < own[0]


def test_what_looks_like_nothing_lies_far_away():
    vectors, labels = features()
    vectors[7] += 40
    distances = held_out(vectors, labels, np.arange(90)).distances
    assert distances.argmax() == 7


def test_a_class_of_one_image_is_not_judged():
    vectors, labels = features()
    labels[5] = "alone"
    answers = held_out(vectors, labels, np.arange(90))
    assert 5 not in answers.rows
    assert len(answers.rows) == 89


def test_where_nothing_can_be_held_out_there_are_no_answers():
    vectors, labels = features(6)
    assert held_out(vectors, labels, np.zeros(6, np.int64)) is None
    assert held_out(vectors[:1], labels[:1], np.arange(1)) is None
    assert held_out(vectors, ["one"] * 6, np.arange(6)) is None
    assert held_out(vectors, ["a", "a", "b", "b", "c", "d"], np.arange(6)) is not None


def test_deep_features_are_the_mean_pooled_ones():
    vectors = np.arange(21, dtype=np.float16).reshape(3, 7)
    deep = deep_features(vectors, DEPTHS)
    assert deep.dtype == np.float32
    assert deep.tolist() == [[0, 1, 5, 6], [7, 8, 12, 13], [14, 15, 19, 20]]
