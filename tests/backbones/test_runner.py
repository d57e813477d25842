"""Runs an exported backbone: by ONNX Runtime, or by torch on a GPU."""

import numpy as np
import torch

from fieldguide.backbones import runner
from fieldguide.backbones.runner import OnnxRunner, TorchRunner, best_runner
from fieldguide.images.decoding import open_image


def test_torch_gives_the_features_of_the_model_file(photos, backbone):
    pixels = np.stack([backbone.preprocessing.resize(open_image(p)) for p in photos])
    by_torch = TorchRunner(backbone, "cpu")(pixels)
    np.testing.assert_allclose(by_torch, OnnxRunner(backbone)(pixels), rtol=1e-4, atol=1e-4)


def test_torch_is_asked_for_a_gpu_only_where_there_are_signs_of_one(backbone, monkeypatch):
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: asked.append(1) or True)
    monkeypatch.setattr(runner, "_may_have_gpu", lambda: False)
    assert isinstance(best_runner(backbone), OnnxRunner)
    assert asked == []
    monkeypatch.setattr(runner, "_may_have_gpu", lambda: True)
    monkeypatch.setattr(runner, "TorchRunner", lambda backbone: "on the GPU")
    assert best_runner(backbone) == "on the GPU"
