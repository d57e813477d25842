"""What a training reached, by task."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.evaluation.result import Evaluation
from fieldguide.evaluation.tag_result import TagEvaluation
from fieldguide.learning.measuring import held_out, paths_of
from fieldguide.recipes.common import OutOfFold
from fieldguide.tasks.task import Task

PROBABILITIES = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]])


def fitted(task, labels, thresholds=None):
    held = OutOfFold(np.arange(3), labels, PROBABILITIES, np.ones(3))
    return SimpleNamespace(
        task=task,
        out_of_fold=held,
        classes=("a", "b"),
        set_threshold=0.25,
        set_floors=0.25,
        tag_thresholds=thresholds,
    )


def test_labels_are_measured_as_labels():
    measured = held_out(fitted(Task.SINGLE, np.array([0, 1, 1])), ["x", "y", "z"], None)
    assert isinstance(measured, Evaluation)
    assert measured.accuracy.value == pytest.approx(2 / 3)


def test_tags_are_measured_as_tags():
    tags = np.array([[1, 0], [0, 1], [1, 1]], np.int8)
    measured = held_out(fitted(Task.MULTIPLE, tags, np.array([0.5, 0.5])), ["x", "y", "z"], None)
    assert isinstance(measured, TagEvaluation)
    assert measured.exact_match.value == pytest.approx(2 / 3)


def test_rows_count_training_then_what_was_watched():
    training = Dataset(Path(), ("a.jpg",), ("a",))
    watched = Dataset(Path(), ("b.jpg", "c.jpg"), ("a", "other"))
    assert paths_of(training, None) == ("a.jpg",)
    assert paths_of(training, watched) == ("a.jpg", "b.jpg")
