"""`fieldguide architecture`: tables of layers, and the names there are."""

import json

import pytest
import torch

import fieldguide
from command_line import run
from fieldguide.errors import OptionError


def test_a_network_is_shown(capsys):
    code, out, _ = run(capsys, "architecture", "resnet18", "--size", "64", "--classes", "10")
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "multiply-adds"]
    assert lines[1].split() == ["conv1", "Conv2d", "64", "×", "32", "×", "32", "9,408", "9,633,792"]
    assert lines[-1] == (
        "11,181,642 parameters, 148,050,944 multiply-adds for one image of 64 × 64 pixels, 512 features"
    )
    _, whole, _ = run(capsys, "architecture", "resnet18", "--size", "64", "--classes", "10", "--all")
    assert len(whole.splitlines()) > 2 * len(lines)
    assert whole.splitlines()[-1] == lines[-1]


def test_layers_of_ones_own_are_shown(capsys):
    code, out, _ = run(capsys, "architecture", "conv 8, pool")
    assert code == 0
    assert "for one image of 64 × 64 pixels, 8 features" in out


def test_without_a_size_it_is_one_that_the_network_takes(capsys):
    _, out, _ = run(capsys, "architecture", "inception_v3")
    assert "for one image of 75 × 75 pixels" in out


def test_the_table_as_json(capsys):
    _, out, _ = run(capsys, "architecture", "conv 8, dense 4", "--size", "16", "--json")
    answer = json.loads(out)
    assert set(answer) == {"architecture", "rows", "size", "features", "parameters", "multiply_adds"}
    assert answer["rows"][0] == {
        "name": "conv 8",
        "kind": "Conv2d, BatchNorm2d, GELU",
        "output": [8, 16, 16],
        "parameters": 232,
        "multiply_adds": 55296,
    }


def test_names_are_listed(capsys):
    code, out, _ = run(capsys, "architecture", "--list", "GoogLe")
    assert (code, out.split()) == (0, ["name", "library", "googlenet", "torchvision"])
    _, out, _ = run(capsys, "architecture", "--list", "--json")
    libraries = [row["library"] for row in json.loads(out)]
    assert libraries.count("timm") > 500 and libraries.count("torchvision") > 20


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give a name such as resnet18"),
        (["resnet18", "--list"], "give a name such as resnet18"),
        (["resnet18", "--size", "8"], "size: must be 16 to 512 pixels, got 8"),
        (["inception_v3", "--size", "64"], "the next that it takes: --size 75"),
        (["vgg8"], "got 'vgg8'; the nearest names are vgg"),
        (["--list", "zzz"], "no name of timm or torchvision has 'zzz' in it"),
    ],
)
def test_what_cannot_be_shown_is_told_in_one_line(capsys, arguments, words):
    code, out, err = run(capsys, "architecture", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert words in err


def test_the_function_gives_the_same(capsys):
    _, out, _ = run(capsys, "architecture", "resnet18", "--classes", "3", "--json")
    table = fieldguide.architecture("resnet18", classes=3)
    assert json.loads(json.dumps(table.as_dict())) == json.loads(out)
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU())
    assert fieldguide.architecture(module, size=16).as_dict()["architecture"] == "Sequential"
    with pytest.raises(OptionError, match="size: must be a whole number"):
        fieldguide.architecture("conv 8", size=0)
