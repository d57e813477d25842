"""Linear heads for tags: what the head computes is what was promised."""

import numpy as np
import pytest
from scipy.special import expit

from fieldguide.heads.ridge import TagTable
from fieldguide.heads.tag_probe import combinations, fit_tag_probe
from fieldguide.heads.training_table import TrainingTable


@pytest.fixture(scope="module")
def tags():
    chance = np.random.default_rng(0)
    shown = (chance.random((300, 3)) < 0.4).astype(np.int8)
    vectors = (shown @ chance.normal(size=(3, 20)) + 0.7 * chance.normal(size=(300, 20)) + 5).astype(
        np.float32
    )
    table = TrainingTable.of(vectors, combinations(shown), np.arange(300) % 5)
    return TagTable(table, shown)


def test_the_head_on_raw_features_ranks_and_is_calibrated(tags):
    probe = fit_tag_probe(tags, (("final", 20),), seed=0)
    logits = np.asarray(tags.table.vectors) @ probe.head.weights + probe.head.bias
    assert ((expit(logits) >= probe.promises.thresholds) == tags.indicators).mean() > 0.85
    assert probe.judged.tolist() == list(range(300))
    assert probe.promises.probabilities.shape == (300, 3)
    assert np.abs(probe.promises.probabilities.mean(0) - tags.indicators.mean(0)).max() < 0.02


def test_one_shrinkage_is_taken_as_it_is(tags):
    probe = fit_tag_probe(tags, (("final", 20),), seed=0, shrinkages=(0.7,))
    assert probe.choices[0].startswith("shrinkage 0.7: the only one tried")


def test_combinations_are_numbered_from_the_most_frequent():
    shown = np.array([[1, 0]] * 12 + [[1, 1]] * 30 + [[0, 1]] * 3 + [[0, 0]], np.int8)
    found = combinations(shown)
    assert found[0] == 1
    assert found[12] == 0
    assert found[-4:].tolist() == [2] * 4
    assert sorted(set(found.tolist())) == [0, 1, 2]


def test_what_is_not_known_is_not_present_in_a_combination():
    assert combinations(np.array([[1, -1]] * 10 + [[1, 0]] * 10, np.int8)).tolist() == [0] * 20
