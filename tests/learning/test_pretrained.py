"""A backbone's own classes as a model file, with the packaged backbone."""

import pytest

import fieldguide
from fieldguide.errors import OutputError
from fieldguide.learning.pretrained import pretrained


@pytest.fixture(scope="module")
def photos(tmp_path_factory, paint_classes):
    return paint_classes(tmp_path_factory.mktemp("photos"), {"red": 2, "blue": 1})


def test_pretrained_has_the_networks_own_classes(tmp_path, photos):
    pretrained("efficientnet_lite0", tmp_path / "imagenet.onnx")
    model = fieldguide.load(tmp_path / "imagenet.onnx")
    assert len(model.classes) == 1000
    assert model.card["recipe"] == "pretrained"
    for prediction in model.predict(sorted(photos.rglob("*.png"))[:3]):
        assert (prediction.typicality, prediction.unknown) == (1.0, False)
        assert prediction.set == (prediction.label,)
        assert sum(prediction.probabilities) == pytest.approx(1, abs=1e-5)
    with pytest.raises(OutputError, match="is a folder"):
        pretrained("efficientnet_lite0", tmp_path)
