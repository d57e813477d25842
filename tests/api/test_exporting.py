"""`export`: what the command writes."""

import sys
from functools import partial

import pytest

import fieldguide
from fieldguide.api import exporting
from fieldguide.cli import main
from fieldguide.errors import DataError, OptionError


def test_an_export_is_the_commands(photos, tmp_path, capsys):
    model, ours, theirs = (tmp_path / f"{name}.onnx" for name in ("model", "ours", "theirs"))
    fieldguide.train(photos, preset="fast", out=model)
    main(["export", str(model), "--to", "int8", "--out", str(theirs)])
    done = fieldguide.export(model, to="int8", out=ours)
    assert done.as_dict()["bytes_after"] == len(theirs.read_bytes()) and done.check is None
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_check_is_the_commands(photos, tmp_path, command):
    model, core = tmp_path / "model.onnx", tmp_path / "core.onnx"
    fieldguide.train(photos, preset="fast", out=model)
    _, answer = command("export", model, "--to", "core", "--out", core, "--check", photos)
    found = fieldguide.export(model, to="core", out=core, check=photos).as_dict()
    assert {**found, "speed_ratio": 0} == {**answer, "speed_ratio": 0} and found["within"]


def test_what_cannot_be_is_said_before_photos_are_read(monkeypatch, tmp_path):
    monkeypatch.setattr(exporting, "rounded_activations", lambda *_, **__: pytest.fail("rounds already"))
    monkeypatch.setitem(sys.modules, "tflite_micro.python.tflite_micro", None)
    asked = partial(fieldguide.export, tmp_path / "model.onnx", out=tmp_path / "out", calibrate=tmp_path)
    with pytest.raises(OptionError, match="precision, runtime and gpu are for web alone; got to int8"):
        asked(to="int8", gpu=True)
    with pytest.raises(DataError, match="none"):
        asked(to="int8", check=tmp_path / "none")
    with pytest.raises(OptionError, match="pip install tflite-micro"):
        asked(to="litert-micro", check=tmp_path)
