"""Tags given with a stated precision, whatever recipe has learned them."""

import types
from dataclasses import dataclass, replace

import numpy as np
import pytest

from fieldguide.errors import OptionError
from fieldguide.learning.stated_precision import check_stated, with_stated_precision
from fieldguide.recipes.common import Options
from fieldguide.tasks.task import Task


@dataclass(frozen=True)
class Learned:
    out_of_fold: object
    classes: tuple = ("ant", "bee")
    tag_thresholds: object = None
    set_threshold: float = 0.5
    choices: tuple = ("backbone: one", "tags given: for the best F1", "set: tags from 0.5 on too")


@pytest.fixture
def learned():
    rng = np.random.default_rng(0)
    probabilities = rng.random((600, 2))
    chances = np.stack([probabilities[:, 0] ** 0.3, probabilities[:, 1] * 0.3], 1)
    tags = (rng.random((600, 2)) < chances).astype(np.int8)
    held = types.SimpleNamespace(probabilities=probabilities, labels=tags)
    return Learned(held, tag_thresholds=np.array([0.5, 0.5]))


def test_thresholds_set_and_sentences_are_chosen_anew(learned):
    made = with_stated_precision(learned, Options(precision=0.8))
    assert made.tag_thresholds[0] < 0.9 and made.tag_thresholds[1] == 1
    assert made.choices[0] == "backbone: one" and len(made.choices) == 3
    assert "precision of 80%" in made.choices[1] and "'bee'" in made.choices[1]
    held = learned.out_of_fold
    members = held.probabilities >= np.minimum(made.tag_thresholds, made.set_threshold)
    shown = held.labels == 1
    having = shown.any(1)
    assert ((shown & members)[having].sum(1) / shown[having].sum(1)).mean() >= 0.95


def test_without_a_stated_precision_nothing_changes(learned):
    assert with_stated_precision(learned, Options()) is learned
    single = replace(learned, tag_thresholds=None)
    assert with_stated_precision(single, Options(precision=0.9)) is single


def test_single_labels_and_impossible_precisions_are_refused():
    check_stated(Options(), Task.SINGLE)
    check_stated(Options(precision=0.9), Task.MULTIPLE)
    with pytest.raises(OptionError, match="--precision: must have tags"):
        check_stated(Options(precision=0.9), Task.SINGLE)
    with pytest.raises(OptionError, match="less than 1, got 90"):
        check_stated(Options(precision=90), Task.MULTIPLE)
