"""kernel_machine.py: the solution is LIBLINEAR's, and that of the kernel machine where all images serve."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.svm import LinearSVC

from fieldguide.heads.kernel_machine import KernelProblem, Kind, Machine, kernel, scaling, solve
from fieldguide.heads.training_table import TrainingTable


def cloud(count, width=6, classes=3, seed=0):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    centres = random.normal(size=(classes, width)) * 1.5
    return (centres[labels] + random.normal(size=(count, width))).astype(np.float32), labels


def objective(weights, bias, features, targets, costs):
    short = np.maximum(0, 1 - targets * (features @ weights + bias))
    return 0.5 * (weights**2).sum() + (costs[:, None] * short**2).sum()


def test_the_solution_is_as_good_as_liblinears():
    features, labels = cloud(150)
    targets = np.where(labels[:, None] == np.arange(3), 1, -1).astype(np.float32)
    costs = np.full(150, 2.0, np.float32)
    found = solve(features, targets, costs, np.zeros((7, 3)))
    # A large constant feature, so that LIBLINEAR hardly shrinks the bias.
    library = LinearSVC(C=2.0, intercept_scaling=1000, tol=1e-8, max_iter=100_000, dual=False)
    library.fit(features, labels)
    own = objective(found[:-1], found[-1], features, targets, costs)
    best = objective(library.coef_.T, library.intercept_, features, targets, costs)
    assert own == pytest.approx(best, rel=1e-3)
    np.testing.assert_allclose(found[:-1], library.coef_.T, atol=0.02)


def test_the_kernel_is_what_it_says():
    features, _ = cloud(40)
    expected = np.exp(-0.3 * cdist(features, features[:9], "sqeuclidean"))
    np.testing.assert_allclose(kernel(features, features[:9], 0.3), expected, atol=1e-5)


def test_a_kernel_separates_what_no_line_does():
    random = np.random.default_rng(0)
    features = random.uniform(-1, 1, (300, 2)).astype(np.float32)
    labels = (features[:, 0] * features[:, 1] > 0).astype(np.int64)
    problem = KernelProblem(features, labels, 2, np.arange(300))
    bent, straight = problem.fit(Kind(10.0, 4.0)), problem.fit(Kind(10.0, None))
    new = random.uniform(-1, 1, (300, 2)).astype(np.float32)
    truth = new[:, 0] * new[:, 1] > 0
    assert (bent.scores(new).argmax(1) == truth).mean() > 0.93
    assert (straight.scores(new).argmax(1) == truth).mean() < 0.75


def test_few_landmarks_come_close_to_all():
    features, labels = cloud(600)
    new, _ = cloud(600, seed=0)
    machines = [
        KernelProblem(features, labels, 3, np.arange(0, 600, step)).fit(Kind(1.0, 0.1)) for step in (1, 6)
    ]
    answers = [machine.scores(new).argmax(1) for machine in machines]
    assert machines[1].landmarks.shape == (100, 6)
    assert (answers[0] == answers[1]).mean() > 0.97


def test_a_class_that_was_not_there_never_wins():
    features, labels = cloud(60, classes=2)
    for gamma in (None, 0.5):
        machine = KernelProblem(features, labels * 2, 3, np.arange(60)).fit(Kind(1.0, gamma))
        assert isinstance(machine, Machine)
        scores = machine.scores(features)
        assert (scores[:, 1] == -np.inf).all()
        assert (scores.argmax(1) == labels * 2).mean() > 0.9


def test_rare_classes_count_as_much():
    features, labels = cloud(400, width=2, classes=2, seed=4)
    rows = np.flatnonzero((labels == 0) | (np.arange(400) < 40))
    machine = KernelProblem(features[rows], labels[rows], 2, np.arange(1)).fit(Kind(1.0, None))
    answers = machine.scores(features).argmax(1)
    recalls = [(answers[labels == label] == label).mean() for label in (0, 1)]
    assert abs(recalls[0] - recalls[1]) < 0.1


def test_parts_have_their_shares_of_the_distance():
    random = np.random.default_rng(0)
    vectors = np.concatenate(
        [random.normal(5, 9, (500, 4)), random.normal(0, 0.01, (500, 30)), np.ones((500, 3))], axis=1
    ).astype(np.float32)
    table = TrainingTable.of(vectors, np.arange(500) % 2, np.arange(500) % 5)
    scaled = scaling(table, (("a", 4), ("b", 30), ("c", 3)), (3.0, 1.0, 1.0))(vectors)
    pairs = (scaled[:250] - scaled[250:]) ** 2
    assert pairs[:, :4].sum(1).mean() == pytest.approx(0.6, rel=0.1)
    assert pairs[:, 4:34].sum(1).mean() == pytest.approx(0.2, rel=0.1)
    assert (scaled[:, 34:] == 0).all()


def test_tags_are_learned_side_by_side_each_with_both_sides_equal():
    chance = np.random.default_rng(0)
    features = chance.normal(size=(120, 6)).astype(np.float32)
    shown = np.stack([features[:, 0] > 0.8, features[:, 1] > 0, np.ones(120, bool)], axis=1)
    for gamma in (None, 0.3):
        machine = KernelProblem(features, shown, 3, np.arange(120)).fit(Kind(10.0, gamma))
        scores = machine.scores(features)
        assert ((scores[:, :2] > 0) == shown[:, :2]).mean() > 0.95
        assert (scores[:, 2] == 0).all()  # all have it: it tells nothing


def test_a_tag_alone_is_the_machine_of_its_two_classes():
    chance = np.random.default_rng(1)
    features = chance.normal(size=(80, 4)).astype(np.float32)
    shown = features[:, :1] + features[:, 1:2] > 0.5
    by_tag = KernelProblem(features, shown, 1, np.arange(80)).fit(Kind(1.0, None))
    by_class = KernelProblem(features, shown[:, 0].astype(np.int64), 2, np.arange(80)).fit(Kind(1.0, None))
    np.testing.assert_allclose(by_tag.scores(features)[:, 0], by_class.scores(features)[:, 1], atol=0.02)
