"""Keras's files: its names, its order of axes, its padding, norms and pixels."""

import subprocess
import sys
import zipfile
from functools import partial
from unittest import mock

import numpy as np
import onnxruntime
import pytest
import timm
import torch
from torch.nn import functional

from fieldguide.backbones.plain.build import build
from fieldguide.backbones.plain.keras_file import read_keras
from fieldguide.backbones.plain.weights import read_weights
from fieldguide.errors import BackboneError
from fieldguide.images.preprocessing import Preprocessing

h5py = pytest.importorskip("h5py")

CAFFE = torch.tensor((103.939, 116.779, 123.68)).view(1, 3, 1, 1)
"""Of blue, green and red: `imagenet_utils.preprocess_input(mode="caffe")`."""


def randomised(module):
    torch.manual_seed(0)
    for key, tensor in module.state_dict().items():
        if key.endswith(("running_mean", "bias")):
            tensor.uniform_(-0.1, 0.1)
        if key.endswith("running_var"):
            tensor.uniform_(0.8, 1.4)
    return module.eval().requires_grad_(False)


def convolution(module):
    """Kernels (height, width, in, out), depthwise (height, width, channels, 1)."""
    weight = module.weight.permute((2, 3, 0, 1) if module.groups > 1 else (2, 3, 1, 0)).numpy()
    return [weight] if module.bias is None else [weight, module.bias.numpy()]


def linear(module):
    return [module.weight.T.numpy(), module.bias.numpy()]


def norm(module):
    return [t.numpy() for t in (module.weight, module.bias, module.running_mean, module.running_var)]


# Each network as torch modules, and Keras's own list of layers in its order, as its source builds it.


def mobilenet():
    network = randomised(timm.create_model("mobilenetv1_100", pad_type="same", bn_eps=1e-3))
    layers = {"conv1": convolution(network.conv_stem), "conv1_bn": norm(network.bn1)}
    for number, block in enumerate((block for stage in network.blocks for block in stage), 1):
        layers[f"conv_dw_{number}"] = convolution(block.conv_dw)
        layers[f"conv_dw_{number}_bn"] = norm(block.bn1)
        layers[f"conv_pw_{number}"] = convolution(block.conv_pw)
        layers[f"conv_pw_{number}_bn"] = norm(block.bn2)
    weight = network.classifier.weight.T.reshape(1, 1, 1024, 1000)
    layers["conv_preds"] = [weight.numpy(), network.classifier.bias.numpy()]
    return network, layers


def mobilenet_v2():
    network = randomised(timm.create_model("mobilenetv2_100", pad_type="same", bn_eps=1e-3))
    layers = {"Conv1": convolution(network.conv_stem), "bn_Conv1": norm(network.bn1)}
    blocks = [block for stage in network.blocks for block in stage]
    layers["expanded_conv_depthwise"] = convolution(blocks[0].conv_dw)
    layers["expanded_conv_depthwise_BN"] = norm(blocks[0].bn1)
    layers["expanded_conv_project"] = convolution(blocks[0].conv_pw)
    layers["expanded_conv_project_BN"] = norm(blocks[0].bn2)
    for number, block in enumerate(blocks[1:], 1):
        layers[f"block_{number}_expand"] = convolution(block.conv_pw)
        layers[f"block_{number}_expand_BN"] = norm(block.bn1)
        layers[f"block_{number}_depthwise"] = convolution(block.conv_dw)
        layers[f"block_{number}_depthwise_BN"] = norm(block.bn2)
        layers[f"block_{number}_project"] = convolution(block.conv_pwl)
        layers[f"block_{number}_project_BN"] = norm(block.bn3)
    layers["Conv_1"], layers["Conv_1_bn"] = convolution(network.conv_head), norm(network.bn2)
    layers["predictions"] = linear(network.classifier)
    return network, layers


def resnet50():
    network = timm.create_model("resnet50")
    for name, module in list(network.named_modules()):
        if isinstance(module, torch.nn.Conv2d):
            module.bias = torch.nn.Parameter(torch.zeros(module.out_channels))
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 1.001e-5
        if name.endswith(".0") and name.startswith("layer") and name.count(".") == 1 and name != "layer1.0":
            module.conv1.stride, module.conv2.stride = (2, 2), (1, 1)
    randomised(network)
    layers = {"conv1_conv": convolution(network.conv1), "conv1_bn": norm(network.bn1)}
    for stage in range(1, 5):
        for number, block in enumerate(getattr(network, f"layer{stage}"), 1):
            own = f"conv{stage + 1}_block{number}_"
            layers[f"{own}1_conv"], layers[f"{own}1_bn"] = convolution(block.conv1), norm(block.bn1)
            layers[f"{own}2_conv"], layers[f"{own}2_bn"] = convolution(block.conv2), norm(block.bn2)
            if number == 1:
                layers[f"{own}0_conv"] = convolution(block.downsample[0])
            layers[f"{own}3_conv"] = convolution(block.conv3)
            if number == 1:
                layers[f"{own}0_bn"] = norm(block.downsample[1])
            layers[f"{own}3_bn"] = norm(block.bn3)
    layers["predictions"] = linear(network.fc)
    return network, layers


def vgg16():
    network = randomised(timm.create_model("vgg16", mlp_ratio=0.01))
    layers, stage, number = {}, 1, 0
    for module in network.features:
        if isinstance(module, torch.nn.MaxPool2d):
            stage, number = stage + 1, 0
        elif isinstance(module, torch.nn.Conv2d):
            number += 1
            layers[f"block{stage}_conv{number}"] = convolution(module)
    first, second = network.pre_logits.fc1, network.pre_logits.fc2
    flattened = first.weight.permute(2, 3, 1, 0).reshape(
        7 * 7 * 512, -1
    )  # Keras flattens (row, column, channel)
    layers["fc1"] = [flattened.numpy(), first.bias.numpy()]
    layers["fc2"] = [second.weight[:, :, 0, 0].T.numpy(), second.bias.numpy()]
    layers["predictions"] = linear(network.head.fc)
    return network, layers


def mobilenet_v3():
    network = randomised(timm.create_model("mobilenetv3_large_100", pad_type="same", bn_eps=1e-3))
    layers = {"conv": convolution(network.conv_stem), "conv_bn": norm(network.bn1)}
    blocks = [block for stage in network.blocks for block in stage]
    for number, block in enumerate(blocks[:-1]):
        own = f"expanded_conv_{number}" if number else "expanded_conv"
        parts = [("expand", "conv_pw", "bn1")] if number else []
        norms = ("bn2", "bn3") if number else ("bn1", "bn2")
        parts += [
            ("depthwise", "conv_dw", norms[0]),
            ("project", "conv_pwl" if number else "conv_pw", norms[1]),
        ]
        for part, layer, behind in parts:
            if part == "project" and hasattr(block.se, "conv_reduce"):
                layers[f"{own}_squeeze_excite_conv"] = convolution(block.se.conv_reduce)
                layers[f"{own}_squeeze_excite_conv_1"] = convolution(block.se.conv_expand)
            layers[f"{own}_{part}"] = convolution(getattr(block, layer))
            layers[f"{own}_{part}_bn"] = norm(getattr(block, behind))
    layers["conv_1"], layers["conv_1_bn"] = convolution(blocks[-1].conv), norm(blocks[-1].bn1)
    layers["conv_2"] = convolution(network.conv_head)
    weight = network.classifier.weight.T.reshape(1, 1, 1280, 1000)
    layers["logits"] = [weight.numpy(), network.classifier.bias.numpy()]
    return network, layers


KERAS_LISTS = {
    "A": (3, 1, 4, 0, 2, 5, 6),
    "B": (1, 2, 0, 3),
    "C": (4, 5, 1, 6, 2, 7, 0, 3, 8, 9),
    "D": (2, 3, 0, 4, 1, 5),
    "E": (4, 1, 5, 2, 3, 6, 7, 0, 8),
}
"""Kind of block → the order in which Keras 3.15 lists its convolutions, as numbers of those it makes."""


def inception():
    """Layers as Keras lists them, named in the order in which it makes them; its norms have no scale."""
    network = timm.create_model("inception_v3")
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.ones_(module.weight)
    randomised(network)
    made, listed = [], []
    for child in network.children():
        units = [m for m in child.modules() if hasattr(m, "conv") and isinstance(m.conv, torch.nn.Conv2d)]
        kind = type(child).__name__.removeprefix("Inception")
        order = KERAS_LISTS.get(kind, range(len(units)))
        listed += [len(made) + at for at in order]
        made += units
    layers = {}
    for at in listed:
        behind = f"_{at}" if at else ""
        layers[f"conv2d{behind}"] = convolution(made[at].conv)
        layers[f"batch_normalization{behind}"] = norm(made[at].bn)[1:]
    layers["predictions"] = linear(network.fc)
    return network, layers


NETWORKS = {
    "mobilenetv3_large_100": (mobilenet_v3, "tf", 65),
    "inception_v3": (inception, "tf", 75),
    "mobilenetv1_100": (mobilenet, "tf", 64),
    "mobilenetv2_100": (mobilenet_v2, "tf", 65),
    "resnet50": (resnet50, "caffe", 64),
    "vgg16": (vgg16, "caffe", 224),
}
NAMES = list(NETWORKS)


@pytest.fixture(scope="module")
def made():
    cache = {}
    return lambda name: cache.setdefault(name, NETWORKS[name][0]())


def write_named(path, layers, words=True, inside=None):
    """As `save_weights_to_hdf5_group` does; with `words=False` in the names that Keras 1 gave tensors."""
    with h5py.File(path, "w") as whole:
        file = whole.create_group(inside) if inside else whole
        names = ["input_1", *layers, "dropout"]
        file.attrs["layer_names"] = [name.encode() for name in names]
        file.attrs["backend"] = b"tensorflow"
        for name in names:
            group, tensors = file.create_group(name), layers.get(name, [])
            if "batch_norm" in name:
                last = ["beta:0", "moving_mean:0", "moving_variance:0"]
            elif len(tensors) == 4:
                last = ["gamma:0", "beta:0", "moving_mean:0", "moving_variance:0"]
            else:
                last = [
                    "depthwise_kernel:0" if "depthwise" in name or "_dw_" in name else "kernel:0",
                    "bias:0",
                ]
            full = [f"{name}/{word}" for word in last[: len(tensors)]]
            if not words:
                full = [f"{name}_{word}_1:0" for word in ("W", "b")[: len(tensors)]]
            group.attrs["weight_names"] = [word.encode() for word in full]
            for word, values in zip(full, tensors, strict=True):
                group.create_dataset(word, data=values)


def kind(name, tensors):
    """The class of a layer as `to_snake_case` of Keras 3 writes it."""
    if "batch_norm" in name or len(tensors) == 4:
        return "batch_normalization"
    if tensors[0].ndim == 2:
        return "dense"
    return "depthwise_conv2d" if "depthwise" in name or "_dw_" in name else "conv2d"


def write_numbered(path, layers, named=False, folder="layers"):
    """As `saving_lib.save_weights_only` of Keras 3 does; some versions add the layer's name."""
    counts = {}
    with h5py.File(path, "w") as file:
        file.create_group(f"{folder}/input_layer/vars")
        for name, tensors in layers.items():
            own = kind(name, tensors)
            number = counts[own] = counts.get(own, -1) + 1
            group = file.create_group(f"{folder}/{own}{f'_{number}' if number else ''}/vars")
            if named:
                group.attrs["name"] = name
            for at, values in enumerate(tensors):
                group[str(at)] = values


WRITERS = {
    "named": lambda path, layers: write_named(path, layers),
    "whole model": lambda path, layers: write_named(path, layers, inside="model_weights"),
    "numbered": lambda path, layers: write_numbered(path, layers),
    "numbered with names": lambda path, layers: write_numbered(path, layers, named=True),
    "numbered by TensorFlow 2.12": lambda path, layers: write_numbered(
        path, layers, folder="_layer_checkpoint_dependencies"
    ),
}


def expected(network, mode, images):
    """Class scores with Keras's own preprocessing."""
    planes = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    given = planes.flip(1) - CAFFE if mode == "caffe" else planes / 127.5 - 1
    # Zeros around a map do not count in TensorFlow's means.
    means = partial(functional.avg_pool2d, count_include_pad=False)
    with torch.inference_mode(), mock.patch.object(functional, "avg_pool2d", means):
        return network(given).numpy()


def logits(built, images):
    return onnxruntime.InferenceSession(built.model).run(["logits"], {"pixels": images})[0]


def pixels(size):
    return np.random.default_rng(size).integers(0, 256, (2, size, size, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_the_answers_are_those_of_the_network_that_keras_describes(made, tmp_path, name):
    network, layers = made(name)
    _, mode, size = NETWORKS[name]
    path = tmp_path / "w.h5"
    write_named(path, layers)
    built = build(name, path, Preprocessing(size, mean=(0.1,) * 3, std=(0.9,) * 3), head=True)
    images = pixels(size)
    wanted = expected(network, mode, images)
    found = logits(built, images)
    assert np.abs(found - wanted).max() <= 2e-5 * np.abs(wanted).max()
    assert built.preprocessing.size == size
    if mode == "caffe":
        np.testing.assert_allclose(built.preprocessing.std, 1 / 255)
    else:
        assert built.preprocessing.mean == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("name", NAMES)
def test_every_form_of_the_file_gives_the_same_model(made, tmp_path, name):
    _, layers = made(name)
    models = set()
    for number, write in enumerate(WRITERS.values()):
        path = tmp_path / f"{number}.weights.h5"
        write(path, layers)
        models.add(build(name, path, Preprocessing(75), head=True).model)
        path.unlink()
    assert len(models) == 1


def test_the_names_that_vgg_was_first_published_with(made, tmp_path):
    _, layers = made("vgg16")
    write_named(tmp_path / "old.h5", layers, words=False)
    write_named(tmp_path / "new.h5", layers)
    first, second = (build("vgg16", tmp_path / f"{name}.h5", Preprocessing(64)) for name in ("old", "new"))
    assert first.model == second.model
    with h5py.File(tmp_path / "old.h5") as file:
        assert "block1_conv1/block1_conv1_W_1:0" in file


@pytest.mark.parametrize("name", NAMES)
def test_files_without_a_top_give_features(made, tmp_path, name):
    _, layers = made(name)
    tops = ("conv_preds", "logits", "predictions", "fc1", "fc2")
    write_named(tmp_path / "notop.h5", {layer: t for layer, t in layers.items() if layer not in tops})
    built = build(name, tmp_path / "notop.h5", Preprocessing(75))
    if name == "vgg16":
        assert built.depths[-1] == ("features.30:max", 512)
    with pytest.raises(BackboneError, match=r"tensor (conv_preds|logits|predictions|fc1)\.kernel is missing"):
        build(name, tmp_path / "notop.h5", Preprocessing(75), head=True)


def test_mobilenet_pads_at_the_end_whatever_the_size(made, tmp_path):
    """`ZeroPadding2D(((0, 1), (0, 1)))` differs from SAME where a map's side is odd."""
    network, layers = made("mobilenetv1_100")
    write_named(tmp_path / "w.h5", layers)
    images = pixels(100)  # sides 100, 50, 25, 12, 6, 3
    planes = torch.from_numpy(images).permute(0, 3, 1, 2) / 127.5 - 1
    with torch.inference_mode():
        current = network.bn1(network.conv_stem(planes))
        for block in (block for stage in network.blocks for block in stage):
            if block.conv_dw.stride == (2, 2):
                padded = functional.pad(current, (0, 1, 0, 1))
                inner = functional.conv2d(padded, block.conv_dw.weight, stride=2, groups=padded.shape[1])
            else:
                inner = block.conv_dw(current)
            current = block.bn2(block.conv_pw(block.bn1(inner)))
        wanted = network.classifier(current.mean((2, 3))).numpy()
    found = logits(build("mobilenetv1_100", tmp_path / "w.h5", Preprocessing(100), head=True), images)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_a_second_network_of_a_session_counts_on(made, tmp_path):
    _, layers = made("inception_v3")
    write_named(tmp_path / "first.h5", layers)
    counted = {}
    for name, tensors in layers.items():
        kind, _, number = name.rpartition("_")
        if name == "predictions":
            counted[name] = tensors
        else:
            kind, number = (kind, int(number)) if number.isdigit() else (name, 0)
            counted[f"{kind}_{number + 94}"] = tensors
    write_named(tmp_path / "second.h5", counted)
    first, second = (
        build("inception_v3", tmp_path / f"{name}.h5", Preprocessing(75)) for name in ("first", "second")
    )
    assert first.model == second.model


def test_weights_in_a_keras_file_are_read(made, tmp_path):
    _, layers = made("mobilenetv2_100")
    write_numbered(tmp_path / "model.weights.h5", layers, named=True)
    with zipfile.ZipFile(tmp_path / "w.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(tmp_path / "model.weights.h5", "model.weights.h5")
    first, second = (
        build("mobilenetv2_100", tmp_path / name, Preprocessing(64))
        for name in ("model.weights.h5", "w.keras")
    )
    assert first.model == second.model


@pytest.mark.parametrize(
    ("member", "kind", "match"),
    [
        ("model.weights.h5", zipfile.ZIP_DEFLATED, "its member model.weights.h5 is compressed"),
        ("other.h5", zipfile.ZIP_STORED, "not a readable file of Keras"),
    ],
)
def test_a_keras_file_without_its_weights_is_refused(tmp_path, member, kind, match):
    with zipfile.ZipFile(tmp_path / "w.keras", "w", kind) as archive:
        archive.writestr(member, bytes(1000))
    with pytest.raises(BackboneError, match=match):
        read_keras(tmp_path / "w.keras")


def test_a_layer_of_another_shape_is_named(made, tmp_path):
    _, layers = made("mobilenetv2_100")
    write_named(tmp_path / "w.h5", {**layers, "block_3_expand": [np.zeros((1, 1, 24, 145), np.float32)]})
    match = (
        r"Keras's layout: tensor block_3_expand\.kernel has shape \(1, 1, 24, 145\).* needs \(144, 24, 1, 1\)"
    )
    with pytest.raises(BackboneError, match=match):
        build("mobilenetv2_100", tmp_path / "w.h5", Preprocessing(64))


def test_networks_that_keras_does_not_publish_are_not_guessed(made, tmp_path):
    _, layers = made("resnet50")
    write_named(tmp_path / "w.h5", layers)
    with pytest.raises(BackboneError, match=r"does not fit resnet18 .*tensor conv1\.weight .* is missing"):
        build("resnet18", tmp_path / "w.h5", Preprocessing(64))


def test_half_width_becomes_float32(tmp_path):
    write_named(tmp_path / "w.h5", {"conv1": [np.ones((3, 3, 3, 8), np.float16)]})
    assert read_weights(tmp_path / "w.h5")["conv1.kernel"].dtype == np.float32


def test_long_lists_of_names_are_put_together(tmp_path):
    path = tmp_path / "w.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names0"], file.attrs["layer_names1"] = [b"one"], [b"two"]
        for name in ("one", "two"):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode()]
            group[f"{name}/kernel:0"] = np.ones((2, 3), np.float32)
    assert list(read_keras(path)) == ["one.kernel", "two.kernel"]


def test_h5py_is_asked_for_in_one_line(tmp_path):
    write_named(tmp_path / "w.h5", {"fc1": [np.ones((2, 3), np.float32)]})
    code = """
import sys
sys.modules["h5py"] = None
from pathlib import Path
from fieldguide.errors import BackboneError
from fieldguide.backbones.plain.weights import read_weights
try:
    read_weights(Path(sys.argv[1]))
except BackboneError as error:
    assert str(error) == f"{sys.argv[1]}: h5py is needed to read it: pip install h5py", error
else:
    raise SystemExit(3)
"""
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "w.h5")], check=True)


# What must be refused.


def spoiled(tmp_path, spoil):
    """A small file whose one tensor is replaced."""
    path = tmp_path / "w.h5"
    write_named(path, {"fc1": [np.ones((2, 3), np.float32)]})
    with h5py.File(path, "a") as file:
        group = file["fc1/fc1"]
        del group["kernel:0"]
        spoil(group, "kernel:0")
    return path


def external_storage(group, name):
    group.create_dataset(name, (4,), np.float32, external=[("/etc/hostname", 0, 16)])


def external_link(group, name):
    group[name] = h5py.ExternalLink("other.h5", "/x")


def soft_link(group, name):
    group[name] = h5py.SoftLink("/fc1")


def virtual(group, name):
    layout = h5py.VirtualLayout((4,), np.float32)
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    group.create_virtual_dataset(name, layout)


def compressed(group, name):
    group.create_dataset(name, data=np.zeros(100_000, np.float32), compression="gzip")


def never_written(group, name):
    group.create_dataset(name, (10**6, 10**6), np.float32, chunks=(100, 100))


def whole_numbers(group, name):
    group[name] = np.ones(3, np.int64)


def text(group, name):
    group[name] = "text"


def folder(group, name):
    group.create_group(name)


def absent(group, name):
    pass


@pytest.mark.parametrize(
    ("spoil", "match"),
    [
        (external_storage, "another file, or compressed"),
        (external_link, "missing or a link"),
        (soft_link, "missing or a link"),
        (virtual, "another file, or compressed"),
        (compressed, "another file, or compressed"),
        (never_written, "another file, or compressed"),
        (whole_numbers, "no floating-point numbers"),
        (text, "no floating-point numbers"),
        (folder, "no floating-point numbers"),
        (absent, "missing or a link"),
    ],
)
def test_what_keras_does_not_write_is_refused(tmp_path, spoil, match):
    with pytest.raises(BackboneError, match=match):
        read_keras(spoiled(tmp_path, spoil))


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "w.h5"
    write_named(path, {"fc1": [np.ones((20, 30), np.float32)]})
    content = path.read_bytes()
    for cut in (0, 7, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:cut])
        with pytest.raises(BackboneError, match=r"not a readable file of Keras .* fetch it again"):
            read_keras(path)
    with h5py.File(path, "w") as file:
        file["x"] = np.ones(3)
    with pytest.raises(BackboneError, match="'layers' is missing"):
        read_keras(path)


def test_a_layer_with_an_endless_number_is_a_layer_of_that_name(tmp_path):
    name = "conv2d_" + "9" * 5000
    with h5py.File(tmp_path / "w.h5", "w") as file:
        group = file.create_group("layers/conv2d/vars")
        group.attrs["name"] = name
        group["0"] = np.ones((1, 1, 2, 3), np.float32)
    assert list(read_keras(tmp_path / "w.h5")) == [f"{name}.kernel"]


def test_a_network_within_a_network_is_refused(tmp_path):
    write_named(tmp_path / "w.h5", {"base": [np.ones(2, np.float32)] * 4})
    with h5py.File(tmp_path / "w.h5", "a") as file:
        group = file["base"]
        group.attrs["weight_names"] = [f"t{number}" for number in range(7)]
        for number in range(7):
            group[f"t{number}"] = np.ones(2, np.float32)
    with pytest.raises(BackboneError, match="layer base has 7 tensors"):
        read_keras(tmp_path / "w.h5")
