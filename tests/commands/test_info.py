"""`fieldguide info`: what a model file says of itself."""

import json

import numpy as np

from fieldguide.commands import info
from tiny_model import card


def test_info_is_the_card(home, run):
    code, out, _ = run("info", "model.onnx", "--json")
    assert code == 0
    assert json.loads(out) == card()
    code, out, _ = run("info", "model.onnx")
    assert out.startswith("model.onnx: 3 classes, ")
    assert "classes: red, green, blue\n" in out


def test_a_model_that_is_none_is_said_in_one_line(home, run):
    np.save(home / "array.npy", np.zeros(3))
    for command in (
        ["info", "array.npy"],
        ["predict", "array.npy", "a.png"],
        ["evaluate", "array.npy", "photos"],
    ):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert err.startswith(f"fieldguide {command[0]}: array.npy: not a model file")
        assert err.count("\n") == 1


def test_a_card_is_a_readable_page():
    card = {
        "spec": 1,
        "classes": [f"c{number}" for number in range(40)],
        "backbone": {"name": "lite0", "licence": "apache-2.0"},
        "thresholds": {"unknown": 0.01},
        "metrics": {"accuracy": {"value": 0.9, "low": 0.8, "high": 0.95}},
        "choices": ["one sentence.", "and another."],
    }
    page = list(info.page(card))
    assert "spec: 1" in page
    assert "  licence: apache-2.0" in page
    assert "  accuracy: 0.900 (0.800 to 0.950)" in page
    assert "  one sentence." in page
    assert any(line.endswith("c29, … and 10 more") for line in page)
