"""From DATA to a measured model file, end to end, with a tiny backbone of random weights."""

import dataclasses
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

import fieldguide
from fieldguide import cli, recipes
from fieldguide.data.dataset import open_dataset
from fieldguide.errors import BackboneError, DataError, OptionError
from fieldguide.evaluation.measurement import evaluate
from fieldguide.images import decoding
from fieldguide.learning import train as train_module
from fieldguide.learning.train import TrainOptions, train
from fieldguide.recipes.common import Options, Run

COUNTS = {"red": 14, "green": 13, "blue": 13}
EVALUATION = {
    "n", "refused", "accuracy", "balanced_accuracy", "macro_f1", "macro_precision", "macro_recall", "top5",
    "log_loss", "ece", "coverage", "mean_set_size", "unknown_rate", "per_class", "confusion",
}  # fmt: skip
"""The keys of the contract's `evaluate --json`."""


@pytest.fixture
def options(tiny_hub, cache_of_the_tests, tmp_path):
    """Make options: `options(data, out=…, seed=…)`."""

    def make(data, out=None, recipe="linear-probe", cache=cache_of_the_tests, **changes):
        wanted = Options(**{"backbone": "test_efficientnet", **changes})
        return TrainOptions(Path(data), out or tmp_path / "model.onnx", recipe, wanted, Run(cache=cache))

    return make


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), COUNTS)


@pytest.fixture
def splits(tmp_path, paint_classes):
    """DATA with splits; its test images are no images, and their class is one that train does not have."""
    paint_classes(tmp_path / "data" / "train", COUNTS)
    paint_classes(tmp_path / "data" / "val", {"red": 4, "green": 3, "blue": 3}, first=50)
    for label in ("red", "green"):
        for number in range(5):
            path = tmp_path / "data" / "test" / label / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"no image")
    return tmp_path / "data"


def test_two_runs_write_the_same_bytes(photos, options, tmp_path):
    first = train(options(photos, tmp_path / "1.onnx"))
    copied = shutil.copytree(photos, tmp_path / "copied")
    train(options(copied, tmp_path / "2.onnx", cache=None))
    assert (tmp_path / "1.onnx").read_bytes() == (tmp_path / "2.onnx").read_bytes()
    train(options(photos, tmp_path / "3.onnx", seed=1))
    assert (tmp_path / "1.onnx").read_bytes() != (tmp_path / "3.onnx").read_bytes()
    assert str(tmp_path).encode() not in (tmp_path / "1.onnx").read_bytes()
    assert first.validation.accuracy.value > 0.8


def test_plain_onnx_runtime_gives_the_same_answers(photos, options):
    out = options(photos).out
    train(options(photos))
    paths = sorted(photos.rglob("*.png"))
    predictions = fieldguide.load(out).predict(paths)
    session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
    for path, prediction in zip(paths, predictions, strict=True):
        pixels = np.asarray(Image.open(path).convert("RGB"))[None]
        probabilities, typicality = session.run(["probabilities", "typicality"], {"image": pixels})
        np.testing.assert_allclose(probabilities[0], prediction.probabilities, atol=1e-4)
        assert prediction.typicality == pytest.approx(typicality[0], abs=0.051)  # a step or two of 1 / 41
    right = [p.label == path.parent.name for p, path in zip(predictions, paths, strict=True)]
    assert np.mean(right) > 0.95
    assert np.mean([p.typicality for p in predictions]) > 0.4


def test_what_is_foreign_is_less_typical(photos, options, tmp_path):
    train(options(photos))
    random = np.random.default_rng(0)
    foreign = [random.integers(0, 2, (60, 60, 3), dtype=np.uint8) * 255 for _ in range(5)]
    for prediction in fieldguide.load(tmp_path / "model.onnx").predict(foreign):
        assert prediction.typicality == pytest.approx(1 / 41, abs=0.03)


def test_the_json_is_the_contracts(photos, options, tmp_path):
    result = train(options(photos))
    answer = result.as_dict()
    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    contract = {"model", "recipe", "backbone", "preset", "seed", "images", "seconds", "validation", "history"}
    more = {"refused", "choices", "notes", "outcome", "interrupted", "doubts", "limits"}
    assert set(answer) == contract | more
    added = {"measured_on", "labels_not_in_model", "coverage_by_set_size"}
    assert set(answer["validation"]) == EVALUATION | added
    assert answer["images"] == {"used": 40, "refused": 0}
    assert answer["model"] == str(tmp_path / "model.onnx")
    assert answer["seconds"]["total"] >= answer["seconds"]["features"] > 0
    assert {"total", "scan", "features", "head", "write"} <= set(answer["seconds"])
    assert (answer["recipe"], answer["backbone"]) == ("linear-probe", "test_efficientnet")
    assert (answer["preset"], answer["seed"], answer["history"]) == ("balanced", 0, [])
    assert answer["validation"]["n"] == 40
    assert "out-of-fold" in answer["validation"]["measured_on"]
    assert answer["choices"] == list(result.choices)
    assert len(answer["choices"]) >= 5


def test_the_card_says_what_was_done(photos, options):
    result = train(options(photos))
    model = fieldguide.load(result.options.out)
    card = model.card
    assert model.classes == ("blue", "green", "red")
    assert card["thresholds"] == {"unknown": 0.01, "coverage": 0.95, "set": result.fitted.set_threshold}
    assert card["data"]["images"] == 40
    assert card["data"]["per_class"] == COUNTS
    assert card["data"]["fingerprint"] == result.fitted.fingerprint
    assert card["backbone"]["licence"] == "apache-2.0"
    assert card["metrics"]["accuracy"]["value"] == result.validation.accuracy.value
    assert card["metrics"]["measured_on"] == "out-of-fold"
    assert card["choices"] == list(result.choices)
    assert card["created"]["onnxruntime"] == onnxruntime.__version__


def test_images_that_cannot_be_read_are_listed_and_not_fatal(photos, options, tmp_path):
    data = shutil.copytree(photos, tmp_path / "data")
    (data / "red" / "cut.png").write_bytes((data / "red" / "000.png").read_bytes()[:-30])
    (data / "red" / "empty.jpg").write_bytes(b"")
    result = train(options(data))
    assert [(r["path"], r["code"]) for r in result.as_dict()["refused"]] == [
        (os.path.join("red", "cut.png"), "truncated"),  # noqa: PTH118
        (os.path.join("red", "empty.jpg"), "empty"),  # noqa: PTH118
    ]
    assert result.as_dict()["images"] == {"used": 40, "refused": 2}
    card = fieldguide.load(result.options.out).card
    assert card["data"]["per_class"] == COUNTS
    assert card["data"]["refused"] == 2


def test_validation_is_measured_on_and_test_is_never_opened(splits, options, monkeypatch):
    opened = []
    for module in (decoding, *(m for name, m in sys.modules.items() if name.startswith("fieldguide."))):
        for name in ("open_image", "read_bytes"):
            if hasattr(module, name):
                real = getattr(module, name)
                spy = lambda source, real=real: opened.append(source) or real(source)  # noqa: E731
                monkeypatch.setattr(module, name, spy)
    result = train(options(splits, cache=None))
    assert result.refused == ()
    assert result.fitted.used == 40
    assert result.validation.n == 10
    assert result.measured_on == "DATA's validation split"
    names = {str(source) for source in opened if isinstance(source, str | os.PathLike)}
    assert len([name for name in names if f"{os.sep}train{os.sep}" in name]) == 40
    assert len([name for name in names if f"{os.sep}val{os.sep}" in name]) == 10
    assert not [name for name in names if f"{os.sep}test{os.sep}" in name]


def test_the_validation_is_that_of_the_written_file(splits, options):
    result = train(options(splits))
    with open_dataset(splits) as dataset:
        again = evaluate(fieldguide.load(result.options.out), dataset.select("validation"))
    stated = result.validation.as_dict()
    assert stated.pop("leaks")["n"] == 0
    assert again.as_dict() == stated
    assert fieldguide.load(result.options.out).card["metrics"]["n"] == 40  # out-of-fold stands in the card


def test_a_validation_split_of_nothing_but_broken_photos_costs_no_model(splits, options):
    for path in (splits / "val").rglob("*.png"):
        path.write_bytes(b"no image")
    result = train(options(splits))
    assert fieldguide.load(result.options.out).classes == ("blue", "green", "red")
    assert "out-of-fold" in result.measured_on
    assert any("validation split could not be measured on" in note for note in result.notes)


def test_without_validation_but_with_test_it_is_out_of_fold(splits, options):
    shutil.rmtree(splits / "val")
    result = train(options(splits))
    assert (result.fitted.used, result.validation.n, result.refused) == (40, 40, ())


def test_a_class_with_a_single_image(paint_classes, options, tmp_path):
    result = train(options(paint_classes(tmp_path / "data", {"red": 9, "green": 8, "grey": 1})))
    assert fieldguide.load(result.options.out).classes == ("green", "grey", "red")
    assert result.validation.n == 17
    assert result.fitted.used == 18


def test_groups_of_a_table_are_kept_together(photos, options, tmp_path):
    rows = [f"{path},{path.parent.name},visit {int(path.stem) % 5}" for path in sorted(photos.rglob("*.png"))]
    table = photos / "labels.csv"
    table.write_text("\n".join(["path,label,group", *(row.replace(f"{photos}/", "") for row in rows)]))
    try:
        result = train(options(table))
    finally:
        table.unlink()
    assert "35 near-duplicates or group members kept on one side" in "\n".join(result.choices)


def test_one_class_is_not_enough(paint_classes, options, tmp_path, no_work):
    data = paint_classes(tmp_path / "data", {"red": 5})
    with pytest.raises(DataError, match=r"data: need two classes to tell apart, got 1 \('red'\)"):
        train(options(data))
    assert not (tmp_path / "model.onnx").exists()


def test_nothing_but_copies_is_not_enough(paint, options, tmp_path):
    for colour, values in {"red": (200, 0, 0), "blue": (0, 0, 200)}.items():
        first = paint(tmp_path / "data" / colour / "0.png", values, 0)
        for number in range(1, 4):
            shutil.copy(first, first.with_name(f"{number}.png"))
    with pytest.raises(DataError, match="no class has two separate photos"):
        train(options(tmp_path / "data"))
    assert not (tmp_path / "model.onnx").exists()


@pytest.fixture
def no_work(monkeypatch):
    """Fails a test in which training begins."""
    fail = lambda *arguments: pytest.fail("work began")  # noqa: E731
    monkeypatch.setattr(recipes.find("linear-probe"), "fit", fail)


def test_an_old_model_stays_if_training_fails(photos, options, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"old")
    with pytest.raises(BackboneError):
        train(options(photos, backbone="no_such_backbone"))
    assert (tmp_path / "model.onnx").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_what_is_asked_for_must_exist(photos, options, tmp_path):
    with pytest.raises(OptionError, match="recipe: must be one of"):
        train(options(photos, recipe="magic"))
    with pytest.raises(OptionError, match="preset: must be one of"):
        train(options(photos, preset="quick"))
    with pytest.raises(DataError, match="no such file or folder"):
        train(options(tmp_path / "nowhere"))


def test_images_without_a_label_are_not_learned(photos, options):
    with open_dataset(photos) as dataset:
        labels = ("", *dataset.labels[1:])
        result = train_module.train_dataset(dataclasses.replace(dataset, labels=labels), options(photos))
        assert result.fitted.used == 39
        nothing = dataclasses.replace(dataset, labels=("",) * 40)
        with pytest.raises(DataError, match="need labelled images, got none"):
            train_module.train_dataset(nothing, options(photos))


def test_the_default_way(photos, tmp_path, cache_of_the_tests):
    """The backbone that comes with the installation, as `fieldguide train --preset fast` runs it."""
    out, answer = tmp_path / "model.onnx", tmp_path / "train.json"
    given = ["train", photos, "--out", out, "--preset", "fast", "--json", answer]
    assert cli.main([str(argument) for argument in given]) == 0
    told = json.loads(answer.read_text())
    assert told["backbone"] == "efficientnet_lite0"
    assert "backbone efficientnet_lite0, 144 × 144 pixels: preset fast" in told["choices"][0]
    assert told["validation"]["accuracy"]["value"] > 0.9
    assert fieldguide.load(out).card["preset"] == "fast"
