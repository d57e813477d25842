"""Several backbones as one file: each one's features, side by side."""

import numpy as np
import onnx
import onnxruntime
import pytest

from fieldguide.backbones.export import export
from fieldguide.backbones.side_by_side import export_joined
from fieldguide.errors import BackboneError, OptionError

NAMES = "test_efficientnet+test_efficientnet_gn"


@pytest.fixture
def joined(tiny_hub):
    return export_joined(NAMES, size=64)


def features(exported, pixels):
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    return session.run(["features"], {"pixels": pixels})[0]


def test_features_are_those_of_the_parts_side_by_side(joined):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    parts = [export(name, size=64) for name in NAMES.split("+")]
    expected = np.concatenate([features(part, pixels) for part in parts], axis=1)
    np.testing.assert_allclose(features(joined, pixels), expected, rtol=1e-5, atol=1e-5)
    assert not np.allclose(*(features(part, pixels)[:, :40] for part in parts))
    assert joined.features == expected.shape[1] == sum(width for _, width in joined.depths)
    assert joined.parts == tuple(parts)
    assert [name.split("/")[0] for name, _ in joined.depths] == [
        part.name for part in parts for _ in part.depths
    ]


def test_it_is_one_backbone_to_whoever_uses_it(joined):
    assert joined.name == NAMES
    assert joined.preprocessing.size == 64
    assert joined.source.count("Hugging Face hub timm/") == 2
    assert joined.licence.count("apache-2.0") == 1
    model = onnx.load(joined.path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert [end.name for end in (*model.graph.input, *model.graph.output)] == ["pixels", "features"]


def test_the_same_bytes_again_and_a_damaged_file_is_mended(joined):
    content = joined.path.read_bytes()
    joined.path.write_bytes(content[:-5])
    again = export_joined(NAMES, size=64)
    assert (again.path, again.digest) == (joined.path, joined.digest)
    assert again.path.read_bytes() == content


def test_the_order_is_part_of_it(joined):
    other = export_joined("+".join(reversed(NAMES.split("+"))), size=64)
    assert other.digest != joined.digest
    assert other.depths[0][0].startswith("test_efficientnet_gn/")


def test_a_single_name_is_that_backbone(tiny_hub):
    assert export_joined("test_efficientnet", size=64) == export("test_efficientnet", size=64)


def test_what_does_not_go_together_is_said(tiny_hub, tmp_path):
    with pytest.raises(BackboneError, match="test_resnet resizes images differently from test_efficientnet"):
        export_joined("test_efficientnet+test_resnet", size=64)
    with pytest.raises(BackboneError, match="must differ; name each once"):
        export_joined("test_efficientnet+test_efficientnet", size=64)
    with pytest.raises(OptionError, match="weights: go with a single backbone"):
        export_joined(NAMES, weights=tmp_path / "weights.safetensors")
    with pytest.raises(BackboneError, match="no backbone of this name"):
        export_joined("test_efficientnet+", size=64)
