"""`export`: what the command writes."""

import fieldguide
from fieldguide.cli import main


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
