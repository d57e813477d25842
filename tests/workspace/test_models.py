import shutil
from pathlib import Path

import pytest

from fieldguide.errors import OutputError
from fieldguide.workspace import models
from fieldguide.workspace.models import describe, imagenet_model, model_files, remove

GOLDEN = Path(__file__).parents[1] / "golden" / "tiny-2.onnx"


def test_the_newest_model_comes_first_and_other_files_do_not_come(tmp_path):
    import os

    for number, name in enumerate(["old.onnx", "new.ONNX", "notes.txt", ".hidden.onnx"]):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (number, number))
    (tmp_path / "folder.onnx").mkdir()
    assert [path.name for path in model_files(tmp_path)] == ["new.ONNX", "old.onnx"]


def test_a_model_shows_its_card(tmp_path):
    found = describe(GOLDEN)
    assert found.problem is None
    assert len(found.card["classes"]) >= 2
    assert found.megabytes == GOLDEN.stat().st_size / 1e6


def test_a_file_that_may_not_be_used_says_why(tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x80\x04pickle")
    found = describe(tmp_path / "bad.onnx")
    assert found.card is None
    assert "pickle" in found.problem


def test_a_model_is_deleted(tmp_path):
    shutil.copy(GOLDEN, tmp_path / "a.onnx")
    remove(tmp_path / "a.onnx")
    assert model_files(tmp_path) == ()
    with pytest.raises(OutputError, match="cannot be deleted"):
        remove(tmp_path / "a.onnx")


def test_the_imagenet_model_is_made_once(tmp_path, monkeypatch):
    made = []

    def pretrained(backbone, path, *, progress):
        made.append(backbone)
        shutil.copy(GOLDEN, path)

    import fieldguide.learning.pretrained

    monkeypatch.setattr(fieldguide.learning.pretrained, "pretrained", pretrained)
    assert imagenet_model(tmp_path) == imagenet_model(tmp_path)
    assert made == [models.IMAGENET_BACKBONE]
    imagenet_model(tmp_path).write_bytes(b"torn")
    assert describe(imagenet_model(tmp_path)).problem is None
    assert len(made) == 2
