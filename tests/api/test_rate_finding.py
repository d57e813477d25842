"""The sweep over learning rates, from Python and from the command line."""

import json

import pytest
from PIL import Image

import fieldguide
from fieldguide.cli import main

TINY = {"size": 64, "batch_size": 8, "augment": "light", "augment_with": "flip=0"}


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), {"red": 16, "green": 14, "blue": 14})


def test_python_and_the_command_find_the_same(photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    own = {"recipe": "cnn", "size": 16, "batch_size": 8, "architecture": "conv 8, pool, dense 8"}
    found = fieldguide.find_rate(photos, **own, augment="none", plot=tmp_path / "python.png", progress=False)
    given = [f"--{name.replace('_', '-')}={value}" for name, value in own.items()]
    order = ["train", str(photos), *given, "--augment=none", "--find-rate", "command.png", "--json", "a.json"]
    assert main(order) == 0
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads(json.dumps(found.as_dict()))
    assert found.sentence() in capsys.readouterr().out
    assert (tmp_path / "python.png").read_bytes() == (tmp_path / "command.png").read_bytes()
    with Image.open(tmp_path / "command.png") as opened:
        assert opened.format == "PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "command.png", "python.png"]


def test_of_finetune_the_usual_rate_is_in_the_middle_of_those_tried(photos, tiny_hub):
    found = fieldguide.find_rate(photos, backbone="test_efficientnet", **TINY, progress=False)
    assert found.recipe == "finetune" and found.rates[0] < found.usual < found.rates[-1]


def test_without_a_file_to_write_training_is_refused_in_a_line(photos, capsys):
    assert main(["train", str(photos)]) == 2
    assert "--out: is missing" in capsys.readouterr().err
