"""`fieldguide pretrained`: what is asked of the library, and what is said."""

from pathlib import Path

import pytest

from fieldguide.errors import BackboneError
from fieldguide.learning import pretrained


@pytest.fixture
def asked(monkeypatch):
    seen = []
    monkeypatch.setattr(pretrained, "pretrained", lambda *given, **named: seen.append((given, named)))
    return seen


def test_backbone_file_and_weights_are_handed_on(tmp_path, run, asked):
    out = tmp_path / "m.onnx"
    code, told, _ = run("pretrained", "resnet18", "--out", out, "--weights", "w.safetensors")
    assert code == 0 and told == f"{out}: resnet18 with its own ImageNet classes\n"
    ((given, named),) = asked
    assert given == ("resnet18", out) and named["weights"] == Path("w.safetensors")


def test_a_folder_that_is_missing_is_said_before_any_work(tmp_path, run, asked):
    code, _, err = run("pretrained", "resnet18", "--out", tmp_path / "none" / "m.onnx")
    assert code == 2 and "does not exist; create it or choose another" in err
    assert asked == []


def test_weights_that_cannot_be_had_are_one_line(tmp_path, run, monkeypatch):
    def fail(*given, **named):
        raise BackboneError("resnet18: no weights")

    monkeypatch.setattr(pretrained, "pretrained", fail)
    code, out, err = run("pretrained", "resnet18", "--out", tmp_path / "m.onnx")
    assert (code, out, err) == (2, "", "fieldguide pretrained: resnet18: no weights\n")
