"""What the card of a model file says of how the model came to be."""

import importlib.metadata
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fieldguide.data.dataset import Dataset
from fieldguide.errors import Refusal
from fieldguide.evaluation.result import Outcomes, measure
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.learning.card import PACKAGES, pretrained_card, set_by_class, trained_card
from fieldguide.modelfile.card import read_card, written
from fieldguide.recipes.common import Options


@pytest.fixture
def card():
    fitted = SimpleNamespace(
        classes=("a", "b"),
        preprocessing=Preprocessing(32),
        made_with=("pillow",),
        backbone={"name": "n", "licence": "MIT"},
        set_threshold=0.25,
        class_set_thresholds=None,
        tag_thresholds=None,
        used=3,
        refused=(Refusal("2.jpg", "empty", "m"),),
        fingerprint="f" * 64,
        digests=("a" * 64, "b" * 64),
        choices=("one",),
        history=({"epoch": 1, "seconds": 7.5},),
        outcome=None,
    )
    training = Dataset(Path(), ("0.jpg", "1.jpg", "2.jpg", "3.jpg"), ("a", "b", "b", "b"))
    outcomes = Outcomes.of(
        np.array([0, 1]),
        np.array([[0.9, 0.1], [0.2, 0.8]]),
        np.ones(2),
        set_threshold=0.25,
        unknown_threshold=0.01,
    )
    measured = measure(outcomes, ("a", "b"))
    return trained_card(fitted, training, "linear-probe", Options(preset="fast", seed=4), measured)


def test_a_card_is_one_that_a_reader_of_files_accepts(card):
    assert read_card(written(card).encode()) == card


def test_images_are_counted_without_those_refused(card):
    assert card["data"]["per_class"] == {"a": 1, "b": 2}
    assert (card["data"]["images"], card["data"]["refused"]) == (3, 1)


def test_what_differs_from_run_to_run_or_grows_with_the_classes_is_left_out(card):
    assert card["history"] == [{"epoch": 1}]
    assert not {"per_class", "confusion", "refused"} & set(card["metrics"])
    assert card["metrics"]["accuracy"]["value"] == 1
    assert card["metrics"]["measured_on"] == "out-of-fold"


def test_versions_are_of_what_it_was_made_with(card):
    assert set(card["created"]) == set(PACKAGES)
    assert card["created"]["numpy"] == importlib.metadata.version("numpy")


def test_a_pretrained_model_promises_nothing():
    exported = SimpleNamespace(
        classes=("a", "b"),
        preprocessing=Preprocessing(32),
        made_with=(),
        name="n",
        licence="MIT",
        source="s",
        digest="d",
    )
    card = pretrained_card(exported)
    assert card["thresholds"] == {"unknown": 0.01, "coverage": None, "set": None}
    assert read_card(written(card).encode())["recipe"] == "pretrained"


def test_a_threshold_a_class_stands_beside_the_common_one():
    assert set_by_class(None) == {}
    assert set_by_class(np.array([0.25, 0.5])) == {"set_by_class": [0.25, 0.5]}
