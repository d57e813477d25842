"""`fieldguide zero-shot`: what is said, and what is written."""

import json

import pytest

pytest.importorskip("tokenizers")
from texts_made import coloured_photos, encoder_of_colours


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return encoder_of_colours(tmp_path_factory.mktemp("encoder") / "colours")


def test_the_command_says_and_writes_the_same(tmp_path, run, encoder):
    photos = coloured_photos(tmp_path / "photos", 8)
    out = tmp_path / "m.onnx"
    given = ("--classes", "red,green,blue", "--out", out, "--labelled", photos, "--json", "-")
    code, told, err = run("zero-shot", encoder, *given)
    assert code == 0 and json.loads(told)["validation"]["accuracy"]["value"] == 1
    assert "class names" in err
    code, told, err = run("zero-shot", encoder, "--classes", "red,green", "--out", out, "--prompt", "the {}")
    assert code == 0 and "compared with the texts 'the green', 'the red'" in told
    code, _, err = run("zero-shot", encoder, "--classes", "red,green", "--out", out, "--prompt", "the")
    assert code == 2 and err.count("\n") == 1 and "must hold {} once" in err
