"""From an encoder's graph to features."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from encoders_made import MEAN, SIZE, STD, WIDTH, encoder, features, pixels, published
from fieldguide.backbones.encoders.export import export_encoder
from fieldguide.errors import BackboneError
from fieldguide.modelfile.session import open_session


def expected(model, given, dtype=np.float32):
    """What the encoder gives for images prepared as its publisher says, by output."""
    image = ((given / 255 - np.array(MEAN)) / np.array(STD)).transpose(0, 3, 1, 2).astype(dtype)
    names = [value.name for value in model.graph.output]
    found = open_session(model.SerializeToString(), "", 1).run(names, {"pixel_values": image})
    return dict(zip(names, found, strict=True))


def test_tokens_become_the_class_token_and_the_mean_of_the_patches(tmp_path):
    made = export_encoder(published(tmp_path / "e", encoder("tokens")))
    tokens = expected(encoder("tokens"), pixels())["last_hidden_state"]
    wanted = np.concatenate([tokens[:, 0], tokens[:, 1:].mean(1)], axis=1)
    np.testing.assert_allclose(features(made, pixels()), wanted, atol=1e-5)
    assert made.depths == (
        ("last_hidden_state: class token", WIDTH),
        ("last_hidden_state: mean of the patches", WIDTH),
    )
    assert (made.name, made.licence) == ("someone/encoder", "apache-2.0")
    assert made.preprocessing.as_dict() | {"mode": "squash"} == made.preprocessing.as_dict()
    assert (made.preprocessing.size, made.preprocessing.interpolation) == (SIZE, "bilinear")


def test_a_pooled_output_comes_before_the_tokens(tmp_path):
    made = export_encoder(published(tmp_path / "e", encoder("both")))
    found = expected(encoder("both"), pixels())
    tokens = found["last_hidden_state"]
    wanted = {
        "pooler_output: as it is": found["pooler_output"],
        "last_hidden_state: class token": tokens[:, 0],
        "last_hidden_state: mean of the patches": tokens[:, 1:].mean(1),
    }
    got, place = features(made, pixels()), 0
    assert {name for name, _ in made.depths} == set(wanted)
    for name, width in made.depths:
        np.testing.assert_allclose(got[:, place : place + width], wanted[name], atol=1e-5)
        place += width


def test_maps_and_vectors(tmp_path):
    made = export_encoder(published(tmp_path / "m", encoder("map")))
    maps = expected(encoder("map"), pixels())["maps"]
    wanted = np.concatenate([maps.mean((2, 3)), maps.max((2, 3))], axis=1)
    np.testing.assert_allclose(features(made, pixels()), wanted, atol=1e-5)
    made = export_encoder(published(tmp_path / "v", encoder("vector")))
    np.testing.assert_allclose(
        features(made, pixels()), expected(encoder("vector"), pixels())["image_embeds"], atol=1e-5
    )


@pytest.mark.parametrize("opset", [13, 17, 18, 21])
def test_other_versions_of_the_operators_are_brought_to_ours(tmp_path, opset):
    made = export_encoder(published(tmp_path / "e", encoder("map", opset=opset)))
    reference = export_encoder(published(tmp_path / "f", encoder("map")))
    np.testing.assert_allclose(features(made, pixels()), features(reference, pixels()), atol=1e-6)
    assert [one.version for one in onnx.load(made.path).opset_import] == [18]


def test_half_precision_and_int8(tmp_path):
    reference = features(export_encoder(published(tmp_path / "a", encoder("vector"))), pixels())
    half = published(tmp_path / "h", encoder("vector", elements=TensorProto.FLOAT16))
    (half / "onnx" / "model.onnx").rename(half / "onnx" / "model_fp16.onnx")
    np.testing.assert_allclose(features(export_encoder(half), pixels()), reference, atol=5e-3)
    small = published(tmp_path / "q", encoder("vector"))
    quantize_dynamic(
        small / "onnx/model.onnx",
        small / "onnx/model_quantized.onnx",
        weight_type=QuantType.QUInt8,
        op_types_to_quantize=["MatMul"],
    )
    (small / "onnx" / "model.onnx").unlink()
    np.testing.assert_allclose(features(export_encoder(small), pixels()), reference, atol=2e-2)


def test_external_data_are_folded_in(tmp_path):
    folder = published(tmp_path / "e", encoder("vector"))
    onnx.save_model(
        encoder("vector"),
        folder / "onnx/model.onnx",
        save_as_external_data=True,
        location="model.onnx_data",
        size_threshold=0,
    )
    made = export_encoder(folder)
    reference = export_encoder(published(tmp_path / "f", encoder("vector")))
    np.testing.assert_array_equal(features(made, pixels()), features(reference, pixels()))
    assert not [
        t for t in onnx.load(made.path, load_external_data=False).graph.initializer if t.external_data
    ]


def two_inputs():
    model = encoder("map")
    model.graph.input.append(helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", 7]))
    return model


def fused():
    model = encoder("map")
    model.graph.node[1].domain = "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (two_inputs(), "takes one input of shape .* got pixel_values, input_ids"),
        (fused(), "operators that a model file may not hold: com.microsoft.Relu"),
    ],
)
def test_what_is_no_image_encoder_is_refused(tmp_path, model, said):
    with pytest.raises(BackboneError, match=said):
        export_encoder(published(tmp_path / "e", model))
