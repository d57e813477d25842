"""Whether activations are rounded: decided on photos that did not tell the ranges, and said."""

from dataclasses import replace

import numpy as np
import pytest

import fieldguide
from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError, OptionError
from fieldguide.evaluation import rounded_activations as module
from fieldguide.evaluation.result import Outcomes, measure
from fieldguide.evaluation.rounded_activations import _Compared, _ece_error, rounded_activations


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), {"red": 20, "green": 20, "blue": 20})


@pytest.fixture(scope="module")
def trained(tmp_path_factory, photos):
    path = tmp_path_factory.mktemp("trained") / "model.onnx"
    fieldguide.train(photos, out=path, preset="fast", progress=False)
    return path


def decided(trained, photos, monkeypatch, least_same=0.5, least_faster=0.0, worse=1.0):
    monkeypatch.setattr(module, "LEAST_SAME", least_same)
    monkeypatch.setattr(module, "LEAST_FASTER", least_faster)  # which a busy machine would decide
    monkeypatch.setattr(module, "MOST_WORSE_ECE", worse)
    monkeypatch.setattr(module, "MOST_LOST_COVERAGE", worse)
    with open_dataset(photos) as dataset:
        return rounded_activations(trained, dataset)


def test_what_holds_on_other_photos_is_taken(trained, photos, monkeypatch):
    made = decided(trained, photos, monkeypatch)
    assert made.content is not None
    assert made.note.startswith("weights and activations of 8 bits: on 40 photos the same label on ")
    assert "calibration error" in made.note


def test_what_falls_short_is_said_and_not_taken(trained, photos, monkeypatch):
    made = decided(trained, photos, monkeypatch, least_same=1.1, least_faster=1e6)
    assert made.content is None
    assert made.note.startswith(
        "weights of 8 bits alone: with activations labels stay the same on fewer than"
    )
    assert "; it is not faster on this processor (on 40 photos" in made.note


def test_photos_without_labels_compare_labels_alone(trained, photos, monkeypatch, tmp_path):
    (tmp_path / "photos").mkdir()
    for path in photos.rglob("*.png"):
        (tmp_path / "photos" / f"{path.parent.name}-{path.name}").write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "LEAST_FASTER", 0.0)
    monkeypatch.setattr(module, "LEAST_SAME", 0.5)
    done = fieldguide.export(
        trained, to="int8", out=tmp_path / "small.onnx", calibrate=tmp_path / "photos", progress=False
    )
    assert done.note.startswith("weights and activations of 8 bits: ")
    assert "calibration error" not in done.note
    assert fieldguide.load(tmp_path / "small.onnx").card["exported"]["activations"] is True


def test_too_few_photos_are_refused(trained, tmp_path, paint_classes):
    few = paint_classes(tmp_path / "few", {"red": 10, "green": 9, "blue": 8})
    with open_dataset(few) as dataset, pytest.raises(DataError, match=r"needs at least 30 photos.*got 27"):
        rounded_activations(trained, dataset)


def test_photos_that_cannot_be_read_count_for_nothing_and_are_named(
    trained, tmp_path, paint_classes, monkeypatch
):
    half = paint_classes(tmp_path / "half", {"red": 20, "green": 20, "blue": 20})
    paths = sorted(half.rglob("*.png"))
    for path in paths[::2]:
        path.write_bytes(path.read_bytes()[:40])
    made = decided(trained, half, monkeypatch)
    assert " on 20 photos the same label on " in made.note
    assert "; 30 photos could not be read: " in made.note and "; and 25 more" in made.note
    paths[1].write_bytes(b"")
    with open_dataset(half) as dataset, pytest.raises(DataError, match=r"got 29; 31 photos could not be"):
        rounded_activations(trained, dataset)


def outcomes(sure):
    labels = np.arange(200) % 2
    shares = np.where(np.eye(2)[labels] == 1, sure, 1 - sure)
    shares[:40] = shares[:40, ::-1]  # wrong
    return Outcomes.of(labels, shares, np.ones(200), set_threshold=0.4, unknown_threshold=0.01)


def test_a_growth_of_the_calibration_error_must_be_more_than_chance():
    before, after = outcomes(0.8), outcomes(0.85)
    error = _ece_error(before, after)
    assert 0.005 < error < 0.05
    measured = (measure(before, ("a", "b")), measure(after, ("a", "b")))
    assert measured[1].ece - measured[0].ece == pytest.approx(0.05)
    assert "the calibration error grows" in "".join(
        _Compared(200, 1.0, 2.0, measured, 0.01).reasons(faster=True)
    )
    assert _Compared(200, 1.0, 2.0, measured, 0.04).reasons(faster=True) == []
    alarmed = replace(measured[1], unknown_rate=0.03)
    assert _Compared(200, 1.0, 2.0, (measured[0], alarmed), 0.04).reasons(faster=True) == [
        "over 2% more photos are taken as unknown"
    ]
    assert _Compared(200, 1.0, 2.0, None, 0.0).reasons(faster=True) == []


def test_speed_on_this_machine_is_not_told_of_files_for_boards():
    compared = _Compared(200, 0.99, 2.0, None, 0.0)
    assert compared.summary() == "on 200 photos the same label on 99.0%, 2.00 times as fast"
    assert compared.summary(speed=False) == "on 200 photos the same label on 99.0%"


def test_what_was_rounded_before_is_refused_before_photos_are_read(trained, photos, tmp_path, monkeypatch):
    fieldguide.export(trained, to="int8", out=tmp_path / "small.onnx", progress=False)
    monkeypatch.setattr(module, "_squares", lambda *_: pytest.fail("reads photos"))
    for form in module.FORMS:
        with (
            open_dataset(photos) as dataset,
            pytest.raises(OptionError, match=f"to {form}: must be a model"),
        ):
            rounded_activations(tmp_path / "small.onnx", dataset, form)
