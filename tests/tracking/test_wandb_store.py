"""Runs of Weights & Biases that stay on disk."""

import json

import pytest

import fieldguide

wandb = pytest.importorskip("wandb", reason="the extra wandb is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")  # wandb's own


def test_a_training_is_kept_offline(paint_classes, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WANDB_SILENT", "true")
    photos = paint_classes(tmp_path / "photos", {"red": 12, "green": 12})
    fieldguide.log_to("wandb")
    try:
        result = fieldguide.train(photos, recipe="svm", preset="fast")
    finally:
        fieldguide.log_to(None)
    wandb.teardown()  # the file is written to its end
    (folder,) = (tmp_path / "wandb").glob("offline-run-*")
    (kept,) = folder.glob("*.wandb")
    content = kept.read_bytes()
    assert b"validation_accuracy" in content and b"recipe" in content and b"model.onnx" in content
    assert json.dumps(result.as_dict())
