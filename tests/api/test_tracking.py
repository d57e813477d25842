import sys

import pytest

import fieldguide
from fieldguide.api import tracking
from fieldguide.errors import OptionError


class Remembers:
    """A tracker that keeps what it is told."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        return lambda *args, **more: self.told.append((name, args, more))


@pytest.fixture
def tracker(monkeypatch):
    made = Remembers()
    monkeypatch.setitem(tracking._STATE, "make", lambda: made)
    return made


def test_a_training_and_a_measurement_are_told(tracker, paint_classes, tmp_path):
    photos = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    result = fieldguide.train(photos, recipe="svm", preset="fast", seed=1)
    names = [name for name, *_ in tracker.told]
    assert names == ["begin", "metrics", "files", "model", "end"]
    assert tracker.told[0][1][1]["seed"] == 1
    tracker.told.clear()
    fieldguide.evaluate(result, photos)
    assert [name for name, *_ in tracker.told] == ["begin", "metrics", "files", "end"]


def test_epochs_are_steps(tracker):
    with tracking.tracked("train", {}) as kept:
        kept.epoch({"epoch": 2, "train_loss": 0.5})
    assert tracker.told[1] == ("metrics", ({"train_loss": 0.5}, 2), {})


def test_without_a_tracker_nothing_is_kept():
    with tracking.tracked("train", {}) as kept:
        kept.epoch({"epoch": 1})
        kept.folds("accuracy", [0.5])
        kept.trained(None, {})


def test_a_tracker_that_is_none_or_not_installed_is_said(monkeypatch):
    with pytest.raises(OptionError, match="must be one of mlflow, wandb, or None; got 'tensorboard'"):
        fieldguide.log_to("tensorboard")
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(OptionError, match="wandb: it is not installed; run: "):
        fieldguide.log_to("wandb")
    assert tracking._STATE == {}
