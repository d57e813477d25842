"""The catalogue, where weights come from, and what is refused as weights."""

import subprocess
import sys

import pytest
import timm
import torch

from fieldguide.backbones import catalogue as catalogue_module
from fieldguide.backbones.catalogue import catalogue, find, usable_offline
from fieldguide.backbones.weights import HubWeights
from fieldguide.errors import BackboneError
from hub_cache import put_into_hub

SMALLER_THAN_NATIVE = {"dinov2_small"}  # trained up to 518 pixels, used at 224


def test_the_default_comes_first_and_names_are_unique():
    names = [b.name for b in catalogue()]
    assert names[0] == "efficientnet_lite0"
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("backbone", [b for b in catalogue() if b.timm_name], ids=lambda b: b.name)
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
    assert [b.name for b in catalogue() if not b.permissive] == ["dinov3_small", "dinov3_vits16"]


def test_any_timm_name_is_found_with_its_own_facts():
    found = find("test_resnet.r160_in1k")
    assert (found.size, found.features, found.licence) == (160, 96, "apache-2.0")
    assert found.source == HubWeights("timm/test_resnet.r160_in1k")
    assert find("test_resnet").timm_name == "test_resnet.r160_in1k"


def test_a_timm_name_of_the_catalogue_is_the_catalogues_entry():
    assert find("resnet18.a1_in1k") is find("resnet18")


@pytest.mark.parametrize(
    ("spelled", "name"),
    [
        ("MobileNetV2", "mobilenet_v2"),
        ("mobilenetv2_100", "mobilenet_v2"),
        ("mobilenet-v2", "mobilenet_v2"),
        ("MobileNet", "mobilenet_v1"),
        ("MobileNetV3Large", "mobilenet_v3_large"),
        ("VGG16", "vgg16"),
        ("ResNet50", "resnet50"),
        ("InceptionV3", "inception_v3"),
        ("EfficientNetB0", "efficientnet_b0"),
        ("VGG19", "vgg19"),
        ("ResNet101", "resnet101"),
    ],
)
def test_names_may_be_spelled_as_in_keras_torchvision_and_timm(spelled, name):
    assert find(spelled) == find(name)


def test_an_architecture_without_a_tag_means_in_the_catalogue_what_it_means_in_timm():
    for backbone in (one for one in catalogue() if one.timm_name):
        architecture = backbone.timm_name.partition(".")[0]
        usual = f"{architecture}.{timm.models.get_pretrained_cfg(architecture).tag}"
        assert find(architecture).timm_name == usual


def test_without_timm_a_network_of_another_table_keeps_its_size(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    assert (find("inception_v3.tf_in1k").size, find("VGG19").name) == (299, "vgg19")


def test_a_licence_that_timm_does_not_record_is_called_unknown(monkeypatch):
    config = timm.models.get_pretrained_cfg("test_resnet")
    monkeypatch.setattr(timm.models, "get_pretrained_cfg", lambda name: config)
    monkeypatch.setattr(config, "license", None)
    assert find("test_resnet").licence == "unknown, see timm"


def test_an_unknown_name_gets_near_ones_and_usable_ones(empty_hub):
    with pytest.raises(BackboneError, match=r"'resnet19': .*did you mean .*resnet18.*efficientnet_lite0"):
        find("resnet19")


def test_a_folder_of_the_name_is_said(empty_hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "encoder").mkdir()
    with pytest.raises(BackboneError, match="the folder of this name is called 'encoder/'"):
        find("encoder")


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
    assert "resnet18" in catalogue_module.usable_names()


def test_importing_the_catalogue_and_listing_it_loads_no_training_library():
    code = (
        "import sys; from fieldguide.backbones.catalogue import catalogue, find; "
        "import fieldguide.backbones.export; find('resnet18'); catalogue(); "
        "assert not {'torch', 'timm', 'onnx'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
