"""From a network's passage to features, whatever depths are chosen."""

import onnx
import pytest
import torch

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.taps import Taps
from plain_made import assert_near, in_torch, pixels, preprocessing, run


@pytest.mark.parametrize(
    "taps",
    [
        Taps(since=0, pooling=("mean",), final_pooling=("mean",)),
        Taps(since=0, channels=700),
        Taps(since=0.6, pooling=("max",), final_pooling=("max", "mean")),
        Taps(since=0.5, pooling=("mean",), final_pooling=("max", "mean")),
        Taps(since=0.9, pooling=("mean",), final_pooling=("mean", "max"), channels=100),
    ],
)
@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("name", ["mobilenetv2_100", "mobilenetv3_large_100", "resnet18", "vgg11"])
def test_any_choice_of_depths_gives_the_same_parts(saved, name, size, taps):
    built = build(name, saved(name), preprocessing(size), taps=taps)
    assert [output.name for output in onnx.load_from_string(built.model).graph.output] == ["features"]
    expected = in_torch(name, size, False, taps)
    assert built.depths == expected.depths
    assert built.classes is None
    images = pixels(2, size)
    with torch.inference_mode():
        (wanted,) = expected(torch.from_numpy(images))
    assert_near(run(built.model, images)["features"], wanted.numpy())
