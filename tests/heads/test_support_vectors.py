"""support_vectors.py: scikit-learn's machines, of any rows, with a kernel from products computed once."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.svm import SVC

from fieldguide.heads.kernel_machine import Kind
from fieldguide.heads.support_vectors import Products


def cloud(count, width=6, classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = random.normal(size=(classes, width)) * 1.5
    return (centres[labels] + random.normal(size=(count, width))).astype(np.float32), labels


def test_the_kernel_of_some_with_others():
    features, labels = cloud(40)
    products = Products.of(features, labels, 3)
    rows, columns = np.array([3, 4, 20]), np.arange(9, 19)
    expected = np.exp(-0.3 * cdist(features[rows], features[columns], "sqeuclidean"))
    np.testing.assert_allclose(products.kernel(rows, columns, 0.3), expected, atol=1e-5)
    np.testing.assert_allclose(products.kernel(rows, columns, None), features[rows] @ features[columns].T)
    assert (products.products == Products.of(features, labels, 3).products).all()


@pytest.mark.parametrize(("kind", "kernel"), [(Kind(2.0, 0.3), "rbf"), (Kind(0.5, None), "linear")])
def test_scores_are_those_of_scikit_learn_on_the_features(kind, kernel):
    features, labels = cloud(200)
    products, rows, others = Products.of(features, labels, 3), np.arange(0, 120), np.arange(120, 200)
    vectors = products.fit(rows, kind)
    for label in range(3):
        library = SVC(C=kind.cost, kernel=kernel, gamma=kind.gamma or "scale", class_weight="balanced")
        library.fit(features[rows], labels[rows] == label)
        expected = library.decision_function(features[others])
        np.testing.assert_allclose(products.scores(vectors, others)[:, label], expected, atol=0.01)


@pytest.mark.parametrize("gamma", [0.3, None])
def test_the_machine_scores_features_as_its_products_do(gamma):
    features, labels = cloud(200)
    products, rows = Products.of(features, labels, 3), np.arange(0, 200, 2)
    vectors = products.fit(rows, Kind(1.0, gamma))
    scores = products.machine(vectors).scores(features)
    np.testing.assert_allclose(scores, products.scores(vectors, np.arange(200)), atol=1e-4)
    assert (scores.argmax(1) == labels).mean() > 0.85


def test_only_images_that_support_a_machine_are_kept():
    features, labels = cloud(300)
    vectors = Products.of(features, labels, 3).fit(np.arange(300), Kind(10.0, 0.05))
    assert 0 < len(vectors.rows) < 200
    assert (vectors.coefficients != 0).any(1).all()


def test_a_class_that_was_not_there_never_wins():
    features, labels = cloud(60, classes=2)
    products = Products.of(features, labels * 2, 3)
    scores = products.scores(products.fit(np.arange(60), Kind(1.0, 0.5)), np.arange(60))
    assert (scores[:, 1] == -np.inf).all()
    assert (scores.argmax(1) == labels * 2).mean() > 0.9


def test_one_class_alone_is_the_answer():
    features, labels = cloud(30)
    products = Products.of(features, labels, 3)
    vectors = products.fit(np.flatnonzero(labels == 1), Kind(1.0, 0.5))
    scores = products.scores(vectors, np.arange(30))
    assert (scores == [-np.inf, 0, -np.inf]).all()


def test_rare_classes_count_as_much():
    features, labels = cloud(400, width=2, classes=2, seed=4)
    rows = np.flatnonzero((labels == 0) | (np.arange(400) < 40))
    products = Products.of(features, labels, 2)
    answers = products.scores(products.fit(rows, Kind(1.0, None)), np.arange(400)).argmax(1)
    recalls = [(answers[labels == label] == label).mean() for label in (0, 1)]
    assert abs(recalls[0] - recalls[1]) < 0.1
