"""Networks by the field's names: which there are, what size they take, and what is said where they do not."""

import socket

import pytest
import torch
from torch import nn

from fieldguide.errors import OptionError
from fieldguide.images.preprocessing import Preprocessing
from fieldguide.recipes.cnn import architectures
from fieldguide.recipes.cnn.layers import own_network
from fieldguide.recipes.networks.network import FeatureNetwork

# Name, library, the smallest size from 32 on, features, and parameters: the published ones, for 1,000
# classes, less those of the layer of class scores.
KNOWN = [
    ("resnet18", "timm", 32, 512, 11_689_512 - 513_000),
    ("inception_v3", "timm", 75, 2048, 23_834_568 - 2_049_000),
    ("mobilenetv2_100", "timm", 32, 1280, 3_504_872 - 1_281_000),
    ("efficientnet_b0", "timm", 32, 1280, 5_288_548 - 1_281_000),
    ("densenet121", "timm", 32, 1024, 7_978_856 - 1_025_000),
    ("googlenet", "torchvision", 32, 1024, 6_624_904 - 1_025_000),
    ("shufflenet_v2_x1_0", "torchvision", 32, 1024, 2_278_604 - 1_025_000),
    ("squeezenet1_1", "torchvision", 32, 512, 1_235_496 - 513_000),
    ("mobilenet_v3_small", "torchvision", 32, 1024, 2_542_856 - 1_025_000),
    ("alexnet", "torchvision", 63, 4096, 61_100_840 - 4_097_000),
]


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*given):
        raise AssertionError("a name went over the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(("name", "library", "size", "features", "parameters"), KNOWN)
def test_a_name_gives_the_network_of_the_literature(name, library, size, features, parameters):
    assert architectures.find(name).library == library
    assert architectures.next_size(name, 32) == size
    network = architectures.sketched(name, size)
    assert sum(value.numel() for value in network.parameters()) == parameters
    assert network(torch.zeros(2, 3, size, size, device="meta")).flatten(1).shape == (2, features)


@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "convnext_atto", "shufflenet_v2_x0_5"])
def test_what_is_sketched_is_what_is_built(name):
    torch.manual_seed(0)
    body, features = own_network(name, 32)
    assert body(torch.rand(2, 3, 32, 32)).shape == (2, features)
    shapes = {key: value.shape for key, value in architectures.sketched(name, 32).state_dict().items()}
    assert {key: value.shape for key, value in body.state_dict().items()} == shapes
    assert all(value.device.type == "cpu" for value in body.state_dict().values())
    assert any(value.std() > 0 for value in body.parameters() if value.numel() > 1)


def test_the_same_seed_builds_the_same_weights():
    made = []
    for _ in range(2):
        torch.manual_seed(3)
        made.append(
            torch.cat([v.flatten().float() for v in own_network("convnext_atto", 32)[0].parameters()])
        )
    assert torch.equal(*made)


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        (
            "inception_v3",
            64,
            "does not take images of 64 × 64 pixels (.*); the next that it takes: --size 75$",
        ),
        ("vit_tiny_patch16_224", 40, "its patches of 16 × 16 pixels leave a rest.*--size 48$"),
        ("vit_b_16", 40, "--size 48$"),
        ("alexnet", 32, "--size 63$"),
        ("maxvit_t", 64, "not divisible.*--size 224$"),
        ("resnet81", 32, "must be a name of timm or torchvision .*'conv 32, pool.*got 'resnet81'.*resnet18"),
        ("resnet18.a1_in1k", 32, "names pretrained weights.*take 'resnet18', or --recipe finetune"),
        ("hf-hub:timm/resnet18", 32, "must be a name of timm or torchvision"),
        ("qqqqqqqq", 32, "got 'qqqqqqqq'$"),
    ],
)
def test_what_cannot_be_built_is_told(name, size, words):
    with pytest.raises(OptionError, match=words):
        own_network(name, size)


def test_a_network_that_gives_no_features_is_told(monkeypatch):
    monkeypatch.setattr(architectures, "_sketched", lambda *given: nn.Flatten(2))
    architectures._refused.cache_clear()
    with pytest.raises(OptionError, match=r"\(it gives neither features nor maps\), nor on any larger"):
        architectures.next_size("resnet10t", 500)
    architectures._refused.cache_clear()


def test_capitals_do_not_matter():
    assert architectures.find("ResNet18").name == "resnet18"


def test_tables_read_back_by_a_builder_do_not_stop_it():
    """torchvision's RegNets compute their widths with tensors, which on `meta` hold nothing."""
    network = architectures.sketched("regnet_y_400mf", 32)
    assert {value.device.type for value in network.parameters()} == {"meta"}


def test_nothing_in_training_comes_out_beside_the_features():
    for name, size in (("googlenet", 32), ("inception_v3", 75)):
        network = architectures.sketched(name, size).train()
        assert network(torch.zeros(2, 3, size, size, device="meta")).ndim == 2


def test_an_untrained_network_of_large_features_is_exported():
    """inception_v3 knows no statistics yet, and gives features of millions; no absolute bound fits."""
    from fieldguide.backbones.timm_networks.onnx_export import to_onnx

    torch.manual_seed(0)
    network = FeatureNetwork(own_network("inception_v3", 75)[0], Preprocessing(75)).eval()
    with torch.no_grad():
        (features,) = network(torch.zeros(1, 75, 75, 3, dtype=torch.uint8))
    assert features.abs().max() > 1000
    assert len(to_onnx(network, "inception_v3")) > 80_000_000
