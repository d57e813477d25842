"""The head and its promises, from features alone."""

import numpy as np
import onnxruntime
import pytest

from fieldguide.heads import calibration, linear_head
from fieldguide.heads.lda import discriminant
from fieldguide.heads.linear_head import FOR_FEW_IMAGES, SHRINKAGES, fit_probe, held_out_sample
from fieldguide.heads.nonconformity import entropy, nonconformity
from fieldguide.heads.out_of_distribution import fit, out_of_fold_distances
from fieldguide.heads.promises import COVERAGE
from fieldguide.heads.training_table import TrainingTable
from fieldguide.modelfile.graph import head_model

DEPTHS = (("early", 10), ("early:max", 10), ("final", 20))
COLUMNS = np.r_[0:10, 20:40]


def made(counts, seed=0, apart=1.2):
    """A table whose class `i` has `counts[i]` images."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    vectors = 5 + random.normal(size=(len(labels), 40)) * random.uniform(0.1, 9, 40)
    vectors += apart * random.normal(size=(len(counts), 40))[labels]
    return TrainingTable.of(vectors.astype(np.float32), labels, np.arange(len(labels)) % 5)


@pytest.fixture(scope="module")
def table():
    return made([60, 30, 30])


@pytest.fixture(scope="module")
def probe(table):
    return fit_probe(table, DEPTHS, 0)


def best_trial(table):
    """Shrinkage, temperature and log-probabilities of the lowest cross-validated log loss."""
    shares = np.log(np.bincount(table.labels) / len(table.labels))
    trials = []
    for shrinkage in SHRINKAGES:
        scores = discriminant(table).out_of_fold((shrinkage,), np.arange(len(table.labels)))[0].astype(float)
        trials.append(max(calibrated(table, scores, priors, shrinkage) for priors in (shares, 0 * shares)))
    return min(trials, key=lambda trial: -trial[1])[2:], shares


def calibrated(table, scores, priors, shrinkage):
    temperature = calibration.fit_temperature(scores, table.labels, priors)
    log_p = calibration.log_probabilities(scores, priors, temperature)
    loss = -log_p[np.arange(len(log_p)), table.labels].mean()
    accuracy = (log_p.argmax(1) == table.labels).mean()
    return accuracy, -loss, loss, shrinkage, temperature, log_p


def test_one_photo_under_two_labels_does_not_make_the_largest_class_win():
    random = np.random.default_rng(0)
    labels = np.repeat([0, 1], [412, 409])
    vectors = random.normal(size=(821, 3000)) + 0.25 * np.eye(2)[labels].repeat(1500, axis=1)
    learn = np.r_[0:12, 412:421]
    twin = np.r_[learn, 0]
    twin_labels = np.r_[labels[learn], 1]
    folds = np.r_[np.arange(12) % 5, np.arange(9) % 5, 0]
    probe = fit_probe(
        TrainingTable.of(vectors[twin].astype(np.float32), twin_labels, folds), (("final", 3000),), 0
    )
    answers = (vectors @ probe.head.weights + probe.head.bias).argmax(1)
    new = np.setdiff1d(np.arange(821), learn)
    assert (answers[new] == labels[new]).mean() > 0.85
    assert not probe.promises.uses_shares


def test_what_it_promises_rests_on_held_out_answers(table, probe):
    (_, shrinkage, temperature, log_p), _ = best_trial(table)
    np.testing.assert_allclose(probe.promises.probabilities, np.exp(log_p), atol=1e-9)
    assert probe.judged.tolist() == list(range(120))
    truth = probe.promises.probabilities[np.arange(120), table.labels]
    assert probe.promises.set_threshold == calibration.set_threshold(truth, COVERAGE)
    assert (truth >= probe.promises.set_threshold).mean() >= COVERAGE
    distances = out_of_fold_distances(table, COLUMNS, np.arange(len(table.labels)), 0)
    ranked = nonconformity(log_p, table.labels, distances.astype(float)).reference
    np.testing.assert_allclose(probe.promises.typicality, calibration.own_typicality(ranked), atol=1e-9)
    np.testing.assert_allclose(probe.ranking.reference, np.sort(ranked), rtol=1e-5)
    np.testing.assert_array_equal(probe.head.reference, np.sort(distances))
    assert f"shrinkage {shrinkage:g}: lowest cross-validated log loss" in probe.choices[0]
    assert f"temperature {temperature:.3g}: " in probe.choices[1]


def few_telling():
    """150 images of three classes that 30 of 3,000 features tell apart."""
    random = np.random.default_rng(0)
    labels = np.arange(150) % 3
    vectors = random.normal(size=(150, 3000))
    vectors[:, :30] += 1.5 * np.eye(3)[labels].repeat(10, axis=1)
    return TrainingTable.of(vectors.astype(np.float32), labels, np.arange(150) // 3 % 5)


def test_features_are_weighted_by_relevance_where_held_out_images_say_so():
    probe = fit_probe(few_telling(), (("final", 3000),), 0)
    assert ", features weighted by relevance: lowest cross-validated log loss (0.4: " in probe.choices[0]
    assert "; features as they come at best " in probe.choices[0]
    assert probe.promises.chosen >= len(SHRINKAGES) + len(FOR_FEW_IMAGES)
    assert probe.promises.losses[probe.promises.chosen] == min(probe.promises.losses)


def test_the_head_on_weighted_features_reads_features_as_they_come():
    table = few_telling()
    probe = fit_probe(table, (("final", 3000),), 0)
    new = np.random.default_rng(1).normal(size=(90, 3000))
    new[:, :30] += 1.5 * np.eye(3)[np.arange(90) % 3].repeat(10, axis=1)
    answers = (new @ probe.head.weights + probe.head.bias).argmax(1)
    assert (answers == np.arange(90) % 3).mean() > 0.9


def test_with_many_images_features_are_taken_as_they_come(monkeypatch):
    monkeypatch.setattr(linear_head, "MOST_BY_RELEVANCE", 149)
    probe = fit_probe(few_telling(), (("final", 3000),), 0)
    assert len(probe.promises.losses) == len(SHRINKAGES)
    assert "relevance" not in probe.choices[0]


def test_held_out_answers_are_less_sure_than_those_on_images_learned_from(table, probe):
    truth = probe.promises.probabilities[np.arange(120), table.labels]
    own = outputs(probe, table)[0][np.arange(120), table.labels]
    assert np.log(own).mean() > np.log(truth).mean() + 0.05


def outputs(probe, table):
    model = head_model(probe.head, ranking=probe.ranking).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["probabilities", "typicality"], {"features": table.vectors})


def test_the_head_takes_features_as_they_come(table, probe):
    """Standardisation, temperature and class shares are in its weights."""
    (_, shrinkage, temperature, _), shares = best_trial(table)
    priors = shares if probe.promises.uses_shares else 0 * shares
    weights, bias = discriminant(table).fit(shrinkage)
    scores = (table.rows(slice(None)) @ weights + bias).astype(float)
    expected = np.exp(calibration.log_probabilities(scores, priors, temperature))
    probabilities, typicality = outputs(probe, table)
    np.testing.assert_allclose(probabilities, expected, atol=2e-5)
    assert probe.head.columns.tolist() == COLUMNS.tolist()
    distances = fit(table, COLUMNS, np.arange(120), 0).distances(table.rows(slice(None)))
    ranked, log_p = probe.promises.ranking, np.log(np.maximum(expected, 1e-300))
    measures = (distances.astype(float), ranked.scores(log_p), entropy(log_p))
    total = sum(surprisal(values) for surprisal, values in zip(ranked.surprisals, measures, strict=True))
    reference = calibration.reference_distances(ranked.reference)
    np.testing.assert_allclose(typicality, calibration.typicality(reference, total), atol=1.1 / 121)


def test_frequent_classes_are_expected_more_often(table):
    even = fit_probe(made([60, 60, 60], apart=0.0), DEPTHS, 0)
    uneven = fit_probe(made([150, 15, 15], apart=0.0), DEPTHS, 0)
    np.testing.assert_allclose(even.promises.probabilities.mean(0), 1 / 3, atol=0.08)
    assert uneven.promises.probabilities.mean(0)[0] > 0.7


def test_an_image_whose_class_no_other_fold_knew_is_not_judged():
    table = made([30, 29, 1])
    probe = fit_probe(table, DEPTHS, 0)
    assert probe.judged.tolist() == list(range(59))
    assert probe.promises.probabilities.shape == (59, 3)
    assert len(probe.promises.typicality) == 59
    assert len(probe.head.reference) == 60
    np.testing.assert_allclose(probe.promises.probabilities.sum(1), 1)
    assert np.isfinite(probe.head.bias).all()


@pytest.mark.parametrize(("count", "said"), [(99, True), (100, False)])
def test_too_few_images_to_ever_say_unknown_is_told(count, said):
    choices = fit_probe(made([count - 40, 40]), DEPTHS, 0).choices
    assert any("unknown: never said" in choice and f" {count} images" in choice for choice in choices) == said


def test_of_100_images_the_farthest_can_be_unknown_and_of_99_none():
    for count, possible in ((99, False), (100, True)):
        table = made([count - 40, 40])
        probe = fit_probe(table, DEPTHS, 0)
        far = TrainingTable(table.vectors + 1000, table.labels, table.folds, 2, table.mean, table.scale)
        assert (outputs(probe, far)[1].min() < 0.01) == possible


def test_the_same_table_gives_the_same_head(table, probe):
    again = fit_probe(table, DEPTHS, 0)
    for name, value in vars(probe.head).items():
        np.testing.assert_array_equal(value, getattr(again.head, name))


def test_the_more_classes_the_fewer_images_are_answered_but_never_hardly_any():
    assert len(held_out_sample(50_000, 10, 0)) == 20_000
    assert len(held_out_sample(50_000, 1000, 0)) == 10_000
    assert len(held_out_sample(50_000, 50_000, 0)) == 2_000
    assert held_out_sample(1500, 1000, 0).tolist() == list(range(1500))


def test_of_many_images_a_sample_is_held_out(table, monkeypatch):
    monkeypatch.setattr("fieldguide.heads.linear_head.MOST_HELD_OUT", 40)
    sampled = fit_probe(table, DEPTHS, 0)
    answered = (sampled.judged, sampled.promises.typicality, sampled.promises.probabilities)
    assert {len(part) for part in answered} == {40}
    assert len(sampled.head.reference) == 40
    assert sampled.head.centres.shape == fit_probe(table, DEPTHS, 0).head.centres.shape
