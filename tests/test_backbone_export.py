"""A backbone becomes one ONNX file: what is in it, that it is the same every time, and how it is cached."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_sample_images

from fieldguide import backbone_convert, backbone_export, backbone_onnx
from fieldguide.backbone_build import build_tapped
from fieldguide.backbone_export import export
from fieldguide.backbone_network import TappedNetwork
from fieldguide.backbone_taps import Taps
from fieldguide.errors import BackboneError, OptionError
from fieldguide.images import open_image
from test_backbones import put_into_hub
from tiny_backbone import tiny_weights

SIZE = 64
MEANS = Taps(since=0.42, pooling=("mean",), final_pooling=("mean",), channels=5120)  # whatever the default is


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def shared_cache(home, monkeypatch):
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(home / "cache"))


@pytest.fixture(scope="module")
def weights(home):
    return tiny_weights(home)


@pytest.fixture
def tiny(weights):
    return export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS)


@pytest.fixture
def refuse_to_convert(monkeypatch):
    """Fails a test that exports although the cache has the file."""

    def convert(request):
        pytest.fail("exported again")

    monkeypatch.setattr(backbone_export, "_convert", convert)


def pixels(count, size=SIZE, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def run(exported, images, outputs=("features",)):
    session = onnxruntime.InferenceSession(exported.path, providers=["CPUExecutionProvider"])
    return session.run(list(outputs), {"pixels": images})


def loaded(name, weights):
    network = timm.create_model(name).eval()
    network.load_state_dict(load_file(weights))
    return network


def normalised(images, name):
    config = timm.models.get_pretrained_cfg(name)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (config.mean, config.std))
    return (torch.from_numpy(images).permute(0, 3, 1, 2) / 255 - mean) / std


def test_the_file_is_what_the_seam_promises(tiny):
    model = onnx.load(tiny.path, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    (source,) = model.graph.input
    (target,) = model.graph.output
    dims = [d.dim_param or d.dim_value for d in source.type.tensor_type.shape.dim]
    assert (source.name, source.type.tensor_type.elem_type) == ("pixels", onnx.TensorProto.UINT8)
    assert dims == ["batch", SIZE, SIZE, 3]
    assert [d.dim_param or d.dim_value for d in target.type.tensor_type.shape.dim] == ["batch", tiny.features]
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert model.ir_version <= 10
    assert not any(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer)
    assert {n.domain for n in model.graph.node} == {""}


def test_nothing_in_the_file_tells_of_the_machine_that_wrote_it(tiny):
    content = tiny.path.read_bytes()
    for word in (b"site-packages", b".py", b"stack_trace", torch.__version__.encode(), b"pytorch"):
        assert word not in content, word
    model = onnx.ModelProto.FromString(content)
    assert not model.metadata_props
    assert not any(node.metadata_props or node.doc_string for node in model.graph.node)


def test_features_are_means_over_space_of_late_blocks_and_the_final_vector(tiny, weights):
    network = loaded("test_efficientnet", weights)
    images = pixels(5)
    with torch.inference_mode():
        hidden = network.bn1(network.conv_stem(normalised(images, "test_efficientnet")))
        means = []
        for stage in network.blocks:
            for block in stage:
                hidden = block(hidden)
                means.append(hidden.mean((2, 3)))
        final = network.bn2(network.conv_head(hidden)).mean((2, 3))
    expected = torch.cat([*means[3:], final], dim=1).numpy()  # stages 3 and 4 of 0 to 4, one block each
    assert [name for name, _ in tiny.depths] == ["blocks.3.0:mean", "blocks.4.0:mean", "final"]
    np.testing.assert_allclose(run(tiny, images)[0], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("network", ["test_vit", "test_resnet", "test_convnext"])
def test_every_family_gives_several_depths(network, home):
    weights = tiny_weights(home, network)
    exported = export(network, weights=weights, head=True)
    size = exported.preprocessing.size
    images = pixels(3, size)
    logits, features = run(exported, images, ("logits", "features"))
    with torch.inference_mode():
        expected = loaded(network, weights)(normalised(images, network)).numpy()
    np.testing.assert_allclose(logits, expected, rtol=1e-3, atol=1e-4)
    assert len(exported.depths) >= 2
    assert features.shape == (3, exported.features)
    assert exported.features == sum(width for _, width in exported.depths)
    assert len(exported.classes) == 1000


def tapped(name, taps, size=96):
    torch.manual_seed(0)
    return TappedNetwork(timm.create_model(name).eval(), taps, ((0.5,) * 3, (0.5,) * 3), size)


def test_a_transformer_gives_its_class_token_and_its_patches_of_each_block():
    network = tapped("test_vit", MEANS, 160)
    images = torch.from_numpy(pixels(2, 160))
    with torch.inference_mode():
        features = network(images)[0]
        maps, tokens = zip(
            *network.network.forward_intermediates(
                (images.permute(0, 3, 1, 2) / 255 - 0.5) / 0.5,
                indices=[3, 4, 5],
                norm=True,
                return_prefix_tokens=True,
                intermediates_only=True,
            ),
            strict=True,
        )
    expected = [part for m, t in zip(maps, tokens, strict=True) for part in (t[:, 0], m.mean((2, 3)))]
    torch.testing.assert_close(features, torch.cat(expected, 1), rtol=1e-4, atol=1e-4)


def test_a_vector_that_repeats_the_last_stage_is_left_out():
    names = [name for name, _ in tapped("test_resnet", MEANS).depths]
    assert names == ["layer3:mean", "layer4:mean"]


def test_pooling_is_one_line_to_change():
    network = tapped(
        "test_efficientnet", Taps(since=0.8, pooling=("mean", "max"), final_pooling=("mean", "max"))
    )
    names = [name for name, _ in network.depths]
    assert names == ["blocks.4.0:mean", "blocks.4.0:max", "final", "final:max"]
    with torch.inference_mode():
        features = network(torch.from_numpy(pixels(2, 96)))[0]
    mean, largest = features[:, -512:-256], features[:, -256:]
    assert (largest >= mean).all()
    assert (largest > mean).any()


def test_the_earliest_depths_go_when_the_vector_would_be_too_wide():
    everything = tapped("test_efficientnet", replace(MEANS, since=0)).depths
    less = tapped("test_efficientnet", replace(MEANS, since=0, channels=400)).depths
    assert less == everything[-len(less) :]
    assert sum(w for _, w in less) <= 400 < sum(w for _, w in everything)


def test_channels_last_maps_are_pooled_over_space_too():
    network = tapped("test_mambaout", replace(MEANS, since=0.75), 160)
    (name, width), *_ = network.depths
    images = torch.from_numpy(pixels(1, 160))
    with torch.inference_mode():
        features = network(images)[0]
        normal = (images.permute(0, 3, 1, 2) / 255 - 0.5) / 0.5
        last = network.network.forward_intermediates(normal, indices=1, intermediates_only=True)[0]
    assert name == "stages.3:mean"
    torch.testing.assert_close(features[:, :width], last.mean((2, 3)), rtol=1e-4, atol=1e-4)


def test_a_batch_leaves_each_row_alone(tiny):
    images = pixels(9)
    together = run(tiny, images)[0]
    alone = np.concatenate([run(tiny, image[None])[0] for image in images])
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


EXPORT = (
    "import sys; from pathlib import Path; from fieldguide.backbone_export import export; "
    "from fieldguide.backbone_taps import Taps; "
    f"e = export('test_efficientnet', size={SIZE}, weights=Path(sys.argv[1]), taps={MEANS}); "
    "print(e.path, e.digest)"
)


def start(weights, cache, folder, hash_seed, **more):
    environment = {**os.environ, "FIELDGUIDE_CACHE": str(cache), "PYTHONHASHSEED": hash_seed, **more}
    command = [sys.executable, "-W", "error", "-c", EXPORT, str(weights)]
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_that_race_leave_one_file_with_the_same_bytes(tiny, weights, tmp_path):
    cache = tmp_path / "cache"
    racing = [start(weights, cache, folder, seed) for folder, seed in ((tmp_path, "1"), ("/", "2"))]
    answers = [process.communicate()[0].split() for process in racing]
    assert [process.returncode for process in racing] == [0, 0]
    assert answers[0] == answers[1]
    assert answers[0][1] == tiny.digest
    assert Path(answers[0][0]).read_bytes() == tiny.path.read_bytes()
    assert sorted(p.suffix for p in (cache / "backbones").iterdir()) == [".json", ".onnx"]


def test_the_process_that_asks_for_an_export_does_not_keep_torch(tiny, weights):
    code = (
        "import sys; from fieldguide.backbone_convert import Conversion, converted; "
        "from fieldguide.backbone_taps import Taps; "
        f"_, facts = converted(Conversion('test_efficientnet', {SIZE}, False, sys.argv[1], {MEANS})); "
        "assert not {'torch', 'timm'} & set(sys.modules); print(facts['digest'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(weights)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == tiny.digest


def test_what_goes_wrong_in_the_other_process_is_said_here(tiny, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights")
    asked = backbone_convert.Conversion("test_efficientnet", SIZE, False, str(broken), MEANS)
    with pytest.raises(BackboneError) as here:
        backbone_convert.convert(asked)
    with pytest.raises(BackboneError, match=re.escape(str(here.value))):
        backbone_convert._converted_apart(asked)


def test_a_process_that_dies_is_named_with_its_last_words(tiny, weights, monkeypatch):
    asked = backbone_convert.Conversion("test_efficientnet", SIZE, False, str(weights), MEANS)
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    with pytest.raises(BackboneError, match="ended with code 1: it said nothing"):
        backbone_convert._converted_apart(asked)


def test_a_second_export_only_reads_the_cache(tiny, weights, refuse_to_convert):
    assert export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS) == tiny


def test_a_cached_catalogue_backbone_needs_neither_torch_nor_timm(lite0):
    code = (
        "import sys; from fieldguide.backbone_export import export; "
        "e = export('efficientnet_lite0', size=224, head=True); "
        "assert not {'torch', 'timm', 'onnx'} & set(sys.modules); print(e.digest)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == lite0.digest


@pytest.mark.parametrize("suffix", [".onnx", ".json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "gone"])
def test_a_damaged_cached_file_is_made_anew(tiny, weights, suffix, damage, monkeypatch):
    good = (tiny.path.read_bytes(), json.loads(tiny.path.with_suffix(".json").read_bytes()))
    converted = []
    monkeypatch.setattr(backbone_export, "_convert", lambda request: converted.append(1) or good)
    file = tiny.path.with_suffix(suffix)
    content = bytearray(file.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 255
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes({"flip": content, "cut": content[:middle], "empty": b""}[damage])
    again = export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS)
    assert converted == [1]
    assert again.digest == tiny.digest
    assert again.path.read_bytes() == good[0]


def test_everything_that_changes_the_file_changes_its_key(weights, home, monkeypatch):
    keys = []

    class KeyOnly(Exception):
        pass

    def convert(request):
        keys.append(request.key)
        raise KeyOnly

    monkeypatch.setattr(backbone_export, "_convert", convert)
    other = tiny_weights(home, seed=1)
    calls = [
        {"weights": weights, "size": 96},
        {"weights": weights, "size": 128},
        {"weights": other, "size": 96},
        {"weights": weights, "size": 96, "head": True},
        {"weights": weights, "size": 96, "taps": Taps(pooling=("max",))},
    ]
    for options in calls:
        with pytest.raises(KeyOnly):
            export("test_efficientnet", **options)
    monkeypatch.setattr(backbone_export, "EXPORTER", backbone_export.EXPORTER + 1)
    with pytest.raises(KeyOnly):
        export("test_efficientnet", **calls[0])
    assert len(set(keys)) == len(calls) + 1


def test_a_cache_that_cannot_be_written_is_done_without(weights, tmp_path, monkeypatch, tiny):
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    monkeypatch.setenv("FIELDGUIDE_CACHE", str(blocked / "cache"))
    again = export("test_efficientnet", size=SIZE, weights=weights, taps=MEANS)
    assert again.digest == tiny.digest
    assert again.path.is_file()


def test_weights_of_another_network_name_the_first_tensor(home, weights):
    state = load_file(weights)
    narrowed = {**state, "blocks.1.0.conv_exp.weight": state["blocks.1.0.conv_exp.weight"][:5].clone()}
    save_file(narrowed, home / "narrowed.safetensors")
    with pytest.raises(
        BackboneError, match=r"narrowed.*tensor blocks\.1\.0\.conv_exp\.weight has shape \(5,"
    ):
        export("test_efficientnet", weights=home / "narrowed.safetensors")
    del narrowed["bn1.bias"]
    save_file(narrowed, home / "short.safetensors")
    with pytest.raises(BackboneError, match=r"tensor bn1\.bias of shape \(24,\) is missing"):
        export("test_efficientnet", weights=home / "short.safetensors")


def test_weights_may_be_a_torch_file(weights, home, tiny):
    torch.save(load_file(weights), home / "same.pth")
    assert export("test_efficientnet", size=SIZE, weights=home / "same.pth", taps=MEANS).digest == tiny.digest


def test_weights_that_are_not_finite_are_refused(weights, home):
    state = load_file(weights)
    state["conv_head.weight"][0] = torch.nan
    save_file(state, home / "nan.safetensors")
    with pytest.raises(BackboneError, match="not finite"):
        export("test_efficientnet", size=SIZE, weights=home / "nan.safetensors")


def test_an_export_that_computes_something_else_is_refused(tiny, home):
    other = tiny_weights(home, seed=1)
    network = build_tapped("test_efficientnet", tiny.preprocessing, other, taps=MEANS, head=False)
    with pytest.raises(BackboneError, match="ONNX and torch differ by"):
        backbone_onnx._check(network, tiny.path.read_bytes(), "x")


@pytest.mark.parametrize("size", [0, 31, 1025, -224])
def test_sizes_out_of_range_are_refused(size, weights):
    with pytest.raises(OptionError, match=f"from 32 to 1024 pixels, got {size}"):
        export("test_efficientnet", size=size, weights=weights)


def test_a_size_that_the_network_does_not_take_is_refused(home):
    with pytest.raises(BackboneError, match="does not take images of 100 pixels"):
        export("test_vit", size=100, weights=tiny_weights(home, "test_vit"))


def test_a_missing_weights_file_is_refused(tmp_path):
    with pytest.raises(BackboneError, match="no such weights file"):
        export("resnet18", weights=tmp_path / "none.safetensors")


def test_weights_in_the_hubs_cache_are_used_without_a_network(weights, tiny, tmp_path):
    put_into_hub(tmp_path / "hub", "timm/test_efficientnet.r160_in1k", "model.safetensors", weights)
    code = EXPORT.replace(", weights=Path(sys.argv[1])", "")
    environment = {
        **os.environ,
        "HF_HOME": str(tmp_path),
        "HF_HUB_OFFLINE": "1",
        "FIELDGUIDE_CACHE": str(tmp_path),
    }
    environment.pop("HF_HUB_CACHE", None)
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[1] == tiny.digest
    assert done.stderr == ""


def test_without_network_and_weights_the_error_says_what_can_be_done(tmp_path):
    code = "from fieldguide.backbone_export import export; export('resnet18')"
    environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    environment.pop("HF_HUB_CACHE", None)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    last = done.stderr.strip().splitlines()[-1]
    for part in ("resnet18", "timm/resnet18.a1_in1k", "efficientnet_lite0", "--weights FILE"):
        assert part in last


@pytest.fixture(scope="module")
def lite0(home):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FIELDGUIDE_CACHE", str(home / "cache"))
        return export("efficientnet_lite0", size=224, head=True)


@pytest.mark.parametrize(("photo", "label"), [(0, "palace"), (1, "daisy")])
def test_the_packaged_weights_know_what_photos_show(lite0, photo, label):
    """Wrongly mapped tensors or a wrong normalisation would show here."""
    image = open_image(load_sample_images().images[photo])
    logits = run(lite0, lite0.preprocessing.resize(image)[None], ("logits",))[0][0]
    assert label in [lite0.classes[i] for i in np.argsort(-logits)[:3]]


def test_an_exported_backbone_is_plain_data(tiny):
    assert asdict(tiny)["name"] == "test_efficientnet"
    assert tiny.licence == "apache-2.0"
    assert tiny.source.startswith("file test_efficientnet")
    assert tiny.preprocessing.mode == "squash"
